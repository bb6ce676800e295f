/*
 * Whether the loop can keep the processor out of deep sleep, from which it takes up to some hundred microseconds to wake.
 * /dev/cpu_dma_latency does so for as long as it is held open.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "control/doctor.h"
#include "control/machine.h"

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	char path[MACHINE_PATH], driver[64];
	int device;

	machine_path(path, setup->root, "dev/cpu_dma_latency");
	device = open(path, O_WRONLY | O_CLOEXEC);
	if (device >= 0) {
		close(device);
		doctor_find(report, "idle", DOCTOR_GOOD, "", "deep sleep can be held off");
		return;
	}
	const int reason = errno;

	if (!machine_line(driver, sizeof(driver), setup->root, "sys/devices/system/cpu/cpuidle/current_driver") ||
	    strcmp(driver, "none") == 0)
		doctor_find(report, "idle", DOCTOR_GOOD, "", "the kernel sends the processor into no deep sleep");
	else
		doctor_find(
			report, "idle", DOCTOR_NOTE,
			"cp docs/deployment/99-jostle.rules /etc/udev/rules.d/; udevadm trigger; adduser YOU jostle",
			"/dev/cpu_dma_latency: %s; deep sleep (%s) delays the loop's wake-up", strerror(reason),
			driver);
}

/* The only global symbol of this file. */
const struct doctor_check check_idle = {
	.name = "idle",
	.summary = "a processor that is kept from deep sleep",
	.run = run,
};
