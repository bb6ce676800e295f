/*
 * Bilinear couplings: phi = x_i x_j for every unordered pair of sites within a range.
 *
 *   f_i          = -sum_j J_ij x_j            J symmetric, J_ij = theta of the pair
 *   grad phi     = (x_j, x_i) at (i, j)       the local rule: dJ_ij ~ r_i x_j + r_j x_i
 *   Laplacian    = 0
 *
 * range=all is a matrix product, J times [site][lane]: J is packed dense in panels of six rows, so that a tile of
 * six rows by two vectors of sums stays in registers while six numbers of J and two vectors of x stream past. A finite
 * range is packed as each site's list of neighbours.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"
#include "protocols/pairs.h"

#define ROWS 6

/* Plain loops over lanes leave the sums of a product in memory, so the two products spell their vectors out. */
#if LANES == 1
#define WIDTH 1
#define TILE  1
typedef real vector;
#else
#ifdef __AVX__
#define WIDTH 8
#else
#define WIDTH 4
#endif
#define TILE (2 * WIDTH)
typedef real vector __attribute__((vector_size(WIDTH * sizeof(real)), aligned(sizeof(real)), may_alias));
#endif

struct neighbour {
	unsigned site, parameter;
};

struct plan {
	struct pairs *pairs;
	size_t n_panels;              /* of the dense layout; 0 where lists of neighbours are packed */
	size_t *first;                /* [n_sites + 1]: where a site's neighbours begin */
	struct neighbour *neighbours; /* [2 pairs] */
};

static void fini(struct energy_term *term)
{
	struct plan *plan = term->plan;

	if (!plan)
		return;
	free(plan->neighbours);
	free(plan->first);
	free(plan->pairs);
	free(plan);
	term->plan = NULL;
}

/** Turn the pairs round into lists per site: count, sum up, fill. */
static int list_neighbours(struct plan *plan, size_t n_sites, struct err *err)
{
	const struct pairs *pairs = plan->pairs;

	plan->first = calloc(n_sites + 2, sizeof(*plan->first));
	plan->neighbours = malloc(2 * pairs->n * sizeof(*plan->neighbours));
	if (!plan->first || !plan->neighbours)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the neighbours of %zu sites", n_sites);

	/* While filling, first[i + 1] is where the next neighbour of i goes; at the end that is where i + 1 begins. */
	for (size_t k = 0; k < pairs->n; k++) {
		plan->first[pairs->pair[k].i + 2]++;
		plan->first[pairs->pair[k].j + 2]++;
	}
	for (size_t i = 0; i < n_sites; i++)
		plan->first[i + 2] += plan->first[i + 1];
	for (size_t k = 0; k < pairs->n; k++) {
		const struct pair pair = pairs->pair[k];

		plan->neighbours[plan->first[pair.i + 1]++] = (struct neighbour){pair.j, (unsigned)k};
		plan->neighbours[plan->first[pair.j + 1]++] = (struct neighbour){pair.i, (unsigned)k};
	}
	return 0;
}

static int init(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	double range = 0.0;
	int status;

	if (!plan)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a bilinear term");
	term->plan = plan;
	status = pairs_range(spec, &range, err);
	if (status)
		goto fail;
	status = pairs_new(&plan->pairs, network, range, false, err);
	if (status)
		goto fail;
	if (isinf(range))
		plan->n_panels = (network->n_sites + ROWS - 1) / ROWS;
	else
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

	product_name(plan->pairs->pair[k].i, 1, plan->pairs->pair[k].j, 1, name);
}

static size_t packed_size(const struct energy_term *term)
{
	const struct plan *plan = term->plan;

	return plan->n_panels ? plan->n_panels * ROWS * term->n_sites : 2 * plan->pairs->n;
}

/** Where J_ij stands in the dense layout [panel][column][row of the panel]. */
static inline size_t place(size_t n_sites, size_t i, size_t j)
{
	return (i / ROWS * n_sites + j) * ROWS + i % ROWS;
}

static void pack(const struct energy_term *term, const double theta[], real packed[])
{
	const struct plan *plan = term->plan;
	const size_t n = term->n_sites;

	if (!plan->n_panels) {
		for (size_t e = 0; e < 2 * plan->pairs->n; e++)
			packed[e] = (real)theta[plan->neighbours[e].parameter];
		return;
	}
	memset(packed, 0, packed_size(term) * sizeof(*packed));
	for (size_t k = 0; k < plan->pairs->n; k++) {
		const struct pair pair = plan->pairs->pair[k];

		packed[place(n, pair.i, pair.j)] = (real)theta[k];
		packed[place(n, pair.j, pair.i)] = (real)theta[k];
	}
}

/** sum[row][lane] = (J x) of one panel, for TILE lanes of x. */
static inline void panel_product(const real panel[], const real x[], size_t n_sites, real sum[ROWS][TILE])
{
	vector s[ROWS][TILE / WIDTH] = {0};

	for (size_t j = 0; j < n_sites; j++) {
		const vector *xj = (const vector *)(x + j * LANES);

#pragma GCC unroll 6
		for (size_t row = 0; row < ROWS; row++)
#pragma GCC unroll 4
			for (size_t v = 0; v < TILE / WIDTH; v++)
				s[row][v] += panel[j * ROWS + row] * xj[v];
	}
	memcpy(sum, s, sizeof(s));
}

/** sum[lane] = (J x)_i from the neighbours of i. */
static inline void site_product(const struct plan *plan, const real packed[], const real x[], size_t i, real sum[LANES])
{
	vector s[LANES / WIDTH] = {0};

	for (size_t e = plan->first[i]; e < plan->first[i + 1]; e++) {
		const vector *xj = (const vector *)(x + plan->neighbours[e].site * LANES);

#pragma GCC unroll 8
		for (size_t v = 0; v < LANES / WIDTH; v++)
			s[v] += packed[e] * xj[v];
	}
	memcpy(sum, s, sizeof(s));
}

/** How many rows of a panel are sites: all but in the last one. */
static inline size_t rows_of(size_t n_sites, size_t panel)
{
	return n_sites - panel * ROWS < ROWS ? n_sites - panel * ROWS : ROWS;
}

static void energy(const struct energy_term *term, const real packed[], const real x[], real u[LANES])
{
	const struct plan *plan = term->plan;
	const size_t n = term->n_sites;
	real sum[LANES], panel_sum[ROWS][TILE];

	/* U = x J x / 2: each pair stands twice in the symmetric matrix. */
	for (size_t panel = 0; panel < plan->n_panels; panel++)
		for (size_t lane = 0; lane < LANES; lane += TILE) {
			panel_product(packed + panel * ROWS * n, x + lane, n, panel_sum);
			for (size_t row = 0; row < rows_of(n, panel); row++)
				for (size_t l = 0; l < TILE; l++)
					u[lane + l] += (real)0.5 * panel_sum[row][l] *
						       x[(panel * ROWS + row) * LANES + lane + l];
		}
	for (size_t i = 0; i < n && !plan->n_panels; i++) {
		site_product(plan, packed, x, i, sum);
		for (size_t l = 0; l < LANES; l++)
			u[l] += (real)0.5 * sum[l] * x[i * LANES + l];
	}
}

static void force_dense(const struct plan *plan, size_t n, const real packed[], const real x[], real f[])
{
	real sum[ROWS][TILE];

	for (size_t panel = 0; panel < plan->n_panels; panel++)
		for (size_t lane = 0; lane < LANES; lane += TILE) {
			panel_product(packed + panel * ROWS * n, x + lane, n, sum);
			for (size_t row = 0; row < rows_of(n, panel); row++)
				for (size_t l = 0; l < TILE; l++)
					f[(panel * ROWS + row) * LANES + lane + l] -= sum[row][l];
		}
}

static void force(const struct energy_term *term, const real packed[], const real x[], real f[])
{
	const struct plan *plan = term->plan;
	real sum[LANES];

	if (plan->n_panels) {
		force_dense(plan, term->n_sites, packed, x, f);
		return;
	}
	for (size_t i = 0; i < term->n_sites; i++) {
		site_product(plan, packed, x, i, sum);
		for (size_t l = 0; l < LANES; l++)
			f[i * LANES + l] -= sum[l];
	}
}

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct pairs *pairs = ((const struct plan *)term->plan)->pairs;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const size_t i = pairs->pair[k].i * LANES, j = pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			sum[l] = r[i + l] * x[j + l] + r[j + l] * x[i + l];
		g[k] -= lane_sum(sum);
	}
}

static void laplacian(const struct energy_term *term, const real x[], double out[])
{
	/* The Laplacian of x_i x_j is zero, and the sums it would be added to stay as they are. */
	(void)term;
	(void)x;
	(void)out;
}

static void power(const struct energy_term *term, const real x[], double out[])
{
	const struct pairs *pairs = ((const struct plan *)term->plan)->pairs;
	real sum[LANES];

	for (size_t k = 0; k < pairs->n; k++) {
		const real *xi = x + pairs->pair[k].i * LANES, *xj = x + pairs->pair[k].j * LANES;

		for (size_t l = 0; l < LANES; l++)
			sum[l] = xi[l] * xi[l] + xj[l] * xj[l];
		out[k] += lane_sum(sum);
	}
}

/* The only global symbol of this file. */
const struct energy_term_type TARGET(term_bilinear) = {
	.name = "bilinear",
	.summary = "x_i x_j over pairs of sites",
	.settings = "range=all|NUMBER",
	.example = "bilinear range=all",
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
