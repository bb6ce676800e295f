/*
 * Time: knots, the potential between them, the diffusion's functions, and the grid of a generation.
 */
#include "term_cases.h"

#include "protocols/diffusion.h"
#include "protocols/knots.h"
#include "protocols/protocol.h"

static void near(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("expected %.17g, found %.17g", expected, found);
}

/* catches: knots that are linear in t, an end that rounding has moved */
static void knots_are_geometric_and_end_where_they_were_asked_to(void **state)
{
	double t[7];

	(void)state;
	knots_geometric(0.01, 4.0, 7, t);
	assert_true(t[0] == 0.01 && t[6] == 4.0);
	for (size_t k = 0; k + 1 < 7; k++)
		near(t[k + 1] / t[k], pow(400.0, 1.0 / 6.0), 1e-12);
}

/* catches: a place one knot off, a weight linear in t, a time beyond the ends that is extrapolated */
static void a_time_falls_between_its_knots_linearly_in_its_logarithm(void **state)
{
	const double t[] = {0.01, 0.1, 0.5, 4.0};
	struct knot_place p;

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		p = knots_find(t, 4, t[k]);
		near((double)p.lower + p.weight, (double)k, 0.0);
	}
	p = knots_find(t, 4, sqrt(0.01 * 0.1));
	assert_int_equal(p.lower, 0);
	near(p.weight, 0.5, 1e-14);
	p = knots_find(t, 4, 0.5 * pow(8.0, 0.3));
	assert_int_equal(p.lower, 2);
	near(p.weight, 0.3, 1e-14);
	p = knots_find(t, 4, 1e-9);
	near((double)p.lower + p.weight, 0.0, 0.0);
	p = knots_find(t, 4, 100.0);
	near((double)p.lower + p.weight, 3.0, 0.0);
	p = knots_find(t, 4, NAN);
	near((double)p.lower + p.weight, 0.0, 0.0);
}

/* catches: theta read from the wrong knot, a wall that does not move with t */
static void a_protocol_is_exact_at_its_knots_and_linear_in_log_t_between(void **state)
{
	const double t[] = {0.01, 0.2, 4.0};
	const char *term = "onsite-power powers=1,2";
	struct network network;
	struct protocol protocol;
	struct wall wall;
	struct err err = {0};
	double theta[4];

	(void)state;
	assert_int_equal(network_init(&network, 2, 1, &term, 1, &err), 0);
	assert_int_equal(protocol_init(&protocol, &network, t, 3, &err), 0);
	assert_null(network.terms); /* taken over */
	for (size_t k = 0; k < 3; k++) {
		for (size_t p = 0; p < 4; p++)
			protocol.theta[4 * k + p] = any_number(30, 4 * k + p);
		protocol.wall[k] = (struct wall){.position = 3.0 + (double)k, .stiffness = 10.0 * (double)(k + 1)};
	}
	for (size_t k = 0; k < 3; k++) {
		protocol_at(&protocol, t[k], theta, &wall);
		for (size_t p = 0; p < 4; p++)
			near(theta[p], protocol.theta[4 * k + p], 1e-15);
		near(wall.position, 3.0 + (double)k, 1e-15);
		near(wall.stiffness, 10.0 * (double)(k + 1), 1e-14);
	}
	protocol_at(&protocol, 0.2 * pow(20.0, 0.25), theta, &wall);
	for (size_t p = 0; p < 4; p++)
		near(theta[p], 0.75 * protocol.theta[4 + p] + 0.25 * protocol.theta[8 + p], 1e-14);
	near(wall.position, 4.25, 1e-13);
	near(wall.stiffness, 22.5, 1e-12);
	protocol_fini(&protocol);
}

/* catches: 1 - exp(-2t), which loses all digits at small t; a factor 2 in the exponent */
static void the_variance_follows_its_series_at_small_t(void **state)
{
	const double t[] = {1e-12, 1e-9, 1e-6, 1e-4};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const double s = 2.0 * t[i], series = s * (1.0 - s / 2.0 * (1.0 - s / 3.0 * (1.0 - s / 4.0)));

		near(diffusion_variance(t[i]) / series, 1.0, 1e-14);
	}
	near(diffusion_variance(0.5), 1.0 - exp(-1.0), 1e-15);
	near(diffusion_variance(50.0), 1.0, 1e-15);
	assert_true(diffusion_variance(0.0) == 0.0);
}

/* catches: the larger of the two steps taken */
static void the_accurate_step_is_the_smaller_of_its_two_limits(void **state)
{
	(void)state;
	near(diffusion_step(1e-6), 6e-8, 1e-13);
	near(diffusion_step(4.0), 0.02, 0.0);
	near(diffusion_step(0.1), 0.03 * diffusion_variance(0.1), 1e-17);
}

/*
 * catches: a score without its half, a read-out that forgets 1/a. For p_0 = N(0, v) the target force is x - 2x/(a^2 v +
 * sigma^2) and the posterior mean is a v x/(a^2 v + sigma^2).
 */
static void the_readout_of_a_gaussian_is_its_posterior_mean(void **state)
{
	const double v = 0.7, x = 1.3;

	(void)state;
	for (double t = 0.01; t < 3.0; t *= 2.0) {
		const double a = exp(-t), noised = a * a * v + diffusion_variance(t), f = x - 2.0 * x / noised;

		near(diffusion_readout(x, f, t, 1.0), a * v * x / noised, 1e-13);
		near(diffusion_readout(x, f, t, 0.0), x / a, 1e-13);
		near(diffusion_readout(x, f, t, 0.5), 0.5 * (x / a + a * v * x / noised), 1e-13);
	}
}

/* catches: a grid that stops before its end or steps past it, or whose steps are longer than the rule allows */
static void the_accurate_grid_keeps_the_step_rule_and_ends_at_t_minimum(void **state)
{
	double *t;
	size_t n;

	(void)state;
	assert_int_equal(diffusion_grid(4.0, 0.01, 0.0, &t, &n), 0);
	assert_true(t[0] == 4.0 && t[n] == 0.01);
	for (size_t k = 0; k < n; k++) {
		assert_true(t[k] > t[k + 1]);
		/* The last step may be a rounding longer. */
		assert_true(t[k] - t[k + 1] <= diffusion_step(t[k]) * (1.0 + 2e-6));
		if (k + 1 < n)
			near(t[k] - t[k + 1], diffusion_step(t[k]), 1e-15);
	}
	/* About 250 steps, as the rule is known to ask for. */
	assert_in_range(n, 200, 300);
	free(t);
}

/* catches: a uniform grid that drifts by summing, or that adds a step of rounding at its end */
static void a_uniform_grid_has_equal_steps_and_one_remainder(void **state)
{
	double *t;
	size_t n;

	(void)state;
	assert_int_equal(diffusion_grid(1.01, 0.01, 0.1, &t, &n), 0);
	assert_int_equal(n, 10);
	assert_true(t[0] == 1.01 && t[10] == 0.01);
	for (size_t k = 0; k < 10; k++)
		near(t[k] - t[k + 1], 0.1, 1e-14);
	free(t);
	assert_int_equal(diffusion_grid(1.0, 0.01, 0.3, &t, &n), 0);
	assert_int_equal(n, 4);
	near(t[3] - t[4], 0.09, 1e-14);
	free(t);
}

/* catches: a grid without end */
static void grids_that_cannot_be_are_refused(void **state)
{
	const double bad[][3] = {{1.0, 0.0, 0.0},  {0.01, 0.01, 0.0}, {0.01, 4.0, 0.0},  {NAN, 0.01, 0.0},
				 {4.0, NAN, 0.0},  {4.0, 0.01, NAN},  {4.0, 0.01, -0.1}, {INFINITY, 0.01, 0.0},
				 {4.0, -1.0, 0.0}, {4.0, 0.01, 1e-12}};
	double *t;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(diffusion_grid(bad[i][0], bad[i][1], bad[i][2], &t, &n), JOSTLE_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knots_are_geometric_and_end_where_they_were_asked_to),
		cmocka_unit_test(a_time_falls_between_its_knots_linearly_in_its_logarithm),
		cmocka_unit_test(a_protocol_is_exact_at_its_knots_and_linear_in_log_t_between),
		cmocka_unit_test(the_variance_follows_its_series_at_small_t),
		cmocka_unit_test(the_accurate_step_is_the_smaller_of_its_two_limits),
		cmocka_unit_test(the_readout_of_a_gaussian_is_its_posterior_mean),
		cmocka_unit_test(the_accurate_grid_keeps_the_step_rule_and_ends_at_t_minimum),
		cmocka_unit_test(a_uniform_grid_has_equal_steps_and_one_remainder),
		cmocka_unit_test(grids_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
