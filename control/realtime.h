#ifndef JOSTLE_REALTIME_H
#define JOSTLE_REALTIME_H
/*
 * Asking the system for real-time treatment of the calling thread, and giving it back.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#define REALTIME_PRIORITY 80 /* above ordinary real-time work, below the kernel's own threads */
#define REALTIME_ANY_CPU  (-1)

struct realtime {
	bool scheduled, locked, pinned; /* what was granted */
	int latency_fd;                 /* /dev/cpu_dma_latency, held open; -1 for none */
	int old_policy;
	struct sched_param old_parameters;
	cpu_set_t old_cpus;
	long old_slack_ns; /* of this thread's timers */
};

/**
 * Start a thread with a stack of its own size, all of which realtime_enter() touches. Returns 0 or what pthread_create()
 * does. Call from: setup.
 */
int realtime_thread(pthread_t *thread, void *(*main)(void *), void *argument);

/**
 * Try SCHED_FIFO for this thread, the CPU it is to stay on (or REALTIME_ANY_CPU), memory locked for the process, and a
 * processor that wakes up at once. What is refused is said in one warning: the caller goes on without. Call from: setup,
 * in the thread that will run the loop, when all its memory has been taken.
 */
void realtime_enter(struct realtime *realtime, int cpu);

/** Undo what was granted. Call from: setup, in the same thread. */
void realtime_leave(const struct realtime *realtime);

#endif
