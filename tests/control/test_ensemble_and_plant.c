/*
 * The engine and the plant are two ways to the same samples: one protocol, a double well that opens while the bath is
 * driven, drawn by the ensemble and through the loop, in both drives, with the same period.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/err.h"
#include "base/pool.h"
#include "control/bench_calibration.h"
#include "control/sampling.h"
#include "daq/bench.h"
#include "protocols/bath.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"
#include "sim/ensemble.h"

#define N_LOOP     1500
#define N_ENSEMBLE 40000
#define N_SITES    2
#define N_KNOTS    24
#define T_MINIMUM  0.05
#define DELTA      0.005

/*
 * What is not the same of the two: the engine takes Euler's steps, the device moves continuously under a force that is
 * held (and, in feedback, a period old). With a stiffness K of up to 7 at the wells both change the variance within a
 * well, 1 / K, by K delta / 2 of itself: 0.003 of all that is compared here.
 */
#define SYSTEMATIC 0.01

/** Two wells at ±(1.4, 1.4), the right one deeper, that grow out of x^2 / 2 as exp(-t / 2) does. */
static void double_well(struct protocol *protocol)
{
	const char *const specs[] = {"onsite-power powers=1,2,4", "bilinear range=1"};
	double t[N_KNOTS];
	struct network network;
	struct err err = {0};

	for (size_t k = 0; k < N_KNOTS; k++)
		t[k] = T_MINIMUM * pow(4.0 / T_MINIMUM, (double)k / (N_KNOTS - 1));
	assert_int_equal(network_init(&network, N_SITES, 1, specs, 2, &err), 0);
	assert_int_equal(network.n_parameters, 7);
	assert_int_equal(protocol_init(protocol, &network, t, N_KNOTS, &err), 0);
	for (size_t k = 0; k < N_KNOTS; k++) {
		const double w = exp(-0.5 * t[k]);
		const double theta[7] = {-0.3 * w, -0.3 * w, 0.5 - 1.6 * w, 0.5 - 1.6 * w,
					 0.35 * w, 0.35 * w, -0.8 * w};

		protocol->wall[k] = (struct wall){.position = 5, .stiffness = 10};
		for (size_t p = 0; p < 7; p++)
			protocol->theta[k * 7 + p] = theta[p];
	}
	protocol->readout_weight = 0.5;
}

static float by_engine[N_ENSEMBLE][N_SITES], by_loop[N_LOOP][N_SITES];

static void draw_with_engine(const struct protocol *protocol)
{
	struct ensemble ensemble;
	struct bath bath;
	struct pool *pool;
	struct err err = {0};
	size_t n_diverged;

	assert_int_equal(bath_init(&bath, "white", &err), 0);
	assert_int_equal(pool_new(&pool, 1, &err), 0);
	assert_int_equal(ensemble_init(&ensemble, N_ENSEMBLE, N_SITES, 3, 0, &err), 0);
	assert_int_equal(ensemble_draw_prior(&ensemble, &bath, pool, &err), 0);
	assert_int_equal(ensemble_generate(&ensemble, protocol, DELTA, pool, NULL, &err), 0);
	assert_int_equal(ensemble_read_out(&ensemble, protocol, &by_engine[0][0], &n_diverged, pool, &err), 0);
	assert_int_equal(n_diverged, 0);
	ensemble_fini(&ensemble);
	pool_free(pool);
}

static void draw_through_loop(const struct protocol *protocol, enum drive kind)
{
	struct calibration_record record;
	struct loop_report report;
	struct bench bench;
	struct err err = {0};
	size_t n_done;

	if (bench_load(&bench, TEST_SOURCE_DIR "/daq/benches/sim-2.yaml", &err))
		fail_msg("%s", err.text);
	assert_int_equal(bench_set_drive(&bench, kind, &err), 0);
	bench.period_s = DELTA * bench.damping_N_s_per_m / bench.stiffness_N_per_m;
	assert_int_equal(bench_calibration_nominal(&record, &bench, &err), 0);
	const struct sampling_options options = {
		.bench = &bench,
		.daq = {.seed = 11},
		.protocol = protocol,
		.record = &record,
		.n_samples = N_LOOP,
		.relax_time = 4,
		.t_final = 4,
		.t_minimum = T_MINIMUM,
	};

	if (sampling_run(&options, &by_loop[0][0], &n_done, &report, &err))
		fail_msg("%s", err.text);
	assert_int_equal(n_done, N_LOOP);
	loop_report_fini(&report);
	calibration_record_fini(&record);
	bench_free(&bench);
}

/* What is compared: the mean over samples of each. */
static double first(const float x[])
{
	return x[0];
}

static double second(const float x[])
{
	return x[1];
}

static double square(const float x[])
{
	return (double)x[0] * x[0];
}

static double other_square(const float x[])
{
	return (double)x[1] * x[1];
}

static double product(const float x[])
{
	return (double)x[0] * x[1];
}

static double difference_square(const float x[])
{
	return ((double)x[0] - x[1]) * ((double)x[0] - x[1]);
}

static double fourth_power(const float x[])
{
	return pow(x[0], 4);
}

static double right(const float x[])
{
	return x[0] + x[1] > 0;
}

static const struct {
	const char *name;
	double (*of)(const float x[]);
} moments[] = {
	{"<x0>", first},          {"<x1>", second},          {"<x0^2>", square},
	{"<x1^2>", other_square}, {"<x0 x1>", product},      {"<(x0 - x1)^2>", difference_square},
	{"<x0^4>", fourth_power}, {"fraction right", right},
};

/** Mean over samples, and the square of its standard error. */
static double mean_of(double (*of)(const float x[]), float samples[][N_SITES], size_t n, double *error2)
{
	double sum = 0, sum2 = 0;

	for (size_t i = 0; i < n; i++) {
		const double value = of(samples[i]);

		sum += value;
		sum2 += value * value;
	}
	*error2 = (sum2 / (double)n - sum / (double)n * sum / (double)n) / (double)n;
	return sum / (double)n;
}

static void assert_equal_in_distribution(const char *drive)
{
	for (size_t m = 0; m < sizeof(moments) / sizeof(moments[0]); m++) {
		double e1, e2;
		const double engine = mean_of(moments[m].of, by_engine, N_ENSEMBLE, &e1);
		const double loop = mean_of(moments[m].of, by_loop, N_LOOP, &e2);
		const double tolerance = 4 * sqrt(e1 + e2) + SYSTEMATIC * (1 + fabs(engine));

		if (!(fabs(loop - engine) <= tolerance))
			fail_msg("%s drive, %s: %g by the engine, %g through the loop, expected within %g", drive,
				 moments[m].name, engine, loop, tolerance);
	}
}

/*
 * catches: the passive force counted twice or left to itself, a coupling or a parameter on the wrong site, theta late by
 * many periods, a sample of another time, a relaxation that is none
 */
static void ensemble_and_plant_are_equal_in_distribution_in_both_drives(void **state)
{
	struct protocol protocol;

	(void)state;
	double_well(&protocol);
	draw_with_engine(&protocol);
	draw_through_loop(&protocol, DRIVE_FEEDBACK);
	assert_equal_in_distribution("feedback");
	draw_through_loop(&protocol, DRIVE_PARAMETRIC);
	assert_equal_in_distribution("parametric");
	protocol_fini(&protocol);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ensemble_and_plant_are_equal_in_distribution_in_both_drives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
