#include "control/watchdog.h"

#include <systemd/sd-daemon.h>

void watchdog_init(struct watchdog *watchdog)
{
	uint64_t interval_us = 0;

	*watchdog = (struct watchdog){0};
	if (sd_watchdog_enabled(0, &interval_us) > 0 && interval_us < INT64_MAX / 1000)
		watchdog->interval_ns = (int64_t)interval_us * 500;
}

void watchdog_look(struct watchdog *watchdog, int64_t now_ns, uint64_t counter)
{
	if (!watchdog->ready && counter > 0) {
		watchdog->ready = true;
		sd_notify(0, "READY=1");
	}
	if (watchdog->interval_ns == 0 || now_ns < watchdog->next_ns || counter == watchdog->counter)
		return;
	watchdog->counter = counter;
	watchdog->next_ns = now_ns + watchdog->interval_ns;
	sd_notify(0, "WATCHDOG=1");
}

void watchdog_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}
