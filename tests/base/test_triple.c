#include "base/scratch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/triple.h"

struct value {
	uint64_t number, twice, thrice; /* more than a word, so that one read half-written shows */
};

static void write_value(struct triple *triple, uint64_t number)
{
	*(struct value *)triple_back(triple) = (struct value){number, 2 * number, 3 * number};
	triple_publish(triple);
}

/* catches: memory shown that nobody wrote, an old value shown for the newest, one that changes in the reader's hands */
static void reader_holds_the_newest_value_until_it_asks_again(void **state)
{
	struct triple triple;
	const struct value *held;

	(void)state;
	assert_int_equal(triple_init(&triple, sizeof(struct value), NULL), 0);
	assert_null(triple_latest(&triple));
	for (uint64_t n = 1; n < 20; n++) {
		for (uint64_t i = 0; i < n % 5 + 1; i++)
			write_value(&triple, 100 * n + i);
		held = triple_latest(&triple);
		assert_int_equal(held->number, 100 * n + n % 5);
		assert_ptr_equal(triple_latest(&triple), held);
		for (uint64_t i = 0; i < n % 4; i++)
			write_value(&triple, 7);
		assert_int_equal(held->thrice, 3 * (100 * n + n % 5));
	}
	triple_fini(&triple);
}

/* catches: two of the three buffers that are one, values that a buffer was given at setup and has lost */
static void three_buffers_are_three_and_keep_what_was_laid_out_in_them(void **state)
{
	struct triple triple;

	(void)state;
	assert_int_equal(triple_init(&triple, sizeof(struct value), NULL), 0);
	for (unsigned i = 0; i < 3; i++)
		((struct value *)triple_buffer(&triple, i))->thrice = 50 + i;
	for (unsigned i = 0; i < 9; i++) {
		struct value *back = triple_back(&triple);
		const struct value *front;

		back->number = i;
		triple_publish(&triple);
		front = triple_latest(&triple);
		assert_ptr_equal(front, back);
		assert_ptr_not_equal(triple_back(&triple), front);
		assert_ptr_equal(front, triple_buffer(&triple, (unsigned)front->thrice - 50));
	}
	triple_fini(&triple);
}

/* catches: a size that overflows and gives too little memory, an end that frees twice */
static void impossible_size_is_an_error(void **state)
{
	struct triple triple;
	struct err err;

	(void)state;
	assert_int_equal(triple_init(&triple, SIZE_MAX, &err), JOSTLE_ENOMEM);
	assert_int_equal(triple_init(&triple, PTRDIFF_MAX / 2, &err), JOSTLE_ENOMEM);
	triple_fini(&triple);
	triple_fini(&triple);
}

#define N_VALUES 200000

static void *produce(void *argument)
{
	for (uint64_t n = 1; n <= N_VALUES; n++) {
		write_value(argument, n);
		if (n % 64 == 0)
			sched_yield();
	}
	return NULL;
}

/* catches: a buffer published before it is whole, taken while it is written (TSan sees both), time going backwards */
static void two_threads_pass_whole_values_in_order_the_last_one_too(void **state)
{
	struct triple triple;
	pthread_t producer;
	uint64_t last = 0;

	(void)state;
	assert_int_equal(triple_init(&triple, sizeof(struct value), NULL), 0);
	assert_int_equal(pthread_create(&producer, NULL, produce, &triple), 0);
	while (last < N_VALUES) {
		const struct value *value = triple_latest(&triple);

		if (!value) {
			sched_yield();
			continue;
		}
		assert_true(value->number >= last);
		assert_true(value->twice == 2 * value->number && value->thrice == 3 * value->number);
		if (value->number == last)
			sched_yield();
		last = value->number;
	}
	pthread_join(producer, NULL);
	triple_fini(&triple);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_holds_the_newest_value_until_it_asks_again),
		cmocka_unit_test(three_buffers_are_three_and_keep_what_was_laid_out_in_them),
		cmocka_unit_test(impossible_size_is_an_error),
		cmocka_unit_test(two_threads_pass_whole_values_in_order_the_last_one_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
