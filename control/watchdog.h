#ifndef JOSTLE_WATCHDOG_H
#define JOSTLE_WATCHDOG_H
/*
 * What systemd is told: that the run is ready once its loop has ticked, that it is well as long as the loop's counter goes on, and
 * that it stops. Without systemd nothing is told to nobody.
 */
#include <stdbool.h>
#include <stdint.h>

struct watchdog {
	int64_t interval_ns; /* half of what the unit allows; 0: nobody watches */
	int64_t next_ns;
	uint64_t counter; /* the loop's, when it was last told */
	bool ready;
};

/** Read the environment that systemd gives. Call from: setup. */
void watchdog_init(struct watchdog *watchdog);

/** Tell what is due: `counter` is the loop's count of ticks. Call from: the service's thread. */
void watchdog_look(struct watchdog *watchdog, int64_t now_ns, uint64_t counter);

/** The run stops now. Call from: the service's thread. */
void watchdog_stopping(void);

#endif
