#include "learning/problem_work.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "base/ranks.h"
#include "learning/target.h"
#include "protocols/diffusion.h"
#include "sim/engine_kernels.h"

size_t work_blocks_of(size_t n_moments)
{
	return memory_round_up(n_moments, BLOCK_LANES) / BLOCK_LANES;
}

size_t work_block_size(const struct problem *problem)
{
	return problem->network->n_sites * BLOCK_LANES;
}

size_t work_sum_size(const struct problem *problem)
{
	return problem->network->n_parameters + 2;
}

size_t work_scratch_size(const struct problem *problem)
{
	/* x0, x, force, and noise in whole groups of four rows */
	return (3 * problem->network->n_sites + memory_round_up(problem->network->n_sites, 4)) * BLOCK_LANES;
}

/** x0 and x of block `block`: [x0, x][site][lane]. */
static void draw_block(const struct work *work, size_t block, float moments[], float noise[])
{
	const struct problem *problem = work->problem;
	const struct target *target = problem->target;
	const size_t n = problem->network->n_sites;
	const float a = (float)exp(-problem->t), sigma = (float)sqrt(diffusion_variance(problem->t));
	float datum[NETWORK_MAX_SITES];

	for (size_t l = 0; l < BLOCK_LANES; l++) {
		target->type->draw(target, work->seed, work->data, (uint32_t)(block * BLOCK_LANES + l), work->step,
				   datum);
		for (size_t i = 0; i < n; i++)
			moments[i * BLOCK_LANES + l] = datum[i];
	}
	engine_kernels_best()->normals(work->seed, work->noising, (uint32_t)(block * BLOCK_LANES), work->step, n,
				       noise);
	for (size_t i = 0; i < n * BLOCK_LANES; i++)
		moments[n * BLOCK_LANES + i] = a * moments[i] + sigma * noise[i];
}

static size_t chunks_of(size_t n_blocks)
{
	return n_blocks < WORK_MAX_CHUNKS ? n_blocks : WORK_MAX_CHUNKS;
}

void work_own_blocks(size_t n_blocks, size_t *begin, size_t *end)
{
	const size_t n_chunks = chunks_of(n_blocks), me = ranks_rank();

	*begin = ranks_share(n_chunks, me) * n_blocks / n_chunks;
	*end = ranks_share(n_chunks, me + 1) * n_blocks / n_chunks;
}

static void run_chunk(void *context, size_t piece, size_t thread)
{
	const struct work *work = context;
	const size_t chunk = ranks_share(work->n_chunks, ranks_rank()) + piece;
	const struct problem *problem = work->problem;
	const size_t size = work_block_size(problem);
	float *scratch = problem->scratch + thread * problem->scratch_size;
	float *force = scratch + 2 * size, *noise = force + size;
	double *sum = problem->sums + chunk * work_sum_size(problem);

	memset(sum, 0, work_sum_size(problem) * sizeof(*sum));
	for (size_t b = chunk * work->n_blocks / work->n_chunks; b < (chunk + 1) * work->n_blocks / work->n_chunks;
	     b++) {
		float *moments = work->stored ? problem->stored + 2 * (b - problem->first_stored) * size : scratch;

		if (!work->stored)
			draw_block(work, b, moments, noise);
		if (work->force)
			network_kernels_best()->force(problem->network, problem->packed, moments + size, force);
		const struct observation_batch batch = {
			.t = problem->t,
			.n_blocks = 1,
			.n_sites = problem->network->n_sites,
			.x_before = moments + size,
			.force = force,
			.x0 = moments,
		};
		work->verb(work, &batch, force, sum);
	}
}

void work_run(struct work *work, const double theta[], size_t n_moments)
{
	struct problem *problem = work->problem;
	const size_t me = ranks_rank();

	work->force = theta != NULL;
	if (theta)
		network_kernels_best()->pack(problem->network, theta, &problem->wall, problem->packed);
	work->n_blocks = work->stored ? problem->n_stored : work_blocks_of(n_moments);
	work->n_chunks = chunks_of(work->n_blocks);
	pool_run(problem->pool, ranks_share(work->n_chunks, me + 1) - ranks_share(work->n_chunks, me), run_chunk, work);
	ranks_sum(problem->sums, work->n_chunks, work_sum_size(problem));
}

static void store_block(void *context, size_t piece, size_t thread)
{
	const struct work *work = context;
	struct problem *problem = work->problem;

	draw_block(work, problem->first_stored + piece, problem->stored + 2 * piece * work_block_size(problem),
		   problem->scratch + thread * problem->scratch_size);
}

void work_store(struct work *work)
{
	size_t begin, end;

	work_own_blocks(work->problem->n_stored, &begin, &end);
	pool_run(work->problem->pool, end - begin, store_block, work);
}
