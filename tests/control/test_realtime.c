/* Real-time treatment, granted or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "control/realtime.h"

/** Files that this process has open. */
static size_t count_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/** Call and return what was written to standard error meanwhile. */
static const char *stderr_of(void (*call)(void *), void *context)
{
	static char text[2048];
	FILE *file = tmpfile();
	const int kept = dup(STDERR_FILENO);

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	call(context);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static struct realtime realtime;

static void enter(void *cpu)
{
	realtime_enter(&realtime, *(int *)cpu);
}

/* catches: a priority, CPU, slack or file that stays after the loop has gone */
static void what_was_granted_is_given_back(void **state)
{
	const size_t n_files = count_files();
	const int slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	struct sched_param parameters;
	cpu_set_t before, within, after;
	int policy, policy_before, cpu = -1;

	(void)state;
	pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
	while (!CPU_ISSET(++cpu, &before))
		;
	pthread_getschedparam(pthread_self(), &policy_before, &parameters);
	stderr_of(enter, &cpu);
	pthread_getaffinity_np(pthread_self(), sizeof(within), &within);
	assert_true(realtime.pinned);
	assert_int_equal(CPU_COUNT(&within), 1);
	assert_true(CPU_ISSET(cpu, &within));
	pthread_getschedparam(pthread_self(), &policy, &parameters);
	if (!realtime.scheduled)
		assert_int_equal(policy, policy_before);
	else
		assert_int_equal(policy, SCHED_FIFO);
	if (realtime.scheduled)
		assert_int_equal(parameters.sched_priority, REALTIME_PRIORITY);
	assert_int_equal(count_files(), n_files + (realtime.latency_fd >= 0));
	assert_true(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) <= slack_ns);

	realtime_leave(&realtime);
	pthread_getaffinity_np(pthread_self(), sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
	pthread_getschedparam(pthread_self(), &policy, &parameters);
	assert_int_equal(policy, policy_before);
	assert_int_equal(count_files(), n_files);
	assert_int_equal(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack_ns);
}

/* catches: a refusal that nobody is told of, told in several lines, or told without what was refused */
static void what_is_refused_is_said_once(void **state)
{
	int cpu = CPU_SETSIZE + 3;
	const char *text = stderr_of(enter, &cpu);

	(void)state;
	realtime_leave(&realtime);
	assert_false(realtime.pinned);
	assert_non_null(strstr(text, "not on CPU 1027"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_int_equal(strstr(text, "SCHED_FIFO refused") == NULL, realtime.scheduled);
	assert_int_equal(strstr(text, "memory not locked") == NULL, realtime.locked);
}

static void *use_stack(void *argument)
{
	volatile char stack[512 * 1024];

	for (size_t i = 0; i < sizeof(stack); i += 512)
		stack[i] = (char)i;
	realtime_enter(&realtime, REALTIME_ANY_CPU);
	realtime_leave(&realtime);
	*(int *)argument = stack[512] == 0 ? 42 : 41;
	return argument;
}

static void run_thread(void *argument)
{
	pthread_t thread;

	assert_int_equal(realtime_thread(&thread, use_stack, argument), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* catches: a stack too small for the kernels' scratch, which makes the thread impossible, or for a tick */
static void thread_has_a_stack_for_the_loop(void **state)
{
	int done = 0;

	(void)state;
	stderr_of(run_thread, &done);
	assert_int_equal(done, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_granted_is_given_back),
		cmocka_unit_test(what_is_refused_is_said_once),
		cmocka_unit_test(thread_has_a_stack_for_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
