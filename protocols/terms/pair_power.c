/*
 * Nonlinear couplings: phi = x_i^a x_j^b over pairs of sites within a range; ordered pairs where a and b differ,
 * unordered ones where they are equal. With s = x_i^(a-1) x_j^(b-1),
 *
 *   f_i          = -theta a s x_j, f_j = -theta b s x_i
 *   grad phi     = (a s x_j, b s x_i) at (i, j)
 *   Laplacian    = a (a-1) x_i^(a-2) x_j^b + b (b-1) x_i^a x_j^(b-2)
 *
 * Exponents 1,1 are refused: the bilinear term is the one way to say that.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define MAX_POWER 6

struct plan {
	size_t a, b;
	struct pairs *pairs;
};

static void fini(struct energy_term *term)
{
	struct plan *plan = term->plan;

	if (!plan)
		return;
	free(plan->pairs);
	free(plan);
	term->plan = NULL;
}

static int read_exponents(struct plan *plan, struct spec *spec, struct err *err)
{
	size_t exponents[2], n = 0;
	int status = spec_sizes(spec, "exponents", true, 1, MAX_POWER, 2, exponents, &n, err);

	if (status)
		return status;
	if (n != 2)
		return err_set(err, JOSTLE_ECONFIG, "exponents: expected two, as in 2,1, found %zu", n);
	if (exponents[0] == 1 && exponents[1] == 1)
		return err_set(err, JOSTLE_ECONFIG,
			       "exponents: expected other than 1,1, which is the term \"bilinear\"");
	plan->a = exponents[0];
	plan->b = exponents[1];
	return 0;
}

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	double range = 0.0;
	int status;

	if (!plan)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a pair-power term");
	term->plan = plan;
	status = read_exponents(plan, spec, err);
	if (status)
		goto fail;
	status = pairs_range(spec, &range, err);
	if (status)
		goto fail;
	status = pairs_new(&plan->pairs, network, range, plan->a != plan->b, err);
	if (status)
		goto fail;
	term->n_parameters = plan->pairs->n;
	return 0;

fail:
	fini(term);
	return status;
}

static void parameter_name(const struct energy_term *term, size_t k, char name[PARAMETER_NAME_SIZE])
{
	const struct plan *plan = term->plan;

	product_name(plan->pairs->pair[k].i, plan->a, plan->pairs->pair[k].j, plan->b, name);
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

/** x^n, n at most MAX_POWER, without a loop of unknown length, which would keep the lanes from being vectorised. */
static inline real bounded_power(real x, size_t n)
{
	real y = 1;

	for (size_t e = 0; e < MAX_POWER; e++)
		y *= e < n ? x : 1;
	return y;
}

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	const struct plan *plan = term->plan;
	const struct pairs *pairs = plan->pairs;

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			u[l] += packed[k] * bounded_power(xi[l], plan->a) * bounded_power(xj[l], plan->b);
	}
}

/** Constant exponents leave straight multiplications. */
static inline void add_force(const struct pairs *pairs, size_t a, size_t b, const real theta[], const real x[],
			     real f[])
{
	for (size_t k = 0; k < pairs->n; k++) {
		const size_t i = pairs->pair[k].i * LANES, j = pairs->pair[k].j * LANES;
		const real slope_i = (real)a * theta[k], slope_j = (real)b * theta[k];

#pragma GCC ivdep /* sites i and j are distinct, and x is not f */
		for (size_t l = 0; l < LANES; l++) {
			const real s = bounded_power(x[i + l], a - 1) * bounded_power(x[j + l], b - 1);

			f[i + l] -= slope_i * s * x[j + l];
			f[j + l] -= slope_j * s * x[i + l];
		}
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const struct plan *plan = term->plan;
	const struct pairs *pairs = plan->pairs;

	switch (10 * plan->a + plan->b) {
	case 12:
		add_force(pairs, 1, 2, packed, x, f);
		break;
	case 21:
		add_force(pairs, 2, 1, packed, x, f);
		break;
	case 22:
		add_force(pairs, 2, 2, packed, x, f);
		break;
	case 31:
		add_force(pairs, 3, 1, packed, x, f);
		break;
	default:
		add_force(pairs, plan->a, plan->b, packed, x, f);
	}
}

/** As add_force(). */
static inline void add_gradient(const struct pairs *pairs, size_t a, size_t b, const real x[], const real r[],
				double g[])
{
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const size_t i = pairs->pair[k].i * LANES, j = pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++) {
			const real s = bounded_power(x[i + l], a - 1) * bounded_power(x[j + l], b - 1);

			sum[l] = s * ((real)a * r[i + l] * x[j + l] + (real)b * r[j + l] * x[i + l]);
		}
		g[k] -= lane_sum(sum);
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct plan *plan = term->plan;
	const struct pairs *pairs = plan->pairs;

	switch (10 * plan->a + plan->b) {
	case 12:
		add_gradient(pairs, 1, 2, x, r, g);
		break;
	case 21:
		add_gradient(pairs, 2, 1, x, r, g);
		break;
	case 22:
		add_gradient(pairs, 2, 2, x, r, g);
		break;
	case 31:
		add_gradient(pairs, 3, 1, x, r, g);
		break;
	default:
		add_gradient(pairs, plan->a, plan->b, x, r, g);
	}
}

/** The second derivative of x^n. */
static inline real curvature(real x, size_t n)
{
	return n < 2 ? 0 : (real)(n * (n - 1)) * bounded_power(x, n - 2);
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	const struct pairs *pairs = plan->pairs;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			sum[l] = curvature(xi[l], plan->a) * bounded_power(xj[l], plan->b) +
				 bounded_power(xi[l], plan->a) * curvature(xj[l], plan->b);
		out[k] += lane_sum(sum);
	}
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	const struct pairs *pairs = plan->pairs;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++) {
			const real s = bounded_power(xi[l], plan->a - 1) * bounded_power(xj[l], plan->b - 1);
			const real slope_i = (real)plan->a * s * xj[l], slope_j = (real)plan->b * s * xi[l];

			sum[l] = slope_i * slope_i + slope_j * slope_j;
		}
		out[k] += lane_sum(sum);
	}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_pair_power) = {
	.name = "pair-power",
	.summary = "x_i^a x_j^b over pairs of sites",
	.settings = "exponents=A,B (1 to 6, not 1,1) range=all|NUMBER",
	.example = "pair-power exponents=2,1 range=1",
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
