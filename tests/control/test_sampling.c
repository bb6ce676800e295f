/* The job of drawing samples. */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "control/bench_calibration.h"
#include "control/sampling.h"

#define N_SAMPLES  40
#define SHOT_TICKS (400 + 90 + 2)
#define FIRST_TICK 3 /* of the plan */

struct fixture {
	struct sampling_options options;
	struct calibration_record record;
	struct protocol protocol;
	float samples[N_SAMPLES][TEST_SITES];
	size_t n_done;
	struct loop_report report;
	struct err err;
};

static int setup(void **state)
{
	static struct fixture f;
	const char *const specs[] = {"onsite-power powers=2", "bilinear range=1"};
	const double theta[] = {0.8, 0.7, 0.3};
	const struct bench *bench = test_bench_feedback();

	memset(&f, 0, sizeof(f));
	test_script_reset();
	test_script.noisy = true;
	assert_int_equal(bench_calibration_nominal(&f.record, bench, &f.err), 0);
	test_protocol(&f.protocol, specs, 2, theta);
	f.options = (struct sampling_options){
		.bench = bench,
		.protocol = &f.protocol,
		.record = &f.record,
		.n_samples = N_SAMPLES,
		.relax_time = 4,
		.t_final = 1,
		.t_minimum = 0.1,
	};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_report_fini(&f->report);
	calibration_record_fini(&f->record);
	protocol_fini(&f->protocol);
	return 0;
}

static int draw(struct fixture *f)
{
	memset(f->samples, 0x7f, sizeof(f->samples));
	memset(&f->err, 0, sizeof(f->err));
	return sampling_run(&f->options, &f->samples[0][0], &f->n_done, &f->report, &f->err);
}

static void assert_left_safe(void)
{
	assert_true(test_record.safe);
	assert_int_equal(test_record.n_closes, 1);
	assert_true(test_record.n_stops > 0);
}

/* catches: samples lost or doubled between the threads; a bench left running; a report that is not filled */
static void all_samples_arrive_and_the_bench_is_left_safe(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(draw(f), 0);
	assert_int_equal(f->n_done, N_SAMPLES);
	for (size_t n = 0; n < N_SAMPLES; n++)
		for (size_t i = 0; i < TEST_SITES; i++)
			assert_true(fabsf(f->samples[n][i]) < 10);
	assert_true(memcmp(f->samples[0], f->samples[1], sizeof(f->samples[0])) != 0);
	assert_left_safe();
	assert_int_equal(f->report.n_ticks, FIRST_TICK + N_SAMPLES * SHOT_TICKS);
	assert_int_equal(f->report.n_missed, 0);
	assert_true(f->report.simulated);
	assert_string_equal(f->report.backend, "test driver");
	assert_true(fabs(f->report.step - TEST_STEP) < 1e-12);
	assert_int_equal(f->report.trip.cause, TRIP_NONE);
	assert_int_equal(f->report.n_out, 3);
	assert_int_equal(f->report.n_saturated[0], 0);
	assert_true(f->report.execution.n > 0);
}

/* catches: anything that depends on when the two threads run: a request taken at another tick, a sample dropped */
static void equal_runs_give_equal_samples_bit_for_bit(void **state)
{
	struct fixture *f = *state;
	float first[N_SAMPLES][TEST_SITES];

	assert_int_equal(draw(f), 0);
	memcpy(first, f->samples, sizeof(first));
	for (int run = 0; run < 3; run++) {
		loop_report_fini(&f->report);
		memset(&test_record, 0, sizeof(test_record));
		assert_int_equal(draw(f), 0);
		assert_memory_equal(first, f->samples, sizeof(first));
	}
}

/* catches: good samples thrown away after a trip, one too many kept, an error that does not name the cause */
static void trip_keeps_the_samples_so_far_and_says_why(void **state)
{
	struct fixture *f = *state;

	test_script.jump_at = FIRST_TICK + 7 * SHOT_TICKS + 10;
	assert_int_equal(draw(f), JOSTLE_ETRIP);
	assert_int_equal(f->n_done, 7);
	assert_non_null(strstr(f->err.text, "divergence"));
	assert_non_null(strstr(f->err.text, "7 of 40"));
	assert_int_equal(f->report.trip.cause, TRIP_DIVERGENCE);
	assert_left_safe();
}

/* catches: the sample of the very tick that tripped, kept */
static void sample_of_the_tick_that_tripped_is_not_kept(void **state)
{
	struct fixture *f = *state;

	test_script.jump_at = FIRST_TICK + 8 * SHOT_TICKS - 1;
	assert_int_equal(draw(f), JOSTLE_ETRIP);
	assert_int_equal(f->n_done, 7);
}

/* catches: hardware armed without a person's word, or so much as started */
static void hardware_is_not_touched_without_leave_to_arm(void **state)
{
	struct fixture *f = *state;

	test_script.simulated = false;
	assert_int_equal(draw(f), JOSTLE_EINVAL);
	assert_non_null(strstr(f->err.text, "--arm"));
	assert_int_equal(test_record.n_starts, 0);
	assert_int_equal(test_record.n_exchanges, 0);
	assert_int_equal(test_record.n_closes, 1);
	f->options.arm = true;
	test_bench_give_slew(10000);
	assert_int_equal(draw(f), 0);
	assert_false(f->report.simulated);
}

/* catches: hardware driven without the limits that only its file can give; the same asked of a simulated bench */
static void hardware_needs_every_limit_that_a_file_may_leave_out(void **state)
{
	struct fixture *f = *state;
	struct bench *bench = test_bench_feedback();

	test_script.simulated = false;
	f->options.arm = true;
	assert_int_equal(draw(f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "outputs, force 1: expected slew_V_per_s"));
	test_bench_give_slew(10000);
	bench->out[1].limit = 0;
	assert_int_equal(draw(f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "outputs, force 0: expected limit_N"));
	bench->out[1].limit = bench->out[0].limit;
	bench->in[1].limit = 0;
	assert_int_equal(draw(f), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "inputs, displacement 0: expected limit_m"));
	assert_int_equal(test_record.n_starts, 0);
	test_script.simulated = true;
	assert_int_equal(draw(f), 0);
}

/* catches: a bench that was held back throughout and passes in silence; the wrong limit or channel named */
static void outputs_that_were_held_back_are_reported(void **state)
{
	struct fixture *f = *state;
	struct bench *bench = test_bench_feedback();
	char text[512];

	assert_int_equal(draw(f), 0);
	assert_int_equal(f->report.n_driven, N_SAMPLES * 90);
	assert_false(loop_report_limits(&f->report, bench, text, sizeof(text)));
	loop_report_fini(&f->report);

	bench->out[1].slew_V_per_s = 10; /* 1 mV a period, where noise moves the command by 20 */
	assert_int_equal(draw(f), 0);
	assert_true(loop_report_limits(&f->report, bench, text, sizeof(text)));
	assert_non_null(strstr(text, "output 1 (force 0)"));
	assert_non_null(strstr(text, "and 0 times by its limits"));
	assert_non_null(strstr(text, "1 of 3 outputs"));
	assert_true(f->report.n_slewed[1] > f->report.n_driven / 2);
	loop_report_fini(&f->report);

	bench->out[1].slew_V_per_s = 0;
	bench->out[0].limit = 1e-16; /* a thousandth of the natural force */
	bench->saturated_periods = 0;
	assert_int_equal(draw(f), 0);
	assert_true(loop_report_limits(&f->report, bench, text, sizeof(text)));
	assert_non_null(strstr(text, "output 0 (force 1)"));
	assert_non_null(strstr(text, " 0 times by its slew limit"));
}

/*
 * catches: a check that says yes to what the run then refuses, limits, plan and period among it; one that opens the bench
 * or leaves memory behind (sanitizer)
 */
static void check_refuses_what_the_run_would_and_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct bench *bench = test_bench_feedback();

	assert_int_equal(sampling_check(&f->options, &f->err), 0);
	bench->out[0].safe_V = 9.5;
	assert_int_equal(sampling_check(&f->options, &f->err), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "safe_V"));
	bench->out[0].safe_V = 0;
	bench->period_s = 90;
	assert_int_equal(sampling_check(&f->options, &f->err), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "period_s"));
	bench->period_s = TEST_PERIOD_S;
	f->options.relax_time = 1;
	assert_int_equal(sampling_check(&f->options, &f->err), JOSTLE_EINVAL);
	f->options.relax_time = 4;
	bench->driver = (char[]){"no such driver"};
	assert_int_equal(sampling_check(&f->options, &f->err), JOSTLE_ENOENT);
	bench->driver = (char[]){"test"};
	assert_int_equal(sampling_check(&f->options, &f->err), 0);
	assert_int_equal(test_record.n_opens, 0);
	assert_int_equal(test_record.n_closes, 0);
}

/* catches: a failed start reported as success, or left open */
static void bench_that_does_not_start_is_an_error_and_closed(void **state)
{
	struct fixture *f = *state;

	test_script.start_fails = true;
	assert_int_equal(draw(f), JOSTLE_ENODEV);
	assert_int_equal(f->n_done, 0);
	assert_left_safe();
}

/* catches: options that the plan refuses, ignored; a bench left open by them */
static void relaxation_shorter_than_four_is_refused(void **state)
{
	struct fixture *f = *state;

	f->options.relax_time = 3.9;
	assert_int_equal(draw(f), JOSTLE_EINVAL);
	assert_int_equal(test_record.n_starts, 0);
	assert_int_equal(test_record.n_closes, 1);
}

struct taker {
	size_t n, fails_at, pause_ms;
	float last[TEST_SITES];
	float (*samples)[TEST_SITES];
};

static int take(void *context, const float sample[], struct err *err)
{
	struct taker *taker = context;

	if (taker->n == taker->fails_at)
		return err_set(err, JOSTLE_EIO, "the disk is full");
	/* One pause, while the loop fills a ring many times over. */
	usleep(taker->n == 0 ? (unsigned)taker->pause_ms * 1000 : 0);
	assert_memory_equal(sample, taker->samples[taker->n], sizeof(taker->last));
	taker->n++;
	return 0;
}

/* catches: samples handed over out of order, twice or not at all; a failure to take them passed over, or the loop left on */
static void samples_are_handed_over_as_they_come_until_that_fails(void **state)
{
	struct fixture *f = *state;
	struct taker taker = {.fails_at = SIZE_MAX, .samples = f->samples};

	f->options.take = take;
	f->options.context = &taker;
	assert_int_equal(draw(f), 0);
	assert_int_equal(taker.n, N_SAMPLES);
	loop_report_fini(&f->report);

	memset(&test_record, 0, sizeof(test_record));
	taker = (struct taker){.fails_at = 12, .samples = f->samples};
	assert_int_equal(draw(f), JOSTLE_EIO);
	assert_int_equal(f->n_done, 12);
	assert_non_null(strstr(f->err.text, "the disk is full"));
	assert_left_safe();
}

/* catches: samples lost, or done again and others than the seed's, where the collector is slower than an unpaced bench */
static void unpaced_run_waits_for_a_slow_collector(void **state)
{
	struct fixture *f = *state;
	enum { N = 3000 };
	float(*samples)[TEST_SITES] = malloc(N * sizeof(*samples));
	struct taker taker = {.fails_at = SIZE_MAX, .pause_ms = 500, .samples = samples};

	f->options.n_samples = N;
	f->options.take = take;
	f->options.context = &taker;
	assert_int_equal(sampling_run(&f->options, samples[0], &f->n_done, &f->report, &f->err), 0);
	assert_int_equal(taker.n, N);
	assert_int_equal(f->report.n_refused, 0);
	assert_int_equal(f->report.n_ticks, FIRST_TICK + N * SHOT_TICKS);
	free(samples);
}

/* The last test: the process stays interrupted. */
/* catches: an interrupt that loses what was drawn, is taken for a trip, or leaves the bench running */
static void interrupted_run_keeps_its_samples(void **state)
{
	struct fixture *f = *state;

	interrupt_watch();
	test_script.interrupt_at = FIRST_TICK + 5 * SHOT_TICKS + 3;
	/* Long enough that the collector's next look comes before the end. */
	f->options.n_samples = 1000000;
	float *samples = malloc(f->options.n_samples * sizeof(f->samples[0]));

	assert_int_equal(sampling_run(&f->options, samples, &f->n_done, &f->report, &f->err), JOSTLE_EINTR);
	assert_true(f->n_done >= 5);
	assert_true(f->n_done < f->options.n_samples);
	assert_int_equal((f->report.n_ticks - FIRST_TICK) / SHOT_TICKS, f->n_done);
	for (size_t n = 0; n < f->n_done * TEST_SITES; n++)
		assert_true(fabsf(samples[n]) < 10);
	assert_non_null(strstr(f->err.text, "interrupted"));
	assert_left_safe();
	free(samples);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_samples_arrive_and_the_bench_is_left_safe),
		TEST(equal_runs_give_equal_samples_bit_for_bit),
		TEST(trip_keeps_the_samples_so_far_and_says_why),
		TEST(sample_of_the_tick_that_tripped_is_not_kept),
		TEST(hardware_is_not_touched_without_leave_to_arm),
		TEST(hardware_needs_every_limit_that_a_file_may_leave_out),
		TEST(outputs_that_were_held_back_are_reported),
		TEST(check_refuses_what_the_run_would_and_opens_nothing),
		TEST(bench_that_does_not_start_is_an_error_and_closed),
		TEST(relaxation_shorter_than_four_is_refused),
		TEST(samples_are_handed_over_as_they_come_until_that_fails),
		TEST(unpaced_run_waits_for_a_slow_collector),
		TEST(interrupted_run_keeps_its_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
