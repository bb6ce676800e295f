/*
 * The search goes by products in single precision, whose rounding may exchange neighbours that are equally near; the
 * distance to the one that was found is then taken directly, so that a copy is at 0.
 */
#include "learning/image_nearest.h"

#include <math.h>

#include "base/pool.h"
#include "learning/linear.h"

#define ROWS    ((size_t)64) /* samples in a piece of work */
#define COLUMNS ((size_t)LINEAR_MAX_COLUMNS)

struct work {
	const float *x, *train;
	size_t n, n_train, n_pixels;
	size_t *index;
	double *distance;
};

static double distance_between(const float a[], const float b[], size_t n)
{
	double square = 0.0;

	for (size_t i = 0; i < n; i++) {
		const double apart = (double)a[i] - (double)b[i];

		square += apart * apart;
	}
	return sqrt(square);
}

static void piece(void *context, size_t number, size_t thread)
{
	const struct work *work = context;
	const size_t first = number * ROWS, rows = work->n - first < ROWS ? work->n - first : ROWS;
	float d[ROWS * COLUMNS], best[ROWS];

	(void)thread;
	for (size_t i = 0; i < rows; i++) {
		best[i] = INFINITY;
		work->index[first + i] = 0;
	}
	for (size_t begin = 0; begin < work->n_train; begin += COLUMNS) {
		const size_t rest = work->n_train - begin, columns = rest < COLUMNS ? rest : COLUMNS;

		linear_distances(rows, columns, work->n_pixels, work->x + first * work->n_pixels,
				 work->train + begin * work->n_pixels, d);
		for (size_t i = 0; i < rows; i++)
			for (size_t j = 0; j < columns; j++)
				if (d[i * columns + j] < best[i]) {
					best[i] = d[i * columns + j];
					work->index[first + i] = begin + j;
				}
	}
	for (size_t i = first; i < first + rows; i++)
		work->distance[i] = distance_between(work->x + i * work->n_pixels,
						     work->train + work->index[i] * work->n_pixels, work->n_pixels);
}

void image_nearest(const float x[], size_t n, const float train[], size_t n_train, size_t n_pixels, struct pool *pool,
		   size_t index[], double distance[])
{
	struct work work = {x, train, n, n_train, n_pixels, index, distance};

	linear_begin();
	pool_run(pool, (n + ROWS - 1) / ROWS, piece, &work);
}
