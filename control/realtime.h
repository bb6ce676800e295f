#ifndef JOSTLE_REALTIME_H
#define JOSTLE_REALTIME_H
/*
 * Asking the system for real-time treatment of the calling thread, and giving it back.
 */
#include <sched.h>
#include <stdbool.h>

#define REALTIME_PRIORITY 80 /* above ordinary real-time work, below the kernel's own threads */

struct realtime {
	bool scheduled, locked; /* what was granted */
	int old_policy;
	struct sched_param old_parameters;
};

/**
 * Try SCHED_FIFO for this thread and lock the process's memory. What is refused is said in one warning: the caller goes
 * on without. Call from: setup, in the thread that will run the loop, when all its memory has been taken.
 */
void realtime_enter(struct realtime *realtime);

/** Undo what was granted. Call from: setup, in the same thread. */
void realtime_leave(const struct realtime *realtime);

#endif
