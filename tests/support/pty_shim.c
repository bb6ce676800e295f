/*
 * Lets libserialport open pseudo terminals, for tests on a host without serial ports.
 *
 * libserialport takes a port for one when /sys/class/tty has a link of its name, and asks it for its modem lines; pseudo
 * terminals have neither. These functions stand before the C library's, linked into a test or preloaded (LD_PRELOAD), answer
 * those two questions about /dev/pts alone, and pass everything else on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLASS      "/sys/class/tty/pts/"
#define TARGET     "../../devices/virtual/tty/pts"
#define LINES_FDS  1024
#define LINES_IDLE (TIOCM_CTS | TIOCM_DSR | TIOCM_CAR)

int __lxstat(int version, const char *path, struct stat *status); /* older C libraries' lstat() */

static bool is_pty(const char *path)
{
	return strncmp(path, CLASS, sizeof(CLASS) - 1) == 0;
}

static int a_link(struct stat *status)
{
	memset(status, 0, sizeof(*status));
	status->st_mode = S_IFLNK | 0777;
	return 0;
}

int __lxstat(int version, const char *path, struct stat *status)
{
	int (*next)(int, const char *, struct stat *) = dlsym(RTLD_NEXT, "__lxstat");

	return is_pty(path) ? a_link(status) : next(version, path, status);
}

int lstat(const char *path, struct stat *status)
{
	int (*next)(const char *, struct stat *) = dlsym(RTLD_NEXT, "lstat");

	return is_pty(path) ? a_link(status) : next(path, status);
}

ssize_t readlink(const char *path, char *target, size_t size)
{
	ssize_t (*next)(const char *, char *, size_t) = dlsym(RTLD_NEXT, "readlink");
	const size_t length = size < sizeof(TARGET) - 1 ? size : sizeof(TARGET) - 1;

	if (!is_pty(path))
		return next(path, target, size);
	memcpy(target, TARGET, length);
	return (ssize_t)length;
}

/** Modem lines that remember what they were set to. */
static bool answer_lines(int fd, unsigned long request, int *value)
{
	static atomic_int lines[LINES_FDS];

	if (fd < 0 || fd >= LINES_FDS)
		return false;
	switch (request) {
	case TIOCMGET:
		*value = atomic_load(&lines[fd]) | LINES_IDLE;
		return true;
	case TIOCMSET:
		atomic_store(&lines[fd], *value);
		return true;
	case TIOCMBIS:
		atomic_fetch_or(&lines[fd], *value);
		return true;
	case TIOCMBIC:
		atomic_fetch_and(&lines[fd], ~*value);
		return true;
	default:
		return false;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int, unsigned long, void *);
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!next)
		next = dlsym(RTLD_NEXT, "ioctl");
	const int result = next(fd, request, argument);
	if (result >= 0 || (errno != ENOTTY && errno != EINVAL) || !answer_lines(fd, request, argument))
		return result;
	errno = 0;
	return 0;
}
