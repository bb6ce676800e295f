#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "control/bench_calibration.h"

/* kT / kappa = (1e-7 m)^2 and gamma / kappa = 0.01 s: T is chosen so that lengths are round. */
#define STIFFNESS_N_PER_M 1e-6
#define LENGTH_M          1e-7
#define FORCE_N           (STIFFNESS_N_PER_M * LENGTH_M)
#define DAMPING_N_S_PER_M 1e-8
#define FIRST_EDGE_NS     1000000000

struct test_script test_script;
struct test_record test_record;

struct plant {
	double x[TEST_SITES];
	double in_V[4];
	int64_t t_ns;
};

void test_script_reset(void)
{
	test_script = (struct test_script){
		.simulated = true,
		.last_resort = DAQ_ENDS_WITH_PROCESS,
		.x0 = {0.5, -0.25},
		.nan_at = TEST_NEVER,
		.fail_at = TEST_NEVER,
		.freeze_at = TEST_NEVER,
		.stand_at = TEST_NEVER,
		.jump_at = TEST_NEVER,
		.miss_at = TEST_NEVER,
		.interrupt_at = TEST_NEVER,
	};
	memset(&test_record, 0, sizeof(test_record));
}

static int plant_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	(void)options;
	(void)err;
	daq->period_s = bench->period_s;
	daq->last_resort = test_script.last_resort;
	test_record.n_opens++;
	daq->simulated = test_script.simulated;
	snprintf(daq->backend, sizeof(daq->backend), "test driver");
	return 0;
}

static int plant_start(struct daq *daq, struct err *err)
{
	struct plant *plant = daq->state;

	test_record.n_starts++;
	test_record.safe = true;
	if (test_script.start_fails)
		return err_set(err, JOSTLE_ENODEV, "the test driver was told not to start");
	memcpy(plant->x, test_script.x0, sizeof(plant->x));
	plant->t_ns = FIRST_EDGE_NS;
	return 0;
}

double test_volts_of_force(const struct bench *bench, size_t output, double natural)
{
	return bench->out[output].offset_V + bench->out[output].gain * FORCE_N * natural;
}

double test_force_of_volts(const struct bench *bench, size_t output, double volts)
{
	return (volts - bench->out[output].offset_V) / (bench->out[output].gain * FORCE_N);
}

/** Euler's step of dx = (-x + u) dt + sqrt(2) dW. */
static void move(struct daq *daq, struct plant *plant, const double out_V[])
{
	double noise[4] = {0};
	double u[TEST_SITES] = {0};

	for (size_t k = 0; k < daq->n_out; k++)
		if (daq->out[k].role == DAQ_FORCE)
			u[daq->out[k].index] = test_force_of_volts(daq->bench, k, out_V[k]);
	if (test_script.noisy)
		random_normals(17, RANDOM_BATH, 0, test_record.n_exchanges, 0, noise);
	for (size_t i = 0; i < TEST_SITES; i++)
		plant->x[i] += TEST_STEP * (u[i] - plant->x[i]) + sqrt(2 * TEST_STEP) * noise[i];
}

static void read_inputs(struct daq *daq, struct plant *plant, uint64_t n)
{
	for (size_t k = 0; k < daq->n_in; k++) {
		const struct bench_channel *c = &daq->bench->in[k];
		const double quantity = c->role == DAQ_DISPLACEMENT ? plant->x[c->index] * LENGTH_M
					: c->role == DAQ_FORCE      ? -plant->x[c->index] * FORCE_N
								    : 1e-3 * (double)(n % 1000);

		plant->in_V[k] = c->offset_V + c->gain * quantity;
	}
}

static int plant_exchange(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	struct plant *plant = daq->state;
	const uint64_t n = test_record.n_exchanges;
	int code = 0;

	if (test_script.before)
		test_script.before(daq);
	test_record.safe = false;
	if (n == test_script.miss_at) {
		plant->t_ns += (int64_t)test_script.n_missed * (int64_t)(TEST_PERIOD_S * 1e9);
		code = JOSTLE_EMISSED;
	}
	if (n == test_script.jump_at)
		plant->x[0] = 1e3;
	if (n == test_script.interrupt_at)
		raise(SIGINT);
	if (n < test_script.freeze_at)
		read_inputs(daq, plant, n);
	memcpy(in_V, plant->in_V, daq->n_in * sizeof(*in_V));
	if (n == test_script.nan_at)
		in_V[1] = NAN;
	*t_ns = plant->t_ns;
	daq->woke_ns = test_script.wake_ns ? plant->t_ns + test_script.wake_ns : 0;
	if (n < TEST_MAX_LOG) {
		memcpy(test_record.out_V[n], out_V, daq->n_out * sizeof(*out_V));
		memcpy(test_record.x[n], plant->x, sizeof(plant->x));
		test_record.t_ns[n] = plant->t_ns;
	}
	move(daq, plant, out_V);
	if (n + 1 != test_script.stand_at)
		plant->t_ns += (int64_t)(TEST_PERIOD_S * 1e9);
	test_record.n_exchanges++;
	if (n == test_script.fail_at)
		code = JOSTLE_EIO;
	if (test_script.after)
		test_script.after(daq);
	return code;
}

static int plant_stop(struct daq *daq)
{
	(void)daq;
	test_record.n_stops++;
	test_record.safe = !test_script.stop_fails;
	return test_record.safe ? 0 : JOSTLE_EIO;
}

static void plant_close(struct daq *daq)
{
	(void)daq;
	test_record.n_closes++;
}

const struct daq_driver test_driver = {
	.name = "test",
	.summary = "obeys a script",
	.state_size = sizeof(struct plant),
	.simulated = true,
	.open = plant_open,
	.start = plant_start,
	.exchange = plant_exchange,
	.stop = plant_stop,
	.close = plant_close,
};

const struct daq_driver *const driver_registry[] = {&test_driver, NULL};

static struct bench_channel in[4], out[TEST_MAX_OUT];
static struct bench bench;
static char name[] = "test-2", summary[] = "two sites", driver[] = "test", text[] = "";

static struct bench *common(void)
{
	in[0] = (struct bench_channel){.role = DAQ_DISPLACEMENT, .index = 1, .gain = -4e6, .offset_V = 0.125};
	in[1] = (struct bench_channel){.role = DAQ_DISPLACEMENT, .index = 0, .gain = 5e6, .offset_V = -0.5};
	in[2] = (struct bench_channel){.role = DAQ_FORCE, .index = 0, .gain = 2e12, .offset_V = 0.25};
	in[3] = (struct bench_channel){.role = DAQ_AUXILIARY, .index = 0, .gain = 1};
	for (size_t k = 0; k < 4; k++) {
		in[k].min_V = in[k].limit_min_V = -40;
		in[k].max_V = in[k].limit_max_V = 40;
		in[k].channel = k;
	}
	in[0].limit = in[1].limit = 50 * LENGTH_M;
	bench = (struct bench){
		.name = name,
		.summary = summary,
		.driver = driver,
		.text = text,
		.period_s = TEST_PERIOD_S,
		.nx = 2,
		.ny = 1,
		.stiffness_N_per_m = STIFFNESS_N_PER_M,
		.damping_N_s_per_m = DAMPING_N_S_PER_M,
		.temperature_K = STIFFNESS_N_PER_M * LENGTH_M * LENGTH_M / BOLTZMANN_J_PER_K,
		.n_in = 4,
		.in = in,
		.out = out,
		.stale_periods = 8,
		.saturated_periods = 5,
	};
	return &bench;
}

static struct bench_channel output(enum daq_role role, size_t index, double gain, double offset_V)
{
	return (struct bench_channel){
		.role = role,
		.index = index,
		.min_V = -10,
		.max_V = 10,
		.limit_min_V = -9,
		.limit_max_V = 9,
		.gain = gain,
		.offset_V = offset_V,
		.safe_V = 0,
	};
}

struct bench *test_bench_feedback(void)
{
	common();
	bench.drive = DRIVE_FEEDBACK;
	out[0] = output(DAQ_FORCE, 1, 1e12, 0.0);
	out[1] = output(DAQ_FORCE, 0, -2e12, 0.0625);
	out[2] = output(DAQ_AUXILIARY, 0, 1, 0);
	out[0].limit = out[1].limit = 40 * FORCE_N;
	out[2].safe_V = 1.5;
	bench.n_out = 3;
	return &bench;
}

void test_bench_give_slew(double V_per_s)
{
	out[0].slew_V_per_s = out[1].slew_V_per_s = V_per_s;
}

struct bench *test_bench_parametric(char **terms, size_t n_terms, const size_t order[], size_t n_parameters)
{
	common();
	bench.drive = DRIVE_PARAMETRIC;
	bench.parameter_terms = terms;
	bench.n_parameter_terms = n_terms;
	bench.n_parameters = n_parameters;
	bench.n_out = n_parameters;
	for (size_t k = 0; k < n_parameters; k++)
		out[k] = output(DAQ_PARAMETER, order[k], 0.1, 0);
	return &bench;
}

void test_bench_open(struct daq *daq, struct calibration_record *record, const struct bench *of, bool paced)
{
	const struct daq_options options = {.seed = 1, .paced = paced};
	struct err err = {0};

	if (bench_calibration_nominal(record, of, &err) || daq_open(daq, of, &options, &err))
		fail_msg("%s", err.text);
}

void test_protocol(struct protocol *protocol, const char *const specs[], size_t n_specs, const double theta[])
{
	const double t[] = {0.01, 1, 4};
	struct network network;
	struct err err = {0};

	if (network_init(&network, 2, 1, specs, n_specs, &err) || protocol_init(protocol, &network, t, 3, &err))
		fail_msg("%s", err.text);
	for (size_t j = 0; j < 3; j++) {
		protocol->wall[j] = (struct wall){.position = 50, .stiffness = 10};
		for (size_t k = 0; k < protocol->network.n_parameters; k++)
			protocol->theta[j * protocol->network.n_parameters + k] = (double)(1 + j) * theta[k];
	}
}
