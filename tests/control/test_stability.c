/* Which periods a generation can be run with. */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/ring.h"
#include "control/calibration.h"
#include "base/ring.h"
#include "control/calibration.h"
#include "control/program.h"
#include "control/stability.h"
#include "protocols/diffusion.h"

static const struct segment segments[] = {
	{.kind = SEGMENT_RELAX, .duration = 4},
	{.kind = SEGMENT_GENERATE, .t_final = 1, .t_minimum = 0.1},
};

/** Where x_(n+1) = x_n - k x_(n-d) has gone after many steps from 1. */
static double swing(double k, size_t d)
{
	double x[20], most = 0;

	for (size_t i = 0; i <= d; i++)
		x[i] = 1;
	for (size_t n = 0; n < 20000; n++) {
		const double next = x[d] - k * x[0];

		memmove(x, x + 1, d * sizeof(x[0]));
		x[d] = next;
		if (n > 19000)
			most = fmax(most, fabs(next));
	}
	return most;
}

/* catches: a bound that forgets the one period of every bench, or counts the latency the other way round */
static void bound_is_where_a_delayed_force_begins_to_swing(void **state)
{
	(void)state;
	assert_true(fabs(stability_bound(0) - 1) < 1e-12);
	for (size_t latency = 0; latency < 6; latency++) {
		assert_true(swing(0.99 * stability_bound((double)latency), 1 + latency) < 1e-6);
		assert_true(swing(1.01 * stability_bound((double)latency), 1 + latency) > 1e6);
		assert_true(stability_bound((double)latency + 0.5) < stability_bound((double)latency));
	}
}

static int try_period(struct bench *bench, double wall, double latency, double period_s, struct err *err)
{
	const char *const specs[] = {"onsite-power powers=2"};
	const double theta[] = {0.8, 0.7};
	const struct plan plan = {.segments = segments, .n_segments = 2, .n_repeats = 1};
	struct calibration_record record;
	struct protocol protocol;
	struct ring samples;
	struct calibration calibration;
	struct program program;
	struct daq daq;

	bench->period_s = period_s;
	test_script_reset();
	test_bench_open(&daq, &record, bench, false);
	record.latency_periods = latency;
	calibration_record_seal(&record);
	test_protocol(&protocol, specs, 1, theta);
	protocol.wall[0].stiffness = 1;
	protocol.wall[1].stiffness = wall; /* at t = 1: the generation's other end */
	assert_int_equal(ring_init(&samples, sequencer_record_size(TEST_SITES), 1, err), 0);
	assert_int_equal(calibration_init(&calibration, bench, &record, daq.period_s, err), 0);
	const int code = program_init(&program,
				      &(struct program_setup){.id = 1,
							      .bench = bench,
							      .calibration = &calibration,
							      .record = &record,
							      .protocol = &protocol,
							      .samples = &samples,
							      .plan = &plan,
							      .period_s = daq.period_s},
				      err);

	if (code == 0)
		program_fini(&program);
	calibration_fini(&calibration);
	ring_fini(&samples);
	protocol_fini(&protocol);
	calibration_record_fini(&record);
	daq_close(&daq);
	return code;
}

/** The longest period must be refused just above `longest`, in relaxation times, and taken just below. */
static void assert_longest(struct bench *bench, double wall, double latency, double longest)
{
	const double relaxation_s = TEST_PERIOD_S / TEST_STEP;
	struct err err = {0};
	double advice_s = 0;

	assert_int_equal(try_period(bench, wall, latency, 1.01 * longest * relaxation_s, &err), JOSTLE_ECONFIG);
	const char *advice = strstr(err.text, "at most ");

	assert_non_null(strstr(err.text, "period_s"));
	assert_non_null(advice);
	assert_int_equal(sscanf(advice, "at most %lf s", &advice_s), 1);
	assert_true(fabs(advice_s / (longest * relaxation_s) - 1) < 0.006);
	assert_int_equal(try_period(bench, wall, latency, 0.99 * longest * relaxation_s, &err), 0);
}

/*
 * catches: a period of many relaxation times that runs; one of wall, sharpness and latency left out; a period refused for
 * what is commanded at no edge; bad advice
 */
static void period_too_long_for_the_stiffest_force_is_refused_with_one_that_would_do(void **state)
{
	char term[] = "onsite-power powers=2", *terms[] = {term};
	const size_t order[] = {0, 1};
	/* The periods p at which the last command, for t = 0.1 + p, is as stiff as p bears; a site's own 1 comes at once. */
	double late = 0, sharpest = 0;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 200; i++) {
		late = 1 / (2 / diffusion_variance(0.1 + late) - 1);
		sharpest = diffusion_variance(0.1 + sharpest) / 2;
	}
	assert_longest(test_bench_feedback(), 1, 0, late);
	assert_longest(test_bench_feedback(), 300, 0, 1.0 / 299);
	assert_longest(test_bench_feedback(), 300, 1, 2 * sin(M_PI / 10) / 299);
	/* No wall is commanded here, and nothing is late. */
	assert_longest(test_bench_parametric(terms, 1, order, 2), 300, 3, sharpest);
	assert_int_equal(try_period(test_bench_feedback(), 10, 0, 90, &err), JOSTLE_ECONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_is_where_a_delayed_force_begins_to_swing),
		cmocka_unit_test(period_too_long_for_the_stiffest_force_is_refused_with_one_that_would_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
