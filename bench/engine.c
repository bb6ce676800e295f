/*
 * The engine's side of a benchmark: reads commands from standard input and answers each with one number, so that a
 * driver (engine.py) can interleave it with others in one run.
 *
 *   step NETWORK TARGET THREADS   seconds of one step of 4096 replicas of 144 sites
 *   normals TARGET THREADS        normals a second, the generator alone
 *   madds TARGET THREADS          fused multiply-adds a second, from registers alone
 *   count NETWORK                 multiply-adds of one step: force and update
 *   targets                       the kernels this CPU can run, fastest first
 *
 * NETWORK is all-to-all or range-2.3: bilinear couplings and on-site powers to 4.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/pool.h"
#include "bench/multiply_adds.h"
#include "protocols/bath.h"
#include "protocols/knots.h"
#include "protocols/network.h"
#include "protocols/protocol.h"
#include "sim/engine_kernels.h"
#include "sim/ensemble.h"

#define SIDE       12
#define N_SITES    (SIDE * SIDE)
#define N_REPLICAS 4096
#define N_STEPS    32
#define MAX_POOLS  64

/* t from 1 to 0.68 in steps of 0.01. */
#define T_FINAL   1.0
#define STEP      0.01
#define T_MINIMUM (T_FINAL - N_STEPS * STEP)

struct subject {
	const char *name;
	const char *coupling;
	struct protocol protocol;
};

struct bench {
	struct subject subjects[2];
	struct pool *pools[MAX_POOLS + 1]; /* by number of threads, made when asked for */
	struct bath bath;
	struct ensemble ensemble;
};

/** Of one thread its processor time, which others on the machine change less; of many the clock on the wall. */
static double now(const struct pool *pool)
{
	struct timespec time;

	clock_gettime(pool_n_threads(pool) == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** Weak random couplings over a confining quartic: what they are makes no difference to the time. */
static int subject_init(struct subject *subject, struct err *err)
{
	const char *const specs[] = {"onsite-power powers=1-4", subject->coupling};
	const double onsite[] = {0.0, 0.5, 0.0, 0.05};
	struct network network;
	double t[2];
	int status;

	if ((status = network_init(&network, SIDE, SIDE, specs, 2, err)))
		return status;
	knots_geometric(T_MINIMUM, T_FINAL, 2, t);
	if ((status = protocol_init(&subject->protocol, &network, t, 2, err)))
		return status;
	for (size_t k = 0; k < 2 * network.n_parameters; k++) {
		const size_t parameter = k % network.n_parameters;

		subject->protocol.theta[k] = parameter < 4 * N_SITES ? onsite[parameter / N_SITES]
								     : 0.02 * ((double)(k * 7919 % 101) / 50.0 - 1.0);
	}
	for (size_t k = 0; k < 2; k++)
		subject->protocol.wall[k] = (struct wall){.position = 6.0, .stiffness = 10.0};
	return 0;
}

/** Multiply-adds of one step of all replicas: two a coupled pair, four a site for the powers, two for the update. */
static double count(const struct subject *subject)
{
	const size_t n_pairs = subject->protocol.network.n_parameters - 4 * N_SITES;

	return (double)N_REPLICAS * (double)(2 * n_pairs + 4 * N_SITES + 2 * N_SITES);
}

/** Where a target stands in network_kernels_all() and engine_kernels_all(). */
static bool find_target(const char *name, size_t *target)
{
	for (*target = 0; engine_kernels_all()[*target]; ++*target)
		if (strcmp(engine_kernels_all()[*target]->name, name) == 0)
			return true;
	return false;
}

static struct pool *pool_of(struct bench *bench, size_t n_threads, struct err *err)
{
	if (n_threads < 1 || n_threads > MAX_POOLS) {
		err_set(err, JOSTLE_EINVAL, "expected 1 to %d threads, found %zu", MAX_POOLS, n_threads);
		return NULL;
	}
	if (!bench->pools[n_threads] && pool_new(&bench->pools[n_threads], n_threads, err))
		return NULL;
	return bench->pools[n_threads];
}

static int time_steps(struct bench *bench, const struct subject *subject, size_t target, struct pool *pool,
		      double *seconds, struct err *err)
{
	int status;

	bench->ensemble.kernels = network_kernels_all()[target];
	bench->ensemble.engine = engine_kernels_all()[target];
	if ((status = ensemble_draw_prior(&bench->ensemble, &bench->bath, pool, err)))
		return status;
	const double begin = now(pool);
	status = ensemble_generate(&bench->ensemble, &subject->protocol, STEP, pool, NULL, err);
	*seconds = (now(pool) - begin) / N_STEPS;
	return status;
}

#define RATE_PIECES  64
#define RATE_REPEATS 4

struct rate_job {
	size_t target;
	float *normals; /* [threads][N_SITES][lane] */
};

static void draw_normals(void *context, size_t piece, size_t thread)
{
	const struct rate_job *job = context;

	for (uint64_t step = 0; step < RATE_REPEATS; step++)
		engine_kernels_all()[job->target]->normals(1, RANDOM_BATH, (uint32_t)piece * BLOCK_LANES, step, N_SITES,
							   job->normals + thread * N_SITES * BLOCK_LANES);
}

static void run_multiply_adds(void *context, size_t piece, size_t thread)
{
	const struct rate_job *job = context;

	(void)piece;
	(void)thread;
	multiply_adds_all()[job->target]->run();
}

static int time_rate(struct pool *pool, size_t target, bool normals, double *rate, struct err *err)
{
	const size_t n = pool_n_threads(pool) * N_SITES * BLOCK_LANES;
	struct rate_job job = {.target = target, .normals = aligned_alloc(64, n * sizeof(float))};

	if (!job.normals)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu normals", n);
	const double begin = now(pool);
	pool_run(pool, RATE_PIECES, normals ? draw_normals : run_multiply_adds, &job);
	const double each =
		normals ? (double)(RATE_REPEATS * N_SITES * BLOCK_LANES) : multiply_adds_all()[target]->count;
	*rate = RATE_PIECES * each / (now(pool) - begin);
	free(job.normals);
	return 0;
}

static int answer(struct bench *bench, const char *line, struct err *err)
{
	char verb[16] = "", name[16] = "", target_name[16] = "";
	size_t n_threads = 1, target = 0, s = 0;
	double value = 0.0;
	int status = 0;

	if (strncmp(line, "targets", 7) == 0) {
		for (target = 0; engine_kernels_all()[target]; target++)
			printf("%s ", engine_kernels_all()[target]->name);
		printf("\n");
		return 0;
	}
	if (sscanf(line, "step %15s %15s %zu", name, target_name, &n_threads) == 3)
		snprintf(verb, sizeof(verb), "step");
	else if (sscanf(line, "count %15s", name) == 1)
		snprintf(verb, sizeof(verb), "count");
	else if (sscanf(line, "%15s %15s %zu", verb, target_name, &n_threads) != 3)
		return err_set(err, JOSTLE_EINVAL, "expected a command, found %s", line);
	while (name[0] && s < 2 && strcmp(bench->subjects[s].name, name) != 0)
		s++;
	if (s == 2)
		return err_set(err, JOSTLE_EINVAL, "expected all-to-all or range-2.3, found %s", name);
	if (target_name[0] && !find_target(target_name, &target))
		return err_set(err, JOSTLE_EINVAL, "no target %s on this machine", target_name);
	struct pool *pool = pool_of(bench, n_threads, err);
	if (!pool)
		return JOSTLE_ENOMEM;
	if (strcmp(verb, "step") == 0)
		status = time_steps(bench, &bench->subjects[s], target, pool, &value, err);
	else if (strcmp(verb, "count") == 0)
		value = count(&bench->subjects[s]);
	else
		status = time_rate(pool, target, strcmp(verb, "normals") == 0, &value, err);
	if (!status)
		printf("%.9g\n", value);
	return status;
}

int main(void)
{
	static struct bench bench = {
		.subjects = {{.name = "all-to-all", .coupling = "bilinear range=all"},
			     {.name = "range-2.3", .coupling = "bilinear range=2.3"}},
	};
	struct err err = {0};
	char line[80];
	int status = bath_init(&bench.bath, "white", &err);

	for (size_t s = 0; s < 2 && !status; s++)
		status = subject_init(&bench.subjects[s], &err);
	if (!status)
		status = ensemble_init(&bench.ensemble, N_REPLICAS, N_SITES, 1, 0, &err);
	while (!status && fgets(line, sizeof(line), stdin)) {
		status = answer(&bench, line, &err);
		fflush(stdout);
	}
	if (status)
		fprintf(stderr, "bench_engine: %s\n", err.text);
	ensemble_fini(&bench.ensemble);
	for (size_t s = 0; s < 2; s++)
		protocol_fini(&bench.subjects[s].protocol);
	for (size_t n = 0; n <= MAX_POOLS; n++)
		pool_free(bench.pools[n]);
	return status ? 1 : 0;
}
