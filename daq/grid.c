#include "daq/grid.h"

#include <math.h>

#include "base/clock.h"

void grid_begin(struct grid *grid, int64_t start_ns, double period_s)
{
	*grid = (struct grid){.start_ns = start_ns, .period_ns = period_s * 1e9};
}

int64_t grid_edge_ns(const struct grid *grid, int64_t edge)
{
	return grid->start_ns + (int64_t)((double)edge * grid->period_ns);
}

int64_t grid_skip(struct grid *grid)
{
	const int64_t late = (int64_t)floor((double)(clock_now_ns() - grid->start_ns) / grid->period_ns) - grid->edge;

	if (late <= 0)
		return 0;
	grid->edge += late;
	return late;
}

int64_t grid_wait(struct grid *grid)
{
	grid->edge++;
	clock_sleep_until(grid_edge_ns(grid, grid->edge));
	return clock_now_ns();
}
