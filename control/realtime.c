#include "control/realtime.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/log.h"

void realtime_enter(struct realtime *realtime)
{
	const struct sched_param parameters = {.sched_priority = REALTIME_PRIORITY};
	int scheduling, locking;

	*realtime = (struct realtime){.old_policy = SCHED_OTHER};
	pthread_getschedparam(pthread_self(), &realtime->old_policy, &realtime->old_parameters);
	scheduling = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
	/* Not MCL_FUTURE: other threads go on allocating, and would fail where memory to lock is scarce. */
	locking = mlockall(MCL_CURRENT) ? errno : 0;
	realtime->scheduled = scheduling == 0;
	realtime->locked = locking == 0;
	if (scheduling || locking)
		log_warning("the loop runs without real-time privileges (%s%s%s); its timing is not guaranteed",
			    scheduling ? "SCHED_FIFO refused" : "", scheduling && locking ? ", " : "",
			    locking ? "memory not locked" : "");
}

void realtime_leave(const struct realtime *realtime)
{
	if (realtime->locked)
		munlockall();
	if (realtime->scheduled)
		pthread_setschedparam(pthread_self(), realtime->old_policy, &realtime->old_parameters);
}
