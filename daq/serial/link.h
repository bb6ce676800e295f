#ifndef JOSTLE_SERIAL_LINK_H
#define JOSTLE_SERIAL_LINK_H
/*
 * The host's side of the serial line: a port, questions and their answers, with a time by which there must be one.
 *
 * A question goes out with the next sequence number, and only the answer of that number, kind and session is taken; late
 * answers to earlier ones, garbage and what the line cut short are passed over.
 */
#include <stdint.h>

#include "base/rt.h"
#include "daq/serial/framing.h"
#include "daq/serial/port.h"

struct err;

struct serial_link {
	struct serial_port port;
	uint16_t session;
	uint32_t sequence; /* of the last question */
	struct framing_reader reader;
	size_t n_read, next; /* bytes that the port has given and nobody has looked at */
	uint8_t read[512];
	uint8_t coded[FRAMING_MAX_CODED];
};

/** What a device says of itself. */
struct serial_description {
	size_t n_in, n_out;
	double period_s; /* the shortest */
	char name[FRAMING_MAX_NAME + 1];
};

/**
 * Open and set up a port. The caller ends it with serial_link_close(). Errors: those of serial_port_open(). Call from: setup.
 */
int serial_link_open(struct serial_link *link, const char *path, int baud, struct err *err);
void serial_link_close(struct serial_link *link);

/**
 * Ask, and wait for the answer until `until_ns` (CLOCK_MONOTONIC). payload[size] is the caller's; the answer's payload is
 * the link's and lasts until the next question. Returns 0, JOSTLE_EMISSED (none came in time) or JOSTLE_EIO (the port is
 * gone, or size is too large). RT_SAFE. Call from: loop | setup.
 */
RT_SAFE int serial_link_ask(struct serial_link *link, enum framing_kind kind, const uint8_t payload[], size_t size,
			    int64_t until_ns, struct framing_frame *answer);

/**
 * Find out what is at the other end; a board that opening the port has reset gets its time to wake up. Errors: JOSTLE_ENODEV
 * (no answer), JOSTLE_EFORMAT (one of another version, something else than this protocol, an answer that can't be),
 * JOSTLE_EIO (it hung up). Call from: setup.
 */
int serial_link_describe(struct serial_link *link, struct serial_description *description, struct err *err);

/** What a device says of a channel's converter. */
struct serial_range {
	double min_V, max_V;
	unsigned bits; /* 1 to 16 */
};

/**
 * The span of one channel's converter, and its bits. Errors: JOSTLE_EIO (no answer), JOSTLE_EFORMAT (an answer that can't be). Call from:
 * setup.
 */
int serial_link_range(struct serial_link *link, bool output, size_t channel, struct serial_range *range,
		      struct err *err);

#endif
