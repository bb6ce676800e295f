#ifndef JOSTLE_RAMP_H
#define JOSTLE_RAMP_H
/*
 * The way of a bench's outputs from where they are to safe_V: a straight line in the space of all outputs, so that limits
 * which hold at both ends, and bound a convex set as limits on differences and on power do, hold all along it.
 *
 * It is as quick as every output's slew limit allows, and quicker where that would not arrive in time: a deadline outranks
 * a slew limit. A heartbeat line is no actuator, and falls at once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"

struct bench;
struct err;

struct ramp {
	const struct bench *bench;
	int64_t step_ns;   /* between two steps */
	int64_t arrive_ns; /* CLOCK_MONOTONIC */
	double *out_V;     /* [n_out]: where it is */
	bool safe;         /* it has arrived */
};

/** A ramp that stands at safe_V. bench outlives it. The caller ends it with ramp_fini(). Errors: JOSTLE_ENOMEM. Call from: setup. */
int ramp_init(struct ramp *ramp, const struct bench *bench, int64_t step_ns, struct err *err);
void ramp_fini(struct ramp *ramp);

/**
 * Begin at from_V[n_out], brought within the limits in volts of the bench file first; what is not finite begins at safe_V.
 * The last step is the first at or after arrive_ns - step_ns. RT_SAFE. Call from: the guardian.
 */
RT_SAFE void ramp_begin(struct ramp *ramp, const double from_V[], int64_t arrive_ns);

/** Take one step. RT_SAFE. Call from: the guardian, once every step_ns. */
RT_SAFE void ramp_step(struct ramp *ramp, int64_t now_ns);

#endif
