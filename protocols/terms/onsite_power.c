/*
 * On-site powers: phi = x_i^p for every site i and every power p asked for.
 *
 *   f_i          = -p theta x_i^(p-1)
 *   grad phi     = p x_i^(p-1)
 *   Laplacian    = p (p-1) x_i^(p-2)
 *
 * Parameters run over powers, and within a power over sites. Local by construction: theta_ip meets x_i and nothing
 * else.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define MAX_POWER 6

struct plan {
	size_t n_powers;
	size_t power[MAX_POWER];
};

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return err_set(err, JOSTLE_ENOMEM, "no memory for an on-site term");
	int status = spec_sizes(spec, "powers", true, 1, MAX_POWER, MAX_POWER, plan->power, &plan->n_powers, err);
	for (size_t a = 0; status == 0 && a < plan->n_powers; a++)
		for (size_t b = 0; b < a; b++)
			if (plan->power[a] == plan->power[b])
				status = err_set(err, JOSTLE_ECONFIG, "powers: %zu is given twice", plan->power[a]);
	if (status) {
		free(plan);
		return status;
	}
	term->plan = plan;
	term->n_parameters = plan->n_powers * network->n_sites;
	return 0;
}

static void fini(struct energy_term *term)
{
	free(term->plan);
}

static void parameter_name(const struct energy_term *term, size_t k, char name[PARAMETER_NAME_SIZE])
{
	const struct plan *plan = term->plan;

	product_name(k % term->n_sites, plan->power[k / term->n_sites], term->n_sites, 0, name);
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
	const struct plan *plan = term->plan;

	for (size_t a = 0; a < plan->n_powers; a++)
		for (size_t i = 0; i < term->n_sites; i++)
			for (size_t l = 0; l < LANES; l++)
				u[l] += packed[a * term->n_sites + i] * integer_power(x[i * LANES + l], plan->power[a]);
}

/** The constant power lets the compiler unroll integer_power(). */
static inline void add_force(const real theta[], size_t n_sites, size_t p, const real x[], real f[])
{
	for (size_t i = 0; i < n_sites; i++) {
		const real slope = (real)p * theta[i];

		for (size_t l = 0; l < LANES; l++)
			f[i * LANES + l] -= slope * integer_power(x[i * LANES + l], p - 1);
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const struct plan *plan = term->plan;
	const size_t n = term->n_sites;

	for (size_t a = 0; a < plan->n_powers; a++) {
		const real *theta = packed + a * n;

		switch (plan->power[a]) {
		case 1:
			add_force(theta, n, 1, x, f);
			break;
		case 2:
			add_force(theta, n, 2, x, f);
			break;
		case 3:
			add_force(theta, n, 3, x, f);
			break;
		case 4:
			add_force(theta, n, 4, x, f);
			break;
		default:
			add_force(theta, n, plan->power[a], x, f);
		}
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct plan *plan = term->plan;
	real sum[LANES];

	for (size_t a = 0; a < plan->n_powers; a++)
		for (size_t i = 0; i < term->n_sites; i++) {
			const size_t p = plan->power[a];

			for (size_t l = 0; l < LANES; l++)
				sum[l] = r[i * LANES + l] * (real)p * integer_power(x[i * LANES + l], p - 1);
			g[a * term->n_sites + i] -= lane_sum(sum);
		}
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	real sum[LANES];

	for (size_t a = 0; a < plan->n_powers; a++) {
		const size_t p = plan->power[a];

		if (p < 2)
			continue;
		for (size_t i = 0; i < term->n_sites; i++) {
			for (size_t l = 0; l < LANES; l++)
				sum[l] = (real)(p * (p - 1)) * integer_power(x[i * LANES + l], p - 2);
			out[a * term->n_sites + i] += lane_sum(sum);
		}
	}
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	real sum[LANES];

	for (size_t a = 0; a < plan->n_powers; a++)
		for (size_t i = 0; i < term->n_sites; i++) {
			const size_t p = plan->power[a];

			for (size_t l = 0; l < LANES; l++)
				sum[l] = (real)(p * p) * integer_power(x[i * LANES + l], 2 * p - 2);
			out[a * term->n_sites + i] += lane_sum(sum);
		}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_onsite_power) = {
	.name = "onsite-power",
	.summary = "x_i^p at every site",
	.settings = "powers=LIST (1 to 6)",
	.example = "onsite-power powers=1-4",
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
