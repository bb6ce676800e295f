#ifndef JOSTLE_IMAGE_GAUSSIAN_H
#define JOSTLE_IMAGE_GAUSSIAN_H
/*
 * The normal law with the mean and covariance of the training images: the baseline that a learned protocol must beat, and
 * the principal directions that spread is measured along.
 */
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;

struct image_gaussian {
	size_t n_pixels;
	double *mean;       /* [n_pixels] */
	double *deviation;  /* [n_pixels]: standard deviation along each principal direction, the largest first */
	double *directions; /* [n_pixels][n_pixels]: the directions, of length 1, row by row */
};

/**
 * Fit to train[n][n_pixels]. The caller ends it with image_gaussian_fini().
 * Errors: JOSTLE_EINVAL (fewer than two images), JOSTLE_ENOMEM, JOSTLE_EDIVERGED. Call from: setup.
 */
int image_gaussian_init(struct image_gaussian *gaussian, const float train[], size_t n, size_t n_pixels,
			struct err *err);
void image_gaussian_fini(struct image_gaussian *gaussian);

/** n draws, x[n][n_pixels], unclipped: the pixels of a draw go beyond -1 and 1. Call from: setup. */
void image_gaussian_draw(const struct image_gaussian *gaussian, uint64_t seed, size_t n, struct pool *pool, float x[]);

/** Standard deviation of x[n][n_pixels] along principal direction k. n >= 2. Call from: any. */
double image_gaussian_deviation(const struct image_gaussian *gaussian, size_t k, const float x[], size_t n);

#endif
