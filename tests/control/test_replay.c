/*
 * A run with everything in it that a run may have, recorded, and replayed bit for bit; and recordings that were changed.
 *
 * The bench is sim-2 with a longer period, behind a driver that spoils samples at ticks that the script names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/ring.h"
#include "control/bench_calibration.h"
#include "control/loop.h"
#include "control/recorder.h"
#include "control/replay.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"
#include "support/hdf5_leaks.h"

#define N_TICKS    8000
#define N_SITES    2
#define N_KNOTS    12
#define N_PROGRAMS 4
#define T_MINIMUM  0.1
#define NEVER      UINT64_MAX

/** What is recorded of the run, and where in the script's ticks. */
struct scene {
	enum drive drive;
	uint64_t on_at, off_at, on_again_at; /* recording */
	uint64_t segment_bytes;
	bool patient;               /* the recorder keeps up, and closes its file in a pause */
	char folder[64], path[128]; /* path: of the first file */
	struct bench bench;
	struct calibration_record record;
	struct calibration calibration;
	struct daq daq;
	struct protocol protocols[2];
	struct program programs[N_PROGRAMS];
	struct ring samples;
	struct loop loop;
	struct recorder *recorder;
	uint64_t n_samples, n_trips, n_refused;
};

static const struct daq_driver *behind;
static uint64_t now; /* the tick under way */

/** One process has one bench at a time: the driver's script is the file's own. */
static int spoil(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	static double frozen_V[64];
	int code = behind->exchange(daq, out_V, in_V, t_ns);

	if (now == 450 || now == 812) { /* slots go by without a tick */
		double lost_V[64];

		for (int slot = 0; slot < 3; slot++)
			behind->exchange(daq, out_V, lost_V, t_ns);
		memcpy(in_V, lost_V, daq->n_in * sizeof(*in_V));
		code = JOSTLE_EMISSED;
	}
	if (now == 4600) /* the write came too late, and no slot was lost */
		code = JOSTLE_EMISSED;
	if (now == 1500)
		in_V[1] = nan("0x55");
	if (now == 2100)
		code = JOSTLE_EIO;
	if ((now >= 3400 && now < 3460) || (now >= 7600 && now < 7660)) /* inputs stand still, too long */
		memcpy(in_V, frozen_V, daq->n_in * sizeof(*in_V));
	memcpy(frozen_V, in_V, daq->n_in * sizeof(*in_V));
	return code;
}

static uint32_t outside(void *context, uint64_t number, int64_t now_ns, uint32_t found)
{
	(void)context;
	(void)now_ns;
	if (number >= 4000 && number < 4004)
		found |= OUTSIDE_GUARDIAN_LOST;
	if (number >= 5300 && number < 5700) /* nobody takes the samples */
		found |= OUTSIDE_NO_ROOM;
	return found;
}

static const struct {
	uint64_t at;
	struct request request;
	size_t program; /* of scene.programs */
} script[] = {
#define EVENT(tick, what)                                                                                              \
	{                                                                                                              \
		.at = tick, .request = {.kind = REQUEST_EVENT, .event = SUPERVISOR_##what }                            \
	}
#define PROGRAM(tick, which)                                                                                           \
	{                                                                                                              \
		.at = tick, .request = {.kind = REQUEST_PROGRAM}, .program = which                                     \
	}
#define MANUAL(tick, k, V)                                                                                             \
	{                                                                                                              \
		.at = tick, .request = {.kind = REQUEST_MANUAL, .output = k, .value_V = V }                            \
	}
#define LIMITS(tick, k, min, max, slew)                                                                                \
	{                                                                                                              \
		.at = tick, .request = {                                                                               \
			.kind = REQUEST_LIMITS,                                                                        \
			.output = k,                                                                                   \
			.min_V = min,                                                                                  \
			.max_V = max,                                                                                  \
			.slew_V_per_s = slew                                                                           \
		}                                                                                                      \
	}
	/* Refused ones among them: to run in FAULT, an output that is not there, more than the span, wider limits. */
	EVENT(2, RUN),
	EVENT(3, RESET),
	EVENT(5, ARM),
	EVENT(7, RUN),
	PROGRAM(30, 1),
	MANUAL(300, 0, 1.25),
	MANUAL(304, 2, -0.5),
	MANUAL(317, 0, NAN),
	MANUAL(320, 99, 1),
	MANUAL(322, 0, 50),
	MANUAL(470, 1, 0.125),
	LIMITS(700, 1, -4, 3, 0.2),
	LIMITS(720, 1, -0.004, 0.003, 0), /* the slew of before holds on */
	PROGRAM(905, 2),                  /* a generation is under way */
	PROGRAM(1200, N_PROGRAMS),        /* none: refused */
	EVENT(1503, RESET),
	EVENT(1505, ARM),
	EVENT(1507, RUN),
	EVENT(2103, RESET),
	EVENT(2105, ARM),
	EVENT(2107, RUN),
	LIMITS(2600, 0, -0.02, 0.001, 0.1),
	LIMITS(2602, 0, -8, 8, 0),
	LIMITS(2640, 0, -0.01, 0.001, 0),
	EVENT(3000, STOP),
	EVENT(3010, ARM),
	EVENT(3011, RUN),
	EVENT(3470, RESET),
	EVENT(3472, ARM),
	EVENT(3473, RUN),
	EVENT(4010, RESET),
	EVENT(4012, ARM),
	EVENT(4013, RUN),
	EVENT(4500, ARM),
	PROGRAM(5001, 3),
	MANUAL(5950, 1, -1),
	EVENT(7500, ARM), /* three that wait, and a stop that overtakes them */
	EVENT(7500, RUN),
	EVENT(7500, ARM),
	EVENT(7500, STOP),
	EVENT(7670, RESET),
	EVENT(7672, ARM),
	EVENT(7673, RUN),
};
#define N_SCRIPT (sizeof(script) / sizeof(script[0]))

static void check_code(int code, const struct err *err)
{
	char text[1200];

	if (code) {
		err_format(err, text, sizeof(text));
		fail_msg("%s", text);
	}
}

/** The reverse process of N(0, deviation^2), nearly. */
static void make_protocol(struct protocol *protocol, double deviation)
{
	const char *const specs[] = {"onsite-power powers=2"};
	double t[N_KNOTS];
	struct network network;
	struct err err = {0};

	for (size_t k = 0; k < N_KNOTS; k++)
		t[k] = T_MINIMUM * pow(4.0 / T_MINIMUM, (double)k / (N_KNOTS - 1));
	check_code(network_init(&network, N_SITES, 1, specs, 1, &err), &err);
	check_code(protocol_init(protocol, &network, t, N_KNOTS, &err), &err);
	for (size_t k = 0; k < N_KNOTS; k++) {
		const double v = exp(-2 * t[k]) * deviation * deviation - expm1(-2 * t[k]);

		protocol->wall[k] = (struct wall){.position = 5, .stiffness = 10};
		for (size_t i = 0; i < N_SITES; i++)
			protocol->theta[k * N_SITES + i] = 1 / v - 0.5;
	}
	protocol->readout_weight = 0.5;
	protocol_seal(protocol);
}

static void make_bench(struct scene *scene)
{
	static const char from[] = "period_s: 1e-3", to[] = "period_s: 1e-2";
	struct bench sim;
	struct err err = {0};
	char *text, *at;

	check_code(bench_load(&sim, TEST_SOURCE_DIR "/daq/benches/sim-2.yaml", &err), &err);
	text = strdup(sim.text);
	at = strstr(text, from);
	assert_non_null(at);
	memcpy(at, to, sizeof(to) - 1);
	check_code(bench_parse(&scene->bench, "slow-2", "slow-2.yaml", text, &err), &err);
	check_code(bench_set_drive(&scene->bench, scene->drive, &err), &err);
	free(text);
	bench_free(&sim);
}

static void make_program(struct scene *scene, size_t which, const struct protocol *protocol, const struct plan *plan)
{
	struct err err = {0};

	check_code(program_init(&scene->programs[which],
				&(struct program_setup){.id = which + 1,
							.bench = &scene->bench,
							.calibration = &scene->calibration,
							.record = &scene->record,
							.protocol = protocol,
							.samples = &scene->samples,
							.plan = plan,
							.period_s = scene->daq.period_s},
				&err),
		   &err);
	recorder_protocol(scene->recorder, which + 1, protocol, plan);
}

static void make_programs(struct scene *scene)
{
	const struct segment segments[2][2] = {
		{{.kind = SEGMENT_RELAX, .duration = 4},
		 {.kind = SEGMENT_GENERATE, .t_final = 1, .t_minimum = T_MINIMUM}},
		{{.kind = SEGMENT_RELAX, .duration = 4.5},
		 {.kind = SEGMENT_GENERATE, .t_final = 2, .t_minimum = T_MINIMUM}},
	};
	const struct plan plans[2] = {{segments[0], 2, 3}, {segments[1], 2, 50}};

	make_protocol(&scene->protocols[0], 0.5);
	make_protocol(&scene->protocols[1], 1.5);
	make_program(scene, 0, NULL, NULL);
	make_program(scene, 1, &scene->protocols[0], &plans[0]);
	make_program(scene, 2, &scene->protocols[1], &plans[1]);
	make_program(scene, 3, &scene->protocols[0], &plans[0]);
}

static void tap_tick(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
		     const double command[])
{
	recorder_tick(((struct scene *)context)->recorder, tick, in_V, out_V, command);
}

static void tap_event(void *context, const struct loop_event *event)
{
	struct scene *scene = context;

	scene->n_samples += event->kind == EVENT_SAMPLE;
	scene->n_trips += event->kind == EVENT_TRIP;
	scene->n_refused += event->kind == EVENT_REQUEST && !event->b;
	recorder_event(scene->recorder, event);
}

static void scene_begin(struct scene *scene)
{
	struct err err = {0};

	snprintf(scene->folder, sizeof(scene->folder), "/tmp/jostle-replay-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->path, sizeof(scene->path), "%s/run-000.h5", scene->folder);
	make_bench(scene);
	check_code(bench_calibration_nominal(&scene->record, &scene->bench, &err), &err);
	check_code(daq_open(&scene->daq, &scene->bench, &(struct daq_options){.seed = 5}, &err), &err);
	check_code(calibration_init(&scene->calibration, &scene->bench, &scene->record, scene->daq.period_s, &err),
		   &err);
	check_code(ring_init(&scene->samples, sequencer_record_size(N_SITES), 4, &err), &err);
	check_code(recorder_open(&scene->recorder,
				 &(struct recorder_setup){.folder = scene->folder,
							  .name = "run",
							  .bench = &scene->bench,
							  .calibration = &scene->calibration,
							  .record = &scene->record,
							  .backend = scene->daq.backend,
							  .simulated = true,
							  .seed = 5,
							  .period_s = scene->daq.period_s,
							  .segment_bytes = scene->segment_bytes,
							  .ring_s = 2 * N_TICKS * scene->daq.period_s},
				 &err),
		   &err);
	make_programs(scene);
}

static void ask(struct scene *scene, uint64_t tick)
{
	for (size_t i = 0; i < N_SCRIPT; i++) {
		struct request request = script[i].request;

		if (script[i].at != tick)
			continue;
		request.id = 1000 + i;
		if (request.kind == REQUEST_PROGRAM)
			request.program = script[i].program < N_PROGRAMS ? &scene->programs[script[i].program] : NULL;
		assert_true(loop_ask(&scene->loop, &request));
	}
}

/** Whoever takes the samples lets the ring fill up now and then. */
static void take_samples(struct scene *scene)
{
	struct {
		struct sample_record record;
		double value[N_SITES];
	} sample;

	if (now % 3000 == 0)
		while (ring_pop(&scene->samples, &sample))
			;
}

/** Ticks come faster here than the recorder looks: wait until it has taken them, and in a pause until it has closed its file. */
static void wait_for_recorder(struct scene *scene)
{
	struct recorder_status status;
	const bool pausing = now + 1 == scene->on_again_at;

	if (scene->patient && now + 1 == scene->on_at) /* it looks five times a second */
		nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
	if (!scene->patient || (now % 2000 && !pausing))
		return;
	for (int n = 0; n < 10000; n++) {
		recorder_status(scene->recorder, &status);
		if (status.n_acknowledged + !pausing >= status.n_rows && !(pausing && strstr(status.path, ".partial")))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fail_msg("the recorder has not written %" PRIu64 " rows", status.n_rows);
}

static void scene_run(struct scene *scene)
{
	const struct loop_tap tap = {.context = scene, .tick = tap_tick, .event = tap_event};
	const struct loop_watch watch = {.context = scene, .outside = outside};
	struct daq_driver spoiling = *scene->daq.driver;
	struct err err = {0};

	behind = scene->daq.driver;
	spoiling.exchange = spoil;
	scene->daq.driver = &spoiling;
	check_code(loop_init(&scene->loop,
			     &(struct loop_setup){.daq = &scene->daq,
						  .calibration = &scene->calibration,
						  .program = &scene->programs[0],
						  .tap = &tap,
						  .watch = &watch,
						  .cpu = LOOP_ANY_CPU,
						  .arming_allowed = true},
			     &err),
		   &err);
	check_code(behind->start(&scene->daq, &err), &err);
	for (now = 0; now < N_TICKS; now++) {
		if (now == scene->on_at || now == scene->on_again_at)
			recorder_set(scene->recorder, true);
		if (now == scene->off_at)
			recorder_set(scene->recorder, false);
		ask(scene, now);
		loop_tick(&scene->loop);
		take_samples(scene);
		wait_for_recorder(scene);
	}
	behind->stop(&scene->daq);
	scene->daq.driver = behind;
	check_code(recorder_close(scene->recorder, &err), &err);
	loop_fini(&scene->loop);
}

static void scene_end(struct scene *scene)
{
	char path[400];
	DIR *folder = opendir(scene->folder);

	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		snprintf(path, sizeof(path), "%s/%s", scene->folder, entry->d_name);
		unlink(path);
	}
	closedir(folder);
	rmdir(scene->folder);
	for (size_t i = 0; i < N_PROGRAMS; i++)
		program_fini(&scene->programs[i]);
	for (size_t i = 0; i < 2; i++)
		protocol_fini(&scene->protocols[i]);
	ring_fini(&scene->samples);
	calibration_fini(&scene->calibration);
	calibration_record_fini(&scene->record);
	daq_close(&scene->daq);
	bench_free(&scene->bench);
	free(scene);
}

static struct scene *scene_of(struct scene what)
{
	struct scene *scene = aligned_alloc(64, (sizeof(*scene) + 63) / 64 * 64);

	assert_non_null(scene);
	memset(scene, 0, sizeof(*scene));
	*scene = what;
	scene_begin(scene);
	scene_run(scene);
	return scene;
}

static struct scene *whole_run(void)
{
	return scene_of((struct scene){.off_at = NEVER, .on_again_at = NEVER});
}

static void replayed(const char *path, struct replay_report *report)
{
	struct err err = {0};

	check_code(replay_run(path, report, &err), &err);
}

static void assert_equal(const struct replay_report *report)
{
	char text[300];

	replay_difference_format(&report->first, text, sizeof(text));
	if (report->n_different)
		fail_msg("%" PRIu64 " rows differ, the first at %" PRIu64 ": %s", report->n_different,
			 report->first.number, text);
}

/*
 * catches: any state of loop, sequencer, supervisor or program that a replay does not come by in the same way; a request
 * or a fact from outside that is taken a tick early or late; a request that is answered otherwise
 */
static void a_run_with_everything_in_it_is_reproduced_bit_for_bit(void **state)
{
	const enum drive drives[] = {DRIVE_FEEDBACK, DRIVE_PARAMETRIC};

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct scene *scene =
			scene_of((struct scene){.drive = drives[d], .off_at = NEVER, .on_again_at = NEVER});
		struct replay_report report;

		/* What is to be reproduced did happen. */
		assert_true(scene->n_samples >= 4 && scene->n_trips >= 4 && scene->n_refused >= 5);
		replayed(scene->path, &report);
		assert_equal(&report);
		assert_int_equal(report.n_files, 1);
		assert_int_equal(report.n_compared, N_TICKS);
		assert_int_equal(report.n_left_out, 0);
		assert_int_equal(report.n_missing, 0);
		assert_int_equal(report.n_stretches, 1);
		assert_int_equal(report.n_requests, N_SCRIPT);
		assert_int_equal(report.n_programs, N_PROGRAMS);
		assert_true(report.n_driven > 500);
		scene_end(scene);
	}
}

/** Flip one bit of one number of a column of doubles. */
static void flip_bit(const char *path, const char *column, uint64_t row, size_t k, unsigned bit)
{
	const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), dataset = H5Dopen2(file, column, H5P_DEFAULT);
	const hid_t space = H5Dget_space(dataset), memory = H5Screate(H5S_SCALAR);
	const hsize_t start[2] = {row, k}, count[2] = {1, 1};
	uint64_t value = 0;

	assert_true(file >= 0 && dataset >= 0);
	assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0);
	assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &value) >= 0);
	value ^= UINT64_C(1) << bit;
	assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &value) >= 0);
	H5Sclose(memory);
	H5Sclose(space);
	H5Dclose(dataset);
	H5Fclose(file);
}

/** The first recorded event that fits, as its row in /events; its number is changed by `shift`. */
static uint64_t shift_request(const char *path, uint64_t number, int64_t shift)
{
	const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
	const hid_t dataset = H5Dopen2(file, "events/number", H5P_DEFAULT), space = H5Dget_space(dataset);
	hsize_t n = 0;
	uint64_t *values, shifted = 0;

	assert_true(file >= 0 && dataset >= 0);
	H5Sget_simple_extent_dims(space, &n, NULL);
	values = calloc(n, sizeof(*values));
	assert_true(H5Dread(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	for (hsize_t i = 0; i < n; i++)
		if (values[i] == number) {
			values[i] += (uint64_t)shift;
			shifted++;
		}
	assert_true(H5Dwrite(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	free(values);
	H5Sclose(space);
	H5Dclose(dataset);
	H5Fclose(file);
	return shifted;
}

/* catches: outputs that are copied from the recording; a comparison that rounds, or begins late; a difference told at another place */
static void one_changed_bit_is_found_where_it_is(void **state)
{
	struct scene *scene = whole_run();
	struct replay_report report;
	char text[300];

	(void)state;
	/* Of an input, in the middle of a generation: the force that answers it. */
	flip_bit(scene->path, "in_V", 2000, 0, 20);
	replayed(scene->path, &report);
	assert_true(report.n_different >= 1);
	assert_int_equal(report.first.number, 2000);
	assert_int_equal(report.first.field, REPLAY_OUT_V);
	assert_int_equal(report.first.output, 0);
	flip_bit(scene->path, "in_V", 2000, 0, 20);

	/* Of an output, the last bit, in the last row. */
	flip_bit(scene->path, "out_V", N_TICKS - 1, 1, 0);
	replayed(scene->path, &report);
	assert_int_equal(report.n_different, 1);
	assert_int_equal(report.first.number, N_TICKS - 1);
	assert_int_equal(report.first.output, 1);
	assert_int_equal(report.first.role, DAQ_FORCE);
	replay_difference_format(&report.first, text, sizeof(text));
	assert_non_null(strstr(text, "output 1 (force 1)"));
	flip_bit(scene->path, "out_V", N_TICKS - 1, 1, 0);

	/* The sign of a zero, where the outputs are at rest. */
	flip_bit(scene->path, "out_V", 4, 0, 63);
	replayed(scene->path, &report);
	assert_int_equal(report.n_different, 1);
	assert_int_equal(report.first.number, 4);
	flip_bit(scene->path, "out_V", 4, 0, 63);
	replayed(scene->path, &report);
	assert_equal(&report);
	scene_end(scene);
}

/* catches: requests that are handed over at some tick near theirs; programs swapped by the row's id instead of the request */
static void a_request_shifted_by_one_tick_is_found(void **state)
{
	static const uint64_t requests[] = {300, 317, 720, 905, 2107, 2600, 3000, 3011, 5001};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct scene *scene = whole_run();
		struct replay_report report;

		assert_true(shift_request(scene->path, requests[i], 1) >= 1);
		replayed(scene->path, &report);
		if (!report.n_different)
			fail_msg("the request of tick %" PRIu64 " was moved unseen", requests[i]);
		assert_true(report.first.number >= requests[i] && report.first.number <= requests[i] + 60);
		scene_end(scene);
	}
}

/* catches: a file's first row taken for the run's, segments of which only the first is read, rows lost between two */
static void a_run_is_followed_from_file_to_file(void **state)
{
	struct scene *scene = scene_of(
		(struct scene){.off_at = NEVER, .on_again_at = NEVER, .segment_bytes = 150000, .patient = true});
	struct replay_report report;

	(void)state;
	replayed(scene->path, &report);
	assert_equal(&report);
	assert_true(report.n_files >= 2);
	assert_int_equal(report.n_compared, N_TICKS);
	assert_int_equal(report.n_stretches, 1);

	/* From a later file on: taken up where the loop rests. */
	snprintf(scene->path, sizeof(scene->path), "%s/run-001.h5", scene->folder);
	replayed(scene->path, &report);
	assert_equal(&report);
	assert_true(report.n_left_out > 0 && report.n_compared > 1000 && report.n_rows < N_TICKS);
	assert_int_equal(report.n_compared + report.n_left_out, report.n_rows);
	scene_end(scene);
}

/*
 * catches: a recording begun in mid-run compared from its first row on; limits, program and plan of before forgotten; a
 * gap bridged as if nothing had happened in it
 */
static void recording_may_begin_and_pause_in_mid_run(void **state)
{
	(void)state;
	for (int patient = 0; patient < 2; patient++) {
		/* From within the first program's plan on; off and on within a generation, with limits given in between. */
		struct scene *scene =
			scene_of((struct scene){.on_at = 960, .off_at = 2550, .on_again_at = 2650, .patient = patient});
		struct replay_report report;

		replayed(scene->path, &report);
		assert_equal(&report);
		/* RUNNING to the trip at 1500, and again from 2650 to the stop at 3000: the rows up to these and theirs. */
		assert_int_equal(report.n_left_out, (1500 - 960 + 1) + (3000 - 2650 + 1));
		assert_int_equal(report.n_missing, 100);
		assert_int_equal(report.n_stretches, 2);
		assert_int_equal(report.n_rows, N_TICKS - 960 - 100);
		assert_int_equal(report.n_compared, report.n_rows - report.n_left_out);
		assert_true(report.n_files >= 1 + (uint64_t)patient);
		scene_end(scene);
	}
}

/* catches: a trip on a count that began before the recording, told as a difference */
static void a_count_from_before_the_recording_is_not_a_difference(void **state)
{
	/* Stopped at 7500; the inputs stand still from 7600 on, for 50 periods when the trip comes. */
	struct scene *scene = scene_of((struct scene){.on_at = 7630, .off_at = NEVER, .on_again_at = NEVER});
	struct replay_report report;

	(void)state;
	replayed(scene->path, &report);
	assert_equal(&report);
	assert_int_equal(report.n_rows, N_TICKS - 7630);
	/* The row that the loop goes on from, and that of the trip. */
	assert_int_equal(report.n_left_out, 2);
	assert_int_equal(report.n_stretches, 2);
	scene_end(scene);
}

/* catches: a replay of nothing that is told as a success, a file of another kind taken for a run */
static void what_cannot_be_replayed_says_why(void **state)
{
	struct scene *scene = whole_run();
	struct replay_report report;
	struct err err = {0};
	const hid_t file = H5Fopen(scene->path, H5F_ACC_RDWR, H5P_DEFAULT);
	const hid_t dataset = H5Dopen2(file, "tick/number", H5P_DEFAULT), memory = H5Screate(H5S_SCALAR);
	const hid_t space = H5Dget_space(dataset);
	const hsize_t start = 500, count = 1;
	const uint64_t back = 17;

	(void)state;
	assert_true(file >= 0 && dataset >= 0);
	H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL);
	assert_true(H5Dwrite(dataset, H5T_NATIVE_UINT64, memory, space, H5P_DEFAULT, &back) >= 0);
	H5Sclose(memory);
	H5Sclose(space);
	H5Dclose(dataset);
	H5Fclose(file);
	assert_int_equal(replay_run(scene->path, &report, &err), JOSTLE_EFORMAT);
	assert_non_null(strstr(err.text, "500"));
	assert_int_equal(replay_run("/no/such/run-000.h5", &report, &err), JOSTLE_ENOENT);
	assert_int_equal(report.n_files, 0);
	assert_int_equal(replay_run(TEST_SOURCE_DIR "/tests/golden/protocol.h5", &report, &err), JOSTLE_EFORMAT);
	scene_end(scene);
}

/** Put a value anywhere into a column of whole or other numbers, as its own bits. */
static void overwrite(const char *path, const char *column, uint64_t pick, uint64_t value)
{
	const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), dataset = H5Dopen2(file, column, H5P_DEFAULT);
	const hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset), memory = H5Screate(H5S_SCALAR);
	hsize_t dims[2] = {1, 1}, at[2] = {0, 0};
	const hsize_t count[2] = {1, 1};

	assert_true(file >= 0 && dataset >= 0);
	H5Sget_simple_extent_dims(space, dims, NULL);
	if (dims[0] > 0) {
		at[0] = pick % dims[0];
		at[1] = pick % dims[1];
		H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, count, NULL);
		assert_true(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, &value) >= 0);
	}
	H5Sclose(memory);
	H5Tclose(type);
	H5Sclose(space);
	H5Dclose(dataset);
	H5Fclose(file);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char bytes[65536];

	assert_true(in && out);
	for (size_t n; (n = fread(bytes, 1, sizeof(bytes), in)) > 0;)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/*
 * What a recording says is not trusted: it is refused, or replayed with or without a difference. catches (under the
 * sanitizers): an output, program or input that is not there, a program dropped while the loop holds it, a request
 * that waits, an endless loop over numbers that wrap
 */
static void a_recording_that_lies_does_no_harm(void **state)
{
	static const char *const columns[] = {
		"tick/number",
		"tick/tick",
		"tick/t_ns",
		"tick/exchange",
		"tick/state",
		"tick/program",
		"tick/repeat",
		"tick/outside",
		"tick/segment",
		"tick/setpoint_t",
		"events/kind",
		"events/a",
		"events/b",
		"events/c",
		"events/number",
		"events/value",
		"events/limit",
		"events/slew",
		"programs/id",
		"programs/offset",
		"programs/size",
		"programs/content",
		"programs/plan_first",
		"programs/plan_segments",
		"programs/plan_repeats",
		"plan/kind",
		"plan/duration",
		"plan/t_final",
		"plan/t_minimum",
		"calibration",
		"acknowledged",
		"in_V",
	};
	static const uint64_t values[] = {
		0, 1, 3, 99, 0x7fffffffu, 0x8000000000000000u, UINT64_MAX, 0x7ff8000000000000u};
	struct scene *scene = scene_of((struct scene){.on_at = 3990, .off_at = 5100, .on_again_at = NEVER});
	char path[128];
	size_t n_refused = 0, n_different = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/lie-000.h5", scene->folder);
	for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++)
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			struct replay_report report;
			struct err err = {0};

			copy_file(scene->path, path);
			overwrite(path, columns[c], 7919 * (c + 1) + 31 * v, values[v]);
			const int code = replay_run(path, &report, &err);

			assert_true(!code || err.text[0]);
			n_refused += code != 0;
			n_different += report.n_different > 0;
		}
	assert_true(n_refused > 10 && n_different > 10);
	scene_end(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_with_everything_in_it_is_reproduced_bit_for_bit),
		cmocka_unit_test(one_changed_bit_is_found_where_it_is),
		cmocka_unit_test(a_request_shifted_by_one_tick_is_found),
		cmocka_unit_test(a_run_is_followed_from_file_to_file),
		cmocka_unit_test(recording_may_begin_and_pause_in_mid_run),
		cmocka_unit_test(a_count_from_before_the_recording_is_not_a_difference),
		cmocka_unit_test(what_cannot_be_replayed_says_why),
		cmocka_unit_test(a_recording_that_lies_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
