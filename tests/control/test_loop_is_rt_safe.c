/*
 * 100 000 ticks without an allocation, a lock, stdio or any call that could block, counted from the end of each exchange to
 * the beginning of the next: the calls are intercepted in this executable; and where the kernel can stop a thread at every
 * system call it makes (prctl(2), syscall user dispatch), it is asked to. Only the loop's own thread is counted.
 */
#include "control/support/intercept.h"
#include "control/support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "control/heartbeat.h"
#include "control/recorder.h"

#define N_TICKS     100000
#define MAX_SAMPLES 256

static struct loop_fixture fixture;
static struct program other;
static struct heartbeat heartbeat;
static struct recorder *recorder;
static uint64_t n_events[EVENT_N_KINDS];
static bool everything;
static uint64_t n_full; /* ticks that found the ring of samples full */

/** Reset, arm and run wherever the bench stands still, and in between all that a client may ask for, in turn. */
static void ask(struct loop *loop, uint64_t n)
{
	const uint64_t turn = n % 1000;
	struct request request = {.id = n + 1, .kind = REQUEST_EVENT};

	if (!supervisor_running(&loop->supervisor)) {
		request.event = n % 3 == 0 ? SUPERVISOR_RESET : n % 3 == 1 ? SUPERVISOR_ARM : SUPERVISOR_RUN;
	} else if (turn == 100 || turn == 150) {
		request.kind = REQUEST_MANUAL;
		request.value_V = turn == 100 ? 0.5 : NAN;
	} else if (turn == 600) {
		request.kind = REQUEST_LIMITS;
		request.min_V = -8;
		request.max_V = 8;
	} else if (n % 7000 == 6500) {
		request.kind = REQUEST_PROGRAM;
		request.program = loop->program == &other ? &fixture.program : &other;
	} else if (n % 20000 == 19000) {
		request.event = SUPERVISOR_STOP;
	} else if (turn == 900) {
		request.kind = REQUEST_N_KINDS; /* refused */
	} else {
		return;
	}
	loop_ask(loop, &request);
}

/** What other threads would do meanwhile, done here in the exchange, so that every run is the same. */
static void look_on(struct loop_fixture *f, uint64_t n)
{
	struct {
		struct sample_record head;
		double value[TEST_SITES];
	} sample;
	struct loop_event event;

	ask(&f->loop, n);
	while (ring_pop(&f->events, &event))
		n_events[event.kind]++;
	/* Nobody takes samples for a while, and whoever does has left the ring full of them. */
	memset(&sample, 0, sizeof(sample));
	for (bool more = n % 30000 == 1; more;)
		more = ring_push(&f->samples, &sample);
	for (bool more = n % 30000 > 5000; more;)
		more = ring_pop(&f->samples, &sample);
	n_full += f->loop.state.outside & OUTSIDE_NO_ROOM;
	if (n % 33 == 0)
		loop_view(&f->loop);
}

static void before_exchange(struct daq *daq)
{
	(void)daq;
	intercept_arm(false);
	if (everything)
		look_on(&fixture, test_record.n_exchanges);
}

/* The driver's own work is not the loop's; and the last tick is the caller's to notice. */
static void after_exchange(struct daq *daq)
{
	(void)daq;
	if (test_record.n_exchanges >= N_TICKS)
		loop_stop(&fixture.loop);
	else
		intercept_arm(true);
}

static void beat(void *context, int64_t now_ns, enum supervisor_state state, const double out_V[])
{
	heartbeat_beat(context, now_ns, state, out_V);
}

/** The guardian is asked for, but nobody is one here. */
static uint32_t outside(void *context, uint64_t number, int64_t now_ns, uint32_t found)
{
	(void)number;
	return found | (heartbeat_guardian(context, now_ns) == GUARDIAN_SEIZED ? OUTSIDE_GUARDIAN_SEIZED : 0);
}

static void record_tick(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
			const double command[])
{
	recorder_tick(context, tick, in_V, out_V, command);
}

static void record_event(void *context, const struct loop_event *event)
{
	recorder_event(context, event);
}

static void prepare(bool paced)
{
	test_script.noisy = true;
	test_script.before = before_exchange;
	test_script.after = after_exchange;
	loop_fixture_prepare(&fixture, test_bench_feedback(), MAX_SAMPLES, paced);
	fixture.loop.paced = paced;
}

static void init(struct loop_fixture *f)
{
	static const struct loop_watch watch = {.context = &heartbeat, .beat = beat, .outside = outside};
	const struct loop_tap tap = {.context = recorder, .tick = record_tick, .event = record_event};
	const struct loop_setup setup = {.daq = &f->daq,
					 .calibration = &f->calibration,
					 .program = &f->program,
					 .events = everything ? &f->events : NULL,
					 .tap = everything ? &tap : NULL,
					 .watch = everything ? &watch : NULL,
					 .cpu = LOOP_ANY_CPU,
					 .arming_allowed = true,
					 .paced = f->loop.paced,
					 .stages = everything};

	if (loop_init(&f->loop, &setup, &f->err))
		fail_msg("%s", f->err.text);
}

/** 100 000 ticks in this thread; fails the test where something was called. */
static void run_and_count(void)
{
	struct loop_fixture *f = &fixture;

	init(f);
	if (!everything)
		request_running(&f->loop);
	intercept_reset();
	assert_int_equal(loop_run(&f->loop, &f->err), 0);
	intercept_arm(false);
	assert_int_equal(f->loop.n_ticks, N_TICKS);
	if (intercept_n_calls() > 0)
		fail_msg("%zu calls, the first of them %s", intercept_n_calls(), intercept_first());
}

static int setup(void **state)
{
	(void)state;
	everything = false;
	memset(n_events, 0, sizeof(n_events));
	test_script_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_fixture_destroy(&fixture);
	return 0;
}

/* catches: an allocation, lock or log line in any stage of the loop, reading out and publishing included */
static void plain_ticks_call_nothing(void **state)
{
	(void)state;
	prepare(false);
	run_and_count();
	assert_int_equal(fixture.loop.supervisor.state, SUPERVISOR_RUNNING);
	assert_true(fixture.program.sequencer.n_samples >= 200);
}

/* catches: the same when every tick is timed */
static void paced_ticks_call_nothing(void **state)
{
	(void)state;
	prepare(true);
	run_and_count();
	assert_int_equal(fixture.loop.timing.execution.n, N_TICKS);
}

/** A page without a guardian, and a recorder in a folder of its own. */
static void open_listeners(char folder[])
{
	struct loop_fixture *f = &fixture;
	const struct recorder_setup recording = {.folder = folder,
						 .name = "r",
						 .bench = f->bench,
						 .calibration = &f->calibration,
						 .record = &f->record,
						 .backend = f->daq.backend,
						 .simulated = true,
						 .period_s = f->daq.period_s};
	struct heartbeat_facts facts;
	char name[64];

	snprintf(name, sizeof(name), "rt-safe-%d", (int)getpid());
	f->bench->guardian_periods = 50;
	heartbeat_state_facts(&facts, f->bench, f->daq.period_s, NULL);
	if (!mkdtemp(folder) || heartbeat_create(&heartbeat, name, &facts, &f->err) ||
	    recorder_open(&recorder, &recording, &f->err))
		fail_msg("%s", f->err.text);
	recorder_set(recorder, true);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

/*
 * catches: the same in what an idle bench never does: a request, a program, a hand, narrower limits, an event, a view, a
 * trip and the way back from it, missed slots, a full ring, the beat, a recorder that is handed everything
 */
static void ticks_with_all_that_can_happen_call_nothing(void **state)
{
	char folder[] = "/tmp/jostle-test-XXXXXX";
	struct loop_fixture *f = &fixture;

	(void)state;
	everything = true;
	test_script.nan_at = 30000;
	test_script.jump_at = 60000;
	test_script.miss_at = 80000;
	test_script.n_missed = 5;
	prepare(true);
	loop_fixture_program(f, &other, 2, MAX_SAMPLES);
	open_listeners(folder);
	run_and_count();
	for (size_t kind = 0; kind < EVENT_N_KINDS; kind++)
		if (kind != EVENT_PLAN && n_events[kind] == 0)
			fail_msg("the run had no event of kind %zu", kind);
	assert_true(f->loop.n_refused >= 50);
	assert_true(n_full > 0);
	recorder_close(recorder, &f->err);
	heartbeat_close(&heartbeat);
	program_fini(&other);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* catches: a sleep, a futex, a page asked for: whatever reaches the kernel by a way that nobody intercepts */
static void ticks_make_no_system_call(void **state)
{
	if (!intercept_syscalls(true))
		skip();
	ticks_with_all_that_can_happen_call_nothing(state);
	intercept_syscalls(false);
}

/* catches: an interception that the linker left out, so that the tests above could not fail */
static void counter_sees_each_of_the_calls(void **state)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	const struct timespec moment = {.tv_nsec = 1};
	size_t n[10];
	void *volatile memory;

	(void)state;
	intercept_reset();
	intercept_arm(true);
	memory = malloc(100);
	n[0] = intercept_n_calls();
	memory = realloc(memory, 20000);
	n[1] = intercept_n_calls();
	free(memory);
	n[2] = intercept_n_calls();
	memory = calloc(3, 5);
	n[3] = intercept_n_calls();
	pthread_mutex_lock(&mutex);
	n[4] = intercept_n_calls();
	n[5] = write(STDERR_FILENO, "", 0) == 0 ? intercept_n_calls() : 0;
	nanosleep(&moment, NULL);
	n[6] = intercept_n_calls();
	ioctl(-1, 0, NULL);
	n[7] = intercept_n_calls();
	n[8] = open("/nowhere", O_RDONLY) < 0 ? intercept_n_calls() : 0;
	fflush(stderr);
	n[9] = intercept_n_calls();
	intercept_arm(false);
	pthread_mutex_unlock(&mutex);
	free(memory);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(n[i], i + 1);
	assert_string_equal(intercept_first(), "malloc");
	if (!intercept_syscalls(true))
		return;
	intercept_reset();
	intercept_arm(true);
	getppid();
	intercept_arm(false);
	assert_string_equal(intercept_first(), "a system call");
	intercept_syscalls(false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_sees_each_of_the_calls),
		TEST(plain_ticks_call_nothing),
		TEST(paced_ticks_call_nothing),
		TEST(ticks_with_all_that_can_happen_call_nothing),
		TEST(ticks_make_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
