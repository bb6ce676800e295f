/*
 * What the kernel tells the time with. A loop reads the clock several times a tick: from the processor's own counter that
 * takes tens of nanoseconds, from a chip beside it a microsecond and a system call.
 */
#include <string.h>
#include <time.h>

#include "control/doctor.h"
#include "control/machine.h"

#define COARSE_NS 1000

static bool slow(const char *source)
{
	static const char *const slow_ones[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"};

	for (size_t i = 0; i < sizeof(slow_ones) / sizeof(slow_ones[0]); i++)
		if (strcmp(source, slow_ones[i]) == 0)
			return true;
	return false;
}

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char source[64];
	struct timespec resolution = {0};

	clock_getres(CLOCK_MONOTONIC, &resolution);
	if (resolution.tv_sec || resolution.tv_nsec > COARSE_NS)
		doctor_find(report, "clock", DOCTOR_FAILED, "a kernel with CONFIG_HIGH_RES_TIMERS, without highres=off",
			    "timers go off at multiples of %.3g ms", (double)resolution.tv_nsec * 1e-6);
	if (!machine_line(source, sizeof(source), setup->root,
			  "sys/devices/system/clocksource/clocksource0/current_clocksource"))
		doctor_find(report, "clock", DOCTOR_NOTE, "", "the kernel does not say what it tells the time with");
	else if (slow(source))
		doctor_find(report, "clock", DOCTOR_NOTE, "boot with tsc=reliable where the processor's counters agree",
			    "the time comes from %s, at a microsecond or more a reading, expected tsc", source);
	else
		doctor_find(report, "clock", DOCTOR_GOOD, "", "%s, timers with %ld ns", source, resolution.tv_nsec);
}

/* The only global symbol of this file. */
const struct doctor_check check_clock = {
	.name = "clock",
	.summary = "the source of time, the fineness of timers",
	.run = run,
};
