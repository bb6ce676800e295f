/*
 * All monomials of a few sites: x_i^p with 1 <= p <= D, and x_i^a x_j^b with a, b >= 1 and a + b <= D.
 *
 * On two sites this is every polynomial of degree D without its constant: 14 parameters for D = 4, 27 for D = 6.
 * Parameters run over sites and powers first, then over pairs and exponents.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define MAX_DEGREE 6
#define MAX_SITES  8

struct monomial {
	unsigned i, a, j, b; /* x_i^a x_j^b; b = 0, j = i on site */
};

struct plan {
	size_t degree;
	struct monomial monomial[];
};

static size_t list(size_t n_sites, size_t degree, struct monomial *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < n_sites; i++)
		for (unsigned a = 1; a <= degree; a++, n++)
			if (out)
				out[n] = (struct monomial){i, a, i, 0};
	for (unsigned i = 0; i < n_sites; i++)
		for (unsigned j = i + 1; j < n_sites; j++)
			for (unsigned a = 1; a < degree; a++)
				for (unsigned b = 1; a + b <= degree; b++, n++)
					if (out)
						out[n] = (struct monomial){i, a, j, b};
	return n;
}

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	size_t degree = 0;
	int status = spec_size(spec, "degree", true, 1, MAX_DEGREE, &degree, err);

	if (status)
		return status;
	if (network->n_sites > MAX_SITES)
		return err_set(err, JOSTLE_ECONFIG,
			       "monomials are for at most %d sites, found %zu; use onsite-power, bilinear, pair-power",
			       MAX_SITES, network->n_sites);
	term->n_parameters = list(network->n_sites, degree, NULL);
	struct plan *plan = malloc(sizeof(*plan) + term->n_parameters * sizeof(struct monomial));
	if (!plan)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu monomials", term->n_parameters);
	plan->degree = degree;
	list(network->n_sites, degree, plan->monomial);
	term->plan = plan;
	return 0;
}

static void fini(struct energy_term *term)
{
	free(term->plan);
}

static void parameter_name(const struct energy_term *term, size_t k, char name[PARAMETER_NAME_SIZE])
{
	const struct monomial *m = &((const struct plan *)term->plan)->monomial[k];

	if (m->b == 0)
		product_name(m->i, m->a, m->i + 1, 0, name);
	else
		product_name(m->i, m->a, m->j, m->b, name);
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

/** Powers 0 … degree of every site: one table serves all monomials. */
struct powers {
	real p[MAX_SITES][MAX_DEGREE + 1][LANES];
};

static void tabulate(const struct energy_term *term, const real x[], struct powers *table)
{
	const size_t degree = ((const struct plan *)term->plan)->degree;

	for (size_t i = 0; i < term->n_sites; i++) {
		for (size_t l = 0; l < LANES; l++)
			table->p[i][0][l] = 1;
		for (size_t a = 1; a <= degree; a++)
			for (size_t l = 0; l < LANES; l++)
				table->p[i][a][l] = table->p[i][a - 1][l] * x[i * LANES + l];
	}
}

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	const struct plan *plan = term->plan;
	struct powers table;

	tabulate(term, x, &table);
	for (size_t k = 0; k < term->n_parameters; k++) {
		const struct monomial *m = &plan->monomial[k];

		for (size_t l = 0; l < LANES; l++)
			u[l] += packed[k] * table.p[m->i][m->a][l] * table.p[m->j][m->b][l];
	}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const struct plan *plan = term->plan;
	struct powers table;

	tabulate(term, x, &table);
	for (size_t k = 0; k < term->n_parameters; k++) {
		const struct monomial *m = &plan->monomial[k];
		const real slope_i = packed[k] * (real)m->a;
		const real slope_j = packed[k] * (real)m->b;
		const real *lower_i = table.p[m->i][m->a - 1];

		if (m->b == 0) {
			for (size_t l = 0; l < LANES; l++)
				f[m->i * LANES + l] -= slope_i * lower_i[l];
			continue;
		}
		const real *xi = table.p[m->i][m->a], *xj = table.p[m->j][m->b], *lower_j = table.p[m->j][m->b - 1];
		for (size_t l = 0; l < LANES; l++) {
			f[m->i * LANES + l] -= slope_i * lower_i[l] * xj[l];
			f[m->j * LANES + l] -= slope_j * xi[l] * lower_j[l];
		}
	}
}

/** The two slopes of a monomial in every lane; the second is zero on site. */
static void slopes(const struct powers *table, const struct monomial *m, real first[LANES], real second[LANES])
{
	for (size_t l = 0; l < LANES; l++) {
		first[l] = (real)m->a * table->p[m->i][m->a - 1][l] * table->p[m->j][m->b][l];
		second[l] = m->b == 0 ? 0 : (real)m->b * table->p[m->i][m->a][l] * table->p[m->j][m->b - 1][l];
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct plan *plan = term->plan;
	struct powers table;
	real first[LANES], second[LANES];

	tabulate(term, x, &table);
	for (size_t k = 0; k < term->n_parameters; k++) {
		const struct monomial *m = &plan->monomial[k];

		slopes(&table, m, first, second);
		for (size_t l = 0; l < LANES; l++)
			first[l] = r[m->i * LANES + l] * first[l] + r[m->j * LANES + l] * second[l];
		g[k] -= lane_sum(first);
	}
}

/** a (a - 1) x^(a - 2), in lane l. */
static inline real curvature(const struct powers *table, size_t i, size_t a, size_t l)
{
	return a < 2 ? 0 : (real)(a * (a - 1)) * table->p[i][a - 2][l];
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	struct powers table;
	real sum[LANES];

	tabulate(term, x, &table);
	for (size_t k = 0; k < term->n_parameters; k++) {
		const struct monomial *m = &plan->monomial[k];

		for (size_t l = 0; l < LANES; l++)
			sum[l] = curvature(&table, m->i, m->a, l) * table.p[m->j][m->b][l] +
				 table.p[m->i][m->a][l] * curvature(&table, m->j, m->b, l);
		out[k] += lane_sum(sum);
	}
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct plan *plan = term->plan;
	struct powers table;
	real first[LANES], second[LANES];

	tabulate(term, x, &table);
	for (size_t k = 0; k < term->n_parameters; k++) {
		slopes(&table, &plan->monomial[k], first, second);
		for (size_t l = 0; l < LANES; l++)
			first[l] = first[l] * first[l] + second[l] * second[l];
		out[k] += lane_sum(first);
	}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_monomials) = {
	.name = "monomials",
	.summary = "all monomials of single sites and pairs, for a few sites",
	.settings = "degree=D (1 to 6)",
	.example = "monomials degree=4",
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
