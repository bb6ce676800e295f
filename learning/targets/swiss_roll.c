/*
 * Swiss roll: a spiral with a normal cross-section, evenly filled along its length.
 *
 * The spiral is Archimedes', r = c phi, with phi from pi n to 3 pi n for n turns, so that the inner end has a third of
 * the outer radius, as is usual for this shape. Its length up to phi is
 *
 *   s(phi) = c [phi sqrt(1 + phi^2) + arsinh phi] / 2,
 *
 * and equal modes stand at equal lengths, a standard deviation or less apart (see ring.c).
 */
#include <math.h>

#include "base/err.h"
#include "base/spec.h"
#include "learning/target.h"

static double length_to(double phi)
{
	return 0.5 * (phi * sqrt(1.0 + phi * phi) + asinh(phi));
}

/** The angle at a length, by Newton's method: s is convex and rising, so from above it converges for certain. */
static double angle_at(double length, double phi)
{
	for (int i = 0; i < 50; i++) {
		const double step = (length_to(phi) - length) / sqrt(1.0 + phi * phi);

		phi -= step;
		if (fabs(step) < 1e-13 * phi)
			break;
	}
	return phi;
}

static int init(struct target *target, struct spec *spec, struct err *err)
{
	struct mixture *mixture = &target->mixture;
	double turns = 1.5, radius = 2.0, sigma = 0.1;
	int status;

	if (target->n_sites != 2)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": expected a lattice of 2 sites, found %zu", spec->text,
			       target->n_sites);
	if ((status = spec_double(spec, "turns", false, 0.1, 20.0, &turns, err)) ||
	    (status = spec_double(spec, "radius", false, 0.01, 100.0, &radius, err)) ||
	    (status = spec_double(spec, "sigma", false, 1e-3, 100.0, &sigma, err)))
		return status;

	const double outer = 3.0 * M_PI * turns, scale = radius / outer;
	const double start = length_to(outer / 3.0), length = length_to(outer) - start;
	const double n = fmax(8.0, ceil(scale * length / sigma) + 1.0);
	if (n > MIXTURE_MAX_MODES)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": sigma: expected at least %g for this roll, found %g",
			       spec->text, scale * length / (MIXTURE_MAX_MODES - 1), sigma);
	if ((status = mixture_init(mixture, (size_t)n, 2, err)))
		return status;
	for (size_t m = 0; m < mixture->n_modes; m++) {
		const double phi = angle_at(start + length * (double)m / (n - 1.0), outer);

		mixture->mean[2 * m] = scale * phi * cos(phi);
		mixture->mean[2 * m + 1] = scale * phi * sin(phi);
		mixture->sigma[m] = sigma;
		mixture->weight[m] = 1.0;
	}
	return mixture_normalise(mixture, err);
}

/* The only global symbol of this file. */
const struct target_type target_swiss_roll = {
	.name = "swiss-roll",
	.summary = "a spiral with a normal cross-section, on two sites",
	.settings = "turns=1.5 radius=2 sigma=0.1",
	.example = "swiss-roll turns=1.5 radius=2 sigma=0.1",
	.example_sites = 2,
	.init = init,
	.fini = target_mixture_fini,
	.draw = target_mixture_draw,
	.extent = target_mixture_extent,
};
