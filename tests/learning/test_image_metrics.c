/*
 * The metrics of images against slow formulas, known laws, and the figures that are stated for the shipped set.
 */
#include "learning/assertions.h"

#include "base/pool.h"
#include "learning/image_metrics.h"
#include "learning/image_nearest.h"
#include "learning/target.h"

#define SPEC                                                                                                           \
	"images file=mnist01-12x12-train-images-idx3-ubyte.gz labels=mnist01-12x12-train-labels-idx1-ubyte.gz "        \
	"train=10665 held=2000"
#define N ((size_t)2000)

static struct pool *pool;
static struct target digits;
static struct image_judge judge; /* of 2 000 digits */

static int begin(void **state)
{
	struct err err = {0};

	(void)state;
	assert_ok(pool_new(&pool, 2, &err), err);
	assert_ok(target_init(&digits, SPEC, 144, &err), err);
	assert_ok(image_judge_init(&judge, digits.images, N, 0, pool, &err), err);
	return 0;
}

static int end(void **state)
{
	(void)state;
	image_judge_fini(&judge);
	target_fini(&digits);
	pool_free(pool);
	return 0;
}

/** n points of independent normals with this mean and deviation, the caller's to free; `part` keeps sets apart. */
static float *normal_points(uint64_t part, size_t n, size_t n_pixels, double mean, double deviation)
{
	float *x = malloc(n * n_pixels * sizeof(*x));
	double normals[4];

	assert_non_null(x);
	for (size_t i = 0; i < n * n_pixels; i++) {
		if (i % 4 == 0)
			random_normals(77, RANDOM_DATA, (uint32_t)(i / 4), part, 0, normals);
		x[i] = (float)(mean + deviation * normals[i % 4]);
	}
	return x;
}

static double slow_kernel(const float a[], const float b[], size_t n_pixels)
{
	double square = 0.0, sum = 0.0;

	for (size_t i = 0; i < n_pixels; i++)
		square += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	for (double width = 2.0; width <= 8.0; width *= 2.0)
		sum += exp(-square / (2.0 * width * width));
	return sum;
}

/** The mean kernel over all pairs, or, with y NULL, over all pairs of two different points of x. */
static double slow_mean(const float x[], size_t n_x, const float y[], size_t n_y, size_t n_pixels)
{
	double sum = 0.0;

	if (!y)
		n_y = n_x;
	for (size_t i = 0; i < n_x; i++)
		for (size_t j = 0; j < n_y; j++)
			if (y || i != j)
				sum += slow_kernel(x + i * n_pixels, (y ? y : x) + j * n_pixels, n_pixels);
	return sum / (double)n_x / (double)(y ? n_y : n_y - 1);
}

static double mmd_of(const float held[], size_t n_held, const float x[], size_t n, size_t n_pixels, double *error)
{
	struct image_mmd mmd;
	struct image_figure figure;
	struct err err = {0};

	assert_ok(image_mmd_init(&mmd, held, n_held, n_pixels, pool, &err), err);
	assert_ok(image_mmd_evaluate(&mmd, x, n, pool, &figure, &err), err);
	if (error)
		*error = figure.error;
	return figure.value;
}

/* catches: a wrong width or normalisation, pairs left out at the seams of tiles, the diagonal counted */
static void the_discrepancy_is_that_of_the_direct_formula(void **state)
{
	const size_t sizes[][2] = {{13, 7}, {64, 513}, {65, 130}, {600, 2}};
	const size_t n_pixels = 9;

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		const size_t n = sizes[s][0], m = sizes[s][1];
		float *x = normal_points(2 * s, n, n_pixels, 0.3, 1.5),
		      *y = normal_points(2 * s + 1, m, n_pixels, 0.0, 1.0);
		const double expected = slow_mean(x, n, NULL, 0, n_pixels) + slow_mean(y, m, NULL, 0, n_pixels) -
					2.0 * slow_mean(x, n, y, m, n_pixels);

		assert_near(mmd_of(y, m, x, n, n_pixels, NULL), expected, 2e-6);
		free(x);
		free(y);
	}
}

/* catches: a bias, as of a diagonal that is counted or divided by n^2; a value that is clipped at zero */
static void two_sets_of_one_law_differ_by_nothing_on_the_average(void **state)
{
	const size_t n_sets = 100, n = 40, n_pixels = 16;
	double mean = 0.0, square = 0.0;
	size_t negative = 0;

	(void)state;
	for (size_t s = 0; s < n_sets; s++) {
		float *all = normal_points(100 + s, 2 * n, n_pixels, 0.0, 1.0);
		const double value = mmd_of(all, n, all + n * n_pixels, n, n_pixels, NULL);

		mean += value / (double)n_sets;
		square += value * value / (double)n_sets;
		negative += value < 0.0;
		free(all);
	}
	assert_near(mean, 0.0, 4.0 * sqrt(square / (double)n_sets));
	assert_true(negative > n_sets / 5 && negative < 9 * n_sets / 10);
}

/* catches: a standard error without its factor 2, or of another number of samples */
static void standard_errors_are_how_much_sets_of_samples_differ(void **state)
{
	const size_t n_sets = 60, n = 100, n_pixels = 16;
	float *held = normal_points(300, 400, n_pixels, 0.0, 1.0);
	struct image_wasserstein sliced;
	struct image_figure figure;
	struct err err = {0};
	double value[2][60], error[2] = {0.0};

	(void)state;
	assert_ok(image_wasserstein_init(&sliced, held, 400, n_pixels, pool, &err), err);
	for (size_t s = 0; s < n_sets; s++) {
		float *x = normal_points(400 + s, n, n_pixels, 0.7, 1.0);
		double of_one;

		value[0][s] = mmd_of(held, 400, x, n, n_pixels, &of_one);
		error[0] += of_one / (double)n_sets;
		assert_ok(image_wasserstein_evaluate(&sliced, x, n, pool, &figure, &err), err);
		value[1][s] = figure.value;
		error[1] += figure.error / (double)n_sets;
		free(x);
	}
	for (size_t k = 0; k < 2; k++) {
		double mean = 0.0, square = 0.0;

		for (size_t s = 0; s < n_sets; s++)
			mean += value[k][s] / (double)n_sets;
		for (size_t s = 0; s < n_sets; s++)
			square += (value[k][s] - mean) * (value[k][s] - mean) / (double)(n_sets - 1);
		/* A standard deviation over 60 is known to 9 %. */
		assert_near(error[k] / sqrt(square), 1.0, 0.36);
	}
	image_wasserstein_fini(&sliced);
	free(held);
}

/* catches: W_1 for W_2, a missing root, directions that are not of length 1 or not spread over the sphere */
static void a_shifted_law_is_as_far_as_its_shift(void **state)
{
	const size_t n = 500, n_pixels = 64;
	const double shift = 0.4;
	float *held = normal_points(500, n, n_pixels, 0.0, 1.0), *x = malloc(n * n_pixels * sizeof(*x));
	struct image_wasserstein sliced;
	struct image_figure figure;
	struct err err = {0};
	double expected = 0.0;

	(void)state;
	assert_non_null(x);
	for (size_t i = 0; i < n * n_pixels; i++)
		x[i] = held[i] + (float)shift;
	assert_ok(image_wasserstein_init(&sliced, held, n, n_pixels, pool, &err), err);
	assert_ok(image_wasserstein_evaluate(&sliced, x, n, pool, &figure, &err), err);
	for (size_t s = 0; s < IMAGE_WASSERSTEIN_SLICES; s++) {
		double along = 0.0, length = 0.0;

		for (size_t i = 0; i < n_pixels; i++) {
			along += shift * (double)sliced.directions[s * n_pixels + i];
			length += pow((double)sliced.directions[s * n_pixels + i], 2.0);
		}
		assert_near(length, 1.0, 1e-5);
		expected += along * along / IMAGE_WASSERSTEIN_SLICES;
	}
	assert_near(figure.value, sqrt(expected), 1e-5);
	/* |shift vector| / sqrt(n_pixels) = shift, up to the choice of 256 directions: sqrt(1 / (2 × 256)) */
	assert_near(figure.value / shift, 1.0, 4.0 * sqrt(1.0 / (2.0 * IMAGE_WASSERSTEIN_SLICES)));
	image_wasserstein_fini(&sliced);
	free(x);
	free(held);
}

/* catches: quantiles of sets of different size that are matched point by point, or run past the shorter one's end */
static void the_distance_does_not_depend_on_how_often_a_point_is_counted(void **state)
{
	const size_t n = 30, n_pixels = 5, times = 7;
	float *held = normal_points(600, n, n_pixels, 0.0, 1.0), *other = normal_points(601, n, n_pixels, 0.5, 2.0);
	float *many = malloc(times * n * n_pixels * sizeof(*many));
	struct image_wasserstein sliced;
	struct image_figure once, often;
	struct err err = {0};

	(void)state;
	assert_non_null(many);
	assert_ok(image_wasserstein_init(&sliced, held, n, n_pixels, pool, &err), err);
	for (size_t t = 0; t < times; t++)
		memcpy(many + t * n * n_pixels, held, n * n_pixels * sizeof(*many));
	assert_ok(image_wasserstein_evaluate(&sliced, many, times * n, pool, &often, &err), err);
	assert_near(often.value, 0.0, 1e-6);
	for (size_t t = 0; t < times; t++)
		memcpy(many + t * n * n_pixels, other, n * n_pixels * sizeof(*many));
	assert_ok(image_wasserstein_evaluate(&sliced, other, n, pool, &once, &err), err);
	assert_ok(image_wasserstein_evaluate(&sliced, many, times * n, pool, &often, &err), err);
	assert_near(often.value, once.value, 1e-6);
	assert_true(once.value > 0.5);
	image_wasserstein_fini(&sliced);
	free(many);
	free(other);
	free(held);
}

/* catches: an index off by a tile, the rounding of products left in the distance of a copy */
static void a_copy_is_at_distance_zero_and_others_as_far_as_they_are(void **state)
{
	const struct image_set *set = digits.images;
	float *x = malloc(200 * 144 * sizeof(*x));
	size_t index[200];
	double distance[200];

	(void)state;
	assert_non_null(x);
	for (size_t i = 0; i < 200; i++)
		memcpy(x + i * 144, set->train + 53 * i * 144, 144 * sizeof(*x));
	image_nearest(x, 200, set->train, set->n_train, 144, pool, index, distance);
	for (size_t i = 0; i < 200; i++)
		assert_true(distance[i] == 0.0 && index[i] == 53 * i);
	image_nearest(set->held, 200, set->train, set->n_train, 144, pool, index, distance);
	for (size_t i = 0; i < 200; i += 40) {
		double best = INFINITY;

		for (size_t t = 0; t < set->n_train; t++) {
			double square = 0.0;

			for (size_t p = 0; p < 144; p++)
				square += pow((double)set->held[i * 144 + p] - (double)set->train[t * 144 + p], 2.0);
			best = fmin(best, sqrt(square));
		}
		assert_near(distance[i], best, 1e-5);
	}
	free(x);
}

static void evaluate(const float x[], size_t n, struct image_metrics *metrics)
{
	struct err err = {0};

	assert_ok(image_judge_evaluate(&judge, x, n, pool, metrics, &err), err);
}

/* catches: a judge that a sampler passes by handing out what it was trained on */
static void a_look_up_table_fails_the_check_of_memory(void **state)
{
	struct image_metrics metrics;
	float *x = malloc(N * 144 * sizeof(*x));

	(void)state;
	assert_non_null(x);
	for (uint32_t i = 0; i < N; i++)
		digits.type->draw(&digits, 9, RANDOM_DATA, i, 0, x + (size_t)i * 144);
	evaluate(x, N, &metrics);
	/* By every other figure it is as good as the data. */
	assert_true(metrics.figure[IMAGE_MMD].value < 0.01);
	assert_near(metrics.figure[IMAGE_SHARE].value, judge.set->share[0], 0.05);
	assert_near(metrics.figure[IMAGE_NEAREST_RATIO].value, 0.0, 0.0);
	assert_true(image_metrics_memorised(&metrics));

	/* The table does not get through by noise that leaves the images what they are. */
	for (size_t i = 0; i < N; i++)
		for (size_t p = 0; p < 144; p += 4) {
			double normals[4];

			random_normals(4, RANDOM_DATA, (uint32_t)i, p, 1, normals);
			for (size_t k = 0; k < 4; k++)
				x[i * 144 + p + k] += 0.1f * (float)normals[k];
		}
	evaluate(x, N, &metrics);
	assert_true(metrics.figure[IMAGE_NEAREST_RATIO].value > 0.3);
	assert_true(image_metrics_memorised(&metrics));
	free(x);
}

/* catches: a check that new images fail as well, a ratio to something else than the held-out images' distance */
static void new_images_pass_the_check_of_memory(void **state)
{
	struct image_metrics metrics;

	(void)state;
	evaluate(digits.images->held, N, &metrics);
	assert_near(metrics.figure[IMAGE_NEAREST_RATIO].value, 1.0, 1e-12);
	assert_false(image_metrics_memorised(&metrics));
	assert_false(image_metrics_memorised(&judge.baseline));
	assert_near(metrics.figure[IMAGE_WASSERSTEIN].value, 0.0, 1e-6);
}

/* catches: labels of other images than the nearest, shares of the whole set and not of the samples */
static void the_balance_of_labelled_images_is_that_of_their_labels(void **state)
{
	const struct image_set *set = digits.images;
	struct image_metrics metrics;
	double zeros = 0.0, held_zeros = 0.0;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		zeros += set->train_labels[i] == 0;
	for (size_t i = 0; i < set->n_held; i++)
		held_zeros += set->held_labels[i] == 0;
	evaluate(set->train, 1000, &metrics);
	assert_near(metrics.figure[IMAGE_SHARE].value, zeros / 1000.0, 1e-9);
	assert_near(metrics.figure[IMAGE_SHARE + 1].value, 1.0 - zeros / 1000.0, 1e-9);
	assert_near(metrics.figure[IMAGE_SHARE + 2].value, 0.0, 0.0);
	/* Images never seen: the nearest neighbour is right for all but a few in a thousand. */
	assert_near(judge.held.figure[IMAGE_SHARE].value, held_zeros / 2000.0, 0.005);
}

/* catches: another kernel or a fit with another covariance than the figures are stated for */
static void floor_and_gaussian_fit_are_the_figures_that_are_stated(void **state)
{
	const struct image_figure *floor = judge.floor.figure, *fit = judge.baseline.figure;
	float *x = malloc(N * 144 * sizeof(*x));
	double clipped = 0.0;

	(void)state;
	assert_non_null(x);
	/* One standard deviation of a mean of eight: 0.0003 and 0.0006. */
	assert_near(floor[IMAGE_MMD].value, 0.0026, 0.0012);
	assert_true(floor[IMAGE_MMD].error > 0.0002 && floor[IMAGE_MMD].error < 0.0015);
	assert_near(fit[IMAGE_MMD].value, 0.052, 0.003);
	assert_true(fit[IMAGE_MMD].error > 0.0006 && fit[IMAGE_MMD].error < 0.0035);
	assert_true(fit[IMAGE_WASSERSTEIN].value > 2.0 * floor[IMAGE_WASSERSTEIN].value);
	for (uint64_t repeat = 0; repeat < 3; repeat++) {
		image_gaussian_draw(&judge.gaussian, 50 + repeat, N, pool, x);
		for (size_t i = 0; i < N * 144; i++)
			x[i] = fminf(fmaxf(x[i], -1.0f), 1.0f);
		clipped += mmd_of(digits.images->held, N, x, N, 144, NULL) / 3.0;
	}
	assert_near(clipped, 0.095, 0.006);
	free(x);
}

/* catches: draws with another covariance, directions in the wrong order, a spread that is a variance */
static void the_gaussian_fit_has_the_spread_of_the_training_images(void **state)
{
	const struct image_gaussian *fit = &judge.gaussian;
	struct image_metrics metrics;
	float *x = malloc(N * 144 * sizeof(*x));

	(void)state;
	assert_non_null(x);
	for (size_t k = 0; k < IMAGE_DIRECTIONS; k++) {
		assert_true(fit->deviation[k] >= fit->deviation[k + 1]);
		assert_near(image_gaussian_deviation(fit, k, digits.images->train, 10665), fit->deviation[k],
			    1e-6 * fit->deviation[k]);
		assert_near(judge.baseline.figure[IMAGE_SPREAD + k].value, 1.0, 4.0 / sqrt(2.0 * 8.0 * (double)N));
	}
	image_gaussian_draw(fit, 3, N, pool, x);
	for (size_t i = 0; i < N; i++)
		for (size_t p = 0; p < 144; p++)
			x[i * 144 + p] = (float)(fit->mean[p] + 0.8 * ((double)x[i * 144 + p] - fit->mean[p]));
	evaluate(x, N, &metrics);
	assert_near(metrics.figure[IMAGE_SPREAD].value, 0.8, 4.0 * 0.8 / sqrt(2.0 * (double)N));
	free(x);
}

/* catches: sums in the order that threads finish in, draws that depend on who makes them */
static void figures_do_not_depend_on_the_number_of_threads(void **state)
{
	struct pool *one;
	struct image_judge a, b;
	struct image_metrics x, y;
	struct err err = {0};

	(void)state;
	assert_ok(pool_new(&one, 1, &err), err);
	assert_ok(image_judge_init(&a, digits.images, 150, 5, one, &err), err);
	assert_ok(image_judge_init(&b, digits.images, 150, 5, pool, &err), err);
	assert_memory_equal(&a.floor, &b.floor, sizeof(a.floor));
	assert_memory_equal(&a.baseline, &b.baseline, sizeof(a.baseline));
	assert_ok(image_judge_evaluate(&a, digits.images->held, 333, one, &x, &err), err);
	assert_ok(image_judge_evaluate(&b, digits.images->held, 333, pool, &y, &err), err);
	assert_memory_equal(&x, &y, sizeof(x));
	image_judge_fini(&b);
	image_judge_fini(&a);
	pool_free(one);
}

/* catches: the deviation of one set given for the error of the mean, a division by zero for one set */
static void the_mean_over_seeds_has_the_error_of_a_mean(void **state)
{
	const struct image_metrics sets[] = {
		{.n = 5, .figure[IMAGE_MMD] = {1.0, 0.25}},
		{.n = 5, .figure[IMAGE_MMD] = {2.0, 0.25}},
		{.n = 5, .figure[IMAGE_MMD] = {3.0, 0.25}},
		{.n = 5, .figure[IMAGE_MMD] = {6.0, 0.25}},
	};
	struct image_metrics mean;

	(void)state;
	image_metrics_mean(sets, 4, &mean);
	assert_near(mean.figure[IMAGE_MMD].value, 3.0, 1e-12);
	assert_near(mean.figure[IMAGE_MMD].error, sqrt(14.0 / 3.0) / 2.0, 1e-12);
	image_metrics_mean(sets, 1, &mean);
	assert_near(mean.figure[IMAGE_MMD].error, 0.25, 1e-12);
}

/* catches: a division by no pairs, a sample beyond all numbers that spoils the other samples' figures */
static void what_can_not_be_judged_is_refused_and_what_is_far_is_far(void **state)
{
	struct image_judge none;
	struct image_metrics metrics;
	struct err err = {0};
	float *x = malloc(100 * 144 * sizeof(*x));

	(void)state;
	assert_non_null(x);
	assert_int_equal(image_judge_init(&none, digits.images, 1, 0, pool, &err), JOSTLE_EINVAL);
	assert_int_equal(image_judge_evaluate(&judge, digits.images->held, 1, pool, &metrics, &err), JOSTLE_EINVAL);
	assert_contains(err.text, "at least 2");
	memcpy(x, digits.images->held, 100 * 144 * sizeof(*x));
	x[144] = 3e38f;
	x[145] = -3e38f;
	evaluate(x, 100, &metrics);
	for (size_t f = 0; f < IMAGE_N_FIGURES; f++)
		assert_true(isfinite(metrics.figure[f].value) && isfinite(metrics.figure[f].error));
	assert_true(metrics.figure[IMAGE_MMD].value < 0.1);
	assert_true(metrics.figure[IMAGE_WASSERSTEIN].value > 1e30);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_discrepancy_is_that_of_the_direct_formula),
		cmocka_unit_test(two_sets_of_one_law_differ_by_nothing_on_the_average),
		cmocka_unit_test(standard_errors_are_how_much_sets_of_samples_differ),
		cmocka_unit_test(a_shifted_law_is_as_far_as_its_shift),
		cmocka_unit_test(the_distance_does_not_depend_on_how_often_a_point_is_counted),
		cmocka_unit_test(a_copy_is_at_distance_zero_and_others_as_far_as_they_are),
		cmocka_unit_test(a_look_up_table_fails_the_check_of_memory),
		cmocka_unit_test(new_images_pass_the_check_of_memory),
		cmocka_unit_test(the_balance_of_labelled_images_is_that_of_their_labels),
		cmocka_unit_test(floor_and_gaussian_fit_are_the_figures_that_are_stated),
		cmocka_unit_test(the_gaussian_fit_has_the_spread_of_the_training_images),
		cmocka_unit_test(figures_do_not_depend_on_the_number_of_threads),
		cmocka_unit_test(the_mean_over_seeds_has_the_error_of_a_mean),
		cmocka_unit_test(what_can_not_be_judged_is_refused_and_what_is_far_is_far),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
