#ifndef JOSTLE_COMEDI_STREAM_H
#define JOSTLE_COMEDI_STREAM_H
/*
 * Inputs of a card converted by the card's own clock, scan after scan, into the kernel's buffer. For driver comedi only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "daq/comedi/wire.h"

struct err;

struct stream {
	struct card *card;
	comedi_cmd command;
	size_t n;             /* channels in a scan; 0: the card has no inputs on this bench */
	struct wire **wires;  /* [n]: theirs, in the order of the scan */
	unsigned *channels;   /* [n]: command.chanlist */
	bool wide;            /* samples of 32 bits, else of 16 */
	size_t scan_size;     /* bytes */
	unsigned char *bytes; /* STREAM_ROOM: what has been read and is not yet a whole scan comes first */
	size_t n_bytes;
	bool running;
	int64_t start_ns; /* CLOCK_MONOTONIC when the command was given */
	uint64_t n_scans; /* since then */
	int64_t fresh_ns; /* when the last came to be read */
};

#define STREAM_ROOM 65536

/**
 * Lay out a command for the wires, of n, that end at the card, with a scan every period_s, and ask the card about it; the
 * conversions of a scan follow each other as fast as the card can. Nothing is started. The caller ends it with
 * stream_fini(). Errors: JOSTLE_ECONFIG (inputs on two subdevices, a subdevice that can't stream, a period that the card
 * can't keep), JOSTLE_ENOMEM. Call from: setup.
 */
int stream_init(struct stream *stream, struct card *card, struct wire wires[], size_t n, double period_s,
		struct err *err);
void stream_fini(struct stream *stream);

/** The period that the card keeps, s. Call from: setup. */
double stream_period_s(const struct stream *stream);

/** The shortest period that the card could keep, s; 0 where it does not say. Call from: setup. */
double stream_shortest_s(const struct stream *stream);

/** From the beginning of a scan to its i-th conversion, as far as the card says, s. Call from: setup. */
double stream_skew_s(const struct stream *stream, size_t i);

/** Errors: JOSTLE_EBUSY, JOSTLE_EIO. Call from: setup. */
int stream_start(struct stream *stream, struct err *err);
void stream_stop(struct stream *stream);

/**
 * Take what has come, without waiting: n_scans goes on, and the wires' counts are the newest whole scan's. Returns 0 or an
 * errno: EPIPE when the kernel's buffer overflowed or the card failed, ENODEV when the card is gone. RT_SAFE.
 * Call from: loop.
 */
RT_SAFE int stream_take(struct stream *stream);

/** Wait for more to come. Returns 0, ETIMEDOUT or another errno. RT_SAFE. Call from: loop. */
RT_SAFE int stream_wait(struct stream *stream, int64_t timeout_ns);

#endif
