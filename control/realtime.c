#include "control/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

#define STACK_SIZE    (4 * 1024 * 1024) /* the C library takes the scratch of the kernels, 1 MiB, from it too */
#define STACK_TOUCHED (256 * 1024)      /* far more than a tick uses */
#define PAGE          4096

int realtime_thread(pthread_t *thread, void *(*main)(void *), void *argument)
{
	pthread_attr_t attributes;
	int failed = pthread_attr_init(&attributes);

	if (failed)
		return failed;
	failed = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (!failed)
		failed = pthread_create(thread, &attributes, main, argument);
	pthread_attr_destroy(&attributes);
	return failed;
}

/** Pages of a stack are not there until something has been written to them. */
static __attribute__((noinline)) void touch_stack(void)
{
	volatile char stack[STACK_TOUCHED];

	for (size_t i = 0; i < sizeof(stack); i += PAGE)
		stack[i] = 0;
}

/**
 * What is there now; and what comes later, a program handed to the loop, as it is touched, but only where memory to lock
 * is not scarce: other threads go on allocating, and would fail. Returns 0 or errno.
 */
static int lock_memory(void)
{
	struct rlimit limit;

	if (mlockall(MCL_CURRENT))
		return errno;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		mlockall(MCL_FUTURE | MCL_ONFAULT);
	return 0;
}

/** The processor must not fall so deeply asleep that waking takes longer than no time, as long as the file is open. */
static int forbid_deep_sleep(void)
{
	const int32_t latency_us = 0;
	const int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, &latency_us, sizeof(latency_us)) != sizeof(latency_us)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return false;
	CPU_SET(cpu, &cpus);
	return pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus) == 0;
}

static void add(char text[], size_t size, const char *refused)
{
	const size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? ", " : "", refused);
}

static void say_what_is_missing(const struct realtime *realtime, int cpu)
{
	char text[200] = "", pinned[48];

	if (!realtime->scheduled)
		add(text, sizeof(text), "SCHED_FIFO refused");
	if (!realtime->locked)
		add(text, sizeof(text), "memory not locked");
	if (cpu != REALTIME_ANY_CPU && !realtime->pinned) {
		snprintf(pinned, sizeof(pinned), "not on CPU %d", cpu);
		add(text, sizeof(text), pinned);
	}
	if (realtime->latency_fd < 0)
		add(text, sizeof(text), "deep sleep of the processor not forbidden");
	if (text[0])
		log_warning("not all real-time treatment is granted (%s): the timing of the loop is not guaranteed",
			    text);
}

void realtime_enter(struct realtime *realtime, int cpu)
{
	const struct sched_param parameters = {.sched_priority = REALTIME_PRIORITY};
	const pthread_t self = pthread_self();

	*realtime = (struct realtime){.old_policy = SCHED_OTHER};
	pthread_getschedparam(self, &realtime->old_policy, &realtime->old_parameters);
	pthread_getaffinity_np(self, sizeof(realtime->old_cpus), &realtime->old_cpus);
	realtime->old_slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	touch_stack();
	realtime->scheduled = pthread_setschedparam(self, SCHED_FIFO, &parameters) == 0;
	realtime->locked = lock_memory() == 0;
	realtime->pinned = pin(cpu);
	realtime->latency_fd = forbid_deep_sleep();
	/* Without SCHED_FIFO timers may go off 50 us late, to save power. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	say_what_is_missing(realtime, cpu);
}

void realtime_leave(const struct realtime *realtime)
{
	const pthread_t self = pthread_self();

	if (realtime->old_slack_ns > 0)
		prctl(PR_SET_TIMERSLACK, realtime->old_slack_ns, 0, 0, 0);
	if (realtime->latency_fd >= 0)
		close(realtime->latency_fd);
	if (realtime->pinned)
		pthread_setaffinity_np(self, sizeof(realtime->old_cpus), &realtime->old_cpus);
	if (realtime->locked)
		munlockall();
	if (realtime->scheduled)
		pthread_setschedparam(self, realtime->old_policy, &realtime->old_parameters);
}
