/*
 * Alone, and as three ranks under mpirun where there is Open MPI: every rank runs the same tests together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/ranks.h"

/* catches: shares that leave a gap, or an owner that is off by one where the division is not whole. */
static void every_thing_is_in_the_share_of_its_owner(void **state)
{
	(void)state;
	for (size_t n = 1; n < 40; n++) {
		assert_int_equal(ranks_share(n, 0), 0);
		assert_int_equal(ranks_share(n, ranks_count()), n);
		for (size_t i = 0; i < n; i++) {
			const size_t owner = ranks_owner(n, i);

			assert_in_range(i, ranks_share(n, owner), ranks_share(n, owner + 1) - 1);
		}
	}
}

/** Row i, whose sum depends in its last bits on the order of the additions. */
static double term(size_t i, size_t k)
{
	return 1.0 / (double)(3 * i + k + 1);
}

/** Rows [i, end) of a tree whose left half is the largest power of two that leaves something on the right. */
static double sum_of_tree(size_t i, size_t end, size_t k)
{
	size_t half = 1;

	if (end - i == 1)
		return term(i, k);
	while (2 * half < end - i)
		half *= 2;
	return sum_of_tree(i, i + half, k) + sum_of_tree(i + half, end, k);
}

/* catches: an order of addition that changes with the ranks; a row that is added twice, or by nobody. */
static void sums_have_the_same_bits_whatever_the_ranks(void **state)
{
	enum { COLUMNS = 7, MOST = 33 };
	static double terms[MOST][COLUMNS];

	(void)state;
	for (size_t n = 1; n <= MOST; n++) {
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < COLUMNS; k++)
				terms[i][k] = ranks_owner(n, i) == ranks_rank() ? term(i, k) : -1e300;
		ranks_sum(terms[0], n, COLUMNS);
		for (size_t k = 0; k < COLUMNS; k++) {
			const double expected = sum_of_tree(0, n, k);

			assert_memory_equal(&terms[0][k], &expected, sizeof(expected));
		}
	}
}

/* catches: shares put one row off, or in the order in which they arrive. */
static void rows_come_to_rank_0_in_order(void **state)
{
	enum { N = 10 };
	const size_t begin = ranks_share(N, ranks_rank()), end = ranks_share(N, ranks_rank() + 1);
	uint16_t rows[N][3] = {{0}};

	(void)state;
	for (size_t i = begin; i < end; i++)
		for (uint16_t k = 0; k < 3; k++)
			rows[i - begin][k] = (uint16_t)(10 * i + k);
	ranks_gather(rows, N, sizeof(rows[0]));
	for (size_t i = 0; i < N && ranks_first(); i++)
		for (uint16_t k = 0; k < 3; k++)
			assert_int_equal(rows[i][k], 10 * i + k);
}

/* catches: an error that stays on the rank that met it, while the others go on and wait for it. */
static void all_ranks_learn_of_the_first_error(void **state)
{
	const size_t last = ranks_count() - 1;
	struct err err = {0};
	int status = 0;

	(void)state;
	assert_int_equal(ranks_agree(0, &err), 0);
	assert_int_equal(err.code, 0);
	if (ranks_rank() == last)
		status = err_set(&err, JOSTLE_ENOENT, "no fish");
	assert_int_equal(ranks_agree(status, &err), JOSTLE_ENOENT);
	assert_int_equal(err.code, JOSTLE_ENOENT);
	assert_string_equal(err.text, last == 0 ? "no fish" : "rank 2: no fish");
	status = err_set(&err, JOSTLE_EIO, "rank %zu's own", ranks_rank());
	assert_int_equal(ranks_agree(status, &err), JOSTLE_EIO);
	assert_string_equal(err.text, "rank 0's own");
}

/* catches: a comparison whose outcome is known only where the difference is. */
static void ranks_that_differ_are_refused_on_all(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(ranks_same("cod", "fish", &err), 0);
	const int expected = ranks_count() == 1 ? 0 : JOSTLE_ECONFIG;
	assert_int_equal(ranks_same(ranks_first() ? "cod" : "eel", "fish", &err), expected);
	if (expected)
		assert_non_null(strstr(err.text, "rank 1: expected the same fish"));
}

/* catches: a maximum; a sum that leaves out one's own. */
static void the_least_and_the_total_are_of_all_ranks(void **state)
{
	(void)state;
	assert_int_equal(ranks_least(10 - ranks_rank()), 11 - ranks_count());
	assert_int_equal(ranks_total(ranks_rank() + 1), ranks_count() * (ranks_count() + 1) / 2);
}

/* catches: a build that takes itself for the only rank when mpirun started several. */
static void there_are_as_many_ranks_as_mpirun_started(void **state)
{
	const char *count = getenv("OMPI_COMM_WORLD_SIZE");

	(void)state;
	assert_int_equal(ranks_count(), count ? strtoul(count, NULL, 10) : 1);
	assert_int_equal(ranks_threads(5), 5);
	assert_int_equal(ranks_threads(0) > 0, ranks_count() > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_as_many_ranks_as_mpirun_started),
		cmocka_unit_test(every_thing_is_in_the_share_of_its_owner),
		cmocka_unit_test(sums_have_the_same_bits_whatever_the_ranks),
		cmocka_unit_test(rows_come_to_rank_0_in_order),
		cmocka_unit_test(all_ranks_learn_of_the_first_error),
		cmocka_unit_test(ranks_that_differ_are_refused_on_all),
		cmocka_unit_test(the_least_and_the_total_are_of_all_ranks),
	};
	struct err err = {0};

	return ranks_init(&err) ? EXIT_FAILURE : cmocka_run_group_tests(tests, NULL, NULL);
}
