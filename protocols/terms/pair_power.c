/*
 * Nonlinear couplings: phi = x_i^a x_j^b over pairs of sites within a range; ordered pairs where a and b differ,
 * unordered ones where they are equal.
 *
 *   f_i          = -a x_i^(a-1) sum_j theta_ij x_j^b - b x_i^(b-1) sum_j theta_ji x_j^a
 *   grad phi     = (a x_i^(a-1) x_j^b, b x_i^a x_j^(b-1)) at (i, j)
 *   Laplacian    = a (a-1) x_i^(a-2) x_j^b + b (b-1) x_i^a x_j^(b-2)
 *   |grad phi|^2 = a^2 x_i^(2a-2) x_j^(2b) + b^2 x_i^(2a) x_j^(2b-2)
 *
 * With tables of powers the force is two products of couplings with neighbours, as in the bilinear term, and the rest
 * are sums of two products of one function of x_i with one of x_j.
 *
 * Exponents 1,1 are refused: the bilinear term is the one way to say that.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/neighbours.h"
#include "protocols/network.h"
#include "protocols/pairs.h"
#include "protocols/scratch.h"

#define MAX_POWER 6

struct plan {
	size_t a, b;
	struct pairs *pairs;
	struct neighbours first; /* of every site, where it is i */
	struct twins as_i;       /* of every two sites, where they are i; empty if a = b */
	struct twins as_j;       /* where they are j; where they are either if a = b, which then makes no difference */
};

static void fini(struct energy_term *term)
{
	struct plan *plan = term->plan;

	if (!plan)
		return;
	neighbours_fini(&plan->first);
	twins_fini(&plan->as_i);
	twins_fini(&plan->as_j);
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

static int list_neighbours(struct plan *plan, size_t n_sites, struct err *err)
{
	const bool ordered = plan->a != plan->b;
	int status = neighbours_init(&plan->first, plan->pairs, n_sites, NEIGHBOUR_OF_FIRST, err);

	if (!status && ordered)
		status = twins_init(&plan->as_i, plan->pairs, n_sites, NEIGHBOUR_OF_FIRST, err);
	if (!status)
		status = twins_init(&plan->as_j, plan->pairs, n_sites,
				    ordered ? NEIGHBOUR_OF_SECOND : NEIGHBOUR_OF_EITHER, err);
	return status;
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
	status = list_neighbours(plan, network->n_sites, err);
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
	const struct plan *plan = term->plan;

	return plan->as_i.n_entries + plan->as_j.n_entries;
}

static void pack(const struct energy_term *term, const double theta[], real packed[])
{
	const struct plan *plan = term->plan;

	twins_pack(&plan->as_i, theta, packed);
	twins_pack(&plan->as_j, theta, packed + plan->as_i.n_entries);
}

/** scale y x^n at every site, in scratch unless it is x itself; y = NULL stands for one. */
static const real *table(const struct energy_term *term, enum scratch_table place, real scale, const real *y,
			 const real x[], size_t n)
{
	vector *out = (vector *)scratch_table(place);

	if (n == 1 && scale == 1 && !y)
		return x;
	for (size_t i = 0; i < term->n_sites * LANE_VECTORS; i++) {
		out[i] = scale * lanes_power(lanes_at(x, i), n);
		if (y)
			out[i] *= lanes_at(y, i);
	}
	return scratch_table(place);
}

/** f -= n x^(n-1) times the sum over neighbours of theta y. */
static inline void pull(const struct twins *twins, const real packed[], const real y[], size_t n, const real x[],
			real f[])
{
	vector sum[2 * LANE_VECTORS];

	for (size_t i = 0; i < twins->n_sites; i += 2) {
		const size_t n_vectors = (twins->n_sites - i < 2 ? 1 : 2) * LANE_VECTORS;

		twins_sum(twins, packed, y, i / 2, sum);
		for (size_t v = 0; v < n_vectors; v++)
			((vector *)(f + i * LANES))[v] -=
				(real)n * lanes_power(lanes_at(x + i * LANES, v), n - 1) * sum[v];
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const struct plan *plan = term->plan;
	const real *to_a = table(term, SCRATCH_A, 1, NULL, x, plan->a);
	const real *to_b = table(term, SCRATCH_B, 1, NULL, x, plan->b);

	if (plan->a != plan->b)
		pull(&plan->as_i, packed, to_b, plan->a, x, f);
	pull(&plan->as_j, packed + plan->as_i.n_entries, to_a, plan->b, x, f);
}

/** U = sum over i of x_i^a times the sum over its neighbours; of a = b half of that, for each pair stands twice. */
static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	const struct plan *plan = term->plan;
	const bool ordered = plan->a != plan->b;
	const struct twins *twins = ordered ? &plan->as_i : &plan->as_j;
	const real *to_a = table(term, SCRATCH_A, ordered ? 1 : (real)0.5, NULL, x, plan->a);
	const real *to_b = table(term, SCRATCH_B, 1, NULL, x, plan->b);
	vector sum[2 * LANE_VECTORS];

	for (size_t i = 0; i < term->n_sites; i++) {
		if (i % 2 == 0)
			twins_sum(twins, packed, to_b, i / 2, sum);
		for (size_t v = 0; v < LANE_VECTORS; v++)
			((vector *)u)[v] += sum[i % 2 * LANE_VECTORS + v] * lanes_at(to_a + i * LANES, v);
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct plan *plan = term->plan;
	const size_t a = plan->a, b = plan->b;

	neighbours_products(&plan->first, table(term, SCRATCH_A, (real)a, r, x, a - 1),
			    table(term, SCRATCH_B, 1, NULL, x, b), table(term, SCRATCH_C, 1, NULL, x, a),
			    table(term, SCRATCH_D, (real)b, r, x, b - 1), -1.0, g);
}

/** The second derivative of x^n. */
static const real *curvature(const struct energy_term *term, enum scratch_table place, const real x[], size_t n)
{
	return table(term, place, (real)(n * (n - 1)), NULL, x, n < 2 ? 0 : n - 2);
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;

	neighbours_products(&plan->first, curvature(term, SCRATCH_A, x, plan->a),
			    table(term, SCRATCH_B, 1, NULL, x, plan->b), table(term, SCRATCH_C, 1, NULL, x, plan->a),
			    curvature(term, SCRATCH_D, x, plan->b), 1.0, out);
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	const size_t a = plan->a, b = plan->b;

	neighbours_products(&plan->first, table(term, SCRATCH_A, (real)(a * a), NULL, x, 2 * a - 2),
			    table(term, SCRATCH_B, 1, NULL, x, 2 * b), table(term, SCRATCH_C, 1, NULL, x, 2 * a),
			    table(term, SCRATCH_D, (real)(b * b), NULL, x, 2 * b - 2), 1.0, out);
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
