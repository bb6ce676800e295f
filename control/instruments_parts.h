#ifndef JOSTLE_INSTRUMENTS_PARTS_H
#define JOSTLE_INSTRUMENTS_PARTS_H
/*
 * The instruments inside: for instruments.c (what others ask), instruments_orders.c (orders and notes) and instruments_thread.c (one
 * instrument's thread) only.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "control/instruments.h"
#include "daq/instruments/instrument.h"

#define INSTRUMENTS_MAX_ORDERS 32
#define INSTRUMENTS_MAX_NOTES  1024

struct order {
	uint64_t ticket; /* 0: a free row */
	size_t instrument, value;
	double quantity;
	enum instruments_outcome outcome;
	bool given_up; /* nobody asks for its outcome any more */
	struct err err;
};

/** A reading that has limits, as the loop sees it. */
struct guarded {
	atomic_int_fast64_t good_ns; /* of the newest answer; INT64_MIN: none so far */
	atomic_bool beyond;          /* that one is outside the limits */
};

/** An instrument and its thread. */
struct member {
	struct instruments *all;
	size_t number;
	struct instrument instrument; /* the thread's own */
	pthread_t thread;
	bool started;
	int64_t next_ns, retry_ns; /* of the next round of readings, and of looking for it again */
	struct guarded guarded[INSTRUMENT_MAX_VALUES];
	_Atomic double reading[INSTRUMENT_MAX_VALUES]; /* the newest, whatever it is worth by now */
	struct instruments_view view;                  /* under the lock */
};

struct instruments {
	const struct bench *bench;
	size_t n;
	struct member *member;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* an order has come, or it is over */
	atomic_bool closing;
	uint64_t last_ticket;
	struct order order[INSTRUMENTS_MAX_ORDERS];
	struct instruments_note note[INSTRUMENTS_MAX_NOTES]; /* a ring */
	size_t first_note, n_notes;
};

/** Take the next order for a member into *order; returns whether there is one. */
bool orders_take(struct member *member, struct order *order);

/** It has been carried out, or not: order->err says. */
void orders_end(struct instruments *instruments, const struct order *order);

/** Whether one waits for a member. The lock is held. */
bool orders_wait(const struct member *member);

/** The run ends: what waits is not carried out. */
void orders_refuse_all(struct instruments *instruments);

/** Write something down; where nobody takes notes the oldest go. value: NULL for words. */
void notes_put(struct member *member, enum instruments_note_kind kind, const struct instrument_value *value,
	       double quantity, const char *words);

/** The thread. */
void *instruments_main(void *member);

/** Looked for at the beginning, by the opener. Errors: those of instrument_connect(). */
int instruments_find(struct member *member, struct err *err);

#endif
