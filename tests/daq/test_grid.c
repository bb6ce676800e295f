/* The absolute time grid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/clock.h"
#include "daq/grid.h"

/* catches: rounding that adds up from edge to edge: a week of 20 kHz must end where it should, to a nanosecond */
static void edges_stand_where_the_period_puts_them_also_after_a_week(void **state)
{
	const double period_s = 1.0 / 3 * 1e-4;
	const int64_t week = (int64_t)(7 * 86400 / period_s);
	struct grid grid;

	(void)state;
	grid_begin(&grid, 1000, period_s);
	for (int64_t edge = 0; edge <= week; edge += week / 7) {
		const long double wanted = 1000 + (long double)edge * (long double)period_s * 1e9L;

		assert_true(fabsl((long double)grid_edge_ns(&grid, edge) - wanted) <= 1);
	}
}

/* catches: a grid that begins anew after edges were missed, an edge missed that is counted twice, or not at all */
static void edges_that_have_passed_are_counted_and_the_grid_is_kept(void **state)
{
	const int64_t period_ns = 50000000, start_ns = clock_now_ns() - 10 * period_ns - period_ns / 2;
	struct grid grid;
	int64_t woke_ns;

	(void)state;
	grid_begin(&grid, start_ns, 0.05);
	const int64_t late = grid_skip(&grid), edge_ns = grid_edge_ns(&grid, grid.edge + 1);

	assert_true(late >= 10);
	assert_int_equal(grid.edge, late);
	woke_ns = grid_wait(&grid);
	assert_int_equal(grid.edge, late + 1);
	assert_true(woke_ns >= edge_ns);
	assert_int_equal((edge_ns - start_ns) % period_ns, 0);
	/* On a busy machine edges may have passed again: as many as the clock says, each once. */
	const int64_t more = grid_skip(&grid), now_ns = clock_now_ns();

	assert_true(more >= (woke_ns - edge_ns) / period_ns && more <= (now_ns - edge_ns) / period_ns);
	assert_int_equal(grid.edge, late + 1 + more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_stand_where_the_period_puts_them_also_after_a_week),
		cmocka_unit_test(edges_that_have_passed_are_counted_and_the_grid_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
