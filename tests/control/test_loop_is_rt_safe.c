/*
 * 100 000 ticks without an allocation, a lock or a write: the calls are intercepted in this executable, and counted
 * from the end of each exchange to the next.
 */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/loop.h"

#define N_TICKS 100000

static atomic_bool armed;
static atomic_size_t n_calls;

static void count(void)
{
	if (atomic_load_explicit(&armed, memory_order_relaxed))
		atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed);
}

/* The C library's own allocator under its other names: looking it up by dlsym() would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	count();
	return __libc_realloc(memory, size);
}

void free(void *memory)
{
	count();
	__libc_free(memory);
}

static int (*real_lock)(pthread_mutex_t *);
static int (*real_wait)(pthread_cond_t *, pthread_mutex_t *);
static ssize_t (*real_write)(int, const void *, size_t);

__attribute__((constructor)) static void look_up(void)
{
	real_lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
	real_wait = (int (*)(pthread_cond_t *, pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_cond_wait");
	real_write = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	count();
	return real_lock ? real_lock(mutex) : 0; /* before the constructor there is one thread */
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	count();
	return real_wait(condition, mutex);
}

ssize_t write(int file, const void *bytes, size_t size)
{
	count();
	return real_write ? real_write(file, bytes, size) : -1;
}

static struct loop loop;

static void disarm_in_exchange(struct daq *daq)
{
	(void)daq;
	atomic_store(&armed, false);
}

/* The driver's own work is not the loop's; and the last tick is the caller's to notice. */
static void arm_after_exchange(struct daq *daq)
{
	(void)daq;
	if (test_record.n_exchanges >= N_TICKS)
		loop_stop(&loop);
	else
		atomic_store(&armed, true);
}

static size_t count_calls_of_a_run(bool paced, bool trips)
{
	const struct segment segments[] = {
		{.kind = SEGMENT_RELAX, .duration = 4},
		{.kind = SEGMENT_GENERATE, .t_final = 1, .t_minimum = 0.1},
	};
	const struct plan plan = {.segments = segments, .n_segments = 2, .n_repeats = 150};
	const char *const specs[] = {"onsite-power powers=2,4", "bilinear range=1"};
	const double theta[] = {0.8, 0.7, 0.05, 0.05, 0.3};
	struct calibration_record record;
	struct protocol protocol;
	struct calibration calibration;
	struct program program;
	struct ring samples;
	struct daq daq;
	struct err err = {0};

	test_script_reset();
	test_script.noisy = true;
	test_script.before = disarm_in_exchange;
	test_script.after = arm_after_exchange;
	if (trips)
		test_script.jump_at = N_TICKS / 2;
	test_bench_open(&daq, &record, test_bench_feedback(), paced);
	test_protocol(&protocol, specs, 2, theta);
	assert_int_equal(ring_init(&samples, sequencer_record_size(TEST_SITES), 150, &err), 0);
	assert_int_equal(calibration_init(&calibration, daq.bench, &record, daq.period_s, &err), 0);
	const struct program_setup program_setup = {
		.id = 1,
		.bench = daq.bench,
		.calibration = &calibration,
		.record = &record,
		.protocol = &protocol,
		.samples = &samples,
		.plan = &plan,
		.period_s = daq.period_s,
	};
	assert_int_equal(program_init(&program, &program_setup, &err), 0);
	const struct loop_setup setup = {
		.daq = &daq,
		.calibration = &calibration,
		.program = &program,
		.cpu = LOOP_ANY_CPU,
		.arming_allowed = true,
		.paced = paced,
	};
	assert_int_equal(loop_init(&loop, &setup, &err), 0);
	loop_request(&loop, SUPERVISOR_RESET);
	loop_request(&loop, SUPERVISOR_ARM);
	loop_request(&loop, SUPERVISOR_RUN);

	atomic_store(&n_calls, 0);
	const int code = loop_run(&loop, &err);

	atomic_store(&armed, false);
	assert_int_equal(code, 0);
	assert_int_equal(loop.n_ticks, N_TICKS);
	assert_int_equal(loop.supervisor.state, trips ? SUPERVISOR_FAULT : SUPERVISOR_RUNNING);
	assert_true(program.sequencer.n_samples >= 80);
	loop_fini(&loop);
	program_fini(&program);
	calibration_fini(&calibration);
	ring_fini(&samples);
	protocol_fini(&protocol);
	calibration_record_fini(&record);
	daq_close(&daq);
	return atomic_load(&n_calls);
}

/* catches: an allocation, lock or log line in any stage of the loop, reading out, publishing and tripping included */
static void ticks_neither_allocate_nor_lock_nor_write(void **state)
{
	(void)state;
	assert_int_equal(count_calls_of_a_run(false, false), 0);
	assert_int_equal(count_calls_of_a_run(false, true), 0);
	assert_int_equal(count_calls_of_a_run(true, false), 0);
}

/* catches: an interception that the linker left out, so that the test above could not fail */
static void counter_sees_each_of_the_calls(void **state)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	size_t before[6];
	void *volatile memory;

	(void)state;
	atomic_store(&n_calls, 0);
	atomic_store(&armed, true);
	memory = malloc(100);
	before[0] = atomic_load(&n_calls);
	memory = realloc(memory, 20000);
	before[1] = atomic_load(&n_calls);
	free(memory);
	before[2] = atomic_load(&n_calls);
	memory = calloc(3, 5);
	before[3] = atomic_load(&n_calls);
	pthread_mutex_lock(&mutex);
	before[4] = atomic_load(&n_calls);
	before[5] = write(STDERR_FILENO, "", 0) == 0 ? atomic_load(&n_calls) : 0;
	atomic_store(&armed, false);
	pthread_mutex_unlock(&mutex);
	free(memory);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(before[i], i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_sees_each_of_the_calls),
		cmocka_unit_test(ticks_neither_allocate_nor_lock_nor_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
