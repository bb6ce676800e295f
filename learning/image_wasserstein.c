/*
 * Rabin et al., "Wasserstein barycenter and its application to texture mixing" (2011): with directions u uniform on the
 * sphere in d dimensions and F^-1 the quantile function of the projections,
 *
 *   SW_2^2 = E_u W_2^2(u.x, u.y),   W_2^2 = int_0^1 (F_x^-1(q) - F_y^-1(q))^2 dq,
 *
 * which for sets of n and m points is a finite sum over the steps of both. A law shifted by s is |s| / sqrt(d) away.
 */
#include "learning/image_wasserstein.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/random.h"
#include "learning/linear.h"

#define SLICES   ((size_t)IMAGE_WASSERSTEIN_SLICES)
#define TOGETHER ((size_t)8) /* slices in a piece of work */
#define GROUPS   ((size_t)8) /* of the jackknife */
#define SEED     1u          /* of the directions */

static void draw_direction(float u[], size_t n, uint32_t slice)
{
	double normals[4], square = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (i % 4 == 0)
			random_normals(SEED, RANDOM_REFERENCE, slice, 0, (uint32_t)(i / 4), normals);
		u[i] = (float)normals[i % 4];
		square += normals[i % 4] * normals[i % 4];
	}
	for (size_t i = 0; i < n; i++)
		u[i] /= (float)sqrt(square);
}

/** A sample's place along a direction, and the group that leaves it out. */
struct projected {
	float place;
	uint32_t group;
};

static int by_place(const void *left, const void *right)
{
	const float a = ((const struct projected *)left)->place, b = ((const struct projected *)right)->place;

	return (a > b) - (a < b);
}

/** W_2^2 between the points of x[n] that are not of `group` and y[m], both ascending. */
static double transport(const struct projected x[], size_t n, size_t group, const float y[], size_t m)
{
	size_t n_kept = 0, i = 0, j = 0;
	double sum = 0.0;

	for (size_t k = 0; k < n; k++)
		n_kept += x[k].group != group;
	/* Mass in units of 1 / (n_kept m): a point of x has m of them, a point of y n_kept. */
	size_t left_x = m, left_y = n_kept;
	while (i < n && j < m) {
		if (x[i].group == group) {
			i++;
			continue;
		}
		const size_t step = left_x < left_y ? left_x : left_y;
		const double apart = (double)x[i].place - (double)y[j];

		sum += (double)step * apart * apart;
		if (!(left_x -= step)) {
			left_x = m;
			i++;
		}
		if (!(left_y -= step)) {
			left_y = n_kept;
			j++;
		}
	}
	return sum / ((double)n_kept * (double)m);
}

struct work {
	const struct image_wasserstein *sliced;
	const float *x;
	size_t n;
	float *places;                /* [slice][n] */
	struct projected *projected;  /* [slice][n] */
	double (*square)[GROUPS + 1]; /* [slice]: without each group, and last with all; NULL where only sorted */
};

static void piece(void *context, size_t number, size_t thread)
{
	const struct work *work = context;
	const struct image_wasserstein *sliced = work->sliced;
	const size_t first = number * TOGETHER, n = work->n;

	(void)thread;
	linear_product(TOGETHER, n, sliced->n_pixels, sliced->directions + first * sliced->n_pixels, work->x,
		       work->places + first * n);
	for (size_t s = first; s < first + TOGETHER; s++) {
		struct projected *projected = work->projected + s * n;

		for (size_t i = 0; i < n; i++)
			projected[i] = (struct projected){work->places[s * n + i], (uint32_t)(i % GROUPS)};
		qsort(projected, n, sizeof(*projected), by_place);
		for (size_t g = 0; work->square && g <= GROUPS; g++)
			work->square[s][g] =
				transport(projected, n, g, sliced->held + s * sliced->n_held, sliced->n_held);
	}
}

/** Project x on all directions, sort, and measure if square is not NULL. Leaves work->projected, the caller's to free. */
static int project(struct work *work, struct pool *pool, struct err *err)
{
	work->places = malloc(SLICES * work->n * sizeof(*work->places));
	work->projected = malloc(SLICES * work->n * sizeof(*work->projected));
	if (!work->places || !work->projected) {
		free(work->projected);
		free(work->places);
		return err_set(err, JOSTLE_ENOMEM, "no memory for the projections of %zu images", work->n);
	}
	linear_begin();
	pool_run(pool, SLICES / TOGETHER, piece, work);
	free(work->places);
	return 0;
}

int image_wasserstein_init(struct image_wasserstein *sliced, const float held[], size_t n_held, size_t n_pixels,
			   struct pool *pool, struct err *err)
{
	struct work work = {.sliced = sliced, .x = held, .n = n_held};
	int status;

	*sliced = (struct image_wasserstein){.n_held = n_held, .n_pixels = n_pixels};
	if (n_held == 0)
		return err_set(err, JOSTLE_EINVAL, "expected held-out images, found none");
	sliced->directions = malloc(SLICES * n_pixels * sizeof(*sliced->directions));
	sliced->held = malloc(SLICES * n_held * sizeof(*sliced->held));
	if (!sliced->directions || !sliced->held) {
		image_wasserstein_fini(sliced);
		return err_set(err, JOSTLE_ENOMEM, "no memory for the projections of %zu images", n_held);
	}
	for (size_t s = 0; s < SLICES; s++)
		draw_direction(sliced->directions + s * n_pixels, n_pixels, (uint32_t)s);
	if ((status = project(&work, pool, err))) {
		image_wasserstein_fini(sliced);
		return status;
	}
	for (size_t i = 0; i < SLICES * n_held; i++)
		sliced->held[i] = work.projected[i].place;
	free(work.projected);
	return 0;
}

void image_wasserstein_fini(struct image_wasserstein *sliced)
{
	free(sliced->held);
	free(sliced->directions);
	*sliced = (struct image_wasserstein){0};
}

int image_wasserstein_evaluate(const struct image_wasserstein *sliced, const float x[], size_t n, struct pool *pool,
			       struct image_figure *figure, struct err *err)
{
	double square[SLICES][GROUPS + 1], mean[GROUPS + 1] = {0.0}, average = 0.0, variance = 0.0;
	struct work work = {.sliced = sliced, .x = x, .n = n, .square = square};
	const size_t n_groups = n < GROUPS ? n : GROUPS;
	int status;

	if (n < 2)
		return err_set(err, JOSTLE_EINVAL, "expected at least 2 samples, found %zu", n);
	if ((status = project(&work, pool, err)))
		return status;
	free(work.projected);
	for (size_t g = 0; g <= GROUPS; g++) {
		for (size_t s = 0; s < SLICES; s++)
			mean[g] += square[s][g] / (double)SLICES;
		mean[g] = sqrt(mean[g]);
	}
	for (size_t g = 0; g < n_groups; g++)
		average += mean[g] / (double)n_groups;
	for (size_t g = 0; g < n_groups; g++)
		variance += (mean[g] - average) * (mean[g] - average);
	figure->value = mean[GROUPS];
	figure->error = sqrt(variance * (double)(n_groups - 1) / (double)n_groups);
	return 0;
}
