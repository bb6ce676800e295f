/*
 * How much of a CPU the kernel lets real-time threads have. The usual 95 % leave a way in to a machine whose loop has run
 * wild, and no sound loop meets them.
 */
#include <stdlib.h>

#include "control/doctor.h"
#include "control/machine.h"

#define ENOUGH     0.9
#define TOO_LITTLE 0.5

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	static const char remedy[] = "sysctl -w kernel.sched_rt_runtime_us=950000 kernel.sched_rt_period_us=1000000";
	char runtime[32], period[32];

	if (!machine_line(runtime, sizeof(runtime), setup->root, "proc/sys/kernel/sched_rt_runtime_us") ||
	    !machine_line(period, sizeof(period), setup->root, "proc/sys/kernel/sched_rt_period_us") ||
	    atof(period) <= 0) {
		doctor_find(report, "throttling", DOCTOR_GOOD, "", "the kernel has none");
		return;
	}
	const double share = atof(runtime) < 0 ? 1.0 : atof(runtime) / atof(period);

	doctor_find(report, "throttling",
		    share >= ENOUGH       ? DOCTOR_GOOD
		    : share >= TOO_LITTLE ? DOCTOR_NOTE
					  : DOCTOR_FAILED,
		    share >= ENOUGH ? "" : remedy, "real-time threads may have %.3g %% of a CPU", 100 * share);
}

/* The only global symbol of this file. */
const struct doctor_check check_throttling = {
	.name = "throttling",
	.summary = "the share of a CPU that real-time threads may have",
	.run = run,
};
