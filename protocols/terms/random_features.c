/*
 * Random features: phi_k = cos(w_k . x + b_k), w_k ~ N(0, scale^2) per site, b_k uniform on [0, 2 pi). Linear in theta
 * like all others, and with many features as rich as a radial basis of width 1 / scale (Rahimi & Recht 2007). With
 * a_k = w_k . x + b_k,
 *
 *   f_i          = theta_k w_ki sin a_k
 *   grad phi     = -w_k sin a_k
 *   Laplacian    = -|w_k|^2 cos a_k
 *
 * A feature depends on its number, the seed and the scale, not on how many there are: it keeps its name in a network
 * with more of them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/random.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define MAX_FEATURES 65536
#define MAX_WEIGHTS  1048576 /* features times sites, of one term: 8 MiB */

struct plan {
	size_t seed;
	double scale;
	double weights[]; /* [n_parameters][n_sites + 2]: w_k, b_k, |w_k|^2 */
};

static const double *feature(const struct energy_term *term, size_t k)
{
	return ((const struct plan *)term->plan)->weights + k * (term->n_sites + 2);
}

/** Addresses: replica k; step 0 for the weights, step 1 for the phase. */
static void draw(const struct plan *plan, size_t k, size_t n_sites, double out[])
{
	double numbers[4], square = 0.0;

	for (size_t i = 0; i < n_sites; i++) {
		if (i % 4 == 0)
			random_normals(plan->seed, RANDOM_FEATURES, (uint32_t)k, 0, (uint32_t)(i / 4), numbers);
		out[i] = plan->scale * numbers[i % 4];
		square += out[i] * out[i];
	}
	random_uniforms(plan->seed, RANDOM_FEATURES, (uint32_t)k, 1, 0, numbers);
	out[n_sites] = 2.0 * M_PI * numbers[0];
	out[n_sites + 1] = square;
}

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	const size_t n_sites = network->n_sites;
	size_t count = 64, seed = 1;
	double scale = 1.0;
	int status;

	if ((status = spec_size(spec, "count", false, 1, MAX_FEATURES, &count, err)) ||
	    (status = spec_size(spec, "seed", false, 0, UINT32_MAX, &seed, err)) ||
	    (status = spec_double(spec, "scale", false, 1e-3, 1e3, &scale, err)))
		return status;
	if (count * n_sites > MAX_WEIGHTS)
		return err_set(err, JOSTLE_ECONFIG, "count: expected at most %zu features of %zu sites, found %zu",
			       MAX_WEIGHTS / n_sites, n_sites, count);
	struct plan *plan = malloc(sizeof(*plan) + count * (n_sites + 2) * sizeof(double));
	if (!plan)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu random features", count);
	plan->seed = seed;
	plan->scale = scale;
	for (size_t k = 0; k < count; k++)
		draw(plan, k, n_sites, plan->weights + k * (n_sites + 2));
	term->plan = plan;
	term->n_parameters = count;
	return 0;
}

static void fini(struct energy_term *term)
{
	free(term->plan);
	term->plan = NULL;
}

static void parameter_name(const struct energy_term *term, size_t k, char name[PARAMETER_NAME_SIZE])
{
	const struct plan *plan = term->plan;
	char scale[NUMBER_NAME_SIZE];

	number_name(plan->scale, scale);
	snprintf(name, PARAMETER_NAME_SIZE, "cos%hu(x;%u,%.22s)", (unsigned short)k, (unsigned)plan->seed, scale);
}

static size_t packed_size(const struct energy_term *term)
{
	return term->n_parameters;
}

static void pack(const struct energy_term *term, const double theta[], real packed[])
{
	for (size_t k = 0; k < term->n_parameters; k++)
		packed[k] = (real)theta[k];
}

#if LANES == 1
static inline void sine(const real a[LANES], real out[LANES])
{
	out[0] = sin(a[0]);
}
#else
/**
 * Sine in single precision without a call, so that lanes are vectorised. n = a / 2 pi is rounded to a whole number by
 * adding and taking away 1.5 * 2^23; a - 2 pi n is formed from a 2 pi in two parts, the first with so few digits that
 * n times it is exact (Cody & Waite 1980). With t = (a - 2 pi n) / 2 pi folded to [-1/4, 1/4], the Taylor series of
 * sin(2 pi t) to the eleventh power is good to 6e-8.
 */
static inline void sine(const real a[LANES], real out[LANES])
{
	const real rounder = 0x1.8p23f, per_turn = 0.159154943f, turn_high = 6.28125f, turn_low = 1.93530718e-3f;

	for (size_t l = 0; l < LANES; l++) {
		const real n = (a[l] * per_turn + rounder) - rounder;
		real t = ((a[l] - n * turn_high) - n * turn_low) * per_turn;

		t = t > 0.25f ? 0.5f - t : t < -0.25f ? -0.5f - t : t;
		const real z = t * t;
		out[l] = t * (6.28318531f +
			      z * (-41.3417022f +
				   z * (81.6052493f + z * (-76.7058598f + z * (42.0586939f + z * -15.0946426f)))));
	}
}
#endif

/** out = sin(w . x + b + shift). */
static void feature_sine(const struct energy_term *term, const double w[], const real x[], double shift,
			 real out[LANES])
{
	real a[LANES];

	for (size_t l = 0; l < LANES; l++)
		a[l] = (real)(w[term->n_sites] + shift);
	for (size_t i = 0; i < term->n_sites; i++)
		for (size_t l = 0; l < LANES; l++)
			a[l] += (real)w[i] * x[i * LANES + l];
	sine(a, out);
}

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	real cosine[LANES];

	for (size_t k = 0; k < term->n_parameters; k++) {
		feature_sine(term, feature(term, k), x, M_PI_2, cosine);
		for (size_t l = 0; l < LANES; l++)
			u[l] += packed[k] * cosine[l];
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	real s[LANES];

	for (size_t k = 0; k < term->n_parameters; k++) {
		const double *w = feature(term, k);

		feature_sine(term, w, x, 0.0, s);
		for (size_t i = 0; i < term->n_sites; i++) {
			const real slope = packed[k] * (real)w[i];

			for (size_t l = 0; l < LANES; l++)
				f[i * LANES + l] += slope * s[l];
		}
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	real s[LANES], along[LANES];

	for (size_t k = 0; k < term->n_parameters; k++) {
		const double *w = feature(term, k);

		feature_sine(term, w, x, 0.0, s);
		for (size_t l = 0; l < LANES; l++)
			along[l] = 0;
		for (size_t i = 0; i < term->n_sites; i++)
			for (size_t l = 0; l < LANES; l++)
				along[l] += (real)w[i] * r[i * LANES + l];
		for (size_t l = 0; l < LANES; l++)
			along[l] *= s[l];
		g[k] += lane_sum(along); /* grad phi is -w sin a, and the rule asks for -r . grad phi */
	}
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	real cosine[LANES];

	for (size_t k = 0; k < term->n_parameters; k++) {
		const double *w = feature(term, k);

		feature_sine(term, w, x, M_PI_2, cosine);
		out[k] -= w[term->n_sites + 1] * lane_sum(cosine);
	}
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	real s[LANES];

	for (size_t k = 0; k < term->n_parameters; k++) {
		const double *w = feature(term, k);

		feature_sine(term, w, x, 0.0, s);
		for (size_t l = 0; l < LANES; l++)
			s[l] *= s[l];
		out[k] += w[term->n_sites + 1] * lane_sum(s);
	}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_random_features) = {
	.name = "random-features",
	.summary = "cos(w.x + b) with random w and b",
	.settings = "count=N (64) scale=NUMBER (1) seed=N (1)",
	.example = "random-features count=7 scale=1.5 seed=3",
	.init = init,
	.fini = fini,
	.parameter_name = parameter_name,
	.packed_size = packed_size,
	.pack = pack,
	.energy = energy,
	.force = force,
	.gradient = gradient,
	.laplacian = laplacian,
	.power = power,
};
