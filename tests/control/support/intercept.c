/*
 * The C library's calls under other hands. What is counted is what the thread itself does between intercept_arm(true) and
 * intercept_arm(false).
 */
#include "control/support/intercept.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's numbers, which this C library's headers do not know yet. */
#define SYSCALL_DISPATCH     59
#define SYSCALL_DISPATCH_OFF 0
#define SYSCALL_DISPATCH_ON  1
enum { SYSCALLS_PASS, SYSCALLS_STOP };

static _Thread_local volatile char syscalls;
static _Thread_local bool armed;
static atomic_size_t n_calls;
static char first_call[32]; /* the first one that was counted, for whoever has to find it */

static void count(const char *name)
{
	if (!armed)
		return;
	if (atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed) == 0)
		strncpy(first_call, name, sizeof(first_call) - 1);
}

/* The C library's own allocator under its other names: looking it up by dlsym() would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
	count("malloc");
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count("calloc");
	return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	count("realloc");
	return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count("aligned_alloc");
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	count("posix_memalign");
	*memory = __libc_memalign(alignment, size);
	return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
	count("free");
	__libc_free(memory);
}

/* Calls of a fixed number of arguments. Before the constructor there is one thread, and nothing to wait for. */
#define CALLS(X)                                                                                                       \
	X(int, pthread_mutex_lock, (pthread_mutex_t * a), (a))                                                         \
	X(int, pthread_mutex_trylock, (pthread_mutex_t * a), (a))                                                      \
	X(int, pthread_cond_wait, (pthread_cond_t * a, pthread_mutex_t * b), (a, b))                                   \
	X(int, pthread_cond_signal, (pthread_cond_t * a), (a))                                                         \
	X(int, pthread_cond_broadcast, (pthread_cond_t * a), (a))                                                      \
	X(int, pthread_rwlock_rdlock, (pthread_rwlock_t * a), (a))                                                     \
	X(int, pthread_rwlock_wrlock, (pthread_rwlock_t * a), (a))                                                     \
	X(int, sem_wait, (sem_t * a), (a))                                                                             \
	X(int, sem_post, (sem_t * a), (a))                                                                             \
	X(int, close, (int a), (a))                                                                                    \
	X(ssize_t, read, (int a, void *b, size_t c), (a, b, c))                                                        \
	X(ssize_t, write, (int a, const void *b, size_t c), (a, b, c))                                                 \
	X(ssize_t, pread, (int a, void *b, size_t c, off_t d), (a, b, c, d))                                           \
	X(ssize_t, pwrite, (int a, const void *b, size_t c, off_t d), (a, b, c, d))                                    \
	X(int, fsync, (int a), (a))                                                                                    \
	X(int, poll, (struct pollfd * a, nfds_t b, int c), (a, b, c))                                                  \
	X(int, nanosleep, (const struct timespec *a, struct timespec *b), (a, b))                                      \
	X(int, clock_nanosleep, (clockid_t a, int b, const struct timespec *c, struct timespec *d), (a, b, c, d))      \
	X(int, usleep, (useconds_t a), (a))                                                                            \
	X(void *, mmap, (void *a, size_t b, int c, int d, int e, off_t f), (a, b, c, d, e, f))                         \
	X(int, munmap, (void *a, size_t b), (a, b))                                                                    \
	X(FILE *, fopen, (const char *a, const char *b), (a, b))                                                       \
	X(int, fputs, (const char *a, FILE *b), (a, b))                                                                \
	X(size_t, fwrite, (const void *a, size_t b, size_t c, FILE *d), (a, b, c, d))                                  \
	X(int, fflush, (FILE * a), (a))                                                                                \
	X(int, vfprintf, (FILE * a, const char *b, va_list c), (a, b, c))                                              \
	X(int, vsnprintf, (char *a, size_t b, const char *c, va_list d), (a, b, c, d))

#define DEFINE_CALL(type, name, parameters, arguments)                                                                 \
	static type(*real_##name) parameters;                                                                          \
	type name parameters                                                                                           \
	{                                                                                                              \
		count(#name);                                                                                          \
		if (!real_##name)                                                                                      \
			return (type)0;                                                                                \
		return real_##name arguments;                                                                          \
	}
CALLS(DEFINE_CALL)

/* And those of any number of them. */
static int (*real_open)(const char *, int, ...);
static int (*real_ioctl)(int, unsigned long, ...);
static int (*real_fcntl)(int, int, ...);
static long (*real_syscall)(long, ...);

int open(const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;

	va_end(list);
	count("open");
	return real_open(path, flags, mode);
}

int ioctl(int fd, unsigned long number, ...)
{
	va_list list;

	va_start(list, number);
	void *argument = va_arg(list, void *);

	va_end(list);
	count("ioctl");
	return real_ioctl(fd, number, argument);
}

int fcntl(int fd, int command, ...)
{
	va_list list;

	va_start(list, command);
	void *argument = va_arg(list, void *);

	va_end(list);
	count("fcntl");
	return real_fcntl(fd, command, argument);
}

long syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	count("syscall");
	return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/** A data pointer is a function pointer to POSIX, not to C. */
static void look_up_one(void *function, const char *name)
{
	void *const found = dlsym(RTLD_NEXT, name);

	memcpy(function, &found, sizeof(found));
}

__attribute__((constructor)) static void look_up(void)
{
#define LOOK_UP(type, name, parameters, arguments) look_up_one(&real_##name, #name);
	CALLS(LOOK_UP)
	look_up_one(&real_open, "open");
	look_up_one(&real_ioctl, "ioctl");
	look_up_one(&real_fcntl, "fcntl");
	look_up_one(&real_syscall, "syscall");
}

/** The kernel has stopped a call. What it was meant to do is lost, and the test with it. */
static void on_syscall(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	syscalls = SYSCALLS_PASS;
	if (info->si_syscall != SYS_clock_gettime) /* the clock of a machine that can't be read without the kernel */
		count("a system call");
}

bool intercept_syscalls(bool on)
{
	const struct sigaction action = {.sa_sigaction = on_syscall, .sa_flags = SA_SIGINFO};

	syscalls = SYSCALLS_PASS;
	if (!on)
		return prctl(SYSCALL_DISPATCH, SYSCALL_DISPATCH_OFF, 0, 0, 0) == 0;
	return sigaction(SIGSYS, &action, NULL) == 0 &&
	       prctl(SYSCALL_DISPATCH, SYSCALL_DISPATCH_ON, 0, 0, &syscalls) == 0;
}

void intercept_arm(bool on)
{
	if (on) {
		armed = true;
		syscalls = SYSCALLS_STOP;
	} else {
		syscalls = SYSCALLS_PASS;
		armed = false;
	}
}

size_t intercept_n_calls(void)
{
	return atomic_load(&n_calls);
}

const char *intercept_first(void)
{
	return first_call;
}

void intercept_reset(void)
{
	intercept_arm(false);
	atomic_store(&n_calls, 0);
	first_call[0] = '\0';
}
