#include "base/scratch.h"

#include <math.h>

#include "base/units.h"

static void assert_ratio(double a, double b)
{
	if (!(fabs(a / b - 1.0) < 1e-12))
		fail_msg("expected %.17g, found %.17g", b, a);
}

/* catches: kappa and gamma swapped, a missing root, Boltzmann's constant mistyped */
static void units_of_a_known_oscillator(void **state)
{
	(void)state;
	/* 2 uN/m, 4 nN s/m at 300 K: kT = 4.141947e-21 J */
	const struct units units = units_of(2e-6, 4e-9, 300.0);

	assert_ratio(units.energy_J, 4.141947e-21);
	assert_ratio(units.length_m, sqrt(4.141947e-21 / 2e-6));
	assert_ratio(units.time_s, 2e-3);
	assert_ratio(units.force_N, sqrt(4.141947e-21 * 2e-6));
}

/* catches: units that do not make kappa, mu and kT one */
static void in_natural_units_stiffness_mobility_and_temperature_are_one(void **state)
{
	const double kappa = 3.7e-5, gamma = 8.1e-8;
	const struct units units = units_of(kappa, gamma, 77.0);

	(void)state;
	assert_ratio(kappa * units.length_m / units.force_N, 1.0);
	assert_ratio(gamma * units.length_m / units.time_s / units.force_N, 1.0);
	assert_ratio(units.force_N * units.length_m / units.energy_J, 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_of_a_known_oscillator),
		cmocka_unit_test(in_natural_units_stiffness_mobility_and_temperature_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
