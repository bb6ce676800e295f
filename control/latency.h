#ifndef JOSTLE_LATENCY_H
#define JOSTLE_LATENCY_H
/*
 * How late this machine wakes a thread that has the loop's treatment and nothing to do: what no loop can be better than.
 */
#include "control/doctor.h"
#include "control/histogram.h"

struct err;

struct latency_setup {
	int cpu; /* -1: any */
	double period_s, seconds;
};

/**
 * Sleep on an absolute grid in a thread of its own, treated as the loop's, and add to `histogram` how long after each edge
 * it woke. An edge that has passed by the time is left out: the wake-up that was so late is in it. Ends early when the
 * person interrupts. Errors: JOSTLE_EINVAL (a period outside [1e-5, 1] s, a time that is not positive,
 * a CPU that can't be had), JOSTLE_ENOMEM. Call from: setup.
 */
int latency_measure(const struct latency_setup *setup, struct histogram *histogram, struct err *err);

/**
 * What these wake-ups mean for a loop of this period: failed when more than one in a thousand comes later than half of it,
 * which leaves the other half for the exchange and the computation; a note when one comes later than a tenth, or any as
 * late as a whole period, which is a missed slot. Call from: any.
 */
enum doctor_verdict latency_verdict(const struct histogram *histogram, double period_s);

#endif
