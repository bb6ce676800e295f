/*
 * Whether memory is written out to a disk: not the loop's, which is locked, but the recorder's and the service's.
 */
#include <stdio.h>

#include "control/doctor.h"
#include "control/machine.h"

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char path[MACHINE_PATH], line[512];
	size_t n = 0;

	machine_path(path, setup->root, "proc/swaps");
	FILE *file = fopen(path, "re");

	if (!file) {
		doctor_find(report, "swap", DOCTOR_NOTE, "", "%.100s can't be read", path);
		return;
	}
	while (fgets(line, sizeof(line), file))
		n++;
	fclose(file);
	/* The first line is the table's head. */
	if (n > 1)
		doctor_find(report, "swap", DOCTOR_NOTE, "swapoff -a, and take it out of /etc/fstab",
			    "on, in %zu place%s: under memory pressure every program waits for the disk", n - 1,
			    n == 2 ? "" : "s");
	else
		doctor_find(report, "swap", DOCTOR_GOOD, "", "off");
}

/* The only global symbol of this file. */
const struct doctor_check check_swap = {
	.name = "swap",
	.summary = "memory that stays memory",
	.run = run,
};
