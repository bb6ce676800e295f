/* The supervisor on the simulated benches: silent on those that ship, awake on one with a blind sensor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "control/bench_calibration.h"
#include "control/loop.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"

#define SIM_2 TEST_SOURCE_DIR "/daq/benches/sim-2.yaml"
#define PLANT TEST_SOURCE_DIR "/sim/plants/two-oscillators.yaml"
#define SEED  3

struct fixture {
	struct bench bench;
	struct daq daq;
	struct calibration_record record;
	struct protocol protocol;
	struct calibration calibration;
	struct program program;
	struct loop loop;
	struct err err;
};

static struct fixture fixture;

/** U = x^2 / 2 on every site: what the bench does by itself. */
static void rest_protocol(struct protocol *protocol, size_t nx, size_t ny)
{
	const char *const specs[] = {"onsite-power powers=2"};
	const double t[] = {0.01, 4};
	struct network network;
	struct err err = {0};

	assert_int_equal(network_init(&network, nx, ny, specs, 1, &err), 0);
	assert_int_equal(protocol_init(protocol, &network, t, 2, &err), 0);
	for (size_t k = 0; k < 2 * nx * ny; k++)
		protocol->theta[k] = 0.5;
}

/** Relax without an end on the bench at `path`, with the plant at `plant` behind it where one is given. */
static void build(const char *path, const char *plant)
{
	struct fixture *f = &fixture;
	const struct segment segment = {.kind = SEGMENT_RELAX, .duration = 1e6};
	const struct plan plan = {.segments = &segment, .n_segments = 1, .n_repeats = 1};
	const struct daq_options options = {.seed = SEED};

	memset(f, 0, sizeof(*f));
	if (bench_load(&f->bench, path, &f->err))
		fail_msg("%s", f->err.text);
	if (plant) {
		free(f->bench.devices[0]);
		f->bench.devices[0] = strdup(plant);
	}
	if (daq_open(&f->daq, &f->bench, &options, &f->err))
		fail_msg("%s", f->err.text);
	assert_int_equal(bench_calibration_nominal(&f->record, &f->bench, &f->err), 0);
	rest_protocol(&f->protocol, f->bench.nx, f->bench.ny);
	const struct program_setup program = {
		.id = 1,
		.bench = &f->bench,
		.calibration = &f->calibration,
		.record = &f->record,
		.protocol = &f->protocol,
		.plan = &plan,
		.period_s = f->daq.period_s,
	};
	const struct loop_setup setup = {.daq = &f->daq,
					 .calibration = &f->calibration,
					 .program = &f->program,
					 .cpu = LOOP_ANY_CPU,
					 .arming_allowed = true};

	if (calibration_init(&f->calibration, &f->bench, &f->record, f->daq.period_s, &f->err) ||
	    program_init(&f->program, &program, &f->err) || loop_init(&f->loop, &setup, &f->err))
		fail_msg("%s", f->err.text);
	assert_true(loop_request(&f->loop, SUPERVISOR_RESET));
	assert_true(loop_request(&f->loop, SUPERVISOR_ARM));
	assert_true(loop_request(&f->loop, SUPERVISOR_RUN));
	assert_int_equal(f->daq.driver->start(&f->daq, &f->err), 0);
}

static void destroy(void)
{
	struct fixture *f = &fixture;

	daq_close(&f->daq);
	loop_fini(&f->loop);
	program_fini(&f->program);
	calibration_fini(&f->calibration);
	protocol_fini(&f->protocol);
	calibration_record_fini(&f->record);
	bench_free(&f->bench);
}

/* catches: a check that a quantised, noisy bench at rest does not pass */
static void shipped_benches_rest_without_a_trip(void **state)
{
	static const struct {
		const char *path;
		long n_ticks;
	} benches[] = {
		{SIM_2, 100000},
		{TEST_SOURCE_DIR "/daq/benches/sim-2-wrong.yaml", 100000},
		{TEST_SOURCE_DIR "/daq/benches/sim-2-guarded.yaml", 100000},
		{TEST_SOURCE_DIR "/daq/benches/sim-12x12.yaml", 10000},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {
		build(benches[i].path, NULL);
		for (long n = 0; n < benches[i].n_ticks; n++)
			loop_tick(&fixture.loop);
		trip_format(&fixture.loop.supervisor.trip, &fixture.bench, text, sizeof(text));
		if (!supervisor_running(&fixture.loop.supervisor))
			fail_msg("%s: %s", benches[i].path, text);
		destroy();
	}
}

static void write_plant(char path[], const char *more)
{
	char text[4000];
	FILE *from = fopen(PLANT, "r");
	const int fd = mkstemps(path, 5);

	assert_non_null(from);
	assert_true(fd >= 0);
	const size_t n = fread(text, 1, sizeof(text) - 1, from);

	fclose(from);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(write(fd, more, strlen(more)), strlen(more));
	close(fd);
}

/* catches: one blind sensor that hides behind the noise of the others */
static void stuck_sensor_trips_while_the_other_moves(void **state)
{
	char path[] = "/tmp/jostle-plant-XXXXXX.yaml", text[512];

	(void)state;
	write_plant(path, "faults:\n  - {kind: stuck, signal: displacement, index: 1, value_V: 0.25}\n");
	build(SIM_2, path);
	for (int n = 0; n < 200; n++)
		loop_tick(&fixture.loop);
	assert_int_equal(fixture.loop.supervisor.state, SUPERVISOR_FAULT);
	assert_int_equal(fixture.loop.supervisor.trip.cause, TRIP_STALE_INPUT);
	trip_format(&fixture.loop.supervisor.trip, &fixture.bench, text, sizeof(text));
	assert_non_null(strstr(text, "input 1 (displacement 1)"));
	destroy();
	unlink(path);
}

/* catches: a converter whose last code is short of its span, so that its end is never seen; noise that unsettles it */
static void saturated_force_sensor_trips(void **state)
{
	char path[] = "/tmp/jostle-plant-XXXXXX.yaml", text[512];

	(void)state;
	write_plant(path, "faults:\n  - {kind: saturated, signal: force-readback, index: 1, value_V: 10}\n");
	build(SIM_2, path);
	for (int n = 0; n < 10; n++)
		loop_tick(&fixture.loop);
	assert_int_equal(fixture.loop.supervisor.state, SUPERVISOR_FAULT);
	assert_int_equal(fixture.loop.supervisor.trip.cause, TRIP_RAIL);
	trip_format(&fixture.loop.supervisor.trip, &fixture.bench, text, sizeof(text));
	assert_non_null(strstr(text, "input 3 (force 1)"));
	destroy();
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_benches_rest_without_a_trip),
		cmocka_unit_test(saturated_force_sensor_trips),
		cmocka_unit_test(stuck_sensor_trips_while_the_other_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
