#ifndef JOSTLE_GRID_H
#define JOSTLE_GRID_H
/*
 * The absolute time grid of a bench whose edges come by this computer's clock: edge n stands at start + n period, whatever
 * became of the edges before it.
 */
#include <stdint.h>

#include "base/rt.h"

struct grid {
	int64_t start_ns; /* edge 0, CLOCK_MONOTONIC */
	double period_ns;
	int64_t edge; /* the last one that was waited for or passed over */
};

/** Lay the grid, with edge 0 at start_ns. RT_SAFE. Call from: any. */
RT_SAFE void grid_begin(struct grid *grid, int64_t start_ns, double period_s);

/** When edge number `edge` is, ns. RT_SAFE. Call from: any. */
RT_SAFE int64_t grid_edge_ns(const struct grid *grid, int64_t edge);

/** Pass over the edges that have gone by and return how many they are: missed slots. RT_SAFE. Call from: loop. */
RT_SAFE int64_t grid_skip(struct grid *grid);

/** Sleep until the next edge; returns CLOCK_MONOTONIC after it, ns. RT_SAFE. Call from: loop. */
RT_SAFE int64_t grid_wait(struct grid *grid);

#endif
