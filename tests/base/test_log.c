/* What is said to a person never waits for the person. */
#include "base/log.h"

#include <stdarg.h>

#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/scratch.h"

#define PATIENCE_S 20

static int kept_stderr;

/** Standard error goes into `fd`; a line that waits ends the test. */
static void redirect(int fd)
{
	kept_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	alarm(PATIENCE_S);
}

static void restore(void)
{
	alarm(0);
	assert_int_equal(dup2(kept_stderr, STDERR_FILENO), STDERR_FILENO);
	close(kept_stderr);
}

/** Say numbered lines until they are surely more than anything holds. */
static void say_too_much(int n)
{
	for (int i = 0; i < n; i++)
		log_info("%d %0999d", i, 0);
}

/** What can be read now, at most `size` - 1 bytes. */
static size_t read_all(int fd, char *text, size_t size)
{
	size_t n = 0;

	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
	for (ssize_t more; n < size - 1 && (more = read(fd, text + n, size - 1 - n)) > 0;)
		n += (size_t)more;
	text[n] = '\0';
	return n;
}

static char text[4 << 20];

/** After too much was said into `in`, `out` is emptied: what came is whole lines, and the next owns up to the rest. */
static void assert_counted(int in, int out, int n)
{
	unsigned long long n_lost = 0;
	int n_lines = 0;

	redirect(in);
	say_too_much(n);
	read_all(out, text, sizeof(text));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		char expected[40];

		snprintf(expected, sizeof(expected), "jostle: %d 000", n_lines++);
		assert_memory_equal(line, expected, strlen(expected));
		assert_non_null(strchr(line, '\n'));
	}
	assert_in_range(n_lines, 1, n - 1);
	log_error("after");
	restore();
	read_all(out, text, sizeof(text));
	assert_int_equal(sscanf(text, "jostle: warning: %llu lines", &n_lost), 1);
	assert_int_equal((int)n_lost + n_lines, n);
	assert_contains(text, "\njostle: error: after\n");
}

/* catches: a main thread that stops where a pager reads no further, lines that are lost and nobody is told, a lost count */
static void a_full_pipe_is_not_waited_for(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_counted(ends[1], ends[0], 200);
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* it is shared with others */
	close(ends[0]);
	close(ends[1]);
}

/* catches: a logger on a socket that is waited for, as the system's journal is one */
static void a_full_socket_is_not_waited_for(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_counted(ends[1], ends[0], 2000);
	close(ends[0]);
	close(ends[1]);
}

/* catches: Ctrl-S in the terminal that stops the bench, O_NONBLOCK set on a terminal that the shell shares */
static void a_stopped_terminal_is_not_waited_for(void **state)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios raw;

	(void)state;
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		skip();
	const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);

	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	redirect(slave);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	say_too_much(100);
	assert_int_equal(read_all(master, text, sizeof(text)), 0);
	assert_int_equal(tcflow(slave, TCOON), 0);
	log_info("after");
	restore();
	assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	read_all(master, text, sizeof(text));
	assert_string_equal(text, "jostle: warning: 100 lines found no room here and are lost\njostle: after\n");
	close(slave);
	close(master);
}

/* catches: a bench that SIGPIPE ends because the pager was left */
static void a_reader_that_has_gone_ends_nothing(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	redirect(ends[1]);
	log_info("nobody reads this");
	restore();
	close(ends[1]);
}

/* catches: a file of which one line overwrites another, a line that is cut at the wrong place, what was lost told twice */
static void a_file_takes_every_line(void **state)
{
	const char *path = scratch_path(*state, "log");
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	const int reader = open(path, O_RDONLY);
	char wide[5000];

	memset(wide, 'x', sizeof(wide));
	redirect(fd);
	log_info("before"); /* and the line that the test before this one has lost */
	assert_int_equal(write(STDERR_FILENO, "another's\n", 10), 10);
	log_warning("%d", 2);
	log_error("%.*s", (int)sizeof(wide), wide);
	restore();
	assert_int_equal(read_all(reader, text, sizeof(text)),
			 strlen("jostle: warning: 1 lines found no room here and are lost\n"
				"jostle: before\nanother's\njostle: warning: 2\n"
				"jostle: error: \n") +
				 2047);
	assert_contains(text, "lost\njostle: before\nanother's\njostle: warning: 2\njostle: error: xxx");
	assert_contains(text, "xxx\n");
	close(reader);
	close(fd);
}

static void *say_hundred(void *context)
{
	(void)context;
	say_too_much(100);
	return NULL;
}

/* catches: lines of two threads in one another, a count that two threads change at once */
static void threads_may_speak_at_once(void **state)
{
	const char *path = scratch_path(*state, "log");
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	pthread_t thread[4];
	int n = 0;

	redirect(fd);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, say_hundred, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	restore();
	close(fd);
	const int reader = open(path, O_RDONLY);

	read_all(reader, text, sizeof(text));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1, n++)
		assert_true(strncmp(line, "jostle: ", 8) == 0 && strchr(line, '\n') - line >= 1009);
	assert_int_equal(n, 400);
	close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_is_not_waited_for),
		cmocka_unit_test(a_full_socket_is_not_waited_for),
		cmocka_unit_test(a_stopped_terminal_is_not_waited_for),
		cmocka_unit_test(a_reader_that_has_gone_ends_nothing),
		cmocka_unit_test_setup_teardown(a_file_takes_every_line, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(threads_may_speak_at_once, scratch_new, scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
