/*
 * Gaussians: isotropic normal modes with weights, in as many dimensions as there are sites.
 */
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "learning/target.h"

#define MAX_VALUES 256 /* numbers that fit into one setting */
#define MAX_MEAN   100.0

/** Weights and widths: none given, one for all, or one for each mode. */
static int per_mode(struct spec *spec, const char *key, double min, double max, double fallback, size_t n_modes,
		    double out[], struct err *err)
{
	double values[MAX_VALUES];
	size_t n = 0;
	int status;

	if ((status = spec_doubles(spec, key, false, min, max, MAX_VALUES, values, &n, err)))
		return status;
	if (n > 1 && n != n_modes)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": %s: expected 1 or %zu numbers, found %zu", spec->text,
			       key, n_modes, n);
	for (size_t m = 0; m < n_modes; m++)
		out[m] = n == 0 ? fallback : values[n == 1 ? 0 : m];
	return 0;
}

static int init(struct target *target, struct spec *spec, struct err *err)
{
	struct mixture *mixture = &target->mixture;
	const size_t n_sites = target->n_sites;
	double means[MAX_VALUES];
	size_t n = 0;
	int status;

	if ((status = spec_doubles(spec, "means", true, -MAX_MEAN, MAX_MEAN, MAX_VALUES, means, &n, err)))
		return status;
	if (n == 0 || n % n_sites)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": means: expected %zu numbers for each mode, found %zu",
			       spec->text, n_sites, n);
	if ((status = mixture_init(mixture, n / n_sites, n_sites, err)))
		return status;
	for (size_t i = 0; i < n; i++)
		mixture->mean[i] = means[i];
	if ((status = per_mode(spec, "sigma", 1e-3, MAX_MEAN, 0.4, mixture->n_modes, mixture->sigma, err)))
		return status;
	if ((status = per_mode(spec, "weights", 1e-6, 1e6, 1.0, mixture->n_modes, mixture->weight, err)))
		return status;
	mixture->n_named = mixture->n_modes;
	return mixture_normalise(mixture, err);
}

/* The only global symbol of this file. */
const struct target_type target_gaussians = {
	.name = "gaussians",
	.summary = "isotropic normal modes with weights",
	.settings = "means=x,y,x,y,… (sites numbers for each mode) sigma=0.4 weights=1 (one for all or one for each)",
	.example = "gaussians means=1.2,1.2,-1.2,-1.2 sigma=0.4 weights=0.3,0.7",
	.example_sites = 2,
	.init = init,
	.fini = target_mixture_fini,
	.draw = target_mixture_draw,
	.extent = target_mixture_extent,
};
