#include "protocols/diffusion.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"

#define GRID_MAX_STEPS 100000000

double diffusion_variance(double t)
{
	return -expm1(-2.0 * t);
}

double diffusion_step(double t)
{
	return fmin(0.03 * diffusion_variance(t), 0.02);
}

double diffusion_readout(double x, double f, double t, double weight)
{
	const double score = 0.5 * (f - x);

	return (x + weight * diffusion_variance(t) * score) * exp(t);
}

/** One pass over the grid; fills t[] when it is given. Returns the number of steps, 0 when there would be too many. */
static size_t walk(double t_final, double t_minimum, double step, double t[])
{
	double now = t_final;
	size_t n = 0;

	if (t)
		t[0] = now;
	while (now > t_minimum) {
		const double advance = step > 0.0 ? step : diffusion_step(now);

		/* A uniform grid is counted from the start, as a bench's clock does: sums of steps would drift. */
		now = step > 0.0 ? t_final - (double)(n + 1) * step : now - advance;
		/* A last step shorter than a millionth of the others is rounding, not a step. */
		if (now < t_minimum + 1e-6 * advance)
			now = t_minimum;
		if (++n == GRID_MAX_STEPS)
			return 0;
		if (t)
			t[n] = now;
	}
	return n;
}

int diffusion_grid(double t_final, double t_minimum, double step, double **t, size_t *n_steps)
{
	if (!(t_minimum > 0.0 && t_final > t_minimum && isfinite(t_final) && step >= 0.0))
		return JOSTLE_EINVAL;
	const size_t n = walk(t_final, t_minimum, step, NULL);
	if (n == 0)
		return JOSTLE_EINVAL;
	*t = malloc((n + 1) * sizeof(**t));
	if (!*t)
		return JOSTLE_ENOMEM;
	*n_steps = walk(t_final, t_minimum, step, *t);
	return 0;
}
