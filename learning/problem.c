#include "learning/problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/ranks.h"
#include "learning/estimator.h"
#include "learning/problem_work.h"
#include "learning/target.h"
#include "protocols/diffusion.h"

#define HELD_SEED 1u

/* Where the wall stands, in standard deviations beyond what is not random in the noised data. Closer in, the
   wall would cut into the data and bias rule 2, which is off by a few per cent in x^6 as it is (estimators/implicit.c);
   further out, trajectories that a potential has lost stay lost. */
#define WALL_DEVIATIONS 4.0

/* An Euler step of length h is stable against stiffness below 1/h without overshoot: half of that for the accurate grid,
   and at most what a bench of period 0.005 relaxation times bears as well. */
#define WALL_STEP_SHARE    0.5
#define WALL_MAX_STIFFNESS 100.0

int problem_init(struct problem *problem, const struct network *network, const struct target *target,
		 const struct estimator_type *rule, struct pool *pool, uint64_t seed, struct err *err)
{
	*problem = (struct problem){.network = network, .target = target, .rule = rule, .pool = pool, .seed = seed};
	problem->scratch_size = work_scratch_size(problem);
	problem->packed = memory_floats(network_kernels_best()->packed_size(network));
	problem->scratch = memory_floats(pool_n_threads(pool) * problem->scratch_size);
	problem->sums = malloc(WORK_MAX_CHUNKS * work_sum_size(problem) * sizeof(*problem->sums));
	if (!problem->packed || !problem->scratch || !problem->sums) {
		problem_fini(problem);
		return err_set(err, JOSTLE_ENOMEM, "no memory to learn %zu parameters", network->n_parameters);
	}
	return 0;
}

void problem_fini(struct problem *problem)
{
	free(problem->sums);
	free(problem->scratch);
	free(problem->packed);
	free(problem->stored);
	*problem = (struct problem){0};
}

struct wall problem_wall(const struct target *target, double t)
{
	const double sigma = sqrt(diffusion_variance(t));

	return (struct wall){
		.position = target->type->extent(target, exp(-t), sigma, WALL_DEVIATIONS),
		.stiffness = fmin(WALL_STEP_SHARE / diffusion_step(t), WALL_MAX_STIFFNESS),
	};
}

void problem_enter(struct problem *problem, size_t knot, double t)
{
	problem->knot = knot;
	problem->t = t;
	problem->wall = problem_wall(problem->target, t);
	problem->n_stored = 0;
	free(problem->stored);
	problem->stored = NULL;
}

static struct work training_work(struct problem *problem, work_verb *verb, uint32_t step)
{
	return (struct work){
		.problem = problem,
		.verb = verb,
		.stored = step == PROBLEM_STEP_STORED,
		.seed = problem->seed,
		.data = RANDOM_DATA,
		.noising = RANDOM_NOISING,
		.step = (uint64_t)problem->knot << 32 | step,
	};
}

static void add_observation(const struct work *work, const struct observation_batch *batch, float *force, double sum[])
{
	const struct problem *problem = work->problem;
	struct estimator_sum moments = {.gradient = sum};

	(void)force;
	problem->rule->observe(problem->network, problem->packed, batch, 0, 1, &moments);
	sum[problem->network->n_parameters] += moments.residual;
}

static double gradient_at(struct problem *problem, const double theta[], uint32_t step, size_t n_moments, double g[])
{
	struct work work = training_work(problem, add_observation, step);
	const size_t n = problem->network->n_parameters;

	work_run(&work, theta, n_moments);
	const double moments = (double)(work.n_blocks * BLOCK_LANES);
	for (size_t k = 0; k < n; k++)
		g[k] = problem->sums[k] / moments;
	return diffusion_variance(problem->t) / (4.0 * (double)problem->network->n_sites) * problem->sums[n] / moments;
}

double problem_gradient(struct problem *problem, const double theta[], uint32_t step, size_t n_moments, double g[])
{
	return gradient_at(problem, theta, step, n_moments, g);
}

double problem_stored_gradient(struct problem *problem, const double theta[], double g[])
{
	return gradient_at(problem, theta, PROBLEM_STEP_STORED, 0, g);
}

static void add_power(const struct work *work, const struct observation_batch *batch, float *force, double sum[])
{
	(void)force;
	network_kernels_best()->power(work->problem->network, work->problem->packed, batch->x_before, sum);
}

static void power_of(struct problem *problem, uint32_t step, size_t n_moments, double power[])
{
	struct work work = training_work(problem, add_power, step);

	/* The kernel reads the wall out of packed theta; any theta will do, and power[] is to hand. */
	memset(power, 0, problem->network->n_parameters * sizeof(*power));
	network_kernels_best()->pack(problem->network, power, &problem->wall, problem->packed);
	work_run(&work, NULL, n_moments);
	for (size_t k = 0; k < problem->network->n_parameters; k++)
		power[k] = problem->sums[k] / (double)(work.n_blocks * BLOCK_LANES);
}

void problem_power(struct problem *problem, size_t n_moments, double power[])
{
	power_of(problem, PROBLEM_STEP_SCALE, n_moments, power);
}

void problem_stored_power(struct problem *problem, double power[])
{
	power_of(problem, PROBLEM_STEP_STORED, 0, power);
}

/** f = -sum v_k grad phi_k, so that what gradient() adds, -f . grad phi_k, is (G v)_k. */
static void add_product(const struct work *work, const struct observation_batch *batch, float *force, double sum[])
{
	network_kernels_best()->gradient(work->problem->network, work->problem->packed, batch->x_before, force, sum);
}

void problem_stored_apply(struct problem *problem, const double v[], double gv[])
{
	struct work work = training_work(problem, add_product, PROBLEM_STEP_STORED);

	work_run(&work, v, 0);
	for (size_t k = 0; k < problem->network->n_parameters; k++)
		gv[k] = problem->sums[k] / (double)(work.n_blocks * BLOCK_LANES);
}

int problem_store(struct problem *problem, size_t n_moments, struct err *err)
{
	struct work work = training_work(problem, NULL, PROBLEM_STEP_STORED);
	const size_t n_blocks = work_blocks_of(n_moments);
	size_t end;
	int status = 0;

	problem_enter(problem, problem->knot, problem->t);
	work_own_blocks(n_blocks, &problem->first_stored, &end);
	if (end > problem->first_stored) {
		problem->stored = memory_floats(2 * (end - problem->first_stored) * work_block_size(problem));
		if (!problem->stored)
			status = err_set(err, JOSTLE_ENOMEM, "no memory for a stored sample of %zu moments", n_moments);
	}
	if ((status = ranks_agree(status, err)))
		return status;
	problem->n_stored = n_blocks;
	work_store(&work);
	return 0;
}

/** sum[0] += the loss of each moment, sum[1] += its square. */
static void add_loss(const struct work *work, const struct observation_batch *batch, float *force, double sum[])
{
	const double a = exp(-batch->t), variance = diffusion_variance(batch->t);

	for (size_t l = 0; l < BLOCK_LANES; l++) {
		double square = 0.0;

		for (size_t i = l; i < work_block_size(work->problem); i += BLOCK_LANES) {
			const double x = batch->x_before[i];
			const double r = force[i] - (x - 2.0 * (x - a * batch->x0[i]) / variance);

			square += r * r;
		}
		square *= variance / (4.0 * (double)batch->n_sites);
		sum[0] += square;
		sum[1] += square * square;
	}
}

void problem_held_out(struct problem *problem, const double theta[], size_t n_moments, double *loss,
		      double *standard_error)
{
	struct work work = {
		.problem = problem,
		.verb = add_loss,
		.seed = HELD_SEED,
		.data = RANDOM_HELD_DATA,
		.noising = RANDOM_HELD_NOISING,
	};

	work_run(&work, theta, n_moments);
	const double n = (double)(work.n_blocks * BLOCK_LANES), mean = problem->sums[0] / n;
	*loss = mean;
	*standard_error = sqrt(fmax(problem->sums[1] / n - mean * mean, 0.0) / n);
}
