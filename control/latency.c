#include "control/latency.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "control/realtime.h"

#define MIN_PERIOD_S 1e-5
#define MAX_PERIOD_S 1.0
#define QUANTILE     0.999
#define TOO_LATE     0.5 /* of a period */
#define LATE         0.1

struct latency {
	const struct latency_setup *setup;
	struct histogram *histogram;
};

static void *measure(void *context)
{
	const struct latency *latency = context;
	const int64_t period_ns = (int64_t)(latency->setup->period_s * 1e9);
	struct realtime realtime;

	realtime_enter(&realtime, REALTIME_ANY_CPU);
	const int64_t start_ns = clock_now_ns();
	const int64_t end_ns = start_ns + (int64_t)(latency->setup->seconds * 1e9);

	for (int64_t edge_ns = start_ns + period_ns; edge_ns < end_ns && !interrupt_asked();) {
		clock_sleep_until(edge_ns);
		const int64_t late_ns = clock_now_ns() - edge_ns;

		histogram_add(latency->histogram, late_ns);
		edge_ns += (late_ns / period_ns + 1) * period_ns;
	}
	realtime_leave(&realtime);
	return NULL;
}

int latency_measure(const struct latency_setup *setup, struct histogram *histogram, struct err *err)
{
	struct latency latency = {.setup = setup, .histogram = histogram};
	pthread_attr_t attributes;
	pthread_t thread;
	cpu_set_t cpus;

	if (!(setup->period_s >= MIN_PERIOD_S && setup->period_s <= MAX_PERIOD_S))
		return err_set(err, JOSTLE_EINVAL, "period of a latency measurement: expected %g to %g s, found %g",
			       MIN_PERIOD_S, MAX_PERIOD_S, setup->period_s);
	if (!(setup->seconds > 0 && setup->seconds < 1e9))
		return err_set(err, JOSTLE_EINVAL, "length of a latency measurement: expected 0 to 1e9 s, found %g",
			       setup->seconds);
	pthread_attr_init(&attributes);
	CPU_ZERO(&cpus);
	if (setup->cpu >= 0) {
		CPU_SET(setup->cpu, &cpus);
		pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
	}
	const int refused = pthread_create(&thread, &attributes, measure, &latency);

	pthread_attr_destroy(&attributes);
	if (refused)
		return err_set(err, JOSTLE_EINVAL, "no thread to measure latency in on CPU %d: %s", setup->cpu,
			       strerror(refused));
	pthread_join(thread, NULL);
	return 0;
}

enum doctor_verdict latency_verdict(const struct histogram *histogram, double period_s)
{
	const double late_s = (double)histogram_quantile_ns(histogram, QUANTILE) * 1e-9;

	if (late_s > TOO_LATE * period_s)
		return DOCTOR_FAILED;
	return late_s > LATE * period_s || (double)histogram->max_ns * 1e-9 >= period_s ? DOCTOR_NOTE : DOCTOR_GOOD;
}
