#include "control/latency.h"

#include <math.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "control/realtime.h"
#include "daq/grid.h"

#define MIN_PERIOD_S 1e-5
#define MAX_PERIOD_S 1.0
#define QUANTILE     0.999
#define TOO_LATE     0.5 /* of a period */
#define LATE         0.1

struct latency {
	const struct latency_setup *setup;
	struct histogram *histogram;
	bool refused; /* the CPU */
};

static void *measure(void *context)
{
	struct latency *latency = context;
	const struct latency_setup *setup = latency->setup;
	struct realtime realtime;
	struct grid grid;

	realtime_enter(&realtime, setup->cpu < 0 ? REALTIME_ANY_CPU : setup->cpu);
	latency->refused = setup->cpu >= 0 && !realtime.pinned;
	const int64_t start_ns = clock_now_ns();
	const int64_t end_ns = latency->refused ? start_ns : start_ns + (int64_t)(setup->seconds * 1e9);

	grid_begin(&grid, start_ns, setup->period_s);
	while (grid_edge_ns(&grid, grid.edge + 1) < end_ns && !interrupt_asked()) {
		const int64_t woke_ns = grid_wait(&grid);

		histogram_add(latency->histogram, woke_ns - grid_edge_ns(&grid, grid.edge));
		grid_skip(&grid);
	}
	realtime_leave(&realtime);
	return NULL;
}

int latency_measure(const struct latency_setup *setup, struct histogram *histogram, struct err *err)
{
	struct latency latency = {.setup = setup, .histogram = histogram};
	pthread_t thread;

	if (!(setup->period_s >= MIN_PERIOD_S && setup->period_s <= MAX_PERIOD_S))
		return err_set(err, JOSTLE_EINVAL, "period of a latency measurement: expected %g to %g s, found %g",
			       MIN_PERIOD_S, MAX_PERIOD_S, setup->period_s);
	if (!(setup->seconds > 0 && setup->seconds < 1e9))
		return err_set(err, JOSTLE_EINVAL, "length of a latency measurement: expected 0 to 1e9 s, found %g",
			       setup->seconds);
	if (realtime_thread(&thread, measure, &latency))
		return err_set(err, JOSTLE_ENOMEM, "no thread to measure latency in");
	pthread_join(thread, NULL);
	return latency.refused ? err_set(err, JOSTLE_EINVAL, "CPU %d can't be had to measure latency on", setup->cpu)
			       : 0;
}

enum doctor_verdict latency_verdict(const struct histogram *histogram, double period_s)
{
	const double late_s = (double)histogram_quantile_ns(histogram, QUANTILE) * 1e-9;

	if (late_s > TOO_LATE * period_s)
		return DOCTOR_FAILED;
	return late_s > LATE * period_s || (double)histogram->max_ns * 1e-9 >= period_s ? DOCTOR_NOTE : DOCTOR_GOOD;
}
