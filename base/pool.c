/*
 * A run of pieces is one atomic word, the ticket: {run number, pieces left}. Taking a piece is a compare-and-swap that
 * counts it down, so that a thread that wakes late, when the run is over or another has begun, takes nothing of it: the
 * swap fails. The caller therefore waits for the pieces, not for the threads, and a run of few pieces costs no switch
 * when the caller does them all before anybody has woken.
 *
 * `work` and `context` are written only while no piece is left. A thread reads them between loading a ticket that has
 * pieces and swapping it; the swap succeeds only if that run is still on, hence they are that run's.
 *
 * Idle threads look at the ticket for a short time before they sleep, since runs often follow each other closely.
 */
#include "base/pool.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define MAX_THREADS 1024
#define SPINS       2000 /* some tens of microseconds: about what sleeping and waking costs */

typedef void work_fn(void *context, size_t piece, size_t thread);

struct worker {
	struct pool *pool;
	size_t thread;
	pthread_t id;
};

struct pool {
	size_t n_threads;
	size_t n_started; /* workers that run; the caller is not among them */
	int spins;

	_Alignas(64) _Atomic uint64_t ticket; /* run number << 32 | pieces left to take */
	_Atomic(work_fn *) work;
	_Atomic(void *) context;
	_Alignas(64) _Atomic size_t n_unfinished;
	atomic_bool stopping;

	pthread_mutex_t mutex; /* for sleeping and waking only */
	pthread_cond_t wake, done;
	size_t n_sleeping;

	struct worker workers[];
};

static size_t pieces_left(uint64_t ticket)
{
	return ticket & UINT32_MAX;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/** Take and do pieces until none is left; returns whether this thread finished the last one. */
static bool take_part(struct pool *pool, size_t thread)
{
	uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
	bool last = false;

	while (pieces_left(ticket) > 0) {
		work_fn *work = atomic_load_explicit(&pool->work, memory_order_relaxed);
		void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);

		/* On failure `ticket` is the present one. */
		if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket - 1, memory_order_acq_rel,
							   memory_order_acquire))
			continue;
		work(context, pieces_left(ticket) - 1, thread);
		last = atomic_fetch_sub_explicit(&pool->n_unfinished, 1, memory_order_acq_rel) == 1;
		ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
	}
	return last;
}

static bool wanted(const struct pool *pool)
{
	return pieces_left(atomic_load_explicit(&pool->ticket, memory_order_acquire)) > 0 ||
	       atomic_load_explicit(&pool->stopping, memory_order_relaxed);
}

static void wait_for_work(struct pool *pool)
{
	for (int i = 0; i < pool->spins; i++) {
		if (wanted(pool))
			return;
		relax();
	}
	pthread_mutex_lock(&pool->mutex);
	pool->n_sleeping++;
	while (!wanted(pool))
		pthread_cond_wait(&pool->wake, &pool->mutex);
	pool->n_sleeping--;
	pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct pool *pool = worker->pool;

	while (!atomic_load_explicit(&pool->stopping, memory_order_relaxed)) {
		wait_for_work(pool);
		if (take_part(pool, worker->thread)) {
			pthread_mutex_lock(&pool->mutex);
			pthread_cond_signal(&pool->done);
			pthread_mutex_unlock(&pool->mutex);
		}
	}
	return NULL;
}

void pool_run(struct pool *pool, size_t n_pieces, void (*work)(void *context, size_t piece, size_t thread),
	      void *context)
{
	assert(n_pieces <= UINT32_MAX);
	if (pool->n_started == 0 || n_pieces <= 1) {
		for (size_t i = 0; i < n_pieces; i++)
			work(context, i, 0);
		return;
	}

	const uint64_t run = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
	atomic_store_explicit(&pool->work, work, memory_order_relaxed);
	atomic_store_explicit(&pool->context, context, memory_order_relaxed);
	atomic_store_explicit(&pool->n_unfinished, n_pieces, memory_order_relaxed);
	pthread_mutex_lock(&pool->mutex);
	atomic_store_explicit(&pool->ticket, run << 32 | n_pieces, memory_order_release);
	if (pool->n_sleeping > 0)
		pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->mutex);

	if (take_part(pool, 0))
		return;
	for (int i = 0; i < pool->spins; i++) {
		if (atomic_load_explicit(&pool->n_unfinished, memory_order_acquire) == 0)
			return;
		relax();
	}
	pthread_mutex_lock(&pool->mutex);
	while (atomic_load_explicit(&pool->n_unfinished, memory_order_acquire) > 0)
		pthread_cond_wait(&pool->done, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
}

size_t pool_n_threads(const struct pool *pool)
{
	return pool->n_threads;
}

static size_t usable_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (size_t)CPU_COUNT(&set);
	const long online = sysconf(_SC_NPROCESSORS_ONLN); /* more cores than a cpu_set_t can name */
	return online > 0 ? (size_t)online : 1;
}

int pool_new(struct pool **pool_out, size_t n_threads, struct err *err)
{
	const size_t n_cores = usable_cores();
	sigset_t all, before;
	int error = 0;

	*pool_out = NULL;
	if (n_threads > MAX_THREADS)
		return err_set(err, JOSTLE_EINVAL, "expected at most %d threads, found %zu", MAX_THREADS, n_threads);
	if (n_threads == 0)
		n_threads = n_cores < MAX_THREADS ? n_cores : MAX_THREADS;

	const size_t size = sizeof(struct pool) + n_threads * sizeof(struct worker);
	struct pool *pool = aligned_alloc(_Alignof(struct pool), (size + 63) / 64 * 64);
	if (!pool)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a pool of %zu threads", n_threads);
	memset(pool, 0, size);
	pool->n_threads = n_threads;
	/* With more threads than cores, looking takes the core from whoever has the work. */
	pool->spins = n_threads <= n_cores ? SPINS : 0;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->wake, NULL);
	pthread_cond_init(&pool->done, NULL);

	/* Signals are for the thread that made the pool. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 1; i < n_threads && !error; i++) {
		pool->workers[i] = (struct worker){.pool = pool, .thread = i};
		error = pthread_create(&pool->workers[i].id, NULL, worker_main, &pool->workers[i]);
		pool->n_started += !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		pool_free(pool);
		return err_set(err, JOSTLE_ENOMEM, "cannot start %zu threads: %s", n_threads, strerror(error));
	}
	*pool_out = pool;
	return 0;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	atomic_store(&pool->stopping, true);
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->mutex);
	for (size_t i = 1; i <= pool->n_started; i++)
		pthread_join(pool->workers[i].id, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}
