/*
 * Whether the kernel makes huge pages of a running program's small ones: while it does, the program's memory is locked
 * against it.
 */
#include <string.h>

#include "control/doctor.h"
#include "control/machine.h"

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char line[96];

	if (!machine_line(line, sizeof(line), setup->root, "sys/kernel/mm/transparent_hugepage/enabled"))
		doctor_find(report, "hugepages", DOCTOR_GOOD, "", "the kernel has no transparent huge pages");
	else if (strstr(line, "[always]"))
		doctor_find(report, "hugepages", DOCTOR_NOTE,
			    "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
			    "made of every program's memory while it runs, which stops it");
	else
		doctor_find(report, "hugepages", DOCTOR_GOOD, "", "made only where a program asks for them");
}

/* The only global symbol of this file. */
const struct doctor_check check_hugepages = {
	.name = "hugepages",
	.summary = "no huge pages made behind the loop's back",
	.run = run,
};
