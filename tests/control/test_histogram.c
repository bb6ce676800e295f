/* The histogram of durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "control/histogram.h"

/* catches: bins that overlap or leave a gap between octaves, a quantile that returns a bin's beginning */
static void quantile_of_a_single_duration_is_that_duration_to_six_percent(void **state)
{
	(void)state;
	for (int64_t d = 0; d < (int64_t)1 << 39; d += 1 + d / 7) {
		struct histogram h = {0};

		histogram_add(&h, d);
		/* A larger one, so that the exact maximum does not stand in for the bin's end. */
		histogram_add(&h, d * 2 + 1);
		const int64_t q = histogram_quantile_ns(&h, 0.5);

		assert_true(q >= d && q <= d + d / 16);
	}
}

/* catches: quantiles counted from the wrong end, off by one in the rank */
static void quantiles_of_the_first_thousand_nanoseconds_are_their_ranks(void **state)
{
	struct histogram h = {0};

	(void)state;
	for (int64_t d = 1; d <= 1000; d++)
		histogram_add(&h, d);
	assert_in_range(histogram_quantile_ns(&h, 0.5), 500, 532);
	assert_in_range(histogram_quantile_ns(&h, 0.99), 990, 1000);
	assert_int_equal(histogram_quantile_ns(&h, 0.001), 1);
	assert_int_equal(histogram_quantile_ns(&h, 1.0), 1000);
	assert_int_equal(h.n, 1000);
	assert_int_equal(h.max_ns, 1000);
}

/* catches: a write beyond the last bin, a shift by a negative number */
static void durations_beyond_the_bins_are_counted_at_the_ends(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_add(&h, INT64_MIN);
	histogram_add(&h, -1);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.n, 3);
	assert_int_equal(h.count[0], 2);
	assert_int_equal(h.count[HISTOGRAM_BINS - 1], 1);
	assert_true(histogram_quantile_ns(&h, 1.0) == INT64_MAX);
}

/* catches: a quantile of nothing that reads a bin */
static void quantile_of_nothing_is_zero(void **state)
{
	const struct histogram h = {0};

	(void)state;
	assert_int_equal(histogram_quantile_ns(&h, 0.5), 0);
}

#define N_ADDED 300000

static void *add(void *histogram)
{
	for (int64_t n = 0; n < N_ADDED; n++)
		histogram_add(histogram, n % 50000);
	return NULL;
}

/* catches: a count that a copy taken meanwhile makes wrong, copies whose sum is not their bins' (TSan: a race) */
static void copies_taken_while_it_grows_are_whole(void **state)
{
	static struct histogram h, copy;
	pthread_t thread;
	uint64_t before = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, add, &h), 0);
	while (before < N_ADDED) {
		uint64_t sum = 0;

		histogram_copy(&copy, &h);
		for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++)
			sum += copy.count[bin];
		assert_int_equal(sum, copy.n);
		assert_true(copy.n >= before);
		before = copy.n;
		sched_yield();
	}
	pthread_join(thread, NULL);
	assert_int_equal(copy.max_ns, 49999);
	/* As it looks between the two additions of histogram_add(). */
	h.n++;
	histogram_copy(&copy, &h);
	assert_int_equal(copy.n, N_ADDED);
	assert_in_range(histogram_quantile_ns(&copy, 0.5), 24999, 26600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantile_of_a_single_duration_is_that_duration_to_six_percent),
		cmocka_unit_test(quantiles_of_the_first_thousand_nanoseconds_are_their_ranks),
		cmocka_unit_test(durations_beyond_the_bins_are_counted_at_the_ends),
		cmocka_unit_test(quantile_of_nothing_is_zero),
		cmocka_unit_test(copies_taken_while_it_grows_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
