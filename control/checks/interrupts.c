/*
 * Which devices interrupt the loop's CPU.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/doctor.h"
#include "control/machine.h"

#define SHOWN 8

/** Whether an interrupt goes to the CPU: where the kernel sends it, or where it may be sent. */
static bool arrives(const char *root, unsigned long interrupt, size_t cpu)
{
	char list[256];

	if (!machine_line(list, sizeof(list), root, "proc/irq/%lu/effective_affinity_list", interrupt) || !list[0])
		machine_line(list, sizeof(list), root, "proc/irq/%lu/smp_affinity_list", interrupt);
	return machine_cpu_listed(list, cpu);
}

static void judge(const struct doctor_setup *setup, struct doctor_report *report, DIR *folder)
{
	const struct dirent *entry;
	char names[128] = "";
	size_t n = 0, length = 0;

	while ((entry = readdir(folder))) {
		const unsigned long interrupt = strtoul(entry->d_name, NULL, 10);

		if (!isdigit((unsigned char)entry->d_name[0]) || !arrives(setup->root, interrupt, (size_t)setup->cpu))
			continue;
		if (n++ < SHOWN && length < sizeof(names))
			length += (size_t)snprintf(names + length, sizeof(names) - length, " %lu", interrupt);
	}
	if (n == 0)
		doctor_find(report, "interrupts", DOCTOR_GOOD, "", "no device interrupts CPU %d", setup->cpu);
	else
		doctor_find(
			report, "interrupts", DOCTOR_NOTE,
			"for each: echo OTHER-CPUS > /proc/irq/N/smp_affinity_list; no irqbalance on the loop's CPU",
			"%zu may arrive at CPU %d:%s%s", n, setup->cpu, names, n > SHOWN ? " …" : "");
}

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char path[MACHINE_PATH];

	if (setup->cpu < 0)
		return;
	machine_path(path, setup->root, "proc/irq");
	DIR *folder = opendir(path);

	if (!folder) {
		doctor_find(report, "interrupts", DOCTOR_NOTE, "", "%.100s can't be read", path);
		return;
	}
	judge(setup, report, folder);
	closedir(folder);
}

/* The only global symbol of this file. */
const struct doctor_check check_interrupts = {
	.name = "interrupts",
	.summary = "devices that interrupt the loop's CPU",
	.run = run,
};
