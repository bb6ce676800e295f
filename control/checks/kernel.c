/*
 * Whether the kernel can be interrupted nearly everywhere. One that can't keeps a loop waiting now and then for as long as
 * some driver pleases; that these waits are rare is why it is a note, and the latency that was measured is the judge.
 */
#include <string.h>

#include "control/doctor.h"
#include "control/machine.h"

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char release[96], version[160], flag[8];

	if (!machine_line(release, sizeof(release), setup->root, "proc/sys/kernel/osrelease"))
		strcpy(release, "of unknown release");
	machine_line(version, sizeof(version), setup->root, "proc/sys/kernel/version");
	machine_line(flag, sizeof(flag), setup->root, "sys/kernel/realtime");
	if (flag[0] == '1' || strstr(version, "PREEMPT_RT") || strstr(version, "PREEMPT RT"))
		doctor_find(report, "kernel", DOCTOR_GOOD, "", "Linux %s with PREEMPT_RT", release);
	else
		doctor_find(report, "kernel", DOCTOR_NOTE, "apt install linux-image-rt-amd64, then boot it",
			    "Linux %s without PREEMPT_RT: its longest wake-ups have no bound", release);
}

/* The only global symbol of this file. */
const struct doctor_check check_kernel = {
	.name = "kernel",
	.summary = "PREEMPT_RT",
	.run = run,
};
