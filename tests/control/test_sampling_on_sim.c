/* The whole path on the simulated bench: bench file, plant, loop, samples of a law that is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "control/bench_calibration.h"
#include "control/sampling.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"

#define N_SAMPLES 600
#define N_KNOTS   24
#define N_SITES   2
#define DEVIATION 0.5 /* of the target, a normal law */
#define T_MINIMUM 0.1

/** The exact reverse process of N(0, DEVIATION^2): f = x - 2x / v, v = a^2 s^2 + sigma^2, so U = (1/v - 1/2) x^2. */
static void gaussian_protocol(struct protocol *protocol)
{
	const char *const specs[] = {"onsite-power powers=2"};
	double t[N_KNOTS];
	struct network network;
	struct err err = {0};

	for (size_t k = 0; k < N_KNOTS; k++)
		t[k] = T_MINIMUM * pow(4.0 / T_MINIMUM, (double)k / (N_KNOTS - 1));
	assert_int_equal(network_init(&network, N_SITES, 1, specs, 1, &err), 0);
	assert_int_equal(protocol_init(protocol, &network, t, N_KNOTS, &err), 0);
	for (size_t k = 0; k < N_KNOTS; k++) {
		const double v = exp(-2 * t[k]) * DEVIATION * DEVIATION - expm1(-2 * t[k]);

		protocol->wall[k] = (struct wall){.position = 5, .stiffness = 10};
		for (size_t i = 0; i < N_SITES; i++)
			protocol->theta[k * N_SITES + i] = 1 / v - 0.5;
	}
	protocol->readout_weight = 0.5;
}

static float samples[N_SAMPLES][N_SITES], again[N_SAMPLES][N_SITES];

static void draw(enum drive kind, uint64_t seed, float into[N_SAMPLES][N_SITES], struct loop_report *report)
{
	struct calibration_record record;
	struct protocol protocol;
	struct bench bench;
	struct err err = {0};
	size_t n_done;

	if (bench_load(&bench, TEST_SOURCE_DIR "/daq/benches/sim-2.yaml", &err))
		fail_msg("%s", err.text);
	bench.drive = kind;
	bench.period_s = 0.01; /* delta = 0.01: coarse, and quick */
	assert_int_equal(bench_calibration_nominal(&record, &bench, &err), 0);
	gaussian_protocol(&protocol);
	const struct sampling_options options = {
		.bench = &bench,
		.daq = {.seed = seed},
		.protocol = &protocol,
		.record = &record,
		.n_samples = N_SAMPLES,
		.relax_time = 4,
		.t_final = 4,
		.t_minimum = T_MINIMUM,
	};
	if (sampling_run(&options, &into[0][0], &n_done, report, &err))
		fail_msg("%s", err.text);
	assert_int_equal(n_done, N_SAMPLES);
	protocol_fini(&protocol);
	calibration_record_fini(&record);
	bench_free(&bench);
}

static double mean_square(void)
{
	double sum = 0;

	for (size_t n = 0; n < N_SAMPLES; n++)
		for (size_t i = 0; i < N_SITES; i++)
			sum += (double)samples[n][i] * samples[n][i];
	return sum / (N_SAMPLES * N_SITES);
}

/** Of the read-out (x + sigma^2 s / 2) / a with s = -x / v and x of variance v: at this t_min 10 % above the target's. */
static double expected_variance(void)
{
	const double a = exp(-T_MINIMUM), variance = 1 - a * a, v = a * a * DEVIATION * DEVIATION + variance;
	const double factor = (1 - variance / (2 * v)) / a;

	return v * factor * factor;
}

/*
 * The standard error of the variance is 4 %. catches: the passive stiffness counted twice, -20 %, or not at all; outputs
 * of the other drive left on; volts that are not what the plant takes them for
 */
static void gaussian_target_comes_out_with_its_variance_in_both_drives(void **state)
{
	const enum drive kinds[] = {DRIVE_FEEDBACK, DRIVE_PARAMETRIC};

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct loop_report report;

		draw(kinds[d], 5, samples, &report);
		assert_true(fabs(mean_square() / expected_variance() - 1) < 0.12);
		assert_int_equal(report.n_missed, 0);
		loop_report_fini(&report);
	}
}

/* catches: a seed that the plant does not get; anything that depends on the threads */
static void samples_depend_on_the_seed_and_on_nothing_else(void **state)
{
	struct loop_report report;

	(void)state;
	draw(DRIVE_FEEDBACK, 5, samples, &report);
	loop_report_fini(&report);
	draw(DRIVE_FEEDBACK, 5, again, &report);
	loop_report_fini(&report);
	assert_memory_equal(samples, again, sizeof(samples));
	draw(DRIVE_FEEDBACK, 6, again, &report);
	loop_report_fini(&report);
	assert_memory_not_equal(samples, again, sizeof(samples));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaussian_target_comes_out_with_its_variance_in_both_drives),
		cmocka_unit_test(samples_depend_on_the_seed_and_on_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
