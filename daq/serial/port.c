/*
 * libserialport opens the port, sets it up, reads and writes without blocking; the waits are ppoll()'s, whose time-outs are
 * as fine as the loop's periods and which sees a peer hang up.
 */
#include "daq/serial/port.h"

#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

static int refuse_port(struct err *err, const char *path, enum sp_return why)
{
	/* libserialport's own words go with errno, and both with what was tried */
	const int reason = why == SP_ERR_FAIL ? errno : 0;

	if (why == SP_ERR_MEM)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a serial port");
	if (reason == EBUSY)
		return err_set(err, JOSTLE_EBUSY, "%s is in use by another process", path);
	if (reason == EACCES)
		return err_set(err, JOSTLE_EIO, /* it is there */
			       "%s: permission denied; expected a serial port that this user may open (group dialout)",
			       path);
	return err_set(err, JOSTLE_ENODEV, "%s: expected a serial port, found %s", path,
		       reason ? strerror(reason) : "none of that name");
}

static int set_up(struct serial_port *port, const char *path, int baud, struct err *err)
{
	struct sp_port *sp = port->sp;

	if (sp_get_port_handle(sp, &port->fd) != SP_OK || sp_set_bits(sp, 8) != SP_OK ||
	    sp_set_parity(sp, SP_PARITY_NONE) != SP_OK || sp_set_stopbits(sp, 1) != SP_OK ||
	    sp_set_flowcontrol(sp, SP_FLOWCONTROL_NONE) != SP_OK)
		return err_set(err, JOSTLE_EIO, "%s can't be set to 8 data bits, no parity, 1 stop bit: %s", path,
			       strerror(errno));
	if (sp_set_baudrate(sp, baud) != SP_OK)
		return err_set(err, JOSTLE_EIO, "%s can't be set to %d baud: %s", path, baud, strerror(errno));
	sp_flush(sp, SP_BUF_BOTH);
	return 0;
}

/**
 * Make sure that nobody else has the port, before anything is set on a line that may be at work. The kernel's own means,
 * TIOCEXCL, doesn't keep root out.
 */
static int lock(struct serial_port *port, struct err *err)
{
	port->lock_fd = open(port->path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (port->lock_fd < 0)
		return refuse_port(err, port->path, SP_ERR_FAIL);
	if (flock(port->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, JOSTLE_EBUSY, "%s is in use by another process", port->path);
	return 0;
}

int serial_port_open(struct serial_port *port, const char *path, int baud, struct err *err)
{
	char real[PATH_MAX];
	enum sp_return found;
	int code;

	*port = (struct serial_port){.fd = -1, .lock_fd = -1};
	snprintf(port->path, sizeof(port->path), "%s", path);
	errno = 0;
	/* libserialport knows no links, and those of /dev/serial/by-id are what tells adapters apart. */
	found = sp_get_port_by_name(realpath(path, real) ? real : path, &port->sp);
	if (found != SP_OK) {
		port->sp = NULL;
		return refuse_port(err, path, found);
	}
	code = lock(port, err);
	if (code == 0) {
		found = sp_open(port->sp, SP_MODE_READ_WRITE);
		code = found == SP_OK ? set_up(port, path, baud, err) : refuse_port(err, path, found);
	}
	if (code < 0)
		serial_port_close(port);
	return code;
}

void serial_port_close(struct serial_port *port)
{
	if (!port->sp)
		return;
	/* closing waits for what a device that has gone away will never take */
	sp_flush(port->sp, SP_BUF_OUTPUT);
	sp_close(port->sp);
	sp_free_port(port->sp);
	if (port->lock_fd >= 0)
		close(port->lock_fd);
	port->sp = NULL;
	port->fd = port->lock_fd = -1;
}

void serial_port_drop(struct serial_port *port)
{
	sp_flush(port->sp, SP_BUF_INPUT);
}

/** Wait for the port until a time. Returns 0 when it is ready, or the error. */
RT_SAFE static int wait_for(const struct serial_port *port, short events, int64_t until_ns)
{
	struct pollfd line = {.fd = port->fd, .events = events};
	int ready;

	do {
		const int64_t left_ns = until_ns - clock_now_ns();
		const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};

		if (left_ns <= 0)
			return JOSTLE_EMISSED;
		ready = ppoll(&line, 1, &left, NULL);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return JOSTLE_EMISSED;
	return ready < 0 || !(line.revents & events) ? JOSTLE_EIO : 0;
}

int serial_port_write(struct serial_port *port, const uint8_t bytes[], size_t n, int64_t until_ns)
{
	size_t done = 0;

	for (;;) {
		const int written = (int)sp_nonblocking_write(port->sp, bytes + done, n - done);

		if (written < 0)
			return JOSTLE_EIO;
		done += (size_t)written;
		if (done >= n)
			return 0;
		const int code = wait_for(port, POLLOUT, until_ns);
		if (code < 0)
			return code;
	}
}

int serial_port_read(struct serial_port *port, uint8_t bytes[], size_t size, int64_t until_ns)
{
	const int code = wait_for(port, POLLIN, until_ns);

	if (code < 0)
		return code;
	const int n = (int)sp_nonblocking_read(port->sp, bytes, size);

	return n > 0 ? n : JOSTLE_EIO; /* readable, and nothing to read: the peer has hung up */
}
