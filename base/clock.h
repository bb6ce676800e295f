#ifndef JOSTLE_CLOCK_H
#define JOSTLE_CLOCK_H
/*
 * CLOCK_MONOTONIC in nanoseconds, the time of every loop and log.
 */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "base/rt.h"

/** RT_SAFE. Call from: any. */
RT_SAFE static inline int64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/** Of two times or spans, int64_t, as qsort() wants it: the shorter first. Call from: any. */
static inline int clock_shorter(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/** Sleep until a time on an absolute grid, through signals. Call from: loop | any. */
RT_SAFE static inline void clock_sleep_until(int64_t t_ns)
{
	const struct timespec t = {t_ns / 1000000000, t_ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

#endif
