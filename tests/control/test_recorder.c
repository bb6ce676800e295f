/* The recorder on a disk that behaves: what is handed over is what is read back, file after file. */
#include "control/support/recorded.h"

#include <stdarg.h>

#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scratch.h"
#include "control/histogram.h"
#include "control/run_file.h"

#define PATIENCE_NS 60000000000

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/** Wait until so many rows are acknowledged. */
static void await_rows(struct recorder *recorder, uint64_t n)
{
	const int64_t end_ns = clock_now_ns() + PATIENCE_NS;
	struct recorder_status status;

	for (recorder_status(recorder, &status); status.n_acknowledged < n; recorder_status(recorder, &status)) {
		if (clock_now_ns() > end_ns)
			fail_msg("%llu rows acknowledged, expected %llu (%s)",
				 (unsigned long long)status.n_acknowledged, (unsigned long long)n, status.text);
		pause_ms(10);
	}
}

static struct recorder *open_recorder(const struct recorder_setup *setup)
{
	struct recorder *recorder = NULL;
	struct err err = {0};

	if (recorder_open(&recorder, setup, &err))
		fail_msg("%s", err.text);
	return recorder;
}

static void close_recorder(struct recorder *recorder)
{
	struct err err = {0};

	if (recorder_close(recorder, &err))
		fail_msg("%s", err.text);
}

static void open_file(struct run_file *file, struct scratch *scratch, const char *name)
{
	struct err err = {0};

	if (run_file_open(file, scratch_path(scratch, name), &err))
		fail_msg("%s: %s", err.file, err.text);
}

/** Every number of a row is the one that recorded_tick() made of its tick's. */
static void assert_row(const struct run_file *file, const struct tick_record *row, double force_N)
{
	const double *in_V = row->values, *out_V = in_V + file->n_in, *command = out_V + file->n_out;
	const uint64_t n = row->number;

	assert_true(row->tick == n + n / 100 && row->t_ns == (int64_t)n * 1000);
	assert_true(row->woke_ns == (int64_t)n * 1000 + 5 && row->exchange == (n % 50 ? 0 : JOSTLE_EMISSED));
	assert_true(row->outside == n % 16 && row->state == n % SUPERVISOR_N_STATES && row->setpoint == n % 2);
	assert_true(row->repeat == n / 10 && row->segment == n % 3 && row->execution_ns == n % 10000);
	assert_true(row->setpoint_t == 0.5 + (double)n);
	for (size_t k = 0; k < file->n_in; k++)
		assert_true(in_V[k] == recorded_in_V(n, k));
	for (size_t k = 0; k < file->n_out; k++)
		assert_true(out_V[k] == recorded_out_V(n, k));
	assert_true(command[0] == recorded_command(n, 0) * force_N && command[1] == recorded_command(n, 1) * force_N);
	assert_true(command[2] == 0);
}

/** Read all rows of a file; they follow on `next`. Returns the number after the last. */
static uint64_t assert_rows(struct run_file *file, uint64_t next, double force_N)
{
	const struct tick_record *row;
	struct err err = {0};
	int code;

	while ((code = run_file_row(file, &row, &err)) == 1) {
		assert_int_equal(row->number, next);
		assert_row(file, row, force_N);
		next++;
	}
	assert_int_equal(code, 0);
	return next;
}

/* catches: a column that is written from another one's place, a batch's border that repeats or leaves out a row, a command in the
   wrong unit, a last row that is never written */
static void every_number_of_every_tick_is_read_back(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct recorder_status status;
	struct run_file file;
	struct loop_event event;
	struct err err = {0};
	uint64_t n_events = 0;

	recorded_init(&recorded, scratch->folder);
	struct recorder *recorder = open_recorder(&recorded.setup);

	recorder_set(recorder, true);
	for (int i = 0; i < 30011; i++)
		recorded_tick(&recorded, recorder);
	recorder_status(recorder, &status);
	assert_int_equal(status.n_rows, 30011);
	close_recorder(recorder);
	assert_int_equal(access(scratch_path(scratch, "r-000.h5.partial"), F_OK), -1);
	open_file(&file, scratch, "r-000.h5");
	assert_int_equal(file.n_rows, 30011);
	assert_int_equal(file.n_in, 4);
	assert_int_equal(file.n_out, 3);
	assert_int_equal(file.n_sites, 2);
	assert_string_equal(file.bench_name, "test-2");
	assert_string_equal(file.backend, "test driver");
	assert_string_equal(file.previous, "");
	assert_true(file.simulated && file.seed == 7 && file.drive == DRIVE_FEEDBACK);
	assert_true(file.period_s == recorded.daq.period_s);
	assert_int_equal(assert_rows(&file, 0, recorded.record.units.force_N), 30011);
	while (run_file_event(&file, &event, &err) == 1) {
		assert_int_equal(event.kind, EVENT_SAMPLE);
		assert_int_equal(event.number, 100 * n_events);
		assert_int_equal(event.c, n_events);
		n_events++;
	}
	assert_int_equal(n_events, 301);
	assert_int_equal(run_file_next(&file, &err), 0);
	run_file_close(&file);
	recorded_fini(&recorded);
}

/* catches: rows lost or repeated between two files, an event in another file than its row, a file that does not name the one before */
static void files_follow_on_one_another(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct run_file file;
	struct loop_event event;
	struct err err = {0};
	uint64_t next = 0, n_files = 0, n_events = 0;

	recorded_init(&recorded, scratch->folder);
	recorded.setup.segment_bytes = 1 << 20;
	struct recorder *recorder = open_recorder(&recorded.setup);

	recorder_set(recorder, true);
	for (int part = 0; part < 4; part++) {
		for (int i = 0; i < 9000; i++)
			recorded_tick(&recorded, recorder);
		await_rows(recorder, recorded.number - 1);
	}
	close_recorder(recorder);
	open_file(&file, scratch, "r-000.h5");
	do {
		const uint64_t first = next;

		next = assert_rows(&file, next, recorded.record.units.force_N);
		while (run_file_event(&file, &event, &err) == 1) {
			assert_true(event.number >= first && event.number < next);
			n_events++;
		}
		n_files++;
	} while (run_file_next(&file, &err) == 1);
	run_file_close(&file);
	assert_true(n_files > 2);
	assert_int_equal(next, recorded.number);
	assert_int_equal(n_events, recorded.number / 100);
	recorded_fini(&recorded);
}

/* catches: a row that is written before what happened at it can have been told, which a file's end would then part */
static void a_row_waits_for_its_events(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct recorder_status status;

	recorded_init(&recorded, scratch->folder);
	struct recorder *recorder = open_recorder(&recorded.setup);

	recorder_set(recorder, true);
	for (int i = 0; i < 50; i++)
		recorded_tick(&recorded, recorder);
	await_rows(recorder, 49);
	pause_ms(700);
	recorder_status(recorder, &status);
	assert_int_equal(status.n_acknowledged, 49);
	recorded_tick(&recorded, recorder);
	await_rows(recorder, 50);
	close_recorder(recorder);
	recorded_fini(&recorded);
}

/* catches: ticks that are recorded while it is off, a file left open, a run that goes on in the file of another one */
static void recording_is_switched_off_and_on(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct recorder_status status;
	struct run_file file;
	struct err err = {0};

	recorded_init(&recorded, scratch->folder);
	fclose(fopen(scratch_path(scratch, "r-001.h5"), "w")); /* another run's */
	struct recorder *recorder = open_recorder(&recorded.setup);

	for (int i = 0; i < 50; i++)
		recorded_tick(&recorded, recorder);
	recorder_set(recorder, true);
	for (int i = 0; i < 100; i++)
		recorded_tick(&recorded, recorder);
	recorder_set(recorder, false);
	for (int i = 0; i < 100; i++)
		recorded_tick(&recorded, recorder);
	for (int64_t end_ns = clock_now_ns() + PATIENCE_NS;
	     access(scratch_path(scratch, "r-000.h5"), F_OK) < 0 && clock_now_ns() < end_ns;)
		pause_ms(10);
	recorder_set(recorder, true);
	for (int i = 0; i < 70; i++)
		recorded_tick(&recorded, recorder);
	recorder_status(recorder, &status);
	assert_true(status.on && status.n_rows == 170 && status.n_dropped == 0);
	close_recorder(recorder);
	open_file(&file, scratch, "r-000.h5");
	assert_int_equal(assert_rows(&file, 50, recorded.record.units.force_N), 150);
	assert_int_equal(unlink(scratch_path(scratch, "r-001.h5")), 0);
	assert_int_equal(run_file_next(&file, &err), 1);
	assert_int_equal(file.segment, 2);
	assert_string_equal(file.previous, "r-000.h5");
	assert_int_equal(assert_rows(&file, 250, recorded.record.units.force_N), 320);
	run_file_close(&file);
	recorded_fini(&recorded);
}

static const struct segment segments[] = {{.kind = SEGMENT_RELAX, .duration = 4},
					  {.kind = SEGMENT_GENERATE, .t_final = 4, .t_minimum = 0.01}};
static const struct plan plan = {segments, 2, 10}, idle = {segments, 0, 0};

/* catches: a program that only the file has in which it was handed over, a plan of the wrong rows, a protocol that differs in a bit,
   programs kept for ever */
static void each_file_has_the_programs_of_its_ticks(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct protocol protocol[2];
	struct run_program program;
	struct run_file file;
	struct err err = {0};

	recorded_init(&recorded, scratch->folder);
	recorded.setup.segment_bytes = 1;
	test_protocol(&protocol[0], (const char *const[]){"monomials degree=2"}, 1, (const double[16]){1, 2, 3, 4});
	test_protocol(&protocol[1], (const char *const[]){"monomials degree=2"}, 1, (const double[16]){4, 3, 2, 1});
	protocol_seal(&protocol[0]);
	protocol_seal(&protocol[1]);
	struct recorder *recorder = open_recorder(&recorded.setup);

	recorder_set(recorder, true);
	recorder_protocol(recorder, 11, NULL, &idle);
	recorder_protocol(recorder, 12, &protocol[0], &plan);
	for (int part = 0; part < 3; part++) {
		recorded.program = 11 + part;
		for (int i = 0; i < 10; i++)
			recorded_tick(&recorded, recorder);
		await_rows(recorder, recorded.number - 1);
		if (part == 1)
			recorder_protocol(recorder, 13, &protocol[1], NULL);
	}
	close_recorder(recorder);
	open_file(&file, scratch, "r-000.h5");
	assert_int_equal(run_file_program(&file, 11, &program, &err), 0);
	assert_true(!program.has_protocol && program.plan.n_segments == 0);
	run_program_fini(&program);
	assert_int_equal(run_file_program(&file, 99, &program, &err), JOSTLE_ENOENT);
	for (int code = 1; code == 1; code = run_file_next(&file, &err)) {
		const struct tick_record *row;

		while (run_file_row(&file, &row, &err) == 1) {
			if (run_file_program(&file, row->program, &program, &err))
				fail_msg("%s: %s", err.file, err.text);
			if (row->program == 12) {
				assert_string_equal(program.protocol.checksum, protocol[0].checksum);
				assert_int_equal(program.plan.n_segments, 2);
				assert_int_equal(program.plan.n_repeats, 10);
				assert_int_equal(program.plan.segments[1].kind, SEGMENT_GENERATE);
				assert_true(program.plan.segments[0].duration == 4);
				assert_true(program.plan.segments[1].t_minimum == 0.01);
			}
			if (row->program == 13)
				assert_string_equal(program.protocol.checksum, protocol[1].checksum);
			run_program_fini(&program);
		}
	}
	/* The last file's ticks are under 13 alone. */
	assert_int_equal(run_file_program(&file, 11, &program, &err), JOSTLE_ENOENT);
	run_file_close(&file);
	protocol_fini(&protocol[0]);
	protocol_fini(&protocol[1]);
	recorded_fini(&recorded);
}

/* catches: a calibration that reads back as another one, texts that are cut or missing */
static void a_file_holds_its_calibration_and_texts(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct calibration_record record;
	struct run_file file;
	struct err err = {0};
	char *text;

	recorded_init(&recorded, scratch->folder);
	recorded.setup.doctor = "good: everything\n";
	recorded.setup.plant = "summary: a plant\n";
	struct recorder *recorder = open_recorder(&recorded.setup);

	recorder_set(recorder, true);
	recorded_tick(&recorded, recorder);
	close_recorder(recorder);
	open_file(&file, scratch, "r-000.h5");
	assert_int_equal(run_file_calibration(&file, &record, &err), 0);
	assert_string_equal(record.checksum, recorded.record.checksum);
	calibration_record_fini(&record);
	assert_int_equal(run_file_text(&file, "doctor", &text, &err), 0);
	assert_string_equal(text, "good: everything\n");
	free(text);
	assert_int_equal(run_file_text(&file, "plant", &text, &err), 0);
	assert_string_equal(text, "summary: a plant\n");
	free(text);
	assert_int_equal(run_file_text(&file, "override", &text, &err), 0);
	assert_null(text);
	run_file_close(&file);
	recorded_fini(&recorded);
}

static void *tick_on(void *context)
{
	void **both = context;

	for (int i = 0; i < 20000; i++)
		recorded_tick(both[0], both[1]);
	return NULL;
}

/* catches: a race between the loop, the thread of the commands and the recorder's (under the thread sanitizer); commands and samples
   lost */
static void two_threads_hand_over_at_once(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct histogram wake = {0};
	struct recorder_status status;
	struct run_file file;
	pthread_t loop;

	recorded_init(&recorded, scratch->folder);
	histogram_add(&wake, 1000);
	recorded.setup.n_histograms = 1;
	recorded.setup.histograms = (const struct histogram *const[]){&wake};
	recorded.setup.histogram_names = (const char *const[]){"wake"};
	struct recorder *recorder = open_recorder(&recorded.setup);

	recorder_set(recorder, true);
	recorded_tick(&recorded, recorder);
	assert_int_equal(pthread_create(&loop, NULL, tick_on, (void *[]){&recorded, recorder}), 0);
	for (uint64_t i = 0; i < 200; i++) {
		recorder_command(recorder, i, "somebody", "status", "ok");
		recorder_sample(recorder, 1, i, i, (const double[]){1.5, -0.5});
		recorder_status(recorder, &status);
	}
	pthread_join(loop, NULL);
	close_recorder(recorder);
	open_file(&file, scratch, "r-000.h5");
	assert_int_equal(file.n_rows, 20001);
	assert_int_equal(file.n_commands, 200);
	assert_int_equal(file.n_samples, 200);
	run_file_close(&file);
	recorded_fini(&recorded);
}

/* catches: names that leave the folder, a folder that is made in silence */
static void a_setup_that_cannot_work_is_refused(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct recorder *recorder;
	struct err err = {0};

	recorded_init(&recorded, scratch->folder);
	recorded.setup.name = "../r";
	assert_int_equal(recorder_open(&recorder, &recorded.setup, &err), JOSTLE_EINVAL);
	recorded.setup.name = "";
	assert_int_equal(recorder_open(&recorder, &recorded.setup, &err), JOSTLE_EINVAL);
	recorded.setup.name = "r";
	recorded.setup.folder = "/nowhere/at/all";
	assert_int_equal(recorder_open(&recorder, &recorded.setup, &err), JOSTLE_ENOENT);
	assert_null(recorder);
	recorded_fini(&recorded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_number_of_every_tick_is_read_back, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(files_follow_on_one_another, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_row_waits_for_its_events, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(recording_is_switched_off_and_on, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(each_file_has_the_programs_of_its_ticks, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_file_holds_its_calibration_and_texts, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(two_threads_hand_over_at_once, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_setup_that_cannot_work_is_refused, scratch_new, scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
