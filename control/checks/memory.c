/*
 * Whether this process may lock its memory, however much that comes to: a page that has to be fetched costs the loop
 * milliseconds. Read and not tried, since unlocking afterwards would unlock what others in this process hold locked.
 */
#include <stdlib.h>
#include <string.h>

#include "control/doctor.h"
#include "control/machine.h"

#define CAP_IPC_LOCK_BIT 14 /* linux/capability.h */

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	static const char remedy[] =
		"cp docs/deployment/jostle-limits.conf /etc/security/limits.d/; adduser YOU jostle; log in anew";
	char limit[64], capabilities[32];
	const bool known = machine_field(limit, sizeof(limit), setup->root, "proc/self/limits", "Max locked memory");

	machine_field(capabilities, sizeof(capabilities), setup->root, "proc/self/status", "CapEff");
	limit[strcspn(limit, " ")] = '\0';
	if (strtoull(capabilities, NULL, 16) >> CAP_IPC_LOCK_BIT & 1)
		doctor_find(report, "memory", DOCTOR_GOOD, "", "may lock all its memory, by CAP_IPC_LOCK");
	else if (!known)
		doctor_find(report, "memory", DOCTOR_NOTE, "", "the limit of locked memory can't be read");
	else if (strcmp(limit, "unlimited") == 0)
		doctor_find(report, "memory", DOCTOR_GOOD, "", "may lock all its memory");
	else
		doctor_find(
			report, "memory", DOCTOR_FAILED, remedy,
			"may lock %s bytes of memory, expected no limit; a page that has to be fetched stops the loop",
			limit);
}

/* The only global symbol of this file. */
const struct doctor_check check_memory = {
	.name = "memory",
	.summary = "leave to lock memory",
	.run = run,
};
