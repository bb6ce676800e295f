/*
 * The guardian, as a process beside a loop's: what it writes to a device that records every write, when loops die, stop,
 * resume, end, or will not see that they have been given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "control/guardian.h"
#include "control/heartbeat.h"
#include "daq/bench.h"
#include "daq/daq.h"

#define N_OUT    2
#define MAX_LOG  4096
#define PATIENCE 30000 /* ms, for anything that happens at all */
#define FROM_V   8.0   /* where the loop drives both outputs */

static const char bench_text[] = "summary: a device that records what a guardian writes\n"
				 "driver: recorder\n"
				 "devices: [memory]\n"
				 "period_s: 1e-3\n"
				 "drive: feedback\n"
				 "lattice: [2, 1]\n"
				 "stiffness_N_per_m: 1e-6\n"
				 "damping_N_s_per_m: 1e-8\n"
				 "temperature_K: 300\n"
				 "guardian_periods: 300\n"
				 "inputs:\n"
				 "  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e6]}\n"
				 "outputs:\n"
				 "  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e12], limit_V: [-9, 9], "
				 "slew_V_per_s: %s, safe_V: 1}\n";
#define SAFE_V 1.0

/* What all processes of a test see. */
struct shared {
	/* the device's */
	atomic_int n_writes, n_opens, n_releases;
	double written_V[MAX_LOG][N_OUT];
	atomic_bool fail;
	/* the loop's: what it is told, what it tells */
	atomic_bool stubborn, silent, say_goodbye, is_over;
	atomic_int view;
	atomic_ullong n_beats;
};

static struct shared *shared;

static int recorder_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	(void)daq;
	(void)bench;
	(void)options;
	(void)err;
	atomic_fetch_add(&shared->n_opens, 1);
	return 0;
}

static int recorder_write(struct daq *daq, const double out_V[])
{
	const int n = atomic_load(&shared->n_writes);

	if (atomic_load(&shared->fail))
		return JOSTLE_EIO;
	if (n < MAX_LOG)
		memcpy(shared->written_V[n], out_V, daq->n_out * sizeof(*out_V));
	atomic_store(&shared->n_writes, n + 1);
	return 0;
}

static void recorder_release(struct daq *daq)
{
	(void)daq;
	atomic_fetch_add(&shared->n_releases, 1);
}

static void recorder_close(struct daq *daq)
{
	(void)daq;
}

static const struct daq_driver driver_recorder = {
	.name = "recorder",
	.state_size = 1,
	.guard_open = recorder_open,
	.guard_write = recorder_write,
	.guard_release = recorder_release,
	.guard_close = recorder_close,
};

const struct daq_driver *const driver_registry[] = {&driver_recorder, NULL};

/** A loop and its guardian. */
struct scene {
	char name[64], bench_path[64];
	pid_t loop, guardian;
};

/** A loop as far as a guardian sees one: it beats, and goes to FAULT when it finds itself given up. */
static void be_the_loop(const struct scene *scene, bool latch_only)
{
	const double driven_V[N_OUT] = {FROM_V, -FROM_V}, safe_V[N_OUT] = {SAFE_V, SAFE_V};
	enum supervisor_state state = SUPERVISOR_RUNNING;
	struct heartbeat_facts facts;
	struct heartbeat heartbeat;
	struct bench bench;
	struct err err = {0};

	if (bench_load(&bench, scene->bench_path, &err))
		_exit(1);
	heartbeat_state_facts(&facts, &bench, bench.period_s, NULL);
	facts.latch_only = latch_only;
	bench_free(&bench);
	if (heartbeat_create(&heartbeat, scene->name, &facts, &err))
		_exit(1);
	while (!atomic_load(&shared->say_goodbye)) {
		const enum guardian_view view = heartbeat_guardian(&heartbeat, clock_now_ns());

		if (view == GUARDIAN_SEIZED && !atomic_load(&shared->stubborn))
			state = SUPERVISOR_FAULT;
		if (!atomic_load(&shared->silent)) {
			heartbeat_beat(&heartbeat, clock_now_ns(), state,
				       state == SUPERVISOR_RUNNING ? driven_V : safe_V);
			atomic_fetch_add(&shared->n_beats, 1);
		}
		atomic_store(&shared->view, view);
		clock_sleep_until(clock_now_ns() + 1000000);
	}
	heartbeat_goodbye(&heartbeat);
	while (!atomic_load(&shared->is_over))
		clock_sleep_until(clock_now_ns() + 1000000);
	heartbeat_close(&heartbeat);
	_exit(0);
}

#define wait_for(condition)                                                                                            \
	do {                                                                                                           \
		for (int ms_ = 0; !(condition); ms_++) {                                                               \
			if (ms_ == PATIENCE)                                                                           \
				fail_msg("in vain: %s", #condition);                                                   \
			clock_sleep_until(clock_now_ns() + 1000000);                                                   \
		}                                                                                                      \
	} while (0)

static bool page_exists(const struct scene *scene)
{
	char path[96];

	snprintf(path, sizeof(path), "/jostle-run-%s", scene->name);
	const int fd = shm_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static pid_t start_guardian(const struct scene *scene)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = {0};
		const int code = guardian_run(scene->name, &err);

		if (code)
			fprintf(stderr, "%s\n", err.text);
		_exit(code ? 1 : 0);
	}
	return pid;
}

static void start_loop(struct scene *scene, bool latch_only)
{
	scene->loop = fork();
	assert_true(scene->loop >= 0);
	if (scene->loop == 0)
		be_the_loop(scene, latch_only);
	wait_for(page_exists(scene) && (atomic_load(&shared->n_beats) > 3 || atomic_load(&shared->silent)));
}

static void start(struct scene *scene)
{
	start_loop(scene, false);
	scene->guardian = start_guardian(scene);
	wait_for(atomic_load(&shared->view) == GUARDIAN_WATCHING);
}

static int end_of(pid_t *pid)
{
	int status = 0;
	const pid_t which = *pid;

	*pid = 0;
	for (int ms = 0; waitpid(which, &status, WNOHANG) == 0; ms++) {
		if (ms == PATIENCE)
			fail_msg("process %d does not end", which);
		clock_sleep_until(clock_now_ns() + 1000000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void kill_loop(struct scene *scene)
{
	kill(scene->loop, SIGKILL);
	end_of(&scene->loop);
}

static void stop_loop(const struct scene *scene)
{
	int status;

	kill(scene->loop, SIGSTOP);
	assert_int_equal(waitpid(scene->loop, &status, WUNTRACED), scene->loop);
	assert_true(WIFSTOPPED(status));
}

static double last_V(size_t output)
{
	const int n = atomic_load(&shared->n_writes);

	return n ? shared->written_V[n - 1][output] : NAN;
}

static bool device_is_safe(void)
{
	return last_V(0) == SAFE_V && last_V(1) == SAFE_V;
}

/** From the loop's last volts to safe ones, never back, never further, all writes within the limits. */
static void assert_a_ramp(void)
{
	const int n = atomic_load(&shared->n_writes);
	double before[N_OUT] = {FROM_V, -FROM_V};

	assert_in_range(n, 1, MAX_LOG);
	for (int w = 0; w < n; w++) {
		assert_true(shared->written_V[w][0] <= before[0] && shared->written_V[w][0] >= SAFE_V);
		assert_true(shared->written_V[w][1] >= before[1] && shared->written_V[w][1] <= SAFE_V);
		memcpy(before, shared->written_V[w], sizeof(before));
	}
	assert_true(device_is_safe());
}

static void write_bench(const struct scene *scene, const char *slew)
{
	FILE *file = fopen(scene->bench_path, "w");

	assert_non_null(file);
	assert_true(fprintf(file, bench_text, slew) > 0);
	assert_int_equal(fclose(file), 0);
}

static int scene_new(void **state)
{
	static int turn;
	struct scene *scene = calloc(1, sizeof(*scene));

	memset(shared, 0, sizeof(*shared));
	snprintf(scene->name, sizeof(scene->name), "test-guardian-%d-%d", getpid(), turn++);
	snprintf(scene->bench_path, sizeof(scene->bench_path), "/tmp/jostle-guardian-XXXXXX.yaml");
	const int fd = mkstemps(scene->bench_path, 5);
	assert_true(fd >= 0);
	close(fd);
	write_bench(scene, "4e3");
	*state = scene;
	return 0;
}

static int scene_free(void **state)
{
	struct scene *scene = *state;
	char path[96];

	if (scene->loop > 0) {
		kill(scene->loop, SIGKILL);
		waitpid(scene->loop, NULL, 0);
	}
	if (scene->guardian > 0) {
		kill(scene->guardian, SIGKILL);
		waitpid(scene->guardian, NULL, 0);
	}
	snprintf(path, sizeof(path), "/jostle-run-%s", scene->name);
	shm_unlink(path);
	unlink(scene->bench_path);
	free(scene);
	return 0;
}

/* catches: a guardian that waits for a dead loop, jumps, overshoots, lets go at its own end, or leaves the page behind */
static void a_killed_loops_outputs_are_brought_to_safe_and_kept(void **state)
{
	struct scene *scene = *state;

	start(scene);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
	kill_loop(scene);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_a_ramp();
	/* 7 V and 9 V to go, 2 V a step: not at once */
	assert_true(atomic_load(&shared->n_writes) >= 2);
	assert_int_equal(atomic_load(&shared->n_releases), 0);
	assert_false(page_exists(scene));
}

/* catches: a deadline that is not this loop's, a ramp that takes the slew limit's time: 18 s from 9 V at 0.5 V/s */
static void a_slow_slew_limit_does_not_outlast_the_deadline(void **state)
{
	struct scene *scene = *state;

	write_bench(scene, "0.5");
	start(scene);
	kill_loop(scene);
	const int64_t killed_ns = clock_now_ns();
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_a_ramp();
	assert_true(clock_now_ns() - killed_ns < 9000000000);
}

/* catches: a stopped loop that counts as alive; outputs given back before the loop has seen it, or never; a second time missed */
static void a_stopped_loop_gets_its_outputs_back_in_fault(void **state)
{
	struct scene *scene = *state;

	start(scene);
	stop_loop(scene);
	wait_for(device_is_safe());
	assert_a_ramp();
	const int n = atomic_load(&shared->n_writes);
	wait_for(atomic_load(&shared->n_writes) > n + 3); /* it holds them */
	assert_int_equal(atomic_load(&shared->n_releases), 0);

	const unsigned long long beats = atomic_load(&shared->n_beats);
	kill(scene->loop, SIGCONT);
	wait_for(atomic_load(&shared->n_releases) == 1);
	assert_true(atomic_load(&shared->n_beats) >= beats + 2);
	wait_for(atomic_load(&shared->view) == GUARDIAN_WATCHING);

	stop_loop(scene);
	wait_for(atomic_load(&shared->n_writes) > n + 10);
	assert_true(device_is_safe());
	kill_loop(scene);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_int_equal(atomic_load(&shared->n_releases), 1);
}

/* catches: outputs given back to a loop for beating alone */
static void a_loop_that_is_not_in_fault_gets_nothing_back(void **state)
{
	struct scene *scene = *state;

	start(scene);
	atomic_store(&shared->stubborn, true);
	stop_loop(scene);
	wait_for(device_is_safe());
	kill(scene->loop, SIGCONT);
	const unsigned long long beats = atomic_load(&shared->n_beats);
	wait_for(atomic_load(&shared->n_beats) > beats + 100);
	assert_int_equal(atomic_load(&shared->n_releases), 0);
	assert_true(device_is_safe());
	atomic_store(&shared->stubborn, false);
	wait_for(atomic_load(&shared->n_releases) == 1);
}

/* catches: a guardian that stays for ever beside a loop that has put its outputs away and takes its time to end */
static void a_goodbye_is_enough(void **state)
{
	struct scene *scene = *state;

	start(scene);
	atomic_store(&shared->say_goodbye, true);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
}

/* catches: a loop that has put its outputs away and ended, taken for one that died */
static void a_loop_that_says_goodbye_is_left_alone(void **state)
{
	struct scene *scene = *state;

	start(scene);
	atomic_store(&shared->is_over, true); /* gone at once, most often before the guardian looks */
	atomic_store(&shared->say_goodbye, true);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
	assert_int_equal(end_of(&scene->loop), 0);
}

/* catches: a device seized from whoever has it, for a loop that never drove it */
static void a_loop_that_never_beat_has_nothing_to_guard(void **state)
{
	struct scene *scene = *state;

	atomic_store(&shared->silent, true);
	start(scene);
	kill_loop(scene);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
}

/* catches: a guardian that the terminal, or systemd's first signal to all, takes away before its loop */
static void signals_do_not_end_it_before_its_loop(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGPIPE, SIGUSR1};
	struct scene *scene = *state;

	start(scene);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(scene->guardian, signals[i]);
	kill_loop(scene);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_a_ramp();
}

/* catches: one failed write taken for the end of the work, or for a success */
static void a_device_that_fails_is_tried_again(void **state)
{
	struct scene *scene = *state;

	start(scene);
	atomic_store(&shared->fail, true);
	stop_loop(scene);
	wait_for(page_exists(scene));
	for (int ms = 0; ms < 200; ms++)
		clock_sleep_until(clock_now_ns() + 1000000);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
	atomic_store(&shared->fail, false);
	wait_for(device_is_safe());
	/* and given up, with an error, when nobody is left to wait for */
	atomic_store(&shared->fail, true);
	kill_loop(scene);
	assert_int_equal(end_of(&scene->guardian), 1);
}

/* catches: a successor that watches a page seized by the one before it, and leaves the device where that one died */
static void another_guardian_takes_over_what_the_first_had_seized(void **state)
{
	struct scene *scene = *state;

	start(scene);
	stop_loop(scene);
	wait_for(device_is_safe());
	kill(scene->guardian, SIGKILL);
	assert_int_equal(end_of(&scene->guardian), -SIGKILL);
	atomic_store(&shared->n_writes, 0);
	scene->guardian = start_guardian(scene);
	wait_for(atomic_load(&shared->n_writes) > 0);
	assert_true(device_is_safe());
	kill(scene->loop, SIGCONT);
	wait_for(atomic_load(&shared->n_releases) == 1);
}

/* catches: a loop that takes a dead guardian's last word for its life */
static void the_loop_finds_its_guardian_lost(void **state)
{
	struct scene *scene = *state;

	start(scene);
	kill(scene->guardian, SIGKILL);
	assert_int_equal(end_of(&scene->guardian), -SIGKILL);
	wait_for(atomic_load(&shared->view) == GUARDIAN_LOST);
	scene->guardian = start_guardian(scene);
	wait_for(atomic_load(&shared->view) == GUARDIAN_WATCHING);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
}

/* catches: a device opened that can't be, a resumed loop that does not learn that it was given up */
static void without_hands_it_still_gives_the_loop_up(void **state)
{
	struct scene *scene = *state;

	start_loop(scene, true);
	scene->guardian = start_guardian(scene);
	wait_for(atomic_load(&shared->view) == GUARDIAN_WATCHING);
	stop_loop(scene);
	clock_sleep_until(clock_now_ns() + 700000000);
	atomic_store(&shared->stubborn, true); /* so that the view stays to be seen */
	kill(scene->loop, SIGCONT);
	wait_for(atomic_load(&shared->view) == GUARDIAN_SEIZED);
	atomic_store(&shared->stubborn, false);
	wait_for(atomic_load(&shared->view) == GUARDIAN_WATCHING);
	kill_loop(scene);
	assert_int_equal(end_of(&scene->guardian), 0);
	assert_int_equal(atomic_load(&shared->n_opens), 0);
	assert_int_equal(atomic_load(&shared->n_writes), 0);
}

/* catches: another safe_V than the one that the loop and its bench were started with */
static void a_bench_file_changed_since_is_refused(void **state)
{
	struct scene *scene = *state;
	FILE *file;

	start_loop(scene, false);
	file = fopen(scene->bench_path, "a");
	assert_non_null(file);
	fputs("# edited\n", file);
	fclose(file);
	scene->guardian = start_guardian(scene);
	assert_int_equal(end_of(&scene->guardian), 1);
	assert_int_equal(atomic_load(&shared->n_opens), 0);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_new, scene_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_killed_loops_outputs_are_brought_to_safe_and_kept),
		SCENE_TEST(a_stopped_loop_gets_its_outputs_back_in_fault),
		SCENE_TEST(a_loop_that_is_not_in_fault_gets_nothing_back),
		SCENE_TEST(a_slow_slew_limit_does_not_outlast_the_deadline),
		SCENE_TEST(a_goodbye_is_enough),
		SCENE_TEST(a_loop_that_says_goodbye_is_left_alone),
		SCENE_TEST(a_loop_that_never_beat_has_nothing_to_guard),
		SCENE_TEST(signals_do_not_end_it_before_its_loop),
		SCENE_TEST(a_device_that_fails_is_tried_again),
		SCENE_TEST(another_guardian_takes_over_what_the_first_had_seized),
		SCENE_TEST(the_loop_finds_its_guardian_lost),
		SCENE_TEST(without_hands_it_still_gives_the_loop_up),
		SCENE_TEST(a_bench_file_changed_since_is_refused),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
