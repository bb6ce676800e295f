/*
 * A force -K x, sampled with period delta and acting d periods late: x_(n+1) = x_n - k x_(n-d) with k = K delta. On the
 * border of stability z^d (z - 1) = -k has a root z = e^(i w): from the modulus k = 2 sin(w / 2), from the argument
 * w = pi / (2 d + 1), so that k = 2 sin(pi / (4 d + 2)): 1 for the one period that every bench has, 0.618 for two
 * (Levin and May, Theor. Popul. Biol. 9, 178 (1976)).
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

int stability_check(const struct plan *plan, const struct bench *bench, const struct calibration *calibration,
		    struct potential *potential, double period_s, struct err *err)
{
	const bool feedback = bench->drive == DRIVE_FEEDBACK;
	const double bound = feedback ? stability_bound(calibration->latency) : 1;

	for (size_t s = 0; s < plan->n_segments; s++) {
		const struct segment *segment = &plan->segments[s];

		if (segment->kind != SEGMENT_GENERATE)
			continue;
		double stiffness = 2 / diffusion_variance(segment->t_minimum);

		if (feedback)
			stiffness = fmax(stiffness, stiffest_wall(potential, segment->t_minimum, segment->t_final));
		if (!(stiffness * calibration->period <= bound))
			return err_set(
				err, JOSTLE_ECONFIG,
				"bench %s, period_s: a generation down to t = %g commands a stiffness of %.3g, which "
				"a loop with a period of %g relaxation times cannot hold; expected at most %.3g s, "
				"found %g s",
				bench->name, segment->t_minimum, stiffness, calibration->period,
				period_s * bound / (stiffness * calibration->period), period_s);
	}
	return 0;
}
