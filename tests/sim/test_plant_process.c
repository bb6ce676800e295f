/* The plant as a process: it outlives its client, holds what it was told last, and its log says so. */
#include "sim/plant_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/h5.h"
#include "base/interrupt.h"
#include "sim/plant_page.h"
#include "sim/plant_process.h"

#define SECOND   1000000000LL
#define PERIOD_S 1e-3
#define N_OUT    4

struct stage {
	char plant[64], log[64], name[64];
	pid_t pid;
	bool realtime;
};

static int stage_with(void **state, const char *yaml)
{
	static int turn;
	struct stage *stage = calloc(1, sizeof(*stage));

	strcpy(stage->plant, "/tmp/jostle-plant-XXXXXX.yaml");
	const int fd = mkstemps(stage->plant, 5);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	snprintf(stage->log, sizeof(stage->log), "%.*s.h5", (int)strlen(stage->plant) - 5, stage->plant);
	snprintf(stage->name, sizeof(stage->name), "process-%d-%d", getpid(), turn++);
	*state = stage;
	return 0;
}

static int stage_new(void **state)
{
	return stage_with(state, WARM(2, 1) SENSOR ACTUATOR READBACK);
}

static int stage_faulty(void **state)
{
	return stage_with(state, WARM(2, 1) SENSOR ACTUATOR READBACK
			  "faults: [{kind: nan, signal: displacement, index: 1, on_signal: true}]\n"
			  "clock_step: {by_s: 1000, on_signal: true}\n"
			  "monostable: {timeout_s: 0.02}\n");
}

static int stage_free(void **state)
{
	struct stage *stage = *state;

	char page[96];

	if (stage->pid > 0) { /* a test that failed half way */
		kill(stage->pid, SIGKILL);
		waitpid(stage->pid, NULL, 0);
		snprintf(page, sizeof(page), "/jostle-plant-%s", stage->name);
		shm_unlink(page);
	}
	unlink(stage->plant);
	unlink(stage->log);
	free(stage);
	return 0;
}

static void start_plant(struct stage *stage)
{
	stage->pid = fork();
	assert_true(stage->pid >= 0);
	if (stage->pid == 0) {
		const struct plant_process_options options = {.plant = stage->plant,
							      .name = stage->name,
							      .period_s = PERIOD_S,
							      .seed = 1,
							      .log_path = stage->log,
							      .realtime = stage->realtime};
		struct err err = {0};

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no plant behind */
		interrupt_watch();
		_exit(plant_process_run(&options, &err) == 0 ? 0 : 1);
	}
}

static int stop_plant(struct stage *stage, int number)
{
	int status = 0;

	kill(stage->pid, number);
	waitpid(stage->pid, &status, 0);
	stage->pid = 0;
	return status;
}

/** Attach as soon as the plant is ready; gives up in the end. */
static void attach(struct stage *stage, struct plant_page *page)
{
	struct err err = {0};
	int code = JOSTLE_ENODEV;

	for (int i = 0; i < 20000 && code == JOSTLE_ENODEV; i++) {
		code = plant_page_attach(page, stage->name, &err);
		if (code == JOSTLE_ENODEV)
			usleep(1000);
	}
	if (code < 0)
		fail_msg("%s", err.text);
}

/** A client that drives 0.25, 0.5 … up to `last` V on the first force and then waits to be killed. */
static pid_t start_client(struct stage *stage, int edges, int ready)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct plant_page page;
		double out_V[N_OUT] = {0}, in_V[5];
		int64_t t_ns;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attach(stage, &page);
		for (int e = 0; e < edges; e++) {
			out_V[0] = 1.0 + e;
			plant_page_write(&page, out_V);
			if (plant_page_wait(&page, 10 * SECOND, in_V, &t_ns) == JOSTLE_EIO)
				_exit(1);
		}
		if (write(ready, "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

struct log {
	uint64_t *edge;
	int64_t *t_ns;
	double *out_V, *x_m;
	size_t n;
};

/** A growing dataset of `width` columns, whole. */
static void *read_column(hid_t file, const char *name, hsize_t width, hid_t type, size_t *n)
{
	const hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
	hsize_t dims[2] = {0, 1};

	assert_true(set >= 0 && H5Sget_simple_extent_ndims(space) == (width > 1 ? 2 : 1));
	H5Sget_simple_extent_dims(space, dims, NULL);
	assert_int_equal(dims[1], width);
	void *values = calloc(dims[0] * width, 8);
	assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	H5Sclose(space);
	H5Dclose(set);
	*n = dims[0];
	return values;
}

static void read_log(struct stage *stage, struct log *log)
{
	const hid_t file = H5Fopen(stage->log, H5F_ACC_RDONLY, H5P_DEFAULT);
	size_t n_out, n_x;

	assert_true(file >= 0);
	log->edge = read_column(file, "edge", 1, H5T_NATIVE_UINT64, &log->n);
	log->t_ns = read_column(file, "t_ns", 1, H5T_NATIVE_INT64, &log->n);
	log->out_V = read_column(file, "out_V", N_OUT, H5T_NATIVE_DOUBLE, &n_out);
	log->x_m = read_column(file, "x_m", 2, H5T_NATIVE_DOUBLE, &n_x);
	assert_int_equal(n_out, log->n);
	assert_int_equal(n_x, log->n);
	H5Fclose(file);

	struct h5_file checked;
	struct err err = {0};
	uint64_t dropped = 1;
	assert_int_equal(h5_open(&checked, stage->log, &err), 0);
	assert_int_equal(h5_get_u64(&checked, "/", "dropped", &dropped, &err), 0);
	assert_int_equal(dropped, 0);
	h5_close(&checked);
}

static void free_log(struct log *log)
{
	free(log->edge);
	free(log->t_ns);
	free(log->out_V);
	free(log->x_m);
}

/* catches: a plant that waits for its client, that zeroes the outputs when it dies, or that logs what it was not told */
static void the_plant_goes_on_and_holds_the_last_outputs_when_its_client_is_killed(void **state)
{
	struct stage *stage = *state;
	struct plant_page page;
	struct err err = {0};
	struct log log;
	double in_V[5];
	int64_t t_ns;
	int ready[2];
	char byte;

	start_plant(stage);
	assert_int_equal(pipe(ready), 0);
	const pid_t client = start_client(stage, 200, ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(plant_page_attach(&page, stage->name, &err), JOSTLE_EBUSY);
	kill(client, SIGKILL);
	waitpid(client, NULL, 0);

	attach(stage, &page);
	for (int e = 0; e < 100; e++) {
		assert_int_not_equal(plant_page_wait(&page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
		assert_near(in_V[2], 200.0, 1e-6); /* the force read-back */
	}
	plant_page_close(&page);
	assert_int_equal(stop_plant(stage, SIGTERM), 0);

	read_log(stage, &log);
	assert_true(log.n >= 300);
	size_t first = 0, at_last = 0;
	for (size_t i = 0; i < log.n; i++) {
		assert_int_equal(log.edge[i], i + 1);
		assert_true(i == 0 || log.x_m[2 * i] != log.x_m[2 * i - 2]);
		first += log.out_V[N_OUT * i] == 0.0;
		at_last += log.out_V[N_OUT * i] == 200.0;
		assert_true(i == 0 || log.out_V[N_OUT * i] >= log.out_V[N_OUT * i - N_OUT]);
	}
	assert_true(at_last >= 100 && first < log.n);
	assert_near(log.out_V[N_OUT * (log.n - 1)], 200.0, 0.0);
	free_log(&log);
	close(ready[0]);
	close(ready[1]);
}

/* catches: a client that hangs on a dead plant, or takes its last sample for a new one */
static void a_killed_plant_is_an_error_within_the_time_out(void **state)
{
	struct stage *stage = *state;
	struct plant_page page, again;
	struct err err = {0};
	double in_V[5];
	int64_t t_ns;

	start_plant(stage);
	attach(stage, &page);
	assert_int_not_equal(plant_page_wait(&page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
	stop_plant(stage, SIGKILL);
	int code = 0;
	for (int e = 0; e < 3 && code != JOSTLE_EIO; e++) /* an edge or two may still be unread */
		code = plant_page_wait(&page, SECOND / 10, in_V, &t_ns);
	assert_int_equal(code, JOSTLE_EIO);
	plant_page_close(&page);

	/* its page is left behind: known as stale, and replaced by the next plant of the name */
	assert_int_equal(plant_page_attach(&again, stage->name, &err), JOSTLE_ENODEV);
	start_plant(stage);
	attach(stage, &again);
	assert_int_not_equal(plant_page_wait(&again, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
	plant_page_close(&again);
	assert_int_equal(stop_plant(stage, SIGTERM), 0);
	assert_int_equal(plant_page_attach(&again, stage->name, &err), JOSTLE_ENODEV);
}

/** Edges until the second displacement is a number, or none, as asked; gives the time that the last of them stated. */
static int64_t wait_until(struct plant_page *page, bool number)
{
	double in_V[5] = {0};
	int64_t t_ns = 0;
	int edges = 20000;

	do {
		assert_int_not_equal(plant_page_wait(page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
		assert_true(isfinite(in_V[0]));
	} while (isfinite(in_V[1]) != number && --edges > 0);
	assert_true(edges > 0);
	return t_ns;
}

/* catches: a signal that ends the plant, that does nothing, or that can't be taken back; a log that shows the faulty clock */
static void faults_begin_and_end_by_signal_while_the_plant_runs(void **state)
{
	struct stage *stage = *state;
	struct plant_page page;
	struct log log;

	start_plant(stage);
	attach(stage, &page);
	const int64_t start_ns = wait_until(&page, true);
	for (int turn = 0; turn < 2; turn++) {
		kill(stage->pid, SIGUSR1);
		assert_true(wait_until(&page, false) - start_ns > 1000 * SECOND);
		kill(stage->pid, SIGUSR2);
		assert_true(wait_until(&page, true) - start_ns < 1000 * SECOND);
	}
	plant_page_close(&page);
	assert_int_equal(stop_plant(stage, SIGTERM), 0);
	read_log(stage, &log);
	for (size_t i = 1; i < log.n; i++) /* on the grid, to its rounding, whatever the device says */
		assert_true(labs(log.t_ns[i] - log.t_ns[i - 1] - 1000000) <= 1);
	free_log(&log);
}

/* catches: a log of what was asked for instead of what the actuators got, a guardian's volts that are not in it */
static void the_log_shows_what_was_in_effect(void **state)
{
	struct stage *stage = *state;
	struct plant_page page, guard;
	struct err err = {0};
	struct log log;
	double out_V[N_OUT] = {0.0, 3.0}, in_V[5] = {0};
	const double safe_V[N_OUT] = {0.0, 0.25, 0.0, 5.0};
	int64_t t_ns;

	start_plant(stage);
	attach(stage, &page);
	assert_int_equal(plant_page_guard(&guard, stage->name, &err), 0);
	for (int e = 0; e < 20000 && fabs(in_V[3] - 3.0) > 1e-6; e++) {
		out_V[3] = 5.0 - out_V[3];
		plant_page_write(&page, out_V);
		assert_int_not_equal(plant_page_wait(&page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
	}
	assert_near(in_V[3], 3.0, 1e-6);
	for (int e = 0; e < 20000 && fabs(in_V[3]) > 1e-6; e++) /* the line stands still: cut */
		assert_int_not_equal(plant_page_wait(&page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
	assert_near(in_V[3], 0.0, 1e-6);
	/* the guardian's first volts change the line, or its second do */
	for (int e = 0; e < 20000 && fabs(in_V[3] - 0.25) > 1e-6; e++) {
		const double other_V[N_OUT] = {0.0, 0.25, 0.0, 0.0};

		assert_int_equal(plant_page_seize(&guard, e % 2 ? other_V : safe_V), 0);
		assert_int_not_equal(plant_page_wait(&page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
	}
	plant_page_close(&guard);
	plant_page_close(&page);
	assert_int_equal(stop_plant(stage, SIGTERM), 0);

	read_log(stage, &log);
	/* Driven, cut, guarded, in this order; a busy machine may let the supply go in between as well. */
	const double expected_V[] = {3.0, 0.0, 0.25};
	size_t n = 0;
	for (size_t i = 0; i < log.n; i++) {
		const double v_V = log.out_V[N_OUT * i + 1];

		n += n < 3 && v_V == expected_V[n];
		assert_true(v_V == 0.0 || v_V == 3.0 || v_V == 0.25);
		assert_false(n == 3 && v_V == 3.0);
	}
	assert_int_equal(n, 3);
	free_log(&log);
}

/** The policy that a process gets which asks for real-time priority: SCHED_FIFO, or what it had. */
static int granted_policy(void)
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		const struct sched_param param = {.sched_priority = 70};

		sched_setscheduler(0, SCHED_FIFO, &param);
		_exit(sched_getscheduler(0));
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* catches: a plant that doesn't ask for its priority, that takes it unasked, or that gives up when it is refused */
static void real_time_priority_is_taken_where_it_is_granted(void **state)
{
	struct stage *stage = *state;

	for (int turn = 0; turn < 2; turn++) {
		struct plant_page page;
		double in_V[5];
		int64_t t_ns;

		stage->realtime = turn == 1;
		start_plant(stage);
		attach(stage, &page);
		assert_int_not_equal(plant_page_wait(&page, 10 * SECOND, in_V, &t_ns), JOSTLE_EIO);
		const int policy = sched_getscheduler(stage->pid);
		plant_page_close(&page);
		assert_int_equal(stop_plant(stage, SIGTERM), 0);
		assert_int_equal(policy, turn == 1 ? granted_policy() : sched_getscheduler(0));
	}
}

/* catches: a duration that is ignored, and edges that are lost instead of integrated late */
static void a_duration_gives_its_number_of_edges(void **state)
{
	struct stage *stage = *state;
	const struct plant_process_options options = {.plant = stage->plant,
						      .name = stage->name,
						      .period_s = PERIOD_S,
						      .seed = 1,
						      .duration_s = 0.0505,
						      .log_path = stage->log};
	struct err err = {0};
	struct log log;

	assert_int_equal(plant_process_run(&options, &err), 0);
	read_log(stage, &log);
	assert_int_equal(log.n, 50);
	free_log(&log);
}

/* catches: a plant that starts without the log it was asked for */
static void a_log_that_can_not_be_written_is_an_error(void **state)
{
	struct stage *stage = *state;
	struct plant_process_options options = {.plant = stage->plant, .name = stage->name, .period_s = PERIOD_S};
	struct err err = {0};

	options.log_path = "/no/such/folder/log.h5";
	assert_int_equal(plant_process_run(&options, &err), JOSTLE_EIO);
	options.log_path = NULL;
	options.plant = "no-such-plant";
	assert_int_equal(plant_process_run(&options, &err), JOSTLE_ENOENT);
}

#define PROCESS_TEST(test) cmocka_unit_test_setup_teardown(test, stage_new, stage_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROCESS_TEST(the_plant_goes_on_and_holds_the_last_outputs_when_its_client_is_killed),
		PROCESS_TEST(a_killed_plant_is_an_error_within_the_time_out),
		cmocka_unit_test_setup_teardown(faults_begin_and_end_by_signal_while_the_plant_runs, stage_faulty,
						stage_free),
		cmocka_unit_test_setup_teardown(the_log_shows_what_was_in_effect, stage_faulty, stage_free),
		PROCESS_TEST(real_time_priority_is_taken_where_it_is_granted),
		PROCESS_TEST(a_duration_gives_its_number_of_edges),
		PROCESS_TEST(a_log_that_can_not_be_written_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
