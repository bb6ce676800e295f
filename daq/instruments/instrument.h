#ifndef JOSTLE_INSTRUMENTS_INSTRUMENT_H
#define JOSTLE_INSTRUMENTS_INSTRUMENT_H
/*
 * One instrument as a bench file states it: found, set and read in the bench's own quantities. Every function is over
 * within a few of its time-outs; none of them is for the loop.
 */
#include <stdbool.h>

#include "daq/instruments/scpi.h"
#include "daq/instruments/setup.h"

struct err;

struct instrument {
	const struct instrument_setup *setup; /* the caller's, and outlives it */
	struct scpi scpi;
	bool connected;
	char identity[REPLY_MAX_LINE]; /* as it said last */
};

/** Not connected yet. The caller ends it with instrument_disconnect(). Call from: setup. */
void instrument_init(struct instrument *instrument, const struct instrument_setup *setup);

/**
 * Open its port, find out that it is the one expected, and clear its status and its errors. On error it is not connected. Errors: those of
 * scpi_open() and scpi_identify(). Call from: setup.
 */
int instrument_connect(struct instrument *instrument, struct err *err);
void instrument_disconnect(struct instrument *instrument);

/**
 * Get back into step after an answer that was missing or wrong; nothing is done where nothing was. Errors: those of
 * scpi_identify(). Call from: setup.
 */
int instrument_regain(struct instrument *instrument, struct err *err);

/** Ask for a reading. *quantity is in its unit. Errors: those of scpi_ask_number(). Call from: setup. */
int instrument_read(struct instrument *instrument, const struct instrument_value *reading, double *quantity,
		    struct err *err);

/**
 * Set a quantity, and ask whether the instrument took it. What its queue of errors held before is dropped unread:
 * instrument_errors() first tells. Errors: JOSTLE_EINVAL (outside its limits, or refused by the instrument,
 * in its words), those of scpi_ask_errors(): whether it was set is then not known. Call from: setup.
 */
int instrument_set(struct instrument *instrument, const struct instrument_value *value, double quantity,
		   struct err *err);

/** Empty its queue of errors: 0 when there were none, JOSTLE_EINVAL with the first, or those of scpi_ask_errors(). Call from: setup. */
int instrument_errors(struct instrument *instrument, struct err *err);

#endif
