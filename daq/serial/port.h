#ifndef JOSTLE_SERIAL_PORT_H
#define JOSTLE_SERIAL_PORT_H
/*
 * A serial port: bytes out and in, each with a time by which it must be done.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"

struct err;
struct sp_port;

struct serial_port {
	struct sp_port *sp; /* NULL: closed */
	int fd, lock_fd;
	char path[256];
};

/**
 * Open and set up a port: `path` as in /dev/ttyACM0, or a link to it, 8 data bits, no parity, 1 stop bit, no flow control. What it has
 * received before is dropped. The caller ends it with serial_port_close(). Errors: JOSTLE_ENODEV (no such port, or not a
 * serial one; or this program was built without libserialport), JOSTLE_EBUSY (another process has it), JOSTLE_EIO (it can't be
 * set up so), JOSTLE_ENOMEM; all name it. Call from: setup.
 */
int serial_port_open(struct serial_port *port, const char *path, int baud, struct err *err);

/** Close it, whatever has not been sent yet dropped. Safe on a zeroed struct, and twice. Call from: setup. */
void serial_port_close(struct serial_port *port);

/** Drop what has been received and not been read. Call from: setup. */
void serial_port_drop(struct serial_port *port);

/**
 * Write all n bytes until `until_ns` (CLOCK_MONOTONIC). Returns 0, JOSTLE_EMISSED (the time is over; some may have gone) or
 * JOSTLE_EIO (the port is gone). RT_SAFE. Call from: loop | setup.
 */
RT_SAFE int serial_port_write(struct serial_port *port, const uint8_t bytes[], size_t n, int64_t until_ns);

/**
 * Read what there is, at least one byte and at most `size`, waiting for it until `until_ns`. Returns how many, JOSTLE_EMISSED
 * or JOSTLE_EIO (the port is gone: a peer that hung up, too). RT_SAFE. Call from: loop | setup.
 */
RT_SAFE int serial_port_read(struct serial_port *port, uint8_t bytes[], size_t size, int64_t until_ns);

#endif
