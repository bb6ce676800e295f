#include "daq/serial/link.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

#define WAKE_UP_NS 3000000000 /* boards that a host's opening resets come back through their boot loader */
#define ANSWER_NS  250000000

int serial_link_open(struct serial_link *link, const char *path, int baud, struct err *err)
{
	memset(link, 0, sizeof(*link));
	/* another number than the last host's, so that a device tells its frames from ours */
	link->session = (uint16_t)(((uint64_t)clock_now_ns() >> 10) ^ (uint64_t)getpid());
	return serial_port_open(&link->port, path, baud, err);
}

void serial_link_close(struct serial_link *link)
{
	serial_port_close(&link->port);
}

/** The next frame, whatever it is. */
RT_SAFE static int read_frame(struct serial_link *link, int64_t until_ns, struct framing_frame *frame)
{
	for (;;) {
		while (link->next < link->n_read)
			if (framing_take(&link->reader, link->read[link->next++], frame))
				return 0;
		const int n = serial_port_read(&link->port, link->read, sizeof(link->read), until_ns);
		if (n < 0)
			return n;
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
	int code = n ? serial_port_write(&link->port, link->coded, n, until_ns) : JOSTLE_EIO;

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

/** Nobody there is ENODEV, and somebody who is not right is something else: a plant may stand in for nobody only. */
static int no_answer(const struct serial_link *link, int code, struct err *err)
{
	const char *name = link->port.path;
	const struct framing_reader *reader = &link->reader;

	if (code == JOSTLE_EIO)
		return err_set(err, JOSTLE_EIO, "%s: the device has hung up", name);
	if (reader->refused[FRAMING_BAD_VERSION])
		return err_set(err, JOSTLE_EFORMAT, "%s: expected a device that speaks version %d, found version %d",
			       name, FRAMING_VERSION, reader->version);
	if (reader->refused[FRAMING_BAD_STUFFING] || reader->refused[FRAMING_BAD_LENGTH] ||
	    reader->refused[FRAMING_BAD_CHECKSUM])
		return err_set(err, JOSTLE_EFORMAT,
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
			       link->port.path, 8 + FRAMING_MAX_NAME, answer.size);
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
		       link->port.path, FRAMING_MAX_CHANNELS, description->n_in, description->n_out);
}

int serial_link_range(struct serial_link *link, bool output, size_t channel, struct serial_range *range,
		      struct err *err)
{
	uint8_t question[3] = {output};
	struct framing_frame answer;

	framing_put16(question + 1, (uint16_t)channel);
	if (ask_patiently(link, FRAMING_CHANNEL, question, sizeof(question), &answer) < 0)
		return err_set(err, JOSTLE_EIO, "%s: no answer about %s %zu", link->port.path,
			       output ? "output" : "input", channel);
	if (answer.size == 9) {
		*range = (struct serial_range){
			.min_V = (int32_t)framing_get32(answer.payload) * 1e-6,
			.max_V = (int32_t)framing_get32(answer.payload + 4) * 1e-6,
			.bits = answer.payload[8],
		};
		if (range->min_V < range->max_V && range->bits >= 1 && range->bits <= 16)
			return 0;
	}
	return err_set(err, JOSTLE_EFORMAT, "%s: expected the span of %s %zu's converter, and its bits, 1 to 16",
		       link->port.path, output ? "output" : "input", channel);
}
