/*
 * libserialport opens the port, sets it up, reads and writes without blocking; the waits are ppoll()'s, whose time-outs are
 * as fine as the loop's periods and which sees a peer hang up.
 */
#include "daq/serial/link.h"

#include <errno.h>
#include <libserialport.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

#define WAKE_UP_NS 3000000000 /* boards that a host's opening resets come back through their boot loader */
#define ANSWER_NS  250000000

static int refuse_port(struct err *err, const char *path, enum sp_return why)
{
	/* libserialport's own words go with errno, and both with what was tried */
	const int reason = why == SP_ERR_FAIL ? errno : 0;

	if (why == SP_ERR_MEM)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a serial port");
	if (reason == EBUSY)
		return err_set(err, JOSTLE_EBUSY, "%s is in use by another process", path);
	if (reason == EACCES)
		return err_set(err, JOSTLE_ENODEV,
			       "%s: permission denied; expected a serial port that this user may open (group dialout)",
			       path);
	return err_set(err, JOSTLE_ENODEV, "%s: expected a serial port, found %s", path,
		       reason ? strerror(reason) : "none of that name");
}

static int set_up(struct serial_link *link, const char *path, int baud, struct err *err)
{
	struct sp_port *port = link->port;

	if (sp_get_port_handle(port, &link->fd) != SP_OK || sp_set_bits(port, 8) != SP_OK ||
	    sp_set_parity(port, SP_PARITY_NONE) != SP_OK || sp_set_stopbits(port, 1) != SP_OK ||
	    sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE) != SP_OK)
		return err_set(err, JOSTLE_EIO, "%s can't be set to 8 data bits, no parity, 1 stop bit: %s", path,
			       strerror(errno));
	if (sp_set_baudrate(port, baud) != SP_OK)
		return err_set(err, JOSTLE_EIO, "%s can't be set to %d baud: %s", path, baud, strerror(errno));
	/* TIOCEXCL doesn't keep root out */
	if (flock(link->fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, JOSTLE_EBUSY, "%s is in use by another process", path);
	sp_flush(port, SP_BUF_BOTH);
	return 0;
}

int serial_link_open(struct serial_link *link, const char *path, int baud, struct err *err)
{
	enum sp_return found;
	int code;

	memset(link, 0, sizeof(*link));
	link->fd = -1;
	errno = 0;
	found = sp_get_port_by_name(path, &link->port);
	if (found != SP_OK) {
		link->port = NULL;
		return refuse_port(err, path, found);
	}
	found = sp_open(link->port, SP_MODE_READ_WRITE);
	if (found != SP_OK) {
		code = refuse_port(err, path, found);
		sp_free_port(link->port);
		link->port = NULL;
		return code;
	}
	code = set_up(link, path, baud, err);
	if (code < 0)
		serial_link_close(link);
	/* another number than the last host's, so that a device tells its frames from ours */
	link->session = (uint16_t)(((uint64_t)clock_now_ns() >> 10) ^ (uint64_t)getpid());
	return code;
}

void serial_link_close(struct serial_link *link)
{
	if (!link->port)
		return;
	sp_close(link->port);
	sp_free_port(link->port);
	link->port = NULL;
	link->fd = -1;
}

/** Wait for the port until a time. Returns 0 when it is ready, or what serial_link_ask() returns. */
RT_SAFE static int wait_for(const struct serial_link *link, short events, int64_t until_ns)
{
	struct pollfd port = {.fd = link->fd, .events = events};
	int ready;

	do {
		const int64_t left_ns = until_ns - clock_now_ns();
		const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};

		if (left_ns <= 0)
			return JOSTLE_EMISSED;
		ready = ppoll(&port, 1, &left, NULL);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return JOSTLE_EMISSED;
	return ready < 0 || !(port.revents & events) ? JOSTLE_EIO : 0;
}

RT_SAFE static int write_all(struct serial_link *link, size_t n, int64_t until_ns)
{
	size_t done = 0;

	for (;;) {
		const int written = (int)sp_nonblocking_write(link->port, link->coded + done, n - done);

		if (written < 0)
			return JOSTLE_EIO;
		done += (size_t)written;
		if (done >= n)
			return 0;
		const int code = wait_for(link, POLLOUT, until_ns);
		if (code < 0)
			return code;
	}
}

/** The next frame, whatever it is. */
RT_SAFE static int read_frame(struct serial_link *link, int64_t until_ns, struct framing_frame *frame)
{
	for (;;) {
		while (link->next < link->n_read)
			if (framing_take(&link->reader, link->read[link->next++], frame))
				return 0;
		const int code = wait_for(link, POLLIN, until_ns);
		if (code < 0)
			return code;
		const int n = (int)sp_nonblocking_read(link->port, link->read, sizeof(link->read));
		if (n <= 0) /* readable, and nothing to read: the peer has hung up */
			return JOSTLE_EIO;
		link->n_read = (size_t)n;
		link->next = 0;
	}
}

int serial_link_ask(struct serial_link *link, enum framing_kind kind, const uint8_t payload[], size_t size,
		    int64_t until_ns, struct framing_frame *answer)
{
	const struct framing_frame question = {
		.kind = (uint8_t)kind,
		.session = link->session,
		.sequence = ++link->sequence,
		.size = size,
		.payload = payload,
	};
	const size_t n = framing_encode(&question, link->coded);
	int code = n ? write_all(link, n, until_ns) : JOSTLE_EIO;

	while (code == 0) {
		code = read_frame(link, until_ns, answer);
		if (code == 0 && answer->kind == (kind | FRAMING_ANSWER) && answer->session == question.session &&
		    answer->sequence == question.sequence)
			break;
	}
	return code;
}

/** Ask again and again, for as long as it takes a board to wake up. */
static int ask_patiently(struct serial_link *link, enum framing_kind kind, const uint8_t payload[], size_t size,
			 struct framing_frame *answer)
{
	const int64_t give_up_ns = clock_now_ns() + WAKE_UP_NS;
	int code;

	do
		code = serial_link_ask(link, kind, payload, size, clock_now_ns() + ANSWER_NS, answer);
	while (code == JOSTLE_EMISSED && clock_now_ns() < give_up_ns);
	return code;
}

static int no_answer(const struct serial_link *link, int code, struct err *err)
{
	const char *name = sp_get_port_name(link->port);
	const struct framing_reader *reader = &link->reader;

	if (code == JOSTLE_EIO)
		return err_set(err, JOSTLE_ENODEV, "%s: the device has hung up", name);
	if (reader->refused[FRAMING_BAD_VERSION])
		return err_set(err, JOSTLE_ENODEV, "%s: expected a device that speaks version %d, found version %d",
			       name, FRAMING_VERSION, reader->version);
	if (reader->refused[FRAMING_BAD_STUFFING] || reader->refused[FRAMING_BAD_LENGTH] ||
	    reader->refused[FRAMING_BAD_CHECKSUM])
		return err_set(err, JOSTLE_ENODEV,
			       "%s: expected a device that speaks this program's protocol, found one that sends "
			       "something else, or another baud rate",
			       name);
	return err_set(err, JOSTLE_ENODEV,
		       "%s: expected a device that speaks this program's protocol, found no answer within %g s", name,
		       WAKE_UP_NS * 1e-9);
}

int serial_link_describe(struct serial_link *link, struct serial_description *description, struct err *err)
{
	struct framing_frame answer;
	const int code = ask_patiently(link, FRAMING_HELLO, NULL, 0, &answer);

	if (code < 0)
		return no_answer(link, code, err);
	if (answer.size < 8 || answer.size > 8 + FRAMING_MAX_NAME)
		return err_set(err, JOSTLE_EFORMAT, "%s: expected a description of 8 to %d bytes, found %zu",
			       sp_get_port_name(link->port), 8 + FRAMING_MAX_NAME, answer.size);
	*description = (struct serial_description){
		.n_in = framing_get16(answer.payload),
		.n_out = framing_get16(answer.payload + 2),
		.period_s = framing_get32(answer.payload + 4) * 1e-6,
	};
	for (size_t i = 0; i + 8 < answer.size; i++) {
		const uint8_t c = answer.payload[8 + i];

		description->name[i] = c >= ' ' && c < 0x7f ? (char)c : '?'; /* goes to terminals and files */
	}
	if (description->n_in <= FRAMING_MAX_CHANNELS && description->n_out <= FRAMING_MAX_CHANNELS)
		return 0;
	return err_set(err, JOSTLE_EFORMAT, "%s: expected at most %d inputs and outputs, found %zu and %zu",
		       sp_get_port_name(link->port), FRAMING_MAX_CHANNELS, description->n_in, description->n_out);
}

int serial_link_range(struct serial_link *link, bool output, size_t channel, double *min_V, double *max_V,
		      struct err *err)
{
	uint8_t question[3] = {output};
	struct framing_frame answer;

	framing_put16(question + 1, (uint16_t)channel);
	if (ask_patiently(link, FRAMING_CHANNEL, question, sizeof(question), &answer) < 0)
		return err_set(err, JOSTLE_EIO, "%s: no answer about %s %zu", sp_get_port_name(link->port),
			       output ? "output" : "input", channel);
	if (answer.size == 8) {
		*min_V = (int32_t)framing_get32(answer.payload) * 1e-6;
		*max_V = (int32_t)framing_get32(answer.payload + 4) * 1e-6;
		if (*min_V < *max_V)
			return 0;
	}
	return err_set(err, JOSTLE_EFORMAT, "%s: expected the span of %s %zu's converter, found none",
		       sp_get_port_name(link->port), output ? "output" : "input", channel);
}
