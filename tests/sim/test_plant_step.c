/* The exact step of one oscillator. */
#include "sim/plant_fixture.h"

#include "sim/plant_step.h"

static const struct {
	double k, m, h;
} cases[] = {{1, 0, 1e-3},   {1, 0, 0.7},   {2.5, 0, 5},    {1, 1e-6, 1e-3},
	     {1, 0.1, 1e-3}, {1, 0.1, 0.3}, {1, 0.25, 0.5}, /* critically damped */
	     {1, 4, 0.01},   {1.3, 30, 2},  {1, 1e-3, 10}};
#define N_CASES (sizeof(cases) / sizeof(cases[0]))

struct law {
	double map[2][2], held[2], ramp[2], covariance[3][3]; /* x, v, W */
};

static void law_of(double k, double m, double h, struct law *law)
{
	struct plant_step s;

	plant_step_init(&s, k, m, h);
	/* Rows of the noise's factor: an overdamped site's W uses n1 where an inertial one's uses n1 and n2. */
	const double l[3][3] = {{s.nx[0], s.nx[1], 0}, {s.nv, 0, 0}, {s.nw[0], s.nw[1], s.nw[2]}};

	*law = (struct law){.map = {{s.xx, s.xv}, {s.vx, s.vv}}, .held = {s.fx, s.fv}, .ramp = {s.rx, s.rv}};
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			for (int n = 0; n < 3; n++)
				law->covariance[i][j] += l[i][n] * l[j][n];
}

/** Two steps of the same law, one after the other. */
static struct law twice(const struct law *one)
{
	struct law two = {0};
	double step[3][3] = {{one->map[0][0], one->map[0][1], 0}, {one->map[1][0], one->map[1][1], 0}, {0, 0, 1}};

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			for (int n = 0; n < 2; n++)
				two.map[i][j] += one->map[i][n] * one->map[n][j];
	for (int i = 0; i < 2; i++) {
		two.held[i] = one->held[i];
		two.ramp[i] = 0.5 * one->held[i] + 0.5 * one->ramp[i];
		for (int n = 0; n < 2; n++) {
			two.held[i] += one->map[i][n] * one->held[n];
			two.ramp[i] += 0.5 * one->map[i][n] * one->ramp[n];
		}
	}
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			two.covariance[i][j] = one->covariance[i][j];
			for (int n = 0; n < 3; n++)
				for (int o = 0; o < 3; o++)
					two.covariance[i][j] += step[i][n] * one->covariance[n][o] * step[j][o];
		}
	return two;
}

/* catches: a wrong covariance, ramp response or Wiener increment, a branch (over-, under-, critically damped) that is off */
static void two_half_steps_make_a_whole_one(void **state)
{
	(void)state;
	for (size_t c = 0; c < N_CASES; c++) {
		struct law half, whole;

		law_of(cases[c].k, cases[c].m, 0.5 * cases[c].h, &half);
		law_of(cases[c].k, cases[c].m, cases[c].h, &whole);
		const struct law two = twice(&half);
		for (int i = 0; i < 2; i++) {
			for (int j = 0; j < 2; j++)
				assert_near(two.map[i][j], whole.map[i][j], 1e-9 * (1.0 + fabs(whole.map[i][j])));
			assert_near(two.held[i], whole.held[i], 1e-9 * (1.0 + fabs(whole.held[i])));
			assert_near(two.ramp[i], whole.ramp[i], 1e-7 * (1.0 + fabs(whole.ramp[i])));
		}
		for (int i = 0; i < 3; i++)
			for (int j = 0; j < 3; j++)
				assert_near(two.covariance[i][j], whole.covariance[i][j],
					    1e-8 * sqrt(whole.covariance[i][i] * whole.covariance[j][j]) + 1e-14);
	}
}

/* catches: a response that is consistent with itself but not with the equation: m x'' + x' = -k x + f */
static void a_held_force_ends_at_force_over_stiffness_and_starts_at_force_over_mass(void **state)
{
	struct law law;

	(void)state;
	for (size_t c = 0; c < N_CASES; c++) {
		const double m = cases[c].m > 0.0 ? cases[c].m : 1.0;

		law_of(cases[c].k, cases[c].m, 1e3 * (1.0 + m), &law);
		assert_near(law.held[0], 1.0 / cases[c].k, 1e-6);
		law_of(cases[c].k, cases[c].m, 1e-6 * m, &law);
		if (cases[c].m > 0.0)
			assert_near(law.held[1] / (1e-6 * m), 1.0 / m, 1e-5 / m);
		else
			assert_near(law.held[0] / (1e-6 * m), 1.0, 1e-5);
	}
}

/* catches: noise that is not the bath's: long steps must forget the start and end at equipartition */
static void a_long_step_ends_at_equipartition(void **state)
{
	struct law law;

	(void)state;
	for (size_t c = 0; c < N_CASES; c++) {
		law_of(cases[c].k, cases[c].m, 1e3 * (1.0 + cases[c].m), &law);
		assert_near(law.covariance[0][0], 1.0 / cases[c].k, 1e-9);
		if (cases[c].m > 0.0)
			assert_near(law.covariance[1][1] * cases[c].m, 1.0, 1e-9);
		assert_near(law.covariance[2][2], 2e3 * (1.0 + cases[c].m), 1e-6);
	}
}

/* catches: a mass term that does not vanish with the mass */
static void a_light_site_moves_as_an_overdamped_one(void **state)
{
	struct law light, none;

	(void)state;
	law_of(1.0, 1e-7, 0.1, &light);
	law_of(1.0, 0.0, 0.1, &none);
	assert_near(light.map[0][0], none.map[0][0], 1e-6);
	assert_near(light.covariance[0][0], none.covariance[0][0], 1e-6);
	assert_near(light.covariance[0][2], none.covariance[0][2], 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_half_steps_make_a_whole_one),
		cmocka_unit_test(a_held_force_ends_at_force_over_stiffness_and_starts_at_force_over_mass),
		cmocka_unit_test(a_long_step_ends_at_equipartition),
		cmocka_unit_test(a_light_site_moves_as_an_overdamped_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
