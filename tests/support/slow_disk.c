/*
 * Loaded before a program: the first write after the file $SLOW_DISK has appeared takes ten seconds, as on a disk that has
 * something else to do. The file is gone once it has begun.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t offset);

static void wait_once(void)
{
	const char *path = getenv("SLOW_DISK");

	if (path && unlink(path) == 0)
		nanosleep(&(struct timespec){.tv_sec = 10}, NULL);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t offset)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	wait_once();
	return real(fd, bytes, n, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
	return pwrite64(fd, bytes, n, offset);
}
