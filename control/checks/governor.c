/*
 * Whether the processor's clock stands at its highest: one that follows the load is slow whenever a loop that sleeps for most
 * of its period wakes up.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "control/doctor.h"
#include "control/machine.h"

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	const size_t first = setup->cpu >= 0 ? (size_t)setup->cpu : 0;
	const size_t end = setup->cpu >= 0 ? first + 1 : CPU_SETSIZE;
	char governor[64], other[64] = "";
	size_t n = 0, n_other = 0;

	for (size_t cpu = first; cpu < end; cpu++) {
		if (!machine_line(governor, sizeof(governor), setup->root,
				  "sys/devices/system/cpu/cpu%zu/cpufreq/scaling_governor", cpu))
			continue;
		n++;
		if (strcmp(governor, "performance") != 0) {
			n_other++;
			strcpy(other, governor);
		}
	}
	if (n == 0)
		doctor_find(report, "governor", DOCTOR_GOOD, "", "the kernel does not change the processor's clock");
	else if (n_other == 0)
		doctor_find(report, "governor", DOCTOR_GOOD, "", "performance");
	else
		doctor_find(report, "governor", DOCTOR_NOTE, "cpupower frequency-set --governor performance",
			    "%s on %zu of %zu CPUs that the loop may run on, expected performance", other, n_other, n);
}

/* The only global symbol of this file. */
const struct doctor_check check_governor = {
	.name = "governor",
	.summary = "a processor clock that does not follow the load",
	.run = run,
};
