#include "learning/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/pool.h"

#define N_BINS (MIXTURE_BINS * MIXTURE_BINS)

/** mass[N_BINS + 1], the last being the outside. */
static double distance(const double mass[], const size_t count[], size_t n)
{
	double sum = 0.0;

	for (size_t b = 0; b <= N_BINS; b++)
		sum += fabs(mass[b] - (double)count[b] / (double)n);
	return 0.5 * sum;
}

double metrics_total_variation(const struct mixture *mixture, const float samples[], size_t n)
{
	double mass[N_BINS + 1];
	size_t count[N_BINS + 1] = {0};

	mass[N_BINS] = mixture_bin_masses(mixture, mass);
	for (size_t i = 0; i < n; i++)
		count[mixture_bin(samples + 2 * i)]++;
	return distance(mass, count, n);
}

/** The mode whose mean is nearest, or n_named when the sample is not finite. */
static size_t nearest_mode(const struct mixture *mixture, const float x[])
{
	double best = INFINITY;
	size_t mode = mixture->n_named;

	for (size_t m = 0; m < mixture->n_named; m++) {
		double square = 0.0;

		for (size_t i = 0; i < mixture->n_sites; i++) {
			const double apart = (double)x[i] - mixture->mean[m * mixture->n_sites + i];

			square += apart * apart;
		}
		if (square < best) {
			best = square;
			mode = m;
		}
	}
	return mode;
}

void metrics_mode_weights(const struct mixture *mixture, const float samples[], size_t n, double weight[])
{
	for (size_t m = 0; m < mixture->n_named; m++)
		weight[m] = 0.0;
	for (size_t i = 0; i < n; i++) {
		const size_t mode = nearest_mode(mixture, samples + i * mixture->n_sites);

		if (mode < mixture->n_named)
			weight[mode] += 1.0 / (double)n;
	}
}

struct floor_work {
	const struct mixture *mixture;
	const double *mass;
	size_t n;
	uint64_t seed;
	double distance[METRICS_FLOOR_REPEATS];
};

static void floor_piece(void *context, size_t piece, size_t thread)
{
	struct floor_work *work = context;
	size_t count[N_BINS + 1] = {0};
	float x[2];

	(void)thread;
	for (size_t i = 0; i < work->n; i++) {
		mixture_draw(work->mixture, work->seed, RANDOM_REFERENCE, (uint32_t)i, piece, x);
		count[mixture_bin(x)]++;
	}
	work->distance[piece] = distance(work->mass, count, work->n);
}

static void find_floor(struct metrics *metrics, const struct mixture *mixture, uint64_t seed, struct pool *pool)
{
	double mass[N_BINS + 1], mean = 0.0, square = 0.0;
	struct floor_work work = {.mixture = mixture, .mass = mass, .n = metrics->n_samples, .seed = seed};

	mass[N_BINS] = mixture_bin_masses(mixture, mass);
	pool_run(pool, METRICS_FLOOR_REPEATS, floor_piece, &work);
	for (size_t r = 0; r < METRICS_FLOOR_REPEATS; r++)
		mean += work.distance[r] / METRICS_FLOOR_REPEATS;
	for (size_t r = 0; r < METRICS_FLOOR_REPEATS; r++)
		square += (work.distance[r] - mean) * (work.distance[r] - mean);
	metrics->floor = mean;
	metrics->floor_sd = sqrt(square / (METRICS_FLOOR_REPEATS - 1));
}

int metrics_evaluate(struct metrics *metrics, const struct mixture *mixture, const float samples[], size_t n,
		     uint64_t seed, struct pool *pool, struct err *err)
{
	size_t outside = 0;

	*metrics = (struct metrics){.n_samples = n, .n_modes = mixture->n_named};
	if (n == 0 || n > UINT32_MAX)
		return err_set(err, JOSTLE_EINVAL, "expected 1 to 2^32 - 1 samples, found %zu", n);
	if (mixture->n_modes == 0 || mixture->n_sites != 2)
		return err_set(err, JOSTLE_EINVAL, "expected a target of known density on two sites, found %zu sites",
			       mixture->n_sites);
	metrics->mode_weight = calloc(metrics->n_modes + 1, sizeof(*metrics->mode_weight));
	metrics->mode_error = calloc(metrics->n_modes + 1, sizeof(*metrics->mode_error));
	if (!metrics->mode_weight || !metrics->mode_error) {
		metrics_fini(metrics);
		return err_set(err, JOSTLE_ENOMEM, "no memory for the weights of %zu modes", mixture->n_named);
	}
	for (size_t i = 0; i < n; i++)
		outside += mixture_bin(samples + 2 * i) == N_BINS;
	metrics->outside = (double)outside / (double)n;
	metrics->total_variation = metrics_total_variation(mixture, samples, n);
	metrics_mode_weights(mixture, samples, n, metrics->mode_weight);
	for (size_t m = 0; m < metrics->n_modes; m++) {
		const double p = metrics->mode_weight[m];

		metrics->mode_error[m] = sqrt(p * (1.0 - p) / (double)n);
	}
	find_floor(metrics, mixture, seed, pool);
	return 0;
}

void metrics_fini(struct metrics *metrics)
{
	free(metrics->mode_error);
	free(metrics->mode_weight);
	*metrics = (struct metrics){0};
}
