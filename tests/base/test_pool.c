#include "base/scratch.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/pool.h"

#define MAX_PIECES 5000

struct job {
	unsigned count[MAX_PIECES]; /* plain: a piece done twice at once is a race that TSan sees */
	double value[MAX_PIECES];
	size_t n_threads;
	atomic_bool bad_thread;
	double scale;
};

static void do_piece(void *context, size_t piece, size_t thread)
{
	struct job *job = context;

	job->count[piece]++;
	job->value[piece] = job->scale / (1.0 + (double)piece);
	if (thread >= job->n_threads)
		atomic_store(&job->bad_thread, true);
}

static void run_and_check(struct pool *pool, struct job *job, size_t n)
{
	memset(job->count, 0, sizeof(job->count));
	pool_run(pool, n, do_piece, job);
	for (size_t i = 0; i < MAX_PIECES; i++)
		if (job->count[i] != (i < n))
			fail_msg("piece %zu of %zu was done %u times", i, n, job->count[i]);
	assert_false(atomic_load(&job->bad_thread));
}

/* catches: a piece lost or done twice, a return before the last is done, thread numbers out of range */
static void every_piece_is_done_once_whatever_the_number_of_threads(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 3, 7, 64, 1000, MAX_PIECES};

	(void)state;
	for (size_t n_threads = 1; n_threads <= 5; n_threads++) {
		struct pool *pool;
		struct job *job = calloc(1, sizeof(*job));

		assert_int_equal(pool_new(&pool, n_threads, NULL), 0);
		assert_int_equal(pool_n_threads(pool), n_threads);
		job->n_threads = n_threads;
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			run_and_check(pool, job, sizes[i]);
		pool_free(pool);
		free(job);
	}
}

static void add_one(void *context, size_t piece, size_t thread)
{
	unsigned *counts = context;

	(void)thread;
	counts[piece]++;
}

/* catches: a late thread that takes a piece of the next run with the work of the last, a wake-up that is lost */
static void runs_that_follow_each_other_at_once_do_not_mix(void **state)
{
	struct pool *pool;
	unsigned a[8] = {0}, b[3] = {0};

	(void)state;
	assert_int_equal(pool_new(&pool, 3, NULL), 0);
	for (unsigned i = 0; i < 4000; i++) {
		pool_run(pool, 8, add_one, a);
		pool_run(pool, 3, add_one, b);
		if (i % 100 == 0) /* long enough for the threads to fall asleep */
			usleep(200);
	}
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(a[i], 4000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(b[i], 4000);
	pool_free(pool);
}

static double sum_of_pieces(size_t n_threads)
{
	struct pool *pool;
	struct job *job = calloc(1, sizeof(*job));
	double sum = 0.0;

	job->n_threads = n_threads;
	job->scale = 1.0 / 3.0;
	assert_int_equal(pool_new(&pool, n_threads, NULL), 0);
	pool_run(pool, MAX_PIECES, do_piece, job);
	for (size_t i = 0; i < MAX_PIECES; i++)
		sum += job->value[i];
	pool_free(pool);
	free(job);
	return sum;
}

/* catches: results that depend on who did what */
static void the_sum_in_order_is_the_same_to_the_last_bit(void **state)
{
	const double one = sum_of_pieces(1);

	(void)state;
	for (size_t n_threads = 2; n_threads <= 4; n_threads++) {
		const double many = sum_of_pieces(n_threads);

		assert_memory_equal(&one, &many, sizeof(one));
	}
}

struct meeting {
	atomic_size_t n_there;
	size_t seen[2];
};

static void wait_for_the_other(void *context, size_t piece, size_t thread)
{
	struct meeting *meeting = context;

	meeting->seen[piece] = thread;
	atomic_fetch_add(&meeting->n_there, 1);
	while (atomic_load(&meeting->n_there) < 2)
		sched_yield();
}

/* catches: one thread doing everything, two threads with one number (it would not end, or the numbers agree) */
static void two_pieces_run_at_the_same_time_on_two_threads(void **state)
{
	struct pool *pool;
	struct meeting meeting = {0};

	(void)state;
	assert_int_equal(pool_new(&pool, 2, NULL), 0);
	pool_run(pool, 2, wait_for_the_other, &meeting);
	assert_int_equal(meeting.seen[0] + meeting.seen[1], 1);
	pool_free(pool);
}

struct slow {
	atomic_bool started;
	bool done; /* plain: TSan sees a return that does not wait */
};

static void end_late_elsewhere(void *context, size_t piece, size_t thread)
{
	struct slow *slow = context;

	(void)piece;
	if (thread == 0) {
		while (!atomic_load(&slow->started))
			sched_yield();
		return;
	}
	atomic_store(&slow->started, true);
	usleep(20000);
	slow->done = true;
}

/* catches: a return when no piece is left to take, though another thread is still at one */
static void the_caller_waits_for_pieces_that_others_are_at(void **state)
{
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_new(&pool, 2, NULL), 0);
	for (int i = 0; i < 5; i++) {
		struct slow slow = {0};

		pool_run(pool, 2, end_late_elsewhere, &slow);
		assert_true(slow.done);
	}
	pool_free(pool);
}

/* catches: 0 threads made, a number no machine has tried */
static void the_number_of_threads_is_checked(void **state)
{
	struct pool *pool;
	struct err err;
	cpu_set_t set;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_int_equal(pool_new(&pool, 0, &err), 0);
	assert_int_equal(pool_n_threads(pool), CPU_COUNT(&set));
	pool_free(pool);
	assert_int_equal(pool_new(&pool, 1000000, &err), JOSTLE_EINVAL);
	assert_null(pool);
	pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_piece_is_done_once_whatever_the_number_of_threads),
		cmocka_unit_test(runs_that_follow_each_other_at_once_do_not_mix),
		cmocka_unit_test(the_sum_in_order_is_the_same_to_the_last_bit),
		cmocka_unit_test(two_pieces_run_at_the_same_time_on_two_threads),
		cmocka_unit_test(the_caller_waits_for_pieces_that_others_are_at),
		cmocka_unit_test(the_number_of_threads_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
