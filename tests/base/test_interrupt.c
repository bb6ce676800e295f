#include "base/scratch.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/interrupt.h"

/** Run in a process of its own: signals are the process's. */
static int status_of(void (*child)(void))
{
	int status;
	const pid_t pid = fork();

	if (pid == 0) {
		child();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void asks_once(void)
{
	interrupt_watch();
	if (interrupt_asked())
		_exit(1);
	raise(SIGTERM);
	_exit(interrupt_asked() ? 42 : 2);
}

/* catches: a signal that ends the work, or goes unnoticed */
static void the_first_signal_is_a_question(void **state)
{
	const int status = status_of(asks_once);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void asks_twice(void)
{
	interrupt_watch();
	raise(SIGTERM);
	raise(SIGINT);
	_exit(3);
}

/* catches: a program that cannot be stopped, also when the second signal is the other one */
static void the_second_signal_ends_the_process(void **state)
{
	const int status = status_of(asks_twice);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_signal_is_a_question),
		cmocka_unit_test(the_second_signal_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
