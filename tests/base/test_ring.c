#include "base/scratch.h"

#include <pthread.h>
#include <sched.h>

#include "base/err.h"
#include "base/ring.h"

struct record {
	uint64_t number, twice, thrice; /* more than a word, so that a record read half-written shows */
};

/* catches: last in first out, a record lost at the wrap of the counters */
static void records_come_out_in_order_also_where_the_counters_wrap(void **state)
{
	struct ring ring;

	(void)state;
	assert_int_equal(ring_init(&ring, sizeof(int), 4, NULL), 0);
	atomic_store(&ring.head, SIZE_MAX - 1);
	atomic_store(&ring.tail, SIZE_MAX - 1);
	for (int round = 0; round < 5; round++) {
		int out;

		for (int i = 0; i < 3; i++)
			assert_true(ring_push(&ring, &(int){10 * round + i}));
		for (int i = 0; i < 3; i++) {
			assert_true(ring_pop(&ring, &out));
			assert_int_equal(out, 10 * round + i);
		}
		assert_false(ring_pop(&ring, &out));
	}
	ring_fini(&ring);
}

/* catches: an old record overwritten when full, a drop that is not counted, room for one less than asked */
static void a_full_ring_drops_the_new_record_and_counts_it(void **state)
{
	struct ring ring;
	int out;

	(void)state;
	assert_int_equal(ring_init(&ring, sizeof(int), 5, NULL), 0);
	assert_int_equal(ring.capacity, 8);
	for (int i = 0; i < 11; i++)
		assert_true(ring_push(&ring, &i) == (i < 8));
	assert_int_equal(atomic_load(&ring.n_dropped), 3);
	for (int i = 0; i < 8; i++) {
		assert_true(ring_pop(&ring, &out));
		assert_int_equal(out, i);
	}
	assert_false(ring_pop(&ring, &out));
	ring_fini(&ring);
}

/* catches: a size that overflows and gives too little memory */
static void an_impossible_size_is_an_error(void **state)
{
	struct ring ring;
	struct err err;

	(void)state;
	assert_int_equal(ring_init(&ring, SIZE_MAX / 2, 1024, &err), JOSTLE_ENOMEM);
	assert_int_equal(ring_init(&ring, 1, SIZE_MAX, &err), JOSTLE_ENOMEM);
	ring_fini(&ring);
}

#define N_RECORDS 200000

static void *produce(void *argument)
{
	struct ring *ring = argument;

	for (uint64_t i = 0; i < N_RECORDS; i++) {
		const struct record record = {i, 2 * i, 3 * i};

		ring_push(ring, &record);
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

/* catches: a head published before the record is there, a tail before it is read (TSan sees both) */
static void two_threads_pass_whole_records_in_order_and_lose_only_what_is_counted(void **state)
{
	struct ring ring;
	struct record record;
	pthread_t producer;
	uint64_t n = 0, next = 0;
	bool joined = false;

	(void)state;
	assert_int_equal(ring_init(&ring, sizeof(record), 128, NULL), 0);
	assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
	while (n + atomic_load(&ring.n_dropped) < N_RECORDS || !joined) {
		if (!ring_pop(&ring, &record)) {
			if (n + atomic_load(&ring.n_dropped) == N_RECORDS) {
				pthread_join(producer, NULL);
				joined = true;
			}
			sched_yield();
			continue;
		}
		assert_true(record.number >= next);
		assert_true(record.twice == 2 * record.number && record.thrice == 3 * record.number);
		next = record.number + 1;
		n++;
	}
	assert_int_equal(n + atomic_load(&ring.n_dropped), N_RECORDS);
	assert_true(n >= 128);
	ring_fini(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_in_order_also_where_the_counters_wrap),
		cmocka_unit_test(a_full_ring_drops_the_new_record_and_counts_it),
		cmocka_unit_test(an_impossible_size_is_an_error),
		cmocka_unit_test(two_threads_pass_whole_records_in_order_and_lose_only_what_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
