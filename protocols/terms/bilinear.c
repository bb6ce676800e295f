/*
 * Bilinear couplings: phi = x_i x_j for every unordered pair of sites within a range.
 *
 *   f_i          = -sum_j J_ij x_j            J symmetric, J_ij = theta of the pair
 *   grad phi     = (x_j, x_i) at (i, j)       the local rule: dJ_ij ~ r_i x_j + r_j x_i
 *   Laplacian    = 0
 *
 * range=all is a matrix product, J times [site][lane]: J is packed dense in panels of six rows, so that a tile of
 * six rows by two vectors of sums stays in registers while six numbers of J and two vectors of x stream past; of a single
 * replica panels have twelve, lest one addition wait for another. A finite range is packed as each site's list of
 * neighbours.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/neighbours.h"
#include "protocols/network.h"
#include "protocols/scratch.h"

#define ROWS          (LANES == 1 ? 12 : 6)
#define GRADIENT_ROWS 12

#define TILE (LANES < 2 * WIDTH ? LANES : 2 * WIDTH)

struct plan {
	struct pairs *pairs;
	bool dense;              /* all pairs, in panels; else lists of neighbours are packed */
	struct twins twins;      /* of every two sites, unless the layout is dense */
	struct neighbours upper; /* of every site, those with a higher number */
};

static void fini(struct energy_term *term)
{
	struct plan *plan = term->plan;

	if (!plan)
		return;
	twins_fini(&plan->twins);
	neighbours_fini(&plan->upper);
	free(plan->pairs);
	free(plan);
	term->plan = NULL;
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
	plan->dense = isinf(range);
	if (!plan->dense)
		status = twins_init(&plan->twins, plan->pairs, network->n_sites, NEIGHBOUR_OF_EITHER, err);
	if (!status)
		status = neighbours_init(&plan->upper, plan->pairs, network->n_sites, NEIGHBOUR_OF_FIRST, err);
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

/** How many panels: the plan is shared by targets whose panels differ. */
static inline size_t panels_of(size_t n_sites)
{
	return (n_sites + ROWS - 1) / ROWS;
}

static size_t packed_size(const struct energy_term *term)
{
	const struct plan *plan = term->plan;

	return plan->dense ? panels_of(term->n_sites) * ROWS * term->n_sites : 2 * plan->pairs->n;
}

/** J in the dense layout [panel][column][row of the panel]; below and above the diagonal the same. */
static void pack_dense(size_t n, const double theta[], real packed[])
{
	for (size_t i = 0; i < n; i++) {
		real *below = packed + (i / ROWS * n) * ROWS + i % ROWS;
		size_t panel = (i + 1) / ROWS, row = (i + 1) % ROWS;

		below[i * ROWS] = 0;
		for (size_t j = i + 1; j < n; j++) {
			const real coupling = (real)*theta++;

			below[j * ROWS] = coupling;
			packed[(panel * n + i) * ROWS + row] = coupling;
			if (++row == ROWS) {
				row = 0;
				panel++;
			}
		}
	}
	/* The last panel's rows beyond the last site. */
	for (size_t i = n; i % ROWS != 0; i++)
		for (size_t j = 0; j < n; j++)
			packed[(i / ROWS * n + j) * ROWS + i % ROWS] = 0;
}

static void pack(const struct energy_term *term, const double theta[], real packed[])
{
	const struct plan *plan = term->plan;

	if (plan->dense)
		pack_dense(term->n_sites, theta, packed);
	else
		twins_pack(&plan->twins, theta, packed);
}

/** sum[row][lane] = (J x) of one panel, for TILE lanes of x. */
static inline void panel_product(const real panel[], const real x[], size_t n_sites, real sum[ROWS][TILE])
{
	vector s[ROWS][TILE / WIDTH] = {0};

	for (size_t j = 0; j < n_sites; j++) {
#pragma GCC unroll 12
		for (size_t row = 0; row < ROWS; row++)
#pragma GCC unroll 4
			for (size_t v = 0; v < TILE / WIDTH; v++)
				s[row][v] += panel[j * ROWS + row] * lanes_at(x + j * LANES, v);
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
	real panel_sum[ROWS][TILE];
	vector sum[2 * LANE_VECTORS];

	/* U = x J x / 2: each pair stands twice in the symmetric matrix. */
	for (size_t panel = 0; plan->dense && panel < panels_of(n); panel++)
		for (size_t lane = 0; lane < LANES; lane += TILE) {
			panel_product(packed + panel * ROWS * n, x + lane, n, panel_sum);
			for (size_t row = 0; row < rows_of(n, panel); row++)
				for (size_t l = 0; l < TILE; l++)
					u[lane + l] += (real)0.5 * panel_sum[row][l] *
						       x[(panel * ROWS + row) * LANES + lane + l];
		}
	for (size_t i = 0; i < n && !plan->dense; i++) {
		if (i % 2 == 0)
			twins_sum(&plan->twins, packed, x, i / 2, sum);
		for (size_t v = 0; v < LANE_VECTORS; v++)
			((vector *)u)[v] += (real)0.5 * sum[i % 2 * LANE_VECTORS + v] * lanes_at(x + i * LANES, v);
	}
}

static void force_dense(size_t n, const real packed[], const real x[], real f[])
{
	real sum[ROWS][TILE];

	for (size_t panel = 0; panel < panels_of(n); panel++)
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
	vector sum[2 * LANE_VECTORS];

	if (plan->dense) {
		force_dense(term->n_sites, packed, x, f);
		return;
	}
	for (size_t i = 0; i < term->n_sites; i += 2) {
		const size_t n_vectors = (term->n_sites - i < 2 ? 1 : 2) * LANE_VECTORS;

		twins_sum(&plan->twins, packed, x, i / 2, sum);
		for (size_t v = 0; v < n_vectors; v++)
			((vector *)(f + i * LANES))[v] -= sum[v];
	}
}

#if LANES > 1
/** out[lane][site] of x, with rows of `stride` sites of which those that don't exist are zero. */
static void transpose(const real x[], size_t n_sites, size_t stride, real out[])
{
	typedef real four __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));

	for (size_t l = 0; l < LANES; l++)
		for (size_t i = n_sites / 4 * 4; i < stride; i++)
			out[l * stride + i] = i < n_sites ? x[i * LANES + l] : 0;
	for (size_t i = 0; i + 4 <= n_sites; i += 4)
		for (size_t l = 0; l < LANES; l += 4) {
			const real *from = x + i * LANES + l;
			real *to = out + l * stride + i;
			const four a = *(const four *)from, b = *(const four *)(from + LANES);
			const four c = *(const four *)(from + 2 * LANES), d = *(const four *)(from + 3 * LANES);
			const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
				   cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
			const four AB = __builtin_shufflevector(a, b, 2, 6, 3, 7),
				   CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);

			*(four *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
			*(four *)(to + stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
			*(four *)(to + 2 * stride) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
			*(four *)(to + 3 * stride) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
		}
}

/** sum[row][column] = sum over lanes of r_i x_j + x_i r_j, for GRADIENT_ROWS sites i and WIDTH sites j. */
static inline void gradient_tile(const real xi[], const real ri[], const real xj[], const real rj[], size_t stride,
				 real sum[GRADIENT_ROWS][WIDTH])
{
	vector s[GRADIENT_ROWS] = {0};

	for (size_t l = 0; l < LANES; l++) {
		const vector x = lanes_at(xj + l * stride, 0), r = lanes_at(rj + l * stride, 0);

#pragma GCC unroll 12
		for (size_t row = 0; row < GRADIENT_ROWS; row++)
			s[row] += ri[row * LANES + l] * x + xi[row * LANES + l] * r;
	}
	memcpy(sum, s, sizeof(s));
}

/**
 * G -= r x^T + x r^T above the diagonal: a product of matrices that sums over 2 LANES in registers, so that vectors run
 * over sites and no sum across a vector is left.
 */
static void gradient_dense(size_t n, const real x[], const real r[], double g[])
{
	const size_t stride = (n + WIDTH - 1) / WIDTH * WIDTH;
	real *xt = scratch_table(SCRATCH_A), *rt = scratch_table(SCRATCH_B);
	real sum[GRADIENT_ROWS][WIDTH];

	transpose(x, n, stride, xt);
	transpose(r, n, stride, rt);
	for (size_t i = 0; i < n; i += GRADIENT_ROWS) {
		/* The last rows are done again rather than beyond the end. */
		const size_t top = i + GRADIENT_ROWS <= n ? i : n - GRADIENT_ROWS;

		for (size_t j = i / WIDTH * WIDTH; j < n; j += WIDTH) {
			gradient_tile(x + top * LANES, r + top * LANES, xt + j, rt + j, stride, sum);
			for (size_t row = i; row < top + GRADIENT_ROWS; row++) {
				const size_t begin = row < j ? j : row + 1, end = j + WIDTH < n ? j + WIDTH : n;
				double *gi =
					g + row * (2 * n - row - 1) / 2 + begin - row - 1; /* of pair (row, begin) */

				for (size_t k = begin; k < end; k++)
					gi[k - begin] -= (double)sum[row - top][k - j];
			}
		}
	}
}
#endif

static void gradient(const struct energy_term *term, const real x[], const real r[], double g[])
{
	const struct plan *plan = term->plan;

#if LANES > 1
	if (plan->dense && term->n_sites >= GRADIENT_ROWS) {
		gradient_dense(term->n_sites, x, r, g);
		return;
	}
#endif
	neighbours_products(&plan->upper, r, x, x, r, -1.0, g);
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
	real *square = scratch_table(SCRATCH_A), *one = scratch_table(SCRATCH_B);

	for (size_t i = 0; i < term->n_sites * LANES; i++) {
		square[i] = x[i] * x[i];
		one[i] = 1;
	}
	neighbours_products(&((const struct plan *)term->plan)->upper, square, one, one, square, 1.0, out);
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
