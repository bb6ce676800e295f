#ifndef JOSTLE_INSTRUMENTS_H
#define JOSTLE_INSTRUMENTS_H
/*
 * The instruments of a bench: a thread for each asks for its readings, sets what it is told to set, and looks for it again
 * when it has gone. The loop hears of them in one way: whether a reading that has limits is outside them, or silent.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "daq/instruments/setup.h"

struct bench;
struct err;
struct instruments;

#define INSTRUMENT_WORDS 256 /* with the NUL */

/**
 * Connect to every instrument of the bench, and begin to read. The caller ends it with instruments_close(). *instruments is NULL
 * where the bench has none. Errors: those of instrument_connect() for the first that is not there, JOSTLE_ENOMEM. Call from: setup.
 */
int instruments_open(struct instruments **instruments, const struct bench *bench, struct err *err);

/**
 * Wait until every reading that has limits has come, whatever it is; for the longest silent_s at most. Errors: JOSTLE_ENODEV (one has
 * not), JOSTLE_EINTR (the person does not want to wait). NULL is allowed. Call from: setup.
 */
int instruments_await(const struct instruments *instruments, struct err *err);

/**
 * Stop reading, and set what has a safe value to it. Whoever waits for an order hears that it was not carried out. Takes a few of
 * an instrument's time-outs where that is silent. NULL is allowed, and twice. Call from: setup.
 */
void instruments_stop(struct instruments *instruments);

/** instruments_stop(), and free all. NULL is allowed. Call from: setup. */
void instruments_close(struct instruments *instruments);

/**
 * What the loop has to know: OUTSIDE_READING, OUTSIDE_SILENT (control/tick.h) or'ed. now_ns: CLOCK_MONOTONIC. NULL is
 * allowed. RT_SAFE. Call from: loop.
 */
RT_SAFE uint32_t instruments_outside(const struct instruments *instruments, int64_t now_ns);

/** The bath's temperature, or NaN where no instrument reads it, or it is silent. NULL is allowed. Call from: any. */
double instruments_temperature_K(const struct instruments *instruments);

/** What became of an order. */
enum instruments_outcome {
	ORDER_WAITS, /* its instrument has not come to it */
	ORDER_UNDER_WAY,
	ORDER_DONE /* and forgotten: the ticket is void */
};

/**
 * Have a value set. *ticket is never 0; instruments_outcome() has to be asked for it until it is done, or cancelled. Errors: JOSTLE_EINVAL
 * (no such instrument or value, outside its limits), JOSTLE_EBUSY (too many orders wait). Call from: any but the loop.
 */
int instruments_order(struct instruments *instruments, const char *instrument, const char *value, double quantity,
		      uint64_t *ticket, struct err *err);

/**
 * How an order stands. ORDER_DONE comes once, with *code 0, or an error in err: those of instrument_set(), JOSTLE_ENODEV (the
 * instrument is not there). `cancel`: where it waits it is not carried out any more, and is done. Call from: any but the loop.
 */
enum instruments_outcome instruments_outcome(struct instruments *instruments, uint64_t ticket, bool cancel, int *code,
					     struct err *err);

/** Something to be written down. */
enum instruments_note_kind {
	NOTE_READING, /* quantity */
	NOTE_SET,     /* quantity: what it was set to */
	NOTE_WORDS,   /* words: connected, hung up, an error of its own */
	NOTE_N_KINDS
};

struct instruments_note {
	int64_t t_ns; /* CLOCK_MONOTONIC */
	enum instruments_note_kind kind;
	char instrument[INSTRUMENT_NAME_SIZE], name[INSTRUMENT_NAME_SIZE]; /* name: of the value; "" for words */
	double quantity;                                                   /* NaN for words */
	char words[INSTRUMENT_WORDS];                                      /* "" but for words */
};

/** The next note, in order; returns whether there is one. What nobody takes is dropped. Call from: any but the loop. */
bool instruments_take(struct instruments *instruments, struct instruments_note *note);

/** A value as it stands. */
struct instruments_value {
	double quantity; /* NaN: never read, or not known to be set */
	int64_t t_ns;    /* when; 0: never */
	bool good;       /* of a reading: not silent, and within its limits */
};

/** An instrument as it stands. */
struct instruments_view {
	const struct instrument_setup *setup;
	bool connected;
	char identity[INSTRUMENT_WORDS];
	char words[INSTRUMENT_WORDS]; /* what went wrong last, or "" */
	uint64_t n_errors;            /* times that something did */
	struct instruments_value set[INSTRUMENT_MAX_VALUES], read[INSTRUMENT_MAX_VALUES];
};

/** How many there are; 0 for NULL. Call from: any but the loop. */
size_t instruments_count(const struct instruments *instruments);

/** How one of them stands. Call from: any but the loop. */
void instruments_look(struct instruments *instruments, size_t i, struct instruments_view *view);

#endif
