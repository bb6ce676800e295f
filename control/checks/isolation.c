/*
 * Whether the loop has a CPU to itself: pinned to one from which the scheduler keeps other programs, without its own
 * periodic tick.
 */
#include <stdio.h>

#include "control/doctor.h"
#include "control/machine.h"

static void judge(const struct doctor_setup *setup, struct doctor_report *report)
{
	char isolated[256], quiet[256], remedy[200];
	const size_t cpu = (size_t)setup->cpu;

	machine_line(isolated, sizeof(isolated), setup->root, "sys/devices/system/cpu/isolated");
	machine_line(quiet, sizeof(quiet), setup->root, "sys/devices/system/cpu/nohz_full");
	snprintf(remedy, sizeof(remedy),
		 "boot with isolcpus=managed_irq,domain,%zu nohz_full=%zu rcu_nocbs=%zu irqaffinity=OTHERS", cpu, cpu,
		 cpu);
	if (!machine_cpu_listed(isolated, cpu))
		doctor_find(report, "isolation", DOCTOR_NOTE, remedy,
			    "CPU %zu is not isolated: other programs run on it", cpu);
	else if (!machine_cpu_listed(quiet, cpu))
		doctor_find(report, "isolation", DOCTOR_NOTE, remedy,
			    "CPU %zu is isolated; the scheduler's tick still interrupts it", cpu);
	else
		doctor_find(report, "isolation", DOCTOR_GOOD, "",
			    "CPU %zu is isolated and free of the scheduler's tick", cpu);
}

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char online[256];

	if (setup->cpu < 0)
		doctor_find(report, "isolation", DOCTOR_NOTE, "--cpu N, one that is isolated",
			    "the loop is not bound to a CPU: it moves between them, and its caches don't");
	else if (machine_line(online, sizeof(online), setup->root, "sys/devices/system/cpu/online") &&
		 !machine_cpu_listed(online, (size_t)setup->cpu))
		doctor_find(report, "isolation", DOCTOR_FAILED, "--cpu N, one of these",
			    "there is no CPU %d; expected one of %.100s", setup->cpu, online);
	else
		judge(setup, report);
}

/* The only global symbol of this file. */
const struct doctor_check check_isolation = {
	.name = "isolation",
	.summary = "a CPU for the loop alone",
	.run = run,
};
