#ifndef JOSTLE_IMAGE_MMD_H
#define JOSTLE_IMAGE_MMD_H
/*
 * The maximum mean discrepancy between a set of samples and the held-out images, squared and without bias: 0 on the
 * average where both come from one law, so that it can be negative.
 */
#include <stddef.h>

struct err;
struct pool;

/** A figure with its standard error. */
struct image_figure {
	double value, error;
};

struct image_mmd {
	const float *held; /* [n_held][n_pixels], the caller's, who keeps it */
	size_t n_held, n_pixels;
	double held_mean; /* of the kernel over pairs of held-out images */
};

/**
 * Get ready to compare with held[n_held][n_pixels]; nothing has to be ended.
 * Errors: JOSTLE_EINVAL (fewer than two images), JOSTLE_ENOMEM. Call from: setup.
 */
int image_mmd_init(struct image_mmd *mmd, const float held[], size_t n_held, size_t n_pixels, struct pool *pool,
		   struct err *err);

/**
 * The discrepancy of x[n][n_pixels], and the standard error that other samples of the same law would show against the same
 * held-out images (to leading order; near zero up to 1.4 times too large).
 * Errors: JOSTLE_EINVAL (fewer than two samples), JOSTLE_ENOMEM. Call from: setup.
 */
int image_mmd_evaluate(const struct image_mmd *mmd, const float x[], size_t n, struct pool *pool,
		       struct image_figure *figure, struct err *err);

#endif
