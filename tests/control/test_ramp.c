/* The way to safe outputs: it arrives in time, within slew limits when there is time, and never leaves what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "control/ramp.h"
#include "daq/bench.h"

#define MS    1000000
#define N_OUT 4

static struct bench_channel out[N_OUT];
static struct bench bench;
static struct ramp ramp;

/* Two forces with slew limits of 1 and 10 V a millisecond, one without, and a heartbeat line that is high at 5 V. */
static int ramp_new(void **state)
{
	struct err err = {0};

	(void)state;
	for (size_t c = 0; c < N_OUT; c++)
		out[c] = (struct bench_channel){
			.role = DAQ_FORCE, .min_V = -10, .max_V = 10, .limit_min_V = -9, .limit_max_V = 9};
	out[0].slew_V_per_s = 1e3;
	out[1].slew_V_per_s = 1e4;
	out[1].safe_V = 0.5;
	out[3].role = DAQ_HEARTBEAT;
	bench = (struct bench){.n_out = N_OUT, .out = out};
	return ramp_init(&ramp, &bench, MS, &err);
}

static int ramp_free(void **state)
{
	(void)state;
	ramp_fini(&ramp);
	ramp_fini(&ramp);
	return 0;
}

static void assert_safe(void)
{
	assert_true(ramp.safe);
	for (size_t c = 0; c < N_OUT; c++)
		assert_true(ramp.out_V[c] == out[c].safe_V);
}

/* catches: a step within one channel's slew limit that breaks another's, a limit counted per second instead of per step */
static void it_keeps_every_slew_limit_while_there_is_time(void **state)
{
	const double from_V[N_OUT] = {4, 9, -8, 5};
	double last_V[N_OUT];
	int steps = 0;

	(void)state;
	ramp_begin(&ramp, from_V, 1000 * MS);
	assert_false(ramp.safe);
	while (!ramp.safe) {
		memcpy(last_V, ramp.out_V, sizeof(last_V));
		ramp_step(&ramp, ++steps * (int64_t)MS);
		for (size_t c = 0; c < 2; c++)
			assert_true(fabs(ramp.out_V[c] - last_V[c]) <= 0.5e-3 * out[c].slew_V_per_s * (1 + 1e-9));
		assert_true(steps < 100);
	}
	/* and wastes none: 4 V at 0.5 V a step, which leaves the other the same time */
	assert_in_range(steps, 8, 9);
	assert_safe();
}

/* catches: a slew limit that outranks the deadline, an arrival one step late */
static void it_arrives_in_time_whatever_the_slew_limits(void **state)
{
	const double from_V[N_OUT] = {9, -9, 9, 0};

	(void)state;
	ramp_begin(&ramp, from_V, 5 * MS);
	for (int ms = 0; ms < 4; ms++) {
		ramp_step(&ramp, (int64_t)ms * MS);
		assert_false(ramp.safe);
		/* in equal parts */
		assert_true(fabs(ramp.out_V[0] - 9.0 * (4 - ms) / 5.0) < 1e-9);
	}
	ramp_step(&ramp, 4 * (int64_t)MS);
	assert_safe();
}

/* catches: a ramp that is begun too late and goes backwards, or never arrives */
static void begun_too_late_it_is_there_at_once(void **state)
{
	const double from_V[N_OUT] = {9, -9, 9, 5};

	(void)state;
	ramp_begin(&ramp, from_V, 5 * MS);
	ramp_step(&ramp, 7 * MS);
	assert_safe();
}

/* catches: outputs that move each at its own pace: on the way their difference would grow beyond both ends' */
static void all_outputs_go_the_same_part_of_their_ways(void **state)
{
	const double from_V[N_OUT] = {3, 9, -6, 0};

	(void)state;
	ramp_begin(&ramp, from_V, 1000 * MS);
	for (int ms = 0; !ramp.safe; ms++) {
		const double part = ramp.out_V[0] / 3.0;

		assert_true(fabs((ramp.out_V[1] - 0.5) / 8.5 - part) < 1e-9);
		assert_true(fabs(ramp.out_V[2] / -6.0 - part) < 1e-9);
		ramp_step(&ramp, (int64_t)ms * MS);
	}
}

/* catches: a NaN on the page that reaches a converter, volts beyond the limits, a heartbeat line that keeps a monostable up */
static void what_a_dead_loop_left_is_not_believed(void **state)
{
	const double from_V[N_OUT] = {NAN, 1e300, -INFINITY, 5};

	(void)state;
	ramp_begin(&ramp, from_V, 1000 * MS);
	assert_true(ramp.out_V[0] == 0.0);
	assert_true(ramp.out_V[1] == 9.0);
	assert_true(ramp.out_V[2] == 0.0);
	assert_true(ramp.out_V[3] == 0.0);
	ramp_step(&ramp, 0);
	for (size_t c = 0; c < N_OUT; c++)
		assert_true(ramp.out_V[c] >= -9 && ramp.out_V[c] <= 9);
}

#define RAMP_TEST(test) cmocka_unit_test_setup_teardown(test, ramp_new, ramp_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RAMP_TEST(it_keeps_every_slew_limit_while_there_is_time),
		RAMP_TEST(it_arrives_in_time_whatever_the_slew_limits),
		RAMP_TEST(begun_too_late_it_is_there_at_once),
		RAMP_TEST(all_outputs_go_the_same_part_of_their_ways),
		RAMP_TEST(what_a_dead_loop_left_is_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
