#ifndef JOSTLE_COMEDI_RIG_H
#define JOSTLE_COMEDI_RIG_H
/*
 * The cards of a bench as one: every input and every output, whichever card it is on. For driver comedi only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "daq/comedi/card.h"
#include "daq/comedi/list.h"
#include "daq/comedi/stream.h"
#include "daq/comedi/wire.h"

struct bench;
struct daq_budget;
struct daq_channel;
struct err;

/** What went wrong in the loop, told when it has stopped. */
struct rig_fault {
	const struct card *card; /* NULL: nothing */
	const char *doing;
	int why; /* errno */
};

/** A subdevice of outputs, for its owner alone while a guardian holds it. */
struct rig_hold {
	struct card *card;
	unsigned subdevice;
	bool held;
};

struct rig {
	const struct bench *bench;
	size_t n_cards, n_in, n_out, n_holds;
	struct card *cards;     /* [n_cards] */
	struct wire *in, *out;  /* [n_in], [n_out] */
	struct list *reads;     /* [n_cards]: of single samples */
	struct list *writes;    /* [n_cards] */
	struct stream *streams; /* [n_cards]: used instead of reads when streaming */
	struct rig_hold *holds; /* [n_holds]: every subdevice of outputs */
	bool streaming;
	struct stream *master; /* whose scans are the bench's edges; NULL: not streaming */
	uint64_t n_seen;       /* of them, scans that have been exchanged */
	struct rig_fault fault;
};

/**
 * Open the cards and wire the channels: all for the owner, the outputs alone for a guardian. Touches no output. The caller
 * ends it with rig_close(), also after an error. Errors: those of card_open(), wire_connect() and stream_init(), each naming
 * what was looked for; JOSTLE_ECONFIG (a converter named twice); JOSTLE_ENOMEM. Call from: setup.
 */
int rig_open(struct rig *rig, const struct bench *bench, bool owner, struct err *err);
void rig_close(struct rig *rig);

/** How many channels are wired to converters that nobody corrects though the bench file asks for it. Call from: setup. */
size_t rig_uncorrected(const struct rig *rig);

/** Whether inputs come from streams whose clocks nothing ties together. Call from: setup. */
bool rig_apart(const struct rig *rig);

/** From the edge to the conversion of every channel, by the cards' figures or by measure: in_s[n_in], out_s[n_out].
 * A stream apart from the first is anything up to half a period off: that bound is stated, below a period with what follows
 * in its scan. Reads the inputs. Errors: JOSTLE_EIO. Call from: setup. */
int rig_skew(struct rig *rig, double in_s[], double out_s[], struct err *err);

/** Make digital outputs outputs. Errors: JOSTLE_EIO. Call from: setup, the guardian. */
int rig_direct(struct rig *rig, struct err *err);

/**
 * Write out_V[n_out] to the channels[n_out], a channel's safe_V where it is not a number. One that can't be written keeps none of the others from it. Returns
 * 0, JOSTLE_EMISSED (another process, a guardian, holds outputs: nothing was written there) or JOSTLE_EIO.
 * RT_SAFE. Call from: any.
 */
RT_SAFE int rig_write(struct rig *rig, const double out_V[], const struct daq_channel channels[]);

/** Read every input once. Returns 0 or JOSTLE_EIO, which leaves in_V alone. RT_SAFE. Call from: loop. */
RT_SAFE int rig_read(struct rig *rig, double in_V[]);

/** Start the streams. Errors: those of stream_start(). Call from: setup. */
int rig_stream(struct rig *rig, struct err *err);
void rig_stream_stop(struct rig *rig);

/**
 * Wait for the next scan of the first card with inputs, and take the newest of every card. Returns how many scans have come since the last time, at least 1, or JOSTLE_EIO, which leaves in_V alone.
 * RT_SAFE. Call from: loop.
 */
RT_SAFE int64_t rig_next_scan(struct rig *rig, double in_V[]);

/** Take the outputs from their owner, whose writes the kernel then refuses. Returns whether all are held.
 * Call from: the guardian. */
bool rig_hold(struct rig *rig);
void rig_let_go(struct rig *rig);

/** How fast the cards could go. Reads, and writes nothing. Errors: JOSTLE_EIO. Call from: setup. */
int rig_budget(struct rig *rig, struct daq_budget *budget, struct err *err);

#endif
