/*
 * Ring: a circle with a normal cross-section, as equal modes a standard deviation or less apart.
 *
 * Modes of width sigma at spacing h make a density that ripples along the circle by 2 exp(-2 pi^2 sigma^2 / h^2):
 * below 10^-8 for h <= sigma, so the row of modes is the ring for every purpose here.
 */
#include <math.h>

#include "base/err.h"
#include "base/spec.h"
#include "learning/target.h"

static int init(struct target *target, struct spec *spec, struct err *err)
{
	struct mixture *mixture = &target->mixture;
	double radius = 1.5, sigma = 0.15;
	int status;

	if (target->n_sites != 2)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": expected a lattice of 2 sites, found %zu", spec->text,
			       target->n_sites);
	if ((status = spec_double(spec, "radius", false, 0.01, 100.0, &radius, err)) ||
	    (status = spec_double(spec, "sigma", false, 1e-3, 100.0, &sigma, err)))
		return status;

	const double n = fmax(8.0, ceil(2.0 * M_PI * radius / sigma));
	if (n > MIXTURE_MAX_MODES)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": sigma: expected at least %g for radius %g, found %g",
			       spec->text, 2.0 * M_PI * radius / MIXTURE_MAX_MODES, radius, sigma);
	if ((status = mixture_init(mixture, (size_t)n, 2, err)))
		return status;
	for (size_t m = 0; m < mixture->n_modes; m++) {
		const double angle = 2.0 * M_PI * (double)m / n;

		mixture->mean[2 * m] = radius * cos(angle);
		mixture->mean[2 * m + 1] = radius * sin(angle);
		mixture->sigma[m] = sigma;
		mixture->weight[m] = 1.0;
	}
	return mixture_normalise(mixture, err);
}

/* The only global symbol of this file. */
const struct target_type target_ring = {
	.name = "ring",
	.summary = "a circle with a normal cross-section, on two sites",
	.settings = "radius=1.5 sigma=0.15",
	.example = "ring radius=1.5 sigma=0.15",
	.example_sites = 2,
	.init = init,
	.fini = target_mixture_fini,
	.draw = target_mixture_draw,
	.extent = target_mixture_extent,
};
