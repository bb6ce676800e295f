/*
 * A terminal that somebody has stopped, a pager, a logger that is stuck: none of them may stop a bench. A line that finds no
 * room is dropped and counted, and the next that finds some says so.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_PATH "/proc/self/fd/2"

static atomic_ullong n_lost; /* lines, since the last that said so */
static atomic_bool cut;      /* the last line found room for a part of itself */

/**
 * By another way to the same terminal or pipe: O_NONBLOCK on our own would hold for all who share it, the shell too. Where there
 * is none (another user's terminal, no /proc), that there was room a moment ago is as near as one gets.
 */
static ssize_t write_without_waiting(const char *text, size_t size)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&out, 1, 0) != 1 || out.revents != POLLOUT)
		return -1;
	const int fd = open(FD_PATH, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const ssize_t n = write(fd >= 0 ? fd : STDERR_FILENO, text, size);

	if (fd >= 0)
		close(fd);
	return n;
}

/** Whether all of it was written. */
static bool try_write(const char *text, size_t size)
{
	struct stat status;
	ssize_t n;

	if (fstat(STDERR_FILENO, &status) < 0)
		return false;
	if (S_ISSOCK(status.st_mode))
		n = send(STDERR_FILENO, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
		n = write_without_waiting(text, size);
	else
		n = write(STDERR_FILENO, text, size);
	if (n > 0)
		atomic_store(&cut, (size_t)n < size);
	return n == (ssize_t)size;
}

/** Say how many lines were lost, if any. Returns whether there was room for that. */
static bool own_up(void)
{
	char line[128];
	const unsigned long long n = atomic_exchange(&n_lost, 0);

	if (!n)
		return true;
	const int size = snprintf(line, sizeof(line), "%sjostle: warning: %llu lines found no room here and are lost\n",
				  atomic_load(&cut) ? "\n" : "", n);

	if (try_write(line, (size_t)size))
		return true;
	atomic_fetch_add(&n_lost, n);
	return false;
}

static void put(const char *kind, const char *format, va_list arguments)
{
	char text[2048], line[2080]; /* PIPE_BUF at most: a pipe takes all of it or nothing */
	const int before = errno;

	vsnprintf(text, sizeof(text), format, arguments);
	snprintf(line, sizeof(line), "jostle: %s%s\n", kind, text);
	if (!own_up() || !try_write(line, strlen(line)))
		atomic_fetch_add(&n_lost, 1);
	errno = before;
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put("", format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put("warning: ", format, arguments);
	va_end(arguments);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put("error: ", format, arguments);
	va_end(arguments);
}
