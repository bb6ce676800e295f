/*
 * A force -K x, sampled with period delta and acting d periods late: x_(n+1) = x_n - k x_(n-d) with k = K delta. On the
 * border of stability z^d (z - 1) = -k has a root z = e^(i w): from the modulus k = 2 sin(w / 2), from the argument
 * w = pi / (2 d + 1), so that k = 2 sin(pi / (4 d + 2)): 1 for the one period that every bench has, 0.618 for two
 * (Levin and May, Theor. Popul. Biol. 9, 178 (1976)). Where the site restores in part by itself, without delay, as every
 * site does in feedback drive, x_(n+1) = a x_n - k x_(n-d) with a < 1: for d >= 1 that bears no less.
 */
#include "control/stability.h"

#include <math.h>

#include "base/err.h"
#include "control/calibration.h"
#include "control/potential.h"
#include "control/sequencer.h"
#include "daq/bench.h"
#include "protocols/diffusion.h"
#include "protocols/protocol.h"

double stability_bound(double latency_periods)
{
	const double d = 1 + ceil(latency_periods);

	return 2 * sin(M_PI / (4 * d + 2));
}

/** The wall is linear in log t between knots, so that its stiffest is at a knot or at an end of the generation. */
static double stiffest_wall(struct potential *potential, double t_minimum, double t_final)
{
	const struct protocol *protocol = potential->protocol;
	double most;

	potential_at(potential, t_minimum);
	most = potential->wall.stiffness;
	potential_at(potential, t_final);
	most = fmax(most, potential->wall.stiffness);
	for (size_t j = 0; j < protocol->n_knots; j++)
		if (protocol->t[j] > t_minimum && protocol->t[j] < t_final)
			most = fmax(most, protocol->wall[j].stiffness);
	return most;
}

/**
 * The most that a generation commands. Its last command is for a moment before the read-out: by a whole period, where the
 * latency is a whole number of them (control/sequencer.h).
 */
static double stiffness_of(const struct segment *segment, double wall, double latency, double period)
{
	const double left = ceil(latency) > latency ? ceil(latency) - latency : 1;

	return fmax(wall, 2 / diffusion_variance(segment->t_minimum + left * period));
}

/** What of it comes late: the site itself restores with a stiffness of 1, and at once. */
static double late_part(double stiffness, bool feedback)
{
	return feedback ? stiffness - 1 : stiffness;
}

/** The longest period, of those up to one that is too long: stiffness times period grows with the period. */
static double longest_period(const struct segment *segment, double wall, const struct calibration *calibration,
			     bool feedback, double bound)
{
	double good = 0, bad = calibration->period;

	while (bad - good > 1e-6 * bad) {
		const double middle = 0.5 * (good + bad);
		const double stiffness = stiffness_of(segment, wall, calibration->latency, middle);

		*(late_part(stiffness, feedback) * middle <= bound ? &good : &bad) = middle;
	}
	return good;
}

int stability_check(const struct plan *plan, const struct bench *bench, const struct calibration *calibration,
		    struct potential *potential, double period_s, struct err *err)
{
	const bool feedback = bench->drive == DRIVE_FEEDBACK;
	const double bound = feedback ? stability_bound(calibration->latency) : 1, period = calibration->period;

	for (size_t s = 0; s < plan->n_segments; s++) {
		const struct segment *segment = &plan->segments[s];

		if (segment->kind != SEGMENT_GENERATE)
			continue;
		const double wall = feedback ? stiffest_wall(potential, segment->t_minimum, segment->t_final) : 0;
		const double stiffness = stiffness_of(segment, wall, calibration->latency, period);

		if (!(late_part(stiffness, feedback) * period <= bound))
			return err_set(
				err, JOSTLE_ECONFIG,
				"bench %s, period_s: a generation down to t = %g commands a stiffness of %.3g, which "
				"a loop with a period of %g relaxation times cannot hold; expected at most %.3g s, "
				"found %g s",
				bench->name, segment->t_minimum, stiffness, period,
				period_s * longest_period(segment, wall, calibration, feedback, bound) / period,
				period_s);
	}
	return 0;
}
