#ifndef JOSTLE_POOL_H
#define JOSTLE_POOL_H
/*
 * A pool of threads that share out numbered pieces of work.
 *
 * Results must not depend on who does what: a piece writes only to its own place, and whoever adds the places up does so
 * in order. Not for the loop.
 */
#include <stddef.h>

struct err;
struct pool;

/** n_threads 0 means one for each core that this process may use. The caller ends it with pool_free(). Call from: setup. */
int pool_new(struct pool **pool, size_t n_threads, struct err *err);

/** Stop and join the threads. NULL is allowed. Call from: setup. */
void pool_free(struct pool *pool);

size_t pool_n_threads(const struct pool *pool);

/**
 * Call work(context, piece, thread) for every piece in [0, n_pieces), each once and in no order; n_pieces is below 2^32,
 * `thread` below pool_n_threads(). The caller is thread 0 and takes part. Returns when all are done.
 * Call from: the thread that made the pool, and not from within `work`.
 */
void pool_run(struct pool *pool, size_t n_pieces, void (*work)(void *context, size_t piece, size_t thread),
	      void *context);

#endif
