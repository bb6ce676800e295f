/*
 * Metrics against values that are known without sampling.
 */
#include "learning/assertions.h"

#include "base/pool.h"
#include "learning/metrics.h"
#include "learning/target.h"

#define N_BINS    (MIXTURE_BINS * MIXTURE_BINS)
#define N_SAMPLES 20000

struct fixture {
	struct pool *pool;
	struct target target;
	float samples[2 * N_SAMPLES];
};

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct err err = {0};

	assert_non_null(fx);
	assert_ok(pool_new(&fx->pool, 2, &err), err);
	assert_ok(target_init(&fx->target, "gaussians means=1.2,1.2,-1.2,-1.2 sigma=0.4 weights=0.3,0.7", 2, &err),
		  err);
	for (uint32_t i = 0; i < N_SAMPLES; i++)
		fx->target.type->draw(&fx->target, 21, RANDOM_DATA, i, 0, fx->samples + 2 * i);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	target_fini(&fx->target);
	pool_free(fx->pool);
	free(fx);
	return 0;
}

/* catches: a missing half, bins counted twice, an outside that is not counted */
static void total_variation_of_a_point_is_one_less_its_bins_mass(void **state)
{
	struct fixture *fx = *state;
	double mass[N_BINS];
	float point[2 * 10], away[2 * 10];

	const double outside = mixture_bin_masses(&fx->target.mixture, mass);
	for (size_t i = 0; i < 10; i++) {
		point[2 * i] = -1.2f;
		point[2 * i + 1] = -1.1f;
		away[2 * i] = i % 2 ? NAN : 40.0f;
		away[2 * i + 1] = 0.0f;
	}
	const double in_bin = mass[mixture_bin(point)];
	assert_true(in_bin > 0.005);
	assert_near(metrics_total_variation(&fx->target.mixture, point, 10), 1.0 - in_bin, 1e-12);
	assert_near(metrics_total_variation(&fx->target.mixture, away, 10), 1.0 - outside, 1e-12);
}

/**
 * The mean of |X - n p| for a binomial X (de Moivre): 2 v C(n, v) p^v (1 - p)^(n - v + 1), v = floor(n p) + 1.
 */
static double binomial_deviation(double n, double p)
{
	const double v = floor(n * p) + 1.0;

	if (p <= 0.0 || p >= 1.0)
		return 0.0;
	return 2.0 * v *
	       exp(lgamma(n + 1.0) - lgamma(v + 1.0) - lgamma(n - v + 1.0) + v * log(p) + (n - v + 1.0) * log1p(-p));
}

/* catches: a floor of another number of samples, repeats that draw the same numbers, a wrong standard deviation */
static void the_floor_is_the_mean_that_counting_statistics_give(void **state)
{
	struct fixture *fx = *state;
	struct metrics metrics;
	struct err err = {0};
	double mass[N_BINS + 1], expected = 0.0;
	const double n = 5000.0;

	mass[N_BINS] = mixture_bin_masses(&fx->target.mixture, mass);
	for (size_t b = 0; b <= N_BINS; b++)
		expected += 0.5 * binomial_deviation(n, mass[b]) / n;
	assert_ok(metrics_evaluate(&metrics, &fx->target.mixture, fx->samples, (size_t)n, 4, fx->pool, &err), err);
	assert_true(metrics.floor_sd > 0.0 && metrics.floor_sd < 0.1 * expected);
	assert_near(metrics.floor, expected, 4.0 * metrics.floor_sd / sqrt(METRICS_FLOOR_REPEATS));
	assert_near(metrics.total_variation, metrics.floor, 5.0 * metrics.floor_sd);
	metrics_fini(&metrics);
}

/* catches: weights of the wrong mode, of the target and not of the samples, or a wrong standard error */
static void mode_weights_are_those_of_the_samples(void **state)
{
	struct fixture *fx = *state;
	struct metrics metrics;
	struct err err = {0};

	assert_ok(metrics_evaluate(&metrics, &fx->target.mixture, fx->samples, N_SAMPLES, 4, fx->pool, &err), err);
	assert_int_equal(metrics.n_modes, 2);
	assert_near(metrics.mode_error[0], sqrt(0.3 * 0.7 / N_SAMPLES), 1e-4);
	assert_near(metrics.mode_weight[0], 0.3, 4.0 * metrics.mode_error[0]);
	assert_near(metrics.mode_weight[0] + metrics.mode_weight[1], 1.0, 1e-9);
	metrics_fini(&metrics);

	for (size_t i = 0; i < N_SAMPLES; i++)
		fx->samples[2 * i] = fx->samples[2 * i + 1] = i % 4 ? 1.0f : NAN;
	assert_ok(metrics_evaluate(&metrics, &fx->target.mixture, fx->samples, N_SAMPLES, 4, fx->pool, &err), err);
	assert_near(metrics.mode_weight[0], 0.75, 1e-9);
	assert_near(metrics.mode_weight[1], 0.0, 0.0);
	assert_near(metrics.outside, 0.25, 1e-12);
	metrics_fini(&metrics);
}

/* catches: curves whose hundreds of modes are reported one by one */
static void a_curve_has_no_named_modes(void **state)
{
	struct fixture *fx = *state;
	struct target ring;
	struct metrics metrics;
	struct err err = {0};

	assert_ok(target_init(&ring, "ring", 2, &err), err);
	assert_ok(metrics_evaluate(&metrics, &ring.mixture, fx->samples, N_SAMPLES, 4, fx->pool, &err), err);
	assert_int_equal(metrics.n_modes, 0);
	assert_true(metrics.total_variation > 5.0 * metrics.floor);
	metrics_fini(&metrics);
	target_fini(&ring);
}

/* catches: a division by no samples, densities of the plane asked of another space */
static void what_can_not_be_judged_is_refused(void **state)
{
	struct fixture *fx = *state;
	struct target line;
	struct metrics metrics;
	struct err err = {0};

	assert_int_equal(metrics_evaluate(&metrics, &fx->target.mixture, fx->samples, 0, 4, fx->pool, &err),
			 JOSTLE_EINVAL);
	assert_ok(target_init(&line, "gaussians means=1,-1", 1, &err), err);
	assert_int_equal(metrics_evaluate(&metrics, &line.mixture, fx->samples, 10, 4, fx->pool, &err), JOSTLE_EINVAL);
	assert_contains(err.text, "two sites");
	target_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(total_variation_of_a_point_is_one_less_its_bins_mass, setup, teardown),
		cmocka_unit_test_setup_teardown(the_floor_is_the_mean_that_counting_statistics_give, setup, teardown),
		cmocka_unit_test_setup_teardown(mode_weights_are_those_of_the_samples, setup, teardown),
		cmocka_unit_test_setup_teardown(a_curve_has_no_named_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_can_not_be_judged_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
