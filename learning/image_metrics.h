#ifndef JOSTLE_IMAGE_METRICS_H
#define JOSTLE_IMAGE_METRICS_H
/*
 * How near sampled images come to their data: discrepancy and distance to the held-out images, whether the training images
 * were memorised, the balance of the labels, the spread. Each stands beside what images never seen and what a normal law
 * fitted to the training images reach.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learning/image_gaussian.h"
#include "learning/image_mmd.h"
#include "learning/image_set.h"
#include "learning/image_wasserstein.h"

struct err;
struct pool;

#define IMAGE_REPEATS      8   /* sets that the floor and the baseline are taken over */
#define IMAGE_DIRECTIONS   8   /* leading principal directions of the training images */
#define IMAGE_MEMORY_RATIO 0.9 /* nearer to the training images than this, relative to held-out ones, is memory */

enum image_figure_name {
	IMAGE_MMD,           /* squared, without bias */
	IMAGE_WASSERSTEIN,   /* sliced, of order 2 */
	IMAGE_NEAREST,       /* mean distance to the nearest training image */
	IMAGE_NEAREST_RATIO, /* the same, relative to that of the held-out images */
	IMAGE_SHARE,         /* of each label, by the nearest training image's: IMAGE_SET_LABELS figures */
	IMAGE_SPREAD =
		IMAGE_SHARE + IMAGE_SET_LABELS, /* standard deviation relative to the training images' along their
	                                                  leading principal directions: IMAGE_DIRECTIONS figures */
	IMAGE_N_FIGURES = IMAGE_SPREAD + IMAGE_DIRECTIONS
};

struct image_metrics {
	size_t n; /* images in a set */
	struct image_figure figure[IMAGE_N_FIGURES];
};

/** What samples of one target are judged by; prepared once, for sets of n images. */
struct image_judge {
	const struct image_set *set; /* the caller's, who keeps it */
	size_t n;
	struct image_mmd mmd;
	struct image_wasserstein sliced;
	struct image_gaussian gaussian;

	struct image_metrics held;     /* the held-out images themselves: NEAREST, NEAREST_RATIO, SHARE, SPREAD */
	struct image_metrics floor;    /* n training images against those held out: MMD, WASSERSTEIN, SPREAD */
	struct image_metrics baseline; /* n draws of the normal fit, all figures. The errors of this and the floor are
	                                  standard deviations of one set over IMAGE_REPEATS */
};

/**
 * Prepare, with the floor and the baseline of sets of n images (of all training images where there are fewer); `seed`
 * addresses their draws. The caller ends it with image_judge_fini().
 * Errors: JOSTLE_EINVAL (fewer than two images of any kind), JOSTLE_ENOMEM, JOSTLE_EDIVERGED. Call from: setup.
 */
int image_judge_init(struct image_judge *judge, const struct image_set *set, size_t n, uint64_t seed, struct pool *pool,
		     struct err *err);
void image_judge_fini(struct image_judge *judge);

/**
 * All figures of samples[n][n_pixels], with the standard errors of one set. Nothing depends on the number of threads.
 * Errors: JOSTLE_EINVAL (fewer than two samples), JOSTLE_ENOMEM. Call from: setup.
 */
int image_judge_evaluate(const struct image_judge *judge, const float samples[], size_t n, struct pool *pool,
			 struct image_metrics *metrics, struct err *err);

/**
 * The mean of each figure over n_sets sets and its standard error, from how the sets differ; a single set keeps its own.
 * n_sets >= 1. Call from: any.
 */
void image_metrics_mean(const struct image_metrics sets[], size_t n_sets, struct image_metrics *mean);

/** Whether the samples lie nearer to the training images than new images do: a look-up table's do. Call from: any. */
bool image_metrics_memorised(const struct image_metrics *metrics);

#endif
