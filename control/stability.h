#ifndef JOSTLE_STABILITY_H
#define JOSTLE_STABILITY_H
/*
 * Whether a loop of this period can carry out a generation at all.
 */
struct bench;
struct calibration;
struct err;
struct plan;
struct potential;

/**
 * The largest stiffness times period of a restoring force that acts one period and `latency` more after the displacement
 * that it answers: beyond it the site swings ever further. Call from: any.
 */
double stability_bound(double latency_periods);

/**
 * Refuse a plan with a generation whose stiffest force is beyond stability_bound(): the protocol's wall, which feedback
 * drive commands, or the 2 / sigma^2 that a force has on its way to a sharp point, at the last edge that it is commanded
 * for; of both, what is not the site's own. In parametric drive the device itself
 * restores, without a delay; theta must still change by less than itself in a period, which is the second of the two
 * with bound 1. Segments have been checked by sequencer_init(). Errors: JOSTLE_ECONFIG, saying what period would do.
 * Call from: setup.
 */
int stability_check(const struct plan *plan, const struct bench *bench, const struct calibration *calibration,
		    struct potential *potential, double period_s, struct err *err);

#endif
