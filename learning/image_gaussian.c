/*
 * With the covariance C = sum_k s_k^2 v_k v_k^T, a draw is mean + sum_k s_k z_k v_k. Eigenvectors and not Cholesky's factor,
 * since pixels that never change leave C singular, and since the directions are wanted anyway.
 */
#include "learning/image_gaussian.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/random.h"
#include "learning/image_set.h"
#include "learning/linear.h"

#define ROWS ((size_t)64) /* draws in a piece of work */

int image_gaussian_init(struct image_gaussian *gaussian, const float train[], size_t n, size_t n_pixels,
			struct err *err)
{
	const size_t size = n_pixels * n_pixels;
	double *centred = NULL, *covariance = NULL, *values = NULL;
	int status = 0;

	*gaussian = (struct image_gaussian){.n_pixels = n_pixels};
	if (n < 2 || n_pixels == 0 || n_pixels > IMAGE_SET_MAX_PIXELS)
		return err_set(err, JOSTLE_EINVAL, "expected 2 images or more of 1 to %d pixels, found %zu of %zu",
			       IMAGE_SET_MAX_PIXELS, n, n_pixels);
	gaussian->mean = calloc(n_pixels, sizeof(double));
	gaussian->deviation = calloc(n_pixels, sizeof(double));
	gaussian->directions = malloc(size * sizeof(double));
	centred = malloc(n * n_pixels * sizeof(double));
	covariance = malloc(size * sizeof(double));
	values = malloc(n_pixels * sizeof(double));
	if (!gaussian->mean || !gaussian->deviation || !gaussian->directions || !centred || !covariance || !values) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for the covariance of %zu pixels", n_pixels);
		goto done;
	}
	for (size_t i = 0; i < n * n_pixels; i++)
		gaussian->mean[i % n_pixels] += (double)train[i] / (double)n;
	for (size_t i = 0; i < n * n_pixels; i++)
		centred[i] = ((double)train[i] - gaussian->mean[i % n_pixels]) / sqrt((double)(n - 1));
	linear_begin();
	linear_gram(n, n_pixels, centred, covariance);
	if ((status = linear_eigen(n_pixels, covariance, values, err)))
		goto done;
	for (size_t k = 0; k < n_pixels; k++) {
		gaussian->deviation[k] = sqrt(fmax(values[n_pixels - 1 - k], 0.0));
		for (size_t i = 0; i < n_pixels; i++)
			gaussian->directions[k * n_pixels + i] = covariance[(n_pixels - 1 - k) * n_pixels + i];
	}
done:
	free(values);
	free(covariance);
	free(centred);
	if (status)
		image_gaussian_fini(gaussian);
	return status;
}

void image_gaussian_fini(struct image_gaussian *gaussian)
{
	free(gaussian->directions);
	free(gaussian->deviation);
	free(gaussian->mean);
	*gaussian = (struct image_gaussian){0};
}

struct work {
	const struct image_gaussian *gaussian;
	uint64_t seed;
	size_t n;
	float *x;
};

static void piece(void *context, size_t number, size_t thread)
{
	const struct work *work = context;
	const struct image_gaussian *gaussian = work->gaussian;
	const size_t n_pixels = gaussian->n_pixels, end = (number + 1) * ROWS < work->n ? (number + 1) * ROWS : work->n;
	double x[IMAGE_SET_MAX_PIXELS], normals[4];

	(void)thread;
	for (size_t r = number * ROWS; r < end; r++) {
		for (size_t i = 0; i < n_pixels; i++)
			x[i] = gaussian->mean[i];
		for (size_t k = 0; k < n_pixels; k++) {
			if (k % 4 == 0)
				random_normals(work->seed, RANDOM_REFERENCE, (uint32_t)r, 0, (uint32_t)(k / 4),
					       normals);
			const double *direction = gaussian->directions + k * n_pixels;
			const double along = gaussian->deviation[k] * normals[k % 4];

			for (size_t i = 0; i < n_pixels; i++)
				x[i] += along * direction[i];
		}
		for (size_t i = 0; i < n_pixels; i++)
			work->x[r * n_pixels + i] = (float)x[i];
	}
}

void image_gaussian_draw(const struct image_gaussian *gaussian, uint64_t seed, size_t n, struct pool *pool, float x[])
{
	struct work work = {gaussian, seed, n, x};

	pool_run(pool, (n + ROWS - 1) / ROWS, piece, &work);
}

double image_gaussian_deviation(const struct image_gaussian *gaussian, size_t k, const float x[], size_t n)
{
	const double *direction = gaussian->directions + k * gaussian->n_pixels;
	double sum = 0.0, square = 0.0;

	for (size_t s = 0; s < n; s++) {
		double along = 0.0;

		for (size_t i = 0; i < gaussian->n_pixels; i++)
			along += direction[i] * ((double)x[s * gaussian->n_pixels + i] - gaussian->mean[i]);
		sum += along;
		square += along * along;
	}
	return sqrt(fmax(square - sum * sum / (double)n, 0.0) / (double)(n - 1));
}
