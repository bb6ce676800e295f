/* The loop, end to end, on a bench that obeys a script. */
#include "control/support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

static struct loop_fixture fixture;

static void assert_near(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("expected %.15g, found %.15g", expected, found);
}

/** A loop over `bench`, the plan n_repeats times. */
static void build(struct bench *bench, uint64_t n_repeats, bool paced)
{
	loop_fixture_build(&fixture, bench, n_repeats, &(struct loop_setup){.paced = paced, .ends_with_plan = true});
}

static int setup(void **state)
{
	test_script_reset();
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	loop_fixture_destroy(*state);
	return 0;
}

/** f_theta - f_pass of the test protocol, by hand. */
static double wanted_force(double t, const double x[], size_t i)
{
	double at[3];
	struct wall wall;

	protocol_at(&fixture.protocol, t, at, &wall);
	return -2 * at[i] * x[i] - at[2] * x[1 - i] + x[i];
}

/* catches: a command that acts two edges later, or at its own edge; theta of the sample's edge; outputs exchanged */
static void what_is_computed_from_a_sample_acts_one_edge_later(void **state)
{
	struct loop_fixture *f = *state;
	const uint64_t begin = FIRST_TICK + RELAX_TICKS;

	build(test_bench_feedback(), 1, false);
	/* The unstable relaxation would be at rest after 4 relaxation times: keep something to see. */
	test_script.x0[0] = 30;
	test_script.x0[1] = -20;
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_true(f->program.sequencer.done);
	assert_int_equal(test_record.n_exchanges, FIRST_TICK + SHOT_TICKS);
	for (uint64_t n = 1; n < test_record.n_exchanges; n++) {
		const double *x = test_record.x[n - 1], *out_V = test_record.out_V[n];
		const bool driven = n > begin && n <= begin + DRIVEN_TICKS;
		/* t at edge n: t_min at the edge that follows the last driven period. */
		const double t = 0.1 + (double)(begin + DRIVEN_TICKS + 1 - n) * TEST_STEP;

		assert_near(out_V[0], test_volts_of_force(f->bench, 0, driven ? wanted_force(t, x, 1) : 0), 1e-12);
		assert_near(out_V[1],
			    n <= FIRST_TICK ? 0 : test_volts_of_force(f->bench, 1, driven ? wanted_force(t, x, 0) : 0),
			    1e-12);
	}
}

/* catches: a sample of another edge than the last driven one, or of the wrong site */
static void sample_is_the_state_after_the_last_driven_period(void **state)
{
	struct loop_fixture *f = *state;
	const uint64_t edge = FIRST_TICK + RELAX_TICKS + DRIVEN_TICKS + 1;
	struct sample_record *sample = malloc(sequencer_record_size(TEST_SITES));

	test_script.noisy = true;
	build(test_bench_feedback(), 1, false);
	f->protocol.readout_weight = 0;
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_true(ring_pop(&f->samples, sample));
	assert_int_equal(sample->tick, edge);
	for (size_t i = 0; i < TEST_SITES; i++)
		assert_near(sample->value[i], test_record.x[edge][i] / exp(-0.1), 1e-9);
	free(sample);
}

static uint64_t random_state;

/** Any double at all: bit patterns, so that NaN, infinities and denormals come up. */
static double garbage(void)
{
	static const double special[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 5e-324, 0};
	uint32_t words[4];
	double value;

	random_words(99, RANDOM_DATA, 0, random_state++, 0, words);
	if (words[3] % 400 < 7)
		return special[words[3] % 400];
	if (words[3] % 400 < 10) {
		memcpy(&value, words, sizeof(value));
		return value;
	}
	return ldexp((double)(int32_t)words[0], (int)(words[1] % 40) - 50);
}

static void corrupt_protocol(struct daq *daq)
{
	struct potential *potential = &fixture.program.potential;

	(void)daq;
	for (size_t k = 0; k < fixture.protocol.n_knots * potential->packed_size; k++)
		potential->packed[k] = garbage();
}

/* catches: any way round the limits: NaN compared, slew taken from what was wanted, a trip that writes a command */
static void every_voltage_sent_is_within_its_limits_whatever_is_commanded(void **state)
{
	struct loop_fixture *f = *state;
	struct bench *bench = test_bench_feedback();
	size_t n_trips = 0, n_moving = 0;
	uint64_t ready_at = 0;

	bench->out[0].slew_V_per_s = 10000; /* 1 V a period */
	test_script.before = corrupt_protocol;
	test_script.noisy = true;
	build(bench, 1000, false);
	f->loop.ends_with_plan = false;
	/* A drive that has lost its limits as well. */
	for (size_t k = 0; k < bench->n_out; k++)
		f->calibration.out[k].max = -(f->calibration.out[k].min = -INFINITY);
	assert_int_equal(f->daq.driver->start(&f->daq, &f->err), 0);
	for (uint64_t n = 0; n < TEST_MAX_LOG; n++) {
		/* Three requests take three ticks. */
		if (f->loop.supervisor.state == SUPERVISOR_FAULT && n >= ready_at) {
			n_trips++;
			ready_at = n + 4;
			/* The plan would relax first: let the hostile protocol act at once. */
			f->program.sequencer.segments[0].n_ticks = 1;
			request_running(&f->loop);
		}
		loop_tick(&f->loop);
	}
	for (uint64_t n = 0; n < TEST_MAX_LOG; n++) {
		const double *v = test_record.out_V[n], *last = n ? test_record.out_V[n - 1] : v;

		/* 40 units of force: 4 V on output 0, 0.0625 -+ 8 V on output 1. */
		assert_true(fabs(v[0]) <= 4 + 1e-9);
		assert_true(fabs(v[1] - 0.0625) <= 8 + 1e-9);
		assert_true(v[2] == 1.5);
		assert_true(fabs(v[0] - last[0]) <= 1 + 1e-9 || v[0] == 0);
		n_moving += v[0] != 0;
	}
	assert_true(n_trips > 100);
	assert_true(n_moving > TEST_MAX_LOG / 10);
}

/* catches: missed slots counted as one, the grid re-based after them */
static void missed_slots_are_counted_and_the_grid_is_kept(void **state)
{
	struct loop_fixture *f = *state;

	test_script.miss_at = 100;
	test_script.n_missed = 7;
	build(test_bench_feedback(), 1, false);
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_int_equal(f->loop.n_missed, 7);
	assert_int_equal(f->loop.n_ticks, FIRST_TICK + SHOT_TICKS - 7);
	assert_int_equal(f->loop.state.tick, FIRST_TICK + SHOT_TICKS - 1);
	assert_true(f->program.sequencer.done);
	assert_int_equal(f->loop.supervisor.trip.cause, TRIP_NONE);
}

/* catches: a write that came too late, passed over since the clock went on by one period */
static void late_write_is_counted_as_a_missed_slot(void **state)
{
	struct loop_fixture *f = *state;

	test_script.miss_at = 100;
	test_script.n_missed = 0;
	build(test_bench_feedback(), 1, false);
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_int_equal(f->loop.n_missed, 1);
	assert_int_equal(f->loop.state.tick, FIRST_TICK + SHOT_TICKS - 1);
}

/* catches: a stall in the middle of a generation that the sequencer is not told of, sample and all */
static void stall_in_a_generation_spoils_its_sample(void **state)
{
	struct loop_fixture *f = *state;

	for (uint64_t n = 0; n < 8; n += 7) {
		test_script_reset();
		test_script.miss_at = FIRST_TICK + RELAX_TICKS + 20;
		test_script.n_missed = n;
		build(test_bench_feedback(), 1, false);
		request_running(&f->loop);
		assert_int_equal(loop_run(&f->loop, &f->err), 0);
		assert_int_equal(f->program.sequencer.n_spoiled, 1);
		assert_int_equal(f->program.sequencer.n_samples, 1);
		assert_int_equal(f->loop.state.tick, test_script.miss_at + n + SHOT_TICKS - 1);
		if (n == 0)
			teardown(state);
	}
}

/* catches: a client that can say "all inputs are whole" by itself; a refusal that nobody counts */
static void requests_that_are_not_a_persons_to_make_are_refused(void **state)
{
	struct loop_fixture *f = *state;

	build(test_bench_feedback(), 1, false);
	f->loop.ends_with_plan = false;
	assert_int_equal(f->daq.driver->start(&f->daq, &f->err), 0);
	loop_request(&f->loop, SUPERVISOR_WHOLE);
	loop_request(&f->loop, SUPERVISOR_RUN);
	loop_request(&f->loop, SUPERVISOR_ARM);
	loop_request(&f->loop, (enum supervisor_event)77);
	for (int n = 0; n < 8; n++)
		loop_tick(&f->loop);
	assert_int_equal(f->loop.n_refused, 4);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_FAULT);
	request_running(&f->loop);
	loop_request(&f->loop, SUPERVISOR_TRIP);
	for (int n = 0; n < 8; n++)
		loop_tick(&f->loop);
	assert_int_equal(f->loop.n_refused, 5);
	assert_true(supervisor_running(&f->loop.supervisor));
	loop_request(&f->loop, SUPERVISOR_STOP);
	loop_tick(&f->loop);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_IDLE);
}

/* catches: a trip that the loop goes on after, commands written after it, a driver that is not stopped */
static void trip_ends_the_run_with_the_driver_stopped(void **state)
{
	const struct {
		uint64_t *when;
		enum trip_cause cause;
		uint64_t delay; /* ticks until it is noticed */
	} cases[] = {
		{&test_script.nan_at, TRIP_INPUT, 0},          {&test_script.fail_at, TRIP_EXCHANGE, 0},
		{&test_script.jump_at, TRIP_DIVERGENCE, 0},    {&test_script.stand_at, TRIP_STALE_CLOCK, 0},
		{&test_script.freeze_at, TRIP_STALE_INPUT, 6}, /* 8 identical: the last live one and 7 copies */
	};
	struct loop_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_script_reset();
		*cases[i].when = 420;
		build(test_bench_feedback(), 1, false);
		request_running(&f->loop);
		assert_int_equal(loop_run(&f->loop, &f->err), 0);
		assert_int_equal(f->loop.supervisor.trip.cause, cases[i].cause);
		assert_int_equal(f->loop.supervisor.trip.tick, 420 + cases[i].delay);
		assert_int_equal(test_record.n_exchanges, 421 + cases[i].delay);
		assert_true(test_record.safe);
		assert_int_equal(test_record.n_stops, 1);
		for (size_t k = 0; k < f->bench->n_out; k++)
			assert_true(f->loop.out_V[k] == f->bench->out[k].safe_V);
		if (i + 1 < sizeof(cases) / sizeof(cases[0]))
			teardown(state);
	}
}

/* catches: a run that goes on in the middle of a generation after a trip */
static void plan_begins_its_repeat_anew_after_a_trip(void **state)
{
	struct loop_fixture *f = *state;

	test_script.nan_at = FIRST_TICK + RELAX_TICKS + 10;
	build(test_bench_feedback(), 1, false);
	f->loop.ends_with_plan = false;
	assert_int_equal(f->daq.driver->start(&f->daq, &f->err), 0);
	request_running(&f->loop);
	for (uint64_t n = 0; n <= test_script.nan_at; n++)
		loop_tick(&f->loop);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_FAULT);
	for (int n = 0; n < 50; n++)
		loop_tick(&f->loop);
	request_running(&f->loop);
	/* Three requests, the plan beginning with the third. */
	for (int n = 0; n < 2 + SHOT_TICKS; n++) {
		assert_false(f->program.sequencer.done);
		loop_tick(&f->loop);
	}
	assert_true(f->program.sequencer.done);
	assert_int_equal(f->program.sequencer.n_samples, 1);
}

/* catches: a driver's error lost on its way, ticks on a bench that did not start */
static void driver_that_does_not_start_is_an_error(void **state)
{
	struct loop_fixture *f = *state;

	test_script.start_fails = true;
	build(test_bench_feedback(), 1, false);
	assert_int_equal(loop_start(&f->loop, &f->err), 0);
	assert_int_equal(loop_join(&f->loop, &f->err), JOSTLE_ENODEV);
	assert_non_null(strstr(f->err.text, "told not to start"));
	assert_int_equal(test_record.n_exchanges, 0);
	assert_true(test_record.safe);
}

static void fail_this_one(struct daq *daq)
{
	(void)daq;
	test_script.fail_at = test_record.n_exchanges;
}

/* catches: a loop that runs away with the processor, and fills the disk, when its bench has gone; failures among the wake-ups */
static void bench_that_fails_is_asked_once_a_period(void **state)
{
	struct loop_fixture *f = *state;
	const int64_t start_ns = clock_now_ns();

	build(test_bench_feedback(), 1, true);
	assert_int_equal(f->daq.driver->start(&f->daq, &f->err), 0);
	test_script.before = fail_this_one;
	test_script.wake_ns = 1000;
	for (int i = 0; i < 100; i++)
		loop_tick(&f->loop);
	/* The first of them has nothing to wait for. */
	assert_true((double)(clock_now_ns() - start_ns) >= 99 * TEST_PERIOD_S * 1e9);
	assert_int_equal(f->loop.timing.wake.n, 0);
	assert_int_equal(f->loop.timing.period.n, 0);
	test_script.before = NULL;
	for (int i = 0; i < 2; i++)
		loop_tick(&f->loop);
	assert_int_equal(f->loop.timing.wake.n, 2);
	assert_int_equal(f->loop.timing.period.n, 1);
}

/* catches: a run that ends well though its last write failed, an end that forgets why the start had failed */
static void outputs_that_do_not_become_safe_are_an_error(void **state)
{
	struct loop_fixture *f = *state;

	build(test_bench_feedback(), 1, false);
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_true(loop_left_safe(&f->loop));
	test_script.stop_fails = true;
	assert_int_equal(loop_run(&f->loop, &f->err), JOSTLE_EIO);
	assert_false(loop_left_safe(&f->loop));
	assert_non_null(strstr(f->err.text, "unknown"));
	test_script.start_fails = true;
	assert_int_equal(loop_run(&f->loop, &f->err), JOSTLE_ENODEV);
	assert_false(loop_left_safe(&f->loop));
}

/* catches: a clock read at every tick of an unpaced run, or not at every tick of a paced one */
static void execution_times_are_sampled_unpaced_and_whole_paced(void **state)
{
	struct loop_fixture *f = *state;

	build(test_bench_feedback(), 1, false);
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_int_equal(f->loop.timing.execution.n, (f->loop.n_ticks + 63) / 64);
	teardown(state);
	test_script_reset();
	build(test_bench_feedback(), 1, true);
	request_running(&f->loop);
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	assert_int_equal(f->loop.timing.execution.n, f->loop.n_ticks);
}

/* catches: a limit, bench or program that does not fit, taken all the same; memory left behind (sanitizer) */
static void loop_that_cannot_be_built_says_why(void **state)
{
	struct loop_fixture *f = *state;
	struct program other = {0};
	struct loop loop;

	build(test_bench_feedback(), 1, false);
	struct loop_setup s = {.daq = &f->daq, .calibration = &f->calibration, .program = &other};

	assert_int_equal(loop_init(&loop, &s, &f->err), JOSTLE_EINVAL);
	s.program = NULL;
	assert_int_equal(loop_init(&loop, &s, &f->err), JOSTLE_EINVAL);
	s.program = &f->program;
	f->bench->out[0].safe_V = 9.5;
	assert_int_equal(loop_init(&loop, &s, &f->err), JOSTLE_ECONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_computed_from_a_sample_acts_one_edge_later),
		TEST(sample_is_the_state_after_the_last_driven_period),
		TEST(every_voltage_sent_is_within_its_limits_whatever_is_commanded),
		TEST(missed_slots_are_counted_and_the_grid_is_kept),
		TEST(late_write_is_counted_as_a_missed_slot),
		TEST(stall_in_a_generation_spoils_its_sample),
		TEST(requests_that_are_not_a_persons_to_make_are_refused),
		TEST(trip_ends_the_run_with_the_driver_stopped),
		TEST(plan_begins_its_repeat_anew_after_a_trip),
		TEST(driver_that_does_not_start_is_an_error),
		TEST(bench_that_fails_is_asked_once_a_period),
		TEST(outputs_that_do_not_become_safe_are_an_error),
		TEST(execution_times_are_sampled_unpaced_and_whole_paced),
		TEST(loop_that_cannot_be_built_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
