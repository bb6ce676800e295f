/*
 * Both ends of a serial line, given frames that are whole and hold anything: a device with a board that only looks on, and the
 * host's reading of a device's answers, over a port that is made here. No fuzzer guesses a CRC: the frames are sealed here.
 */
#include <math.h>
#include <stdbool.h>

#include "base/err.h"
#include "daq/serial/device.h"
#include "daq/serial/fit.h"
#include "fuzz/target.h"

#define LARGEST 4096
#define N_IN    3
#define N_OUT   2

/** The host's port: what is asked is answered with these bytes. */
static struct {
	const uint8_t *payload;
	size_t size, n, next;
	uint8_t coded[FRAMING_MAX_CODED];
} line;

/* In the place of daq/serial/port.c. */
int serial_port_open(struct serial_port *port, const char *path, int baud, struct err *err)
{
	(void)baud;
	(void)err;
	*port = (struct serial_port){0};
	snprintf(port->path, sizeof(port->path), "%s", path);
	return 0;
}

void serial_port_close(struct serial_port *port)
{
	(void)port;
}

void serial_port_drop(struct serial_port *port)
{
	(void)port;
}

int serial_port_write(struct serial_port *port, const uint8_t bytes[], size_t n, int64_t until_ns)
{
	static struct framing_reader reader;
	struct framing_frame frame;
	bool whole = false;

	(void)port;
	(void)until_ns;
	for (size_t i = 0; i < n; i++)
		whole = framing_take(&reader, bytes[i], &frame) || whole;
	REQUIRE(whole);
	frame.kind |= FRAMING_ANSWER;
	frame.payload = line.payload;
	frame.size = line.size;
	line.n = framing_encode(&frame, line.coded);
	line.next = 0;
	return 0;
}

int serial_port_read(struct serial_port *port, uint8_t bytes[], size_t size, int64_t until_ns)
{
	const size_t left = line.n - line.next, n = left < size ? left : size;

	(void)port;
	(void)until_ns;
	memcpy(bytes, line.coded + line.next, n);
	line.next += n;
	return n ? (int)n : JOSTLE_EIO;
}

/** What a host takes for a description or a range is one. */
static void answer_host(const uint8_t *bytes, size_t n)
{
	static struct serial_link link;
	struct serial_description description = {0};
	struct serial_range range;
	struct err err = {0};

	line.payload = bytes;
	line.size = n;
	REQUIRE(serial_link_open(&link, "line", 9600, &err) == 0);
	if (serial_link_describe(&link, &description, &err) == 0) {
		REQUIRE(n >= 8 && description.n_in <= FRAMING_MAX_CHANNELS &&
			description.n_out <= FRAMING_MAX_CHANNELS);
		REQUIRE(strnlen(description.name, sizeof(description.name)) == n - 8);
		for (const char *c = description.name; *c; c++)
			REQUIRE(*c >= ' ' && *c < 0x7f);
	}
	if (serial_link_range(&link, true, 1, &range, &err) == 0) {
		REQUIRE(n == 9 && range.min_V < range.max_V && range.bits >= 1 && range.bits <= 16);
		const struct serial_converter converter = serial_converter_make(&range);

		REQUIRE(serial_converter_volts(&converter, converter.top) == range.max_V);
		REQUIRE(serial_converter_code(&converter, 1e300) == converter.top);
		REQUIRE(serial_converter_code(&converter, -1e300) == 0);
	}
	serial_link_close(&link);
}

struct looker {
	unsigned n_drives, n_answers;
	struct framing_reader reader;
	struct framing_frame said;
};

static void sample(void *context, uint16_t in[])
{
	(void)context;
	memset(in, 0x5a, N_IN * sizeof(in[0]));
}

static void drive(void *context, const uint16_t out[])
{
	struct looker *looker = context;

	(void)out;
	looker->n_drives++;
}

static void say(void *context, const uint8_t bytes[], size_t n)
{
	struct looker *looker = context;

	for (size_t i = 0; i < n; i++)
		looker->n_answers += framing_take(&looker->reader, bytes[i], &looker->said);
}

/** One question; what a device that doesn't obey it must not do. */
static void ask(struct serial_device *device, struct looker *looker, const struct framing_frame *question,
		uint32_t now_us)
{
	uint8_t coded[FRAMING_MAX_CODED];
	const size_t n = framing_encode(question, coded);
	const unsigned n_drives = looker->n_drives, n_answers = looker->n_answers;
	const uint32_t n_refused = device->n_refused;

	serial_device_tick(device, now_us);
	const unsigned by_watchdog = looker->n_drives - n_drives;
	for (size_t i = 0; i < n; i++)
		serial_device_take(device, coded[i], now_us);
	const bool answered = looker->n_answers != n_answers;

	REQUIRE(device->state < FRAMING_N_STATES && by_watchdog <= 1);
	REQUIRE(answered == (device->n_refused == n_refused));
	REQUIRE(looker->n_drives - n_drives - by_watchdog <= (answered && question->kind >= FRAMING_START));
	if (!answered)
		return;
	REQUIRE(looker->said.kind == (question->kind | FRAMING_ANSWER));
	REQUIRE(looker->said.session == question->session && looker->said.sequence == question->sequence);
}

/** The bytes as questions: kind, session, step of the sequence, time that passes, size, payload. */
static void question_device(const uint8_t *bytes, size_t n)
{
	static const struct serial_device_channel channels[] = {{-1, 1, 16}, {-5, 5, 12}, {0, 9, 1}};
	static struct serial_device device;
	static struct looker looker;
	const struct serial_device_board board = {"fuzz",   &looker, N_IN,   N_OUT, channels,
						  channels, 500,     sample, drive, say};
	uint32_t now_us = 0xfffff000, sequence = 0xfffffff0;

	memset(&looker, 0, sizeof(looker));
	REQUIRE(serial_device_init(&device, &board));
	for (size_t at = 0; at + 5 <= n;) {
		const size_t left = n - at - 5, size = bytes[at + 4] < left ? bytes[at + 4] : left;
		const struct framing_frame question = {.kind = bytes[at],
						       .session = bytes[at + 1],
						       .sequence = sequence += bytes[at + 2],
						       .size = size,
						       .payload = bytes + at + 5};

		now_us += 16u * bytes[at + 3];
		ask(&device, &looker, &question, now_us);
		at += 5 + size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n > LARGEST)
		return 0;
	if (n <= FRAMING_MAX_PAYLOAD)
		answer_host(bytes, n);
	question_device(bytes, n);
	return 0;
}
