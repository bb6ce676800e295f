#ifndef JOSTLE_PROBLEM_WORK_H
#define JOSTLE_PROBLEM_WORK_H
/*
 * Shared by problem.c and problem_work.c only: one loop over chunks of blocks. Get the moments (drawn now, or stored), do
 * something with them, leave a sum at the chunk's own place. The number of chunks is fixed by the number of moments. Each
 * rank has its share of the chunks, and stores only the moments of its own.
 */
#include <stdbool.h>

#include "base/random.h"
#include "learning/problem.h"
#include "protocols/observation.h"

#define WORK_MAX_CHUNKS 32

struct work;

/** What is done with one block: `sum` is the chunk's. */
typedef void work_verb(const struct work *work, const struct observation_batch *batch, float *force, double sum[]);

struct work {
	struct problem *problem;
	work_verb *verb;
	bool stored; /* from the stored sample, not drawn */
	bool force;  /* set by work_run() */
	uint64_t seed;
	enum random_stream data, noising;
	uint64_t step;
	size_t n_blocks, n_chunks; /* of all ranks; set by work_run() */
};

/** Whole blocks for so many moments. Call from: any. */
size_t work_blocks_of(size_t n_moments);

/** Floats in a block of one field. Call from: any. */
size_t work_block_size(const struct problem *problem);

/** Doubles in a chunk's sum: a gradient, or the two moments of the held-out loss. Call from: any. */
size_t work_sum_size(const struct problem *problem);

/** Floats of scratch that a thread needs. Call from: any. */
size_t work_scratch_size(const struct problem *problem);

/**
 * Run over all chunks and add their sums into problem->sums[0 … work_sum_size() - 1], in an order that depends on their
 * number alone. theta NULL: no force is wanted. Together (base/ranks.h). Call from: setup.
 */
void work_run(struct work *work, const double theta[], size_t n_moments);

/** This rank's part of so many blocks: those of its chunks. Call from: any. */
void work_own_blocks(size_t n_blocks, size_t *begin, size_t *end);

/** Draw this rank's moments of work->step into problem->stored. Call from: setup. */
void work_store(struct work *work);

#endif
