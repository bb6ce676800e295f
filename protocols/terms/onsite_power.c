/*
 * On-site powers: phi = x_i^p for every site i and every power p asked for.
 *
 *   f_i          = -p theta x_i^(p-1), all powers of a site as one polynomial
 *   grad phi     = p x_i^(p-1)
 *   Laplacian    = p (p-1) x_i^(p-2)
 *
 * Parameters run over powers, and within a power over sites. Local by construction: theta_ip meets x_i and nothing
 * else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/lanes.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define MAX_POWER 6

struct plan {
	size_t n_powers;
	size_t power[MAX_POWER];
	size_t degree; /* the highest */
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
	for (size_t a = 0; a < plan->n_powers; a++)
		plan->degree = plan->power[a] > plan->degree ? plan->power[a] : plan->degree;
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
	return term->n_sites * ((const struct plan *)term->plan)->degree;
}

/** The slope dU/dx_i as a polynomial: [site][power of x_i]. */
static void pack(const struct energy_term *term, const double theta[], real packed[])
{
	const struct plan *plan = term->plan;

	memset(packed, 0, packed_size(term) * sizeof(*packed));
	for (size_t a = 0; a < plan->n_powers; a++)
		for (size_t i = 0; i < term->n_sites; i++)
			packed[i * plan->degree + plan->power[a] - 1] =
				(real)((double)plan->power[a] * theta[a * term->n_sites + i]);
}

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	const size_t degree = ((const struct plan *)term->plan)->degree;

	for (size_t i = 0; i < term->n_sites; i++)
		for (size_t p = 1; p <= degree; p++)
			for (size_t v = 0; v < LANE_VECTORS; v++)
				((vector *)u)[v] += packed[i * degree + p - 1] / (real)p *
						    lanes_power(lanes_at(x + i * LANES, v), p);
}

/** Horner's scheme; with a constant degree a straight line of it. */
static inline void add_force(const real packed[], size_t n_sites, size_t degree, const real x[], real f[])
{
	for (size_t i = 0; i < n_sites; i++) {
		vector c[MAX_POWER] = {0}; /* read before f is written, lest they be read again for each vector */

#pragma GCC unroll 6
		for (size_t e = 0; e < degree; e++)
			c[e] = lanes_all(packed[i * degree + e]);
#pragma GCC unroll 8
		for (size_t v = 0; v < LANE_VECTORS; v++) {
			const vector xi = lanes_at(x + i * LANES, v);
			vector slope = c[degree - 1];

#pragma GCC unroll 6
			for (size_t e = degree - 1; e-- > 0;)
				slope = slope * xi + c[e];
			((vector *)(f + i * LANES))[v] -= slope;
		}
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const size_t n = term->n_sites;

	switch (((const struct plan *)term->plan)->degree) {
	case 1:
		add_force(packed, n, 1, x, f);
		break;
	case 2:
		add_force(packed, n, 2, x, f);
		break;
	case 3:
		add_force(packed, n, 3, x, f);
		break;
	case 4:
		add_force(packed, n, 4, x, f);
		break;
	case 5:
		add_force(packed, n, 5, x, f);
		break;
	default:
		add_force(packed, n, MAX_POWER, x, f);
	}
}

/** out[i] += sign times the sum over lanes of scale y_i x_i^n; y = NULL stands for one. A constant n leaves no loop. */
static inline void add_moments(size_t n_sites, const real x[], const real *y, real scale, size_t n, double sign,
			       double out[])
{
	for (size_t i = 0; i < n_sites; i += WIDTH) {
		const size_t n_sums = n_sites - i < WIDTH ? n_sites - i : WIDTH;
		vector s[WIDTH];

		if (n_sums < WIDTH)
			memset(s, 0, sizeof(s));
		for (size_t k = 0; k < n_sums; k++) {
			const size_t at = (i + k) * LANES;
			vector sum = lanes_all(0);

#pragma GCC unroll 8
			for (size_t v = 0; v < LANE_VECTORS; v++)
				sum += (y ? lanes_at(y + at, v) : lanes_all(1)) * lanes_power(lanes_at(x + at, v), n);
			s[k] = scale * sum;
		}
		lanes_add_sums(s, n_sums, sign, out + i);
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct plan *plan = term->plan;
	const size_t n = term->n_sites;

	for (size_t a = 0; a < plan->n_powers; a++, g += n)
		switch (plan->power[a]) {
		case 1:
			add_moments(n, x, r, 1, 0, -1.0, g);
			break;
		case 2:
			add_moments(n, x, r, 2, 1, -1.0, g);
			break;
		case 3:
			add_moments(n, x, r, 3, 2, -1.0, g);
			break;
		case 4:
			add_moments(n, x, r, 4, 3, -1.0, g);
			break;
		default:
			add_moments(n, x, r, (real)plan->power[a], plan->power[a] - 1, -1.0, g);
		}
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;

	for (size_t a = 0; a < plan->n_powers; a++) {
		const size_t p = plan->power[a];

		if (p >= 2)
			add_moments(term->n_sites, x, NULL, (real)(p * (p - 1)), p - 2, 1.0, out + a * term->n_sites);
	}
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;

	for (size_t a = 0; a < plan->n_powers; a++) {
		const size_t p = plan->power[a];

		add_moments(term->n_sites, x, NULL, (real)(p * p), 2 * p - 2, 1.0, out + a * term->n_sites);
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
