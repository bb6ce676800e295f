#ifndef JOSTLE_METRICS_H
#define JOSTLE_METRICS_H
/*
 * How near samples of the plane come to their target: total variation over bins of exact mass, the weight of each mode,
 * and the floor that exact draws of the same number reach.
 */
#include <stddef.h>
#include <stdint.h>

#include "learning/mixture.h"

struct err;
struct pool;

/** Repetitions that the floor is taken over. */
#define METRICS_FLOOR_REPEATS 16

struct metrics {
	size_t n_samples;
	double total_variation; /* over 40 × 40 bins of [-3, 3]^2, what lies outside counted as one bin more */
	double outside;         /* fraction of the samples outside all bins */
	double floor, floor_sd; /* mean and standard deviation of total_variation over exact draws of n_samples */
	size_t n_modes;         /* 0 where the target has no named modes */
	double *mode_weight;    /* [n_modes]: fraction of the samples nearest to the mode */
	double *mode_error;     /* [n_modes]: its standard error */
};

/**
 * Total variation between samples[n][2] and the target, (1/2) sum |p_bin - n_bin / n|, with the outside as a bin of its
 * own. Samples that are not finite count as outside. n >= 1. Call from: any.
 */
double metrics_total_variation(const struct mixture *mixture, const float samples[], size_t n);

/**
 * The share of each named mode, by the nearest mean; samples that are not finite belong to none.
 * weight[n_named]. Any number of sites. n >= 1. Call from: any.
 */
void metrics_mode_weights(const struct mixture *mixture, const float samples[], size_t n, double weight[]);

/**
 * Everything of struct metrics for samples[n][2]. `seed` addresses the exact draws of the floor. The caller ends it with
 * metrics_fini(). Errors: JOSTLE_EINVAL (no samples, or a target that is not of the plane), JOSTLE_ENOMEM.
 * Call from: setup.
 */
int metrics_evaluate(struct metrics *metrics, const struct mixture *mixture, const float samples[], size_t n,
		     uint64_t seed, struct pool *pool, struct err *err);
void metrics_fini(struct metrics *metrics);

#endif
