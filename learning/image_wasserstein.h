#ifndef JOSTLE_IMAGE_WASSERSTEIN_H
#define JOSTLE_IMAGE_WASSERSTEIN_H
/*
 * The sliced Wasserstein distance of order 2 between a set of samples and the held-out images: both are projected on many
 * directions, where the distance is exact, and the squares are averaged.
 */
#include <stddef.h>

#include "learning/image_mmd.h"

#define IMAGE_WASSERSTEIN_SLICES 256

struct image_wasserstein {
	size_t n_held, n_pixels;
	float *directions; /* [slice][pixel], of length 1 */
	float *held;       /* [slice][n_held], ascending */
};

/**
 * Project held[n_held][n_pixels]. The directions are always the same ones. The caller ends it with
 * image_wasserstein_fini(). Errors: JOSTLE_EINVAL (no images), JOSTLE_ENOMEM. Call from: setup.
 */
int image_wasserstein_init(struct image_wasserstein *sliced, const float held[], size_t n_held, size_t n_pixels,
			   struct pool *pool, struct err *err);
void image_wasserstein_fini(struct image_wasserstein *sliced);

/**
 * The distance of x[n][n_pixels], in units of a pixel's value, and the standard error that other samples of the same law
 * would show (jackknife over eight groups). Errors: JOSTLE_EINVAL (fewer than two samples), JOSTLE_ENOMEM.
 * Call from: setup.
 */
int image_wasserstein_evaluate(const struct image_wasserstein *sliced, const float x[], size_t n, struct pool *pool,
			       struct image_figure *figure, struct err *err);

#endif
