#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/interrupt.h"

/* The tests' clock, in place of the C library's: real time and what a test adds to it. */
static int64_t added_ns;

int clock_gettime(clockid_t clock, struct timespec *t)
{
	const int result = (int)syscall(SYS_clock_gettime, clock, t);
	const int64_t ns = t->tv_nsec + added_ns % 1000000000;

	t->tv_sec += (time_t)(added_ns / 1000000000 + ns / 1000000000);
	t->tv_nsec = (long)(ns % 1000000000);
	return result;
}

/** Run in a process of its own, for signals are the process's; what it says on standard error goes to text[size]. */
static int status_of(void (*child)(void), char text[], size_t size)
{
	int status, ends[2];

	assert_int_equal(pipe(ends), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		child();
		_exit(0);
	}
	assert_true(pid > 0);
	close(ends[1]);
	size_t n = 0;
	for (ssize_t got; (got = read(ends[0], text + n, size - 1 - n)) > 0;)
		n += (size_t)got;
	text[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/** The child ends with status 42 when all was as it should be. */
static void assert_content(void (*child)(void))
{
	char text[512];
	const int status = status_of(child, text, sizeof(text));

	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static int asked_number;

static void asks_once(void)
{
	interrupt_watch();
	if (interrupt_asked())
		_exit(1);
	raise(asked_number);
	_exit(interrupt_asked() ? 42 : 2);
}

/* catches: a signal that ends the work with the outputs driven, or goes unnoticed: a closed terminal, Ctrl-\ */
static void each_way_of_asking_is_a_question_first(void **state)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		asked_number = numbers[i];
		assert_content(asks_once);
	}
}

static void asks_often(void)
{
	interrupt_watch();
	for (int i = 0; i < 100; i++)
		raise(i % 2 ? SIGINT : SIGHUP);
	added_ns = INTERRUPT_GRACE_NS - 1000000000;
	raise(SIGTERM);
	_exit(interrupt_asked() ? 42 : 2);
}

/* catches: an impatient second Ctrl-C, or the hangup that follows it, that kills before the outputs are at rest */
static void signals_within_the_grace_kill_nothing(void **state)
{
	(void)state;
	assert_content(asks_often);
}

static void asks_late(void)
{
	interrupt_watch();
	raise(SIGTERM);
	added_ns = INTERRUPT_GRACE_NS;
	raise(SIGINT);
	_exit(3);
}

/* catches: a program that hangs and cannot be ended, also when the second signal is another one */
static void a_signal_after_the_grace_ends_the_process(void **state)
{
	char text[512];
	const int status = status_of(asks_late, text, sizeof(text));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

static void writes_to_nobody(void)
{
	int ends[2];

	interrupt_watch();
	if (pipe(ends) != 0)
		_exit(1);
	close(ends[0]);
	_exit(write(ends[1], "x", 1) == -1 && errno == EPIPE && !interrupt_asked() ? 42 : 2);
}

/* catches: a job that dies, outputs driven, because the reader of its messages went away */
static void a_closed_pipe_is_an_error_and_no_end(void **state)
{
	(void)state;
	assert_content(writes_to_nobody);
}

static void hangs_up_under_nohup(void)
{
	signal(SIGHUP, SIG_IGN);
	interrupt_watch();
	raise(SIGHUP);
	_exit(interrupt_asked() ? 2 : 42);
}

/* catches: nohup that has no effect */
static void a_hangup_ignored_from_the_start_stays_ignored(void **state)
{
	(void)state;
	assert_content(hangs_up_under_nohup);
}

/* catches: a person who presses Ctrl-C again and again, for nobody said that the first was heard; or is told each time */
static void the_first_signal_says_once_what_further_ones_do(void **state)
{
	char text[512];

	(void)state;
	status_of(asks_often, text, sizeof(text));
	assert_non_null(strstr(text, "stopping; a signal 10 s from now or later"));
	assert_null(strstr(strstr(text, "stopping") + 1, "stopping"));
}

static void speaks_into_a_full_pipe(void)
{
	char filler[4096] = {0};
	int ends[2];

	if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
		_exit(1);
	while (write(ends[1], filler, sizeof(filler)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	dup2(ends[1], STDERR_FILENO);
	alarm(10); /* a handler that waits does so for ever */
	interrupt_watch();
	raise(SIGINT);
	_exit(interrupt_asked() ? 42 : 2);
}

/* catches: a handler that waits for a reader of standard error, in the loop's thread at worst */
static void a_full_pipe_does_not_hold_the_handler(void **state)
{
	(void)state;
	assert_content(speaks_into_a_full_pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_of_asking_is_a_question_first),
		cmocka_unit_test(signals_within_the_grace_kill_nothing),
		cmocka_unit_test(a_signal_after_the_grace_ends_the_process),
		cmocka_unit_test(a_closed_pipe_is_an_error_and_no_end),
		cmocka_unit_test(a_hangup_ignored_from_the_start_stays_ignored),
		cmocka_unit_test(the_first_signal_says_once_what_further_ones_do),
		cmocka_unit_test(a_full_pipe_does_not_hold_the_handler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
