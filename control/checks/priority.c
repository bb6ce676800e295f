/*
 * Whether this person may have the scheduling that the loop and its guardian ask for: asked for, in a thread that ends.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "control/doctor.h"
#include "control/realtime.h"

#define GUARDIAN_ABOVE 1 /* the guardian's priority above the loop's: it must run when the loop doesn't let go */

static void *ask(void *context)
{
	const struct sched_param parameters = {.sched_priority = REALTIME_PRIORITY + GUARDIAN_ABOVE};

	*(int *)context = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
	return NULL;
}

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	int refused = EAGAIN;
	pthread_t thread;

	(void)setup;
	if (pthread_create(&thread, NULL, ask, &refused) == 0)
		pthread_join(thread, NULL);
	if (!refused)
		doctor_find(report, "priority", DOCTOR_GOOD, "", "SCHED_FIFO %d for the loop, %d for its guardian",
			    REALTIME_PRIORITY, REALTIME_PRIORITY + GUARDIAN_ABOVE);
	else
		doctor_find(report, "priority", DOCTOR_FAILED,
			    "cp docs/deployment/jostle-limits.conf /etc/security/limits.d/; adduser YOU jostle; log in "
			    "anew",
			    "SCHED_FIFO %d refused: %s; the loop would wait for every other program",
			    REALTIME_PRIORITY + GUARDIAN_ABOVE, strerror(refused));
}

/* The only global symbol of this file. */
const struct doctor_check check_priority = {
	.name = "priority",
	.summary = "leave to run at real-time priority",
	.run = run,
};
