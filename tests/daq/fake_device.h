#ifndef JOSTLE_TEST_FAKE_DEVICE_H
#define JOSTLE_TEST_FAKE_DEVICE_H
/*
 * A serial device for tests: the device library, with a plant behind it that lives in this computer's time, on a pseudo
 * terminal or a serial port. What goes wrong on the line, and what the device did, crosses process borders in a page.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/plant_config.h"

#define FAKE_RANGE_V 10.0 /* of all channels: -10 to 10 V */

/** Shared between a test and its device. Zeroed, nothing goes wrong. */
struct fake_device_page {
	/* so many answers to come … */
	atomic_int swallow; /* are not sent */
	atomic_int cut;     /* end early */
	atomic_int spoil;   /* have a bit turned */
	atomic_int noise;   /* have garbage before them */
	atomic_int repeat;  /* are sent again after the next one */
	atomic_int deaf;    /* while not 0 nothing is heard, and no watchdog looked after: a device that hangs */
	atomic_int unplug;  /* not 0: the device closes its end and ends */
	/* what it did */
	atomic_int state; /* enum framing_device_state */
	atomic_uint n_exchanges, n_drives;
	atomic_uint watchdog_us;
	_Atomic double out_V[16];
};

struct fake_device {
	const struct plant_config *plant; /* outlives the device */
	double period_s;                  /* the plant's, and the shortest that the device says it can do */
	uint64_t seed;
	struct fake_device_page *page;  /* NULL for none */
	const char *log;                /* file for a line per change of the outputs, or NULL */
	volatile sig_atomic_t *stopped; /* ends when not 0; NULL: never */
};

/** A pseudo terminal: the device's end, and in path[size] the name of the other. Returns -1 with errno. */
int fake_device_pty(char *path, size_t size);

/** A serial port, set up for a device at its end. Returns -1 with errno. */
int fake_device_tty(const char *path, int baud);

/** Be the device until the page or `stopped` says otherwise, or the line ends; closes fd. Returns 0, or -1 with errno. */
int fake_device_run(const struct fake_device *fake, int fd);

#endif
