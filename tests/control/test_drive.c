/* The drive: what is commanded for a setpoint and a state. */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "control/bench_calibration.h"
#include "control/calibration.h"
#include "control/drive.h"
#include "control/potential.h"

struct fixture {
	struct bench *bench;
	struct calibration_record record;
	struct calibration calibration;
	struct protocol protocol;
	struct potential potential;
	struct drive_law drive;
	struct state state;
	struct command command;
	struct err err;
};

static void assert_near(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("expected %.15g, found %.15g", expected, found);
}

/** Everything but the drive. */
static void build(struct fixture *f, struct bench *bench, const char *const specs[], size_t n_specs,
		  const double theta[])
{
	*f = (struct fixture){.bench = bench};
	assert_int_equal(bench_calibration_nominal(&f->record, bench, &f->err), 0);
	assert_int_equal(calibration_init(&f->calibration, bench, &f->record, bench->period_s, &f->err), 0);
	test_protocol(&f->protocol, specs, n_specs, theta);
	assert_int_equal(potential_init(&f->potential, &f->protocol, &f->err), 0);
	assert_int_equal(state_init(&f->state, TEST_SITES, &f->err), 0);
	assert_int_equal(command_init(&f->command, bench->n_out, &f->err), 0);
}

static int make_drive(struct fixture *f)
{
	return drive_init(&f->drive, f->bench, &f->calibration, &f->record, &f->potential, &f->err);
}

static void destroy(struct fixture *f)
{
	drive_fini(&f->drive);
	potential_fini(&f->potential);
	protocol_fini(&f->protocol);
	calibration_fini(&f->calibration);
	calibration_record_fini(&f->record);
	state_fini(&f->state);
	command_fini(&f->command);
}

static void step(struct fixture *f, enum setpoint_kind kind, double t)
{
	const struct setpoint setpoint = {.kind = kind, .t = t};

	drive_step(&f->drive, &setpoint, &f->state, &f->command);
}

/* U = 0.3 (x0^2 + x1^2) + 0.05 (x0^4 + x1^4) + 0.4 x0 x1 at the first knot, twice that at the second. */
static const char *const quartic[] = {"onsite-power powers=2,4", "bilinear range=1"};
static const double quartic_theta[] = {0.3, 0.3, 0.05, 0.05, 0.4};

static double quartic_force(double scale, double x, double other)
{
	return -scale * (0.6 * x + 0.2 * x * x * x + 0.4 * other);
}

/* catches: the passive stiffness counted twice (u = f) or subtracted twice (u = f + 2x); sites and outputs exchanged */
static void feedback_is_the_protocols_force_less_the_passive_one(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, test_bench_feedback(), quartic, 2, quartic_theta);
	assert_int_equal(make_drive(&f), 0);
	f.state.x[0] = 0.7;
	f.state.x[1] = -1.3;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_near(f.command.value[1], quartic_force(1, 0.7, -1.3) + 0.7, 1e-12);
	assert_near(f.command.value[0], quartic_force(1, -1.3, 0.7) - 1.3, 1e-12);
	step(&f, SETPOINT_PROTOCOL, 1);
	assert_near(f.command.value[1], quartic_force(2, 0.7, -1.3) + 0.7, 1e-12);
	destroy(&f);
}

/* catches: the nominal -x taken instead of the record, a coefficient at the wrong power */
static void passive_force_is_that_of_the_calibration(void **state)
{
	const double c[] = {0.11, -1.2, 0.13, -0.14};
	struct fixture f;

	(void)state;
	build(&f, test_bench_feedback(), quartic, 2, quartic_theta);
	memcpy(f.record.passive[1].c, c, sizeof(c));
	assert_int_equal(make_drive(&f), 0);
	f.state.x[1] = 1.5;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_near(f.command.value[0], quartic_force(1, 1.5, 0) - (0.11 - 1.2 * 1.5 + 0.13 * 2.25 - 0.14 * 3.375),
		    1e-12);
	assert_near(f.command.value[1], quartic_force(1, 0, 1.5), 1e-12);
	destroy(&f);
}

/* catches: the potential of the last generation left on while the bench is to relax */
static void passive_setpoint_commands_nothing(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, test_bench_feedback(), quartic, 2, quartic_theta);
	assert_int_equal(make_drive(&f), 0);
	f.state.x[0] = 2;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_true(f.command.value[1] != 0);
	step(&f, SETPOINT_PASSIVE, 0);
	for (size_t k = 0; k < f.command.n_out; k++)
		assert_true(f.command.value[k] == 0);
	destroy(&f);
}

/* catches: a limit in newtons taken for natural units, a one-sided limit, NaN turned into a full-scale command */
static void commands_saturate_at_the_physical_limit_and_are_counted(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, test_bench_feedback(), quartic, 2, quartic_theta);
	assert_int_equal(make_drive(&f), 0);
	f.state.x[0] = 8;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_near(f.command.value[1], -40, 1e-9);
	assert_true(f.command.saturated[1]);
	assert_false(f.command.saturated[0]);
	step(&f, SETPOINT_PASSIVE, 0);
	assert_false(f.command.saturated[1]);
	f.state.x[0] = -8;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_near(f.command.value[1], 40, 1e-9);
	assert_int_equal(f.drive.n_saturated[1], 2);
	assert_int_equal(f.drive.n_saturated[0], 0);
	f.state.x[0] = NAN;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_true(isnan(f.command.value[1]));
	f.state.x[0] = 8;
	for (size_t k = 0; k < f.potential.packed_size; k++)
		f.potential.packed[k] = 1e308;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_true(isinf(f.command.value[1]));
	assert_int_equal(f.drive.n_saturated[1], 2);
	destroy(&f);
}

/* catches: a channel without a limit of force driven into a trip at the end of its converter's range */
static void commands_saturate_where_the_volts_end_when_force_has_no_limit(void **state)
{
	struct fixture f;
	struct bench *bench = test_bench_feedback();

	(void)state;
	bench->out[0].limit = 0;
	bench->out[1].limit = 0;
	build(&f, bench, quartic, 2, quartic_theta);
	assert_int_equal(make_drive(&f), 0);
	f.state.x[0] = f.state.x[1] = 20;
	step(&f, SETPOINT_PROTOCOL, 0.01);
	/* -9 V at 0.1 V per unit of force; 9 V at -0.2 V per unit from 0.0625 V. */
	assert_near(f.command.value[0], -90, 1e-9);
	assert_near(f.command.value[1], -(9 - 0.0625) / 0.2, 1e-9);
	assert_int_equal(f.drive.n_saturated[0], 1);
	destroy(&f);
}

/* catches: a site that is left to itself although the protocol drives it; protocols of another lattice */
static void feedback_needs_a_force_output_for_every_site(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, test_bench_feedback(), quartic, 2, quartic_theta);
	f.bench->out[1].index = 1;
	assert_int_equal(make_drive(&f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f.err.text, "site 0"));
	f.bench->nx = 1;
	f.bench->ny = 2;
	assert_int_equal(make_drive(&f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f.err.text, "1 x 2"));
	destroy(&f);
}

static char *terms[] = {(char[]){"onsite-power powers=2,4"}, (char[]){"bilinear range=1"}};

/** The output that carries a parameter, found through the names alone. */
static double value_of(const struct fixture *f, const char *name)
{
	struct network network;
	char found[64];
	double value = NAN;
	struct err err = {0};

	assert_int_equal(network_init(&network, 2, 1, (const char *const *)terms, 2, &err), 0);
	for (size_t k = 0; k < f->bench->n_out; k++) {
		network_parameter_name(&network, f->bench->out[k].index, found, sizeof(found));
		if (strcmp(found, name) == 0)
			value = f->command.value[k];
	}
	network_fini(&network);
	return value;
}

/* catches: parameters matched by position, the protocol's or the bench's; the device's own x^2/2 not subtracted */
static void parametric_outputs_are_matched_by_name_in_any_order(void **state)
{
	const size_t orders[][5] = {{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}};
	/* The protocol's terms are in another order than the bench's, and lack one. */
	const char *const specs[] = {"bilinear range=1", "onsite-power powers=2"};
	const double theta[] = {0.4, 0.8, 0.9};

	(void)state;
	for (size_t o = 0; o < 3; o++) {
		struct fixture f;

		build(&f, test_bench_parametric(terms, 2, orders[o], 5), specs, 2, theta);
		assert_int_equal(make_drive(&f), 0);
		step(&f, SETPOINT_PROTOCOL, 0.01);
		assert_near(value_of(&f, "x0^2"), 0.8 - 0.5, 1e-12);
		assert_near(value_of(&f, "x1^2"), 0.9 - 0.5, 1e-12);
		assert_near(value_of(&f, "x0 x1"), 0.4, 1e-12);
		assert_near(value_of(&f, "x0^4"), 0, 0);
		step(&f, SETPOINT_PROTOCOL, 4);
		assert_near(value_of(&f, "x1^2"), 3 * 0.9 - 0.5, 1e-12);
		step(&f, SETPOINT_PASSIVE, 0);
		for (size_t k = 0; k < 5; k++)
			assert_true(f.command.value[k] == 0);
		destroy(&f);
	}
}

/* catches: a passive cubic force subtracted with the wrong factor or sign */
static void parametric_drive_subtracts_every_passive_power(void **state)
{
	const size_t order[] = {3, 1, 2, 0, 4};
	struct fixture f;

	(void)state;
	build(&f, test_bench_parametric(terms, 2, order, 5), quartic, 2, quartic_theta);
	f.record.passive[1].c[3] = -0.12; /* U_pass = 0.03 x^4 */
	assert_int_equal(make_drive(&f), 0);
	step(&f, SETPOINT_PROTOCOL, 0.01);
	assert_near(value_of(&f, "x1^4"), 0.05 - 0.03, 1e-12);
	assert_near(value_of(&f, "x0^4"), 0.05, 1e-12);
	destroy(&f);
}

/* catches: a parameter or a passive force silently left out */
static void what_a_parametric_bench_cannot_do_is_named(void **state)
{
	const size_t order[] = {0, 1, 2, 3, 4};
	const char *const specs[] = {"onsite-power powers=2-3"};
	const double theta[] = {1, 1, 1, 1};
	struct fixture f;

	(void)state;
	build(&f, test_bench_parametric(terms, 2, order, 5), specs, 1, theta);
	assert_int_equal(make_drive(&f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f.err.text, "\"x0^3\""));
	destroy(&f);
	build(&f, test_bench_parametric(terms, 2, order, 5), quartic, 2, quartic_theta);
	f.record.passive[1].c[0] = 0.1;
	assert_int_equal(make_drive(&f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f.err.text, "\"x1\""));
	destroy(&f);
}

/* catches: a loop that runs a network with hidden units, or of several temperatures, as if it were plain */
static void networks_that_the_loop_cannot_carry_out_are_refused(void **state)
{
	const char *const specs[] = {"onsite-power powers=2"};
	const double theta[TEST_SITES] = {0};
	struct fixture f;

	(void)state;
	build(&f, test_bench_feedback(), specs, 1, theta);
	potential_fini(&f.potential);
	f.protocol.network.variables[1].temperature = 2.0;
	assert_int_equal(potential_init(&f.potential, &f.protocol, &f.err), JOSTLE_ECONFIG);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feedback_is_the_protocols_force_less_the_passive_one),
		cmocka_unit_test(passive_force_is_that_of_the_calibration),
		cmocka_unit_test(passive_setpoint_commands_nothing),
		cmocka_unit_test(networks_that_the_loop_cannot_carry_out_are_refused),
		cmocka_unit_test(commands_saturate_at_the_physical_limit_and_are_counted),
		cmocka_unit_test(commands_saturate_where_the_volts_end_when_force_has_no_limit),
		cmocka_unit_test(feedback_needs_a_force_output_for_every_site),
		cmocka_unit_test(parametric_outputs_are_matched_by_name_in_any_order),
		cmocka_unit_test(parametric_drive_subtracts_every_passive_power),
		cmocka_unit_test(what_a_parametric_bench_cannot_do_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
