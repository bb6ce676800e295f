/* Volts, SI and natural units. */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "control/bench_calibration.h"
#include "control/calibration.h"

struct fixture {
	struct bench *bench;
	struct calibration_record record;
	struct calibration calibration;
	struct state state;
	struct command command;
};

static void assert_near(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("expected %.15g, found %.15g", expected, found);
}

static int setup(void **state)
{
	static struct fixture f;
	struct err err = {0};

	test_script_reset();
	f.bench = test_bench_feedback();
	assert_int_equal(bench_calibration_nominal(&f.record, f.bench, &err), 0);
	assert_int_equal(calibration_init(&f.calibration, f.bench, &f.record, f.bench->period_s, &err), 0);
	assert_int_equal(state_init(&f.state, TEST_SITES, &err), 0);
	assert_int_equal(command_init(&f.command, f.bench->n_out, &err), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	calibration_fini(&f->calibration);
	calibration_record_fini(&f->record);
	state_fini(&f->state);
	command_fini(&f->command);
	return 0;
}

/* catches: channel order taken for site order, an offset with the wrong sign, metres left unscaled */
static void volts_become_displacements_and_forces_in_natural_units(void **state)
{
	struct fixture *f = *state;
	/* Site 1 at 2e-7 m = 2 lengths, site 0 at -1e-7 m, force -3 units of 1e-13 N. */
	const double in_V[] = {0.125 - 4e6 * 2e-7, -0.5 + 5e6 * -1e-7, 0.25 + 2e12 * -3e-13, 7};

	assert_true(calibration_to_state(&f->calibration, in_V, &f->state));
	assert_near(f->state.x[0], -1, 1e-12);
	assert_near(f->state.x[1], 2, 1e-12);
	assert_near(f->state.force[0], -3, 1e-12);
	assert_true(f->state.force[1] == 0);
}

/* catches: a command in natural units sent out as newtons, gain divided instead of multiplied, outputs in site order */
static void commands_become_volts_through_force_units_and_gain(void **state)
{
	struct fixture *f = *state;
	double out_V[3];

	f->command.value[0] = 2; /* site 1: 2e-13 N at 1e12 V/N */
	f->command.value[1] = 1; /* site 0: 1e-13 N at -2e12 V/N, from 0.0625 V */
	assert_true(calibration_to_volts(&f->calibration, &f->command, out_V));
	assert_near(out_V[0], 0.2, 1e-14);
	assert_near(out_V[1], 0.0625 - 0.2, 1e-14);
}

/* catches: one of the two directions that does not undo the other */
static void what_is_commanded_can_be_read_back(void **state)
{
	struct fixture *f = *state;
	double out_V[3], in_V[4] = {0};

	for (double u = -30; u <= 30; u += 0.37) {
		f->command.value[1] = u;
		calibration_to_volts(&f->calibration, &f->command, out_V);
		/* A force sensor of another gain on the same site. */
		const double force_N = (out_V[1] - f->bench->out[1].offset_V) / f->bench->out[1].gain;

		in_V[2] = f->bench->in[2].offset_V + f->bench->in[2].gain * force_N;
		calibration_to_state(&f->calibration, in_V, &f->state);
		assert_near(f->state.force[0], u, 1e-11);
	}
}

/* catches: an auxiliary output driven by a number that nobody commanded */
static void auxiliary_outputs_rest_at_their_safe_voltage(void **state)
{
	struct fixture *f = *state;
	double out_V[3];

	f->command.value[2] = 3;
	calibration_to_volts(&f->calibration, &f->command, out_V);
	assert_true(out_V[2] == 1.5);
}

/* catches: a temperature in volts, one that stays when its input is gone; a temperature's index taken for a site */
static void temperature_is_in_kelvin_where_it_is_measured(void **state)
{
	struct fixture *f = *state;
	const double in_V[] = {0, 0, 0, 1.25};
	struct err err = {0};

	f->state.temperature_K = 5;
	assert_true(calibration_to_state(&f->calibration, in_V, &f->state));
	assert_true(isnan(f->state.temperature_K));
	calibration_fini(&f->calibration);
	f->bench->in[3].role = DAQ_TEMPERATURE;
	f->bench->in[3].index = 7;
	f->record.in[3] = (struct channel_calibration){.gain = 0.05, .offset_V = -13.75};
	if (calibration_init(&f->calibration, f->bench, &f->record, f->bench->period_s, &err))
		fail_msg("%s", err.text);
	assert_true(calibration_to_state(&f->calibration, in_V, &f->state));
	assert_near(f->state.temperature_K, 300, 1e-9);
}

/* catches: seconds taken for nanoseconds, the wall clock taken for the loop's, an overflow that expires at once, one
 * from before the machine started taken for none */
static void expiry_is_told_by_the_loops_clock(void **state)
{
	struct calibration_record record = {0};

	(void)state;
	assert_true(calibration_expires_ns(&record, 5, 7) == INT64_MAX);
	record.expires_unix_s = 1000;
	assert_true(calibration_expires_ns(&record, 60, 999 * (int64_t)1000000000) == 1000000060);
	assert_true(calibration_expires_ns(&record, 2000000000, 1001 * (int64_t)1000000000) == 1000000000);
	assert_true(calibration_expires_ns(&record, 60, 1001 * (int64_t)1000000000) == 1);
	record.expires_unix_s = INT64_MAX / 1000000000;
	assert_true(calibration_expires_ns(&record, INT64_MAX / 2, 1) == INT64_MAX);
	record.expires_unix_s = UINT64_MAX;
	assert_true(calibration_expires_ns(&record, 0, 0) == INT64_MAX);
}

/* catches: a result that is not finite and not reported */
static void numbers_that_are_not_finite_are_reported(void **state)
{
	struct fixture *f = *state;
	double in_V[] = {0, NAN, 0, 0}, out_V[3];

	assert_false(calibration_to_state(&f->calibration, in_V, &f->state));
	in_V[1] = 0;
	in_V[3] = INFINITY;
	assert_false(calibration_to_state(&f->calibration, in_V, &f->state));
	f->command.value[0] = NAN;
	assert_false(calibration_to_volts(&f->calibration, &f->command, out_V));
	f->command.value[0] = 1e308;
	f->command.value[1] = -INFINITY;
	assert_false(calibration_to_volts(&f->calibration, &f->command, out_V));
}

/* catches: the period in seconds taken for relaxation times; a limit in newtons compared with natural units */
static void period_and_limits_are_in_natural_units(void **state)
{
	struct fixture *f = *state;

	assert_near(f->calibration.period, TEST_STEP, 1e-14);
	assert_near(f->calibration.out[0].limit, 40, 1e-10);
	assert_true(isinf(f->calibration.out[2].limit));
}

static void assert_refused(const struct fixture *f, const char *about)
{
	struct calibration calibration;
	struct err err = {0};

	assert_int_equal(calibration_init(&calibration, f->bench, &f->record, f->bench->period_s, &err),
			 JOSTLE_ECONFIG);
	if (!strstr(err.text, about))
		fail_msg("expected a word of \"%s\", found: %s", about, err.text);
}

/* catches: a record of another bench that is read beyond its end; a site that nobody sees, left at x = 0 for ever */
static void record_and_bench_must_belong_together(void **state)
{
	struct fixture *f = *state;

	snprintf(f->record.bench, sizeof(f->record.bench), "test-3");
	assert_refused(f, "found one of bench test-3");
	snprintf(f->record.bench, sizeof(f->record.bench), "test-2");
	f->bench->in[1].index = 1;
	assert_refused(f, "site 0");
	f->bench->in[1].index = 9;
	assert_refused(f, "found 9");
	f->bench->in[1].index = 0;
	f->bench->n_out = 2;
	assert_refused(f, "outputs");
}

/* catches: another device's record under the bench's name; measured values that differ as measurements do, refused */
static void oscillators_of_record_and_bench_agree_within_a_factor_of_two(void **state)
{
	struct fixture *f = *state;
	double *const numbers[] = {&f->record.stiffness_N_per_m, &f->record.damping_N_s_per_m,
				   &f->record.temperature_K};
	const char *const names[] = {"stiffness_N_per_m", "damping_N_s_per_m", "temperature_K"};

	for (size_t i = 0; i < 3; i++) {
		const double stated = *numbers[i];
		const double good[] = {0.51, 1.99}, bad[] = {0.49, 2.01};

		for (size_t j = 0; j < 2; j++) {
			struct calibration calibration;
			struct err err = {0};

			*numbers[i] = bad[j] * stated;
			calibration_record_seal(&f->record);
			assert_refused(f, names[i]);
			*numbers[i] = good[j] * stated;
			calibration_record_seal(&f->record);
			assert_int_equal(calibration_init(&calibration, f->bench, &f->record, f->bench->period_s, &err),
					 0);
			calibration_fini(&calibration);
		}
		*numbers[i] = stated;
	}
	f->record.latency_periods = 65;
	assert_refused(f, "latency_periods");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(volts_become_displacements_and_forces_in_natural_units, setup,
						teardown),
		cmocka_unit_test_setup_teardown(commands_become_volts_through_force_units_and_gain, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_commanded_can_be_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(auxiliary_outputs_rest_at_their_safe_voltage, setup, teardown),
		cmocka_unit_test_setup_teardown(temperature_is_in_kelvin_where_it_is_measured, setup, teardown),
		cmocka_unit_test(expiry_is_told_by_the_loops_clock),
		cmocka_unit_test_setup_teardown(numbers_that_are_not_finite_are_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(period_and_limits_are_in_natural_units, setup, teardown),
		cmocka_unit_test_setup_teardown(record_and_bench_must_belong_together, setup, teardown),
		cmocka_unit_test_setup_teardown(oscillators_of_record_and_bench_agree_within_a_factor_of_two, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
