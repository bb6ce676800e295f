#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

/* catches: a vector load from memory that is not aligned for it, room for fewer floats than asked for (with ASan) */
static void floats_are_aligned_and_all_there(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		float *floats = memory_floats(sizes[i]);

		assert_int_equal((uintptr_t)floats % MEMORY_ALIGNMENT, 0);
		assert_true(floats || sizes[i] == 0);
		if (sizes[i])
			memset(floats, 1, sizes[i] * sizeof(*floats));
		free(floats);
	}
}

/* catches: a size that wraps round and gives a few bytes for a huge request */
static void more_than_there_is_gives_nothing(void **state)
{
	(void)state;
	assert_null(memory_floats(SIZE_MAX));
	assert_null(memory_floats(SIZE_MAX / sizeof(float)));
	assert_null(memory_floats(SIZE_MAX / sizeof(float) + 2));
}

/* catches: a multiple too many where n is one already */
static void rounding_up_reaches_the_next_multiple_and_no_further(void **state)
{
	(void)state;
	assert_int_equal(memory_round_up(0, 4), 0);
	assert_int_equal(memory_round_up(1, 4), 4);
	assert_int_equal(memory_round_up(4, 4), 4);
	assert_int_equal(memory_round_up(5, 3), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floats_are_aligned_and_all_there),
		cmocka_unit_test(more_than_there_is_gives_nothing),
		cmocka_unit_test(rounding_up_reaches_the_next_multiple_and_no_further),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
