/*
 * Quartic springs between sites: phi = (x_i - x_j)^4 for every unordered pair of sites within a range. With
 * d = x_i - x_j,
 *
 *   f_i          = -4 theta d^3, f_j = +4 theta d^3
 *   grad phi     = (4 d^3, -4 d^3) at (i, j)
 *   Laplacian    = 24 d^2
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	struct pairs *pairs = NULL;
	double range = 0.0;
	int status = pairs_range(spec, &range, err);

	if (status == 0)
		status = pairs_new(&pairs, network, range, false, err);
	if (status)
		return status;
	term->plan = pairs;
	term->n_parameters = pairs->n;
	return 0;
}

static void fini(struct energy_term *term)
{
	free(term->plan);
	term->plan = NULL;
}

static void parameter_name(const struct energy_term *term, size_t k, char name[PARAMETER_NAME_SIZE])
{
	const struct pairs *pairs = term->plan;

	snprintf(name, PARAMETER_NAME_SIZE, "(x%u-x%u)^4", pairs->pair[k].i, pairs->pair[k].j);
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

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	const struct pairs *pairs = term->plan;

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			u[l] += packed[k] * integer_power(xi[l] - xj[l], 4);
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const struct pairs *pairs = term->plan;

	for (size_t k = 0; k < pairs->n; k++) {
		const size_t i = pairs->pair[k].i * LANES, j = pairs->pair[k].j * LANES;
		const real slope = 4 * packed[k];

#pragma GCC ivdep /* sites i and j are distinct, and x is not f */
		for (size_t l = 0; l < LANES; l++) {
			const real push = slope * integer_power(x[i + l] - x[j + l], 3);

			f[i + l] -= push;
			f[j + l] += push;
		}
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct pairs *pairs = term->plan;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const size_t i = pairs->pair[k].i * LANES, j = pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			sum[l] = 4 * integer_power(x[i + l] - x[j + l], 3) * (r[i + l] - r[j + l]);
		g[k] -= lane_sum(sum);
	}
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	const struct pairs *pairs = term->plan;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			sum[l] = 24 * integer_power(xi[l] - xj[l], 2);
		out[k] += lane_sum(sum);
	}
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct pairs *pairs = term->plan;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			sum[l] = 32 * integer_power(xi[l] - xj[l], 6);
		out[k] += lane_sum(sum);
	}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_difference_power) = {
	.name = "difference-power",
	.summary = "(x_i - x_j)^4 over pairs of sites",
	.settings = "range=all|NUMBER",
	.example = "difference-power range=1",
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
