#ifndef JOSTLE_NEIGHBOURS_H
#define JOSTLE_NEIGHBOURS_H
/*
 * Couplings as the sites see them, and the two sums over them that all pair terms are made of.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "protocols/lanes.h"
#include "protocols/pairs.h"

struct err;

struct neighbour {
	unsigned site, parameter;
};

/** The neighbours of each site, in order of sites. */
struct neighbours {
	size_t n_sites;
	size_t *first; /* [n_sites + 1]: where a site's begin */
	struct neighbour *list;
	bool in_order; /* entry e has parameter e */
};

/* Which pairs a site's list holds: those where it stands first, second, or either. */
enum neighbour_side { NEIGHBOUR_OF_FIRST = 1, NEIGHBOUR_OF_SECOND = 2, NEIGHBOUR_OF_EITHER = 3 };

/** The caller ends it with neighbours_fini(), also after an error. Errors: JOSTLE_ENOMEM. Call from: setup. */
int neighbours_init(struct neighbours *neighbours, const struct pairs *pairs, size_t n_sites, enum neighbour_side side,
                    struct err *err);
void neighbours_fini(struct neighbours *neighbours);

/**
 * The neighbours of two sites at a time, 2m and 2m + 1, which stand side by side and share most of them: what is loaded
 * of a shared neighbour serves both.
 */
struct twins {
	size_t n_sites, n_entries;
	struct twin {
		unsigned shared, left, right; /* where in the list those of both, of 2m alone, of 2m + 1 alone begin */
	} *twin;                              /* [twins + 1] */
	uint16_t *site;                       /* a shared neighbour stands twice, */
	unsigned *parameter;                  /* with the parameter of each */
};

/** As neighbours_init(); ended by twins_fini(). */
int twins_init(struct twins *twins, const struct pairs *pairs, size_t n_sites, enum neighbour_side side, struct err *err);
void twins_fini(struct twins *twins);

/** Put theta[parameter] in the order of the list: [n_entries]. RT_SAFE. Call from: any. */
static inline void twins_pack(const struct twins *twins, const double theta[], real packed[])
{
	for (size_t e = 0; e < twins->n_entries; e++)
		packed[e] = (real)theta[twins->parameter[e]];
}

/** sum[v] += theta y of entries [begin, end). */
static inline void twins_sum_alone(const uint16_t site[], const real packed[], size_t begin, size_t end,
                                   const real y[], vector sum[LANE_VECTORS])
{
	for (size_t e = begin; e < end; e++)
#pragma GCC unroll 8
		for (size_t v = 0; v < LANE_VECTORS; v++)
			sum[v] += packed[e] * lanes_at(y + site[e] * LANES, v);
}

/**
 * For sites 2m and 2m + 1, one after the other, the sum over neighbours j of theta_ij y_j; it means nothing for a site
 * that doesn't exist. RT_SAFE. Call from: any.
 */
static inline void twins_sum(const struct twins *twins, const real packed[], const real y[], size_t m,
                             vector sum[2 * LANE_VECTORS])
{
	const struct twin *twin = &twins->twin[m];
	vector left[LANE_VECTORS] = {0}, right[LANE_VECTORS] = {0};
	vector left_alone[LANE_VECTORS] = {0}, right_alone[LANE_VECTORS] = {0};

	for (size_t e = twin->shared; e < twin->left; e += 2) {
		const real *yj = y + twins->site[e] * LANES;

#pragma GCC unroll 8
		for (size_t v = 0; v < LANE_VECTORS; v++) {
			const vector yv = lanes_held(lanes_at(yj, v));

			left[v] += packed[e] * yv;
			right[v] += packed[e + 1] * yv;
		}
	}
	twins_sum_alone(twins->site, packed, twin->left, twin->right, y, left_alone);
	twins_sum_alone(twins->site, packed, twin->right, twin[1].shared, y, right_alone);
#pragma GCC unroll 8
	for (size_t v = 0; v < LANE_VECTORS; v++) {
		sum[v] = left[v] + left_alone[v];
		sum[LANE_VECTORS + v] = right[v] + right_alone[v];
	}
}

/**
 * out[k] += sign times the sum over lanes of a_i q_j + p_i b_j, for every pair k in the lists, i the site whose list it
 * is. This is what gradients, Laplacians and powers of products of two functions of one site are. RT_SAFE.
 * Call from: any.
 */
static inline void neighbours_products(const struct neighbours *neighbours, const real a[], const real q[],
                                       const real p[], const real b[], double sign, double out[])
{
	for (size_t i = 0; i < neighbours->n_sites; i++) {
		const size_t end = neighbours->first[i + 1];
		vector ai[LANE_VECTORS], pi[LANE_VECTORS];

#pragma GCC unroll 8
		for (size_t v = 0; v < LANE_VECTORS; v++) {
			ai[v] = lanes_at(a + i * LANES, v);
			pi[v] = lanes_at(p + i * LANES, v);
		}
		for (size_t e = neighbours->first[i]; e < end; e += WIDTH) {
			const struct neighbour *list = neighbours->list + e;
			const size_t n = end - e < WIDTH ? end - e : WIDTH;
			vector s[WIDTH];
			double sums[WIDTH] = {0};

			if (n < WIDTH)
				memset(s, 0, sizeof(s));
			for (size_t k = 0; k < n; k++) {
				const real *qj = q + list[k].site * LANES, *bj = b + list[k].site * LANES;
				vector aq = ai[0] * lanes_at(qj, 0), pb = pi[0] * lanes_at(bj, 0);

#pragma GCC unroll 8
				for (size_t v = 1; v < LANE_VECTORS; v++) {
					aq += ai[v] * lanes_at(qj, v);
					pb += pi[v] * lanes_at(bj, v);
				}
				s[k] = aq + pb;
			}
			if (neighbours->in_order) {
				lanes_add_sums(s, n, sign, out + e);
				continue;
			}
			lanes_add_sums(s, n, sign, sums);
			for (size_t k = 0; k < n; k++)
				out[list[k].parameter] += sums[k];
		}
	}
}

#endif
