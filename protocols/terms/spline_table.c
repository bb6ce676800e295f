/*
 * A tabulated potential of two sites: U = sum_ab theta_ab B_a(x_0) B_b(x_1), cubic B-splines on `bins` equal intervals
 * over [-extent, extent] in each direction, bins + 3 of them. Twice differentiable, local, and linear in theta.
 *
 * Within its interval, with u in [0, 1] from the left knot, a point sees four splines (de Boor 1978, equal knots):
 *
 *   (1-u)^3/6   (3u^3 - 6u^2 + 4)/6   (-3u^3 + 3u^2 + 3u + 1)/6   u^3/6
 *
 * A coordinate beyond the extent counts as if it stood at the edge, and has no slope there: confinement is the wall's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define MAX_BINS 64

struct plan {
	size_t bins, side; /* side = bins + 3 splines in each direction */
	double extent;
};

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	size_t bins = 16;
	double extent = 4.0;
	int status;

	if ((status = spec_size(spec, "bins", false, 1, MAX_BINS, &bins, err)) ||
	    (status = spec_double(spec, "extent", false, 1e-3, 1e3, &extent, err)))
		return status;
	if (network->n_sites != 2)
		return err_set(err, JOSTLE_ECONFIG, "spline-table is for a lattice of 2 sites, found %zu",
			       network->n_sites);
	struct plan *plan = malloc(sizeof(*plan));
	if (!plan)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a spline table");
	*plan = (struct plan){.bins = bins, .side = bins + 3, .extent = extent};
	term->plan = plan;
	term->n_parameters = plan->side * plan->side;
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
	char extent[NUMBER_NAME_SIZE];

	number_name(plan->extent, extent);
	snprintf(name, PARAMETER_NAME_SIZE, "B%hu,%hu(x0,x1;%hu,%.22s)", (unsigned short)(k / plan->side),
		 (unsigned short)(k % plan->side), (unsigned short)plan->bins, extent);
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

/** The four splines that each lane sees in one direction: which is the first, their values, slopes, curvatures. */
struct splines {
	int first[LANES];
	real value[4][LANES], slope[4][LANES], curvature[4][LANES];
};

static void evaluate(const struct plan *plan, const real x[LANES], struct splines *s)
{
	const real extent = (real)plan->extent, per_length = (real)((double)plan->bins / (2.0 * plan->extent));
	const int last = (int)plan->bins - 1;

	for (size_t l = 0; l < LANES; l++) {
		/* Written so that a NaN lands on the edge: an index must come out of this, whatever goes in. */
		const real low = x[l] > -extent ? x[l] : -extent;
		const real inside = low < extent ? low : extent;
		const real at = (inside + extent) * per_length;
		const int bin = (int)at < last ? (int)at : last;
		const real u = at - (real)bin, v = 1 - u;
		const real d = inside == x[l] ? per_length : 0, dd = d * d;

		s->first[l] = bin;
		s->value[0][l] = v * v * v / 6;
		s->value[1][l] = (u * u * (3 * u - 6) + 4) / 6;
		s->value[2][l] = (v * v * (3 * v - 6) + 4) / 6;
		s->value[3][l] = u * u * u / 6;
		s->slope[0][l] = -d * v * v / 2;
		s->slope[1][l] = d * u * (3 * u - 4) / 2;
		s->slope[2][l] = -d * v * (3 * v - 4) / 2;
		s->slope[3][l] = d * u * u / 2;
		s->curvature[0][l] = dd * v;
		s->curvature[1][l] = dd * (3 * u - 2);
		s->curvature[2][l] = dd * (3 * v - 2);
		s->curvature[3][l] = dd * u;
	}
}

struct table {
	size_t side;
	struct splines a, b; /* of site 0 and of site 1 */
};

static void look_up(const struct energy_term *term, const real x[], struct table *table)
{
	const struct plan *plan = term->plan;

	table->side = plan->side;
	evaluate(plan, x, &table->a);
	evaluate(plan, x + LANES, &table->b);
}

/** The parameter of spline i of the four along site 0 and j along site 1, in lane l. */
static inline size_t place(const struct table *table, size_t i, size_t j, size_t l)
{
	return ((size_t)table->a.first[l] + i) * table->side + (size_t)table->b.first[l] + j;
}

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	struct table table;

	look_up(term, x, &table);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
			for (size_t l = 0; l < LANES; l++)
				u[l] += packed[place(&table, i, j, l)] * table.a.value[i][l] * table.b.value[j][l];
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	struct table table;

	look_up(term, x, &table);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
			for (size_t l = 0; l < LANES; l++) {
				const real theta = packed[place(&table, i, j, l)];

				f[l] -= theta * table.a.slope[i][l] * table.b.value[j][l];
				f[LANES + l] -= theta * table.a.value[i][l] * table.b.slope[j][l];
			}
}

/* Each lane adds to parameters of its own, so what follows goes lane by lane. */

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	struct table table;

	look_up(term, x, &table);
	for (size_t l = 0; l < LANES; l++)
		for (size_t i = 0; i < 4; i++)
			for (size_t j = 0; j < 4; j++)
				g[place(&table, i, j, l)] -=
					(double)(r[l] * table.a.slope[i][l] * table.b.value[j][l] +
						 r[LANES + l] * table.a.value[i][l] * table.b.slope[j][l]);
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	struct table table;

	look_up(term, x, &table);
	for (size_t l = 0; l < LANES; l++)
		for (size_t i = 0; i < 4; i++)
			for (size_t j = 0; j < 4; j++)
				out[place(&table, i, j, l)] += (double)(table.a.curvature[i][l] * table.b.value[j][l] +
									table.a.value[i][l] * table.b.curvature[j][l]);
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	struct table table;

	look_up(term, x, &table);
	for (size_t l = 0; l < LANES; l++)
		for (size_t i = 0; i < 4; i++)
			for (size_t j = 0; j < 4; j++) {
				const real first = table.a.slope[i][l] * table.b.value[j][l];
				const real second = table.a.value[i][l] * table.b.slope[j][l];

				out[place(&table, i, j, l)] += (double)(first * first + second * second);
			}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_spline_table) = {
	.name = "spline-table",
	.summary = "a tabulated potential of two sites, cubic B-splines",
	.settings = "bins=N (16) extent=NUMBER (4)",
	.example = "spline-table bins=4 extent=2.5",
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
