/*
 * Orders go in, outcomes and notes come out; all under one lock, which nobody holds while an instrument is spoken to.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/instruments_parts.h"
#include "daq/bench.h"

static const struct instrument_value *find(const struct bench *bench, const char *instrument, const char *value,
					   struct order *order, struct err *err)
{
	size_t i = 0, k = 0;

	while (i < bench->n_instruments && strcmp(bench->instruments[i].name, instrument) != 0)
		i++;
	if (i == bench->n_instruments) {
		err_set(err, JOSTLE_EINVAL, "name: this bench has no instrument \"%s\"", instrument);
		return NULL;
	}
	const struct instrument_setup *setup = &bench->instruments[i];

	while (k < setup->n_sets && strcmp(setup->set[k].name, value) != 0)
		k++;
	if (k == setup->n_sets) {
		err_set(err, JOSTLE_EINVAL, "set: instrument %s has no value \"%s\" to be set", instrument, value);
		return NULL;
	}
	order->instrument = i;
	order->value = k;
	return &setup->set[k];
}

int instruments_order(struct instruments *instruments, const char *instrument, const char *value, double quantity,
		      uint64_t *ticket, struct err *err)
{
	struct order order = {.quantity = quantity}, *row = instruments->order;
	const struct instrument_value *found = find(instruments->bench, instrument, value, &order, err);

	if (!found)
		return JOSTLE_EINVAL;
	/* Not ">": what is not a number is within no limits. */
	if (!(quantity >= found->min && quantity <= found->max))
		return err_set(err, JOSTLE_EINVAL, "value: expected %g to %g %s, found %g", found->min, found->max,
			       found->unit, quantity);
	pthread_mutex_lock(&instruments->lock);
	while (row < instruments->order + INSTRUMENTS_MAX_ORDERS && row->ticket)
		row++;
	if (row == instruments->order + INSTRUMENTS_MAX_ORDERS) {
		pthread_mutex_unlock(&instruments->lock);
		return err_set(err, JOSTLE_EBUSY, "%d orders wait for the instruments already", INSTRUMENTS_MAX_ORDERS);
	}
	order.ticket = *ticket = ++instruments->last_ticket;
	*row = order;
	pthread_cond_broadcast(&instruments->wake);
	pthread_mutex_unlock(&instruments->lock);
	return 0;
}

static struct order *find_order(struct instruments *instruments, uint64_t ticket)
{
	for (size_t i = 0; i < INSTRUMENTS_MAX_ORDERS; i++)
		if (ticket && instruments->order[i].ticket == ticket)
			return &instruments->order[i];
	return NULL;
}

enum instruments_outcome instruments_outcome(struct instruments *instruments, uint64_t ticket, bool cancel, int *code,
					     struct err *err)
{
	enum instruments_outcome outcome = ORDER_DONE;
	struct order *order;

	*code = 0;
	pthread_mutex_lock(&instruments->lock);
	order = find_order(instruments, ticket);
	if (!order) {
		*code = err_set(err, JOSTLE_EINVAL, "no such order");
	} else if (order->outcome == ORDER_WAITS && cancel) {
		*code = err_set(err, JOSTLE_EIO, "the instrument did not come to it; it was not carried out");
		order->ticket = 0;
	} else if (order->outcome == ORDER_DONE) {
		*code = order->err.code;
		if (*code)
			*err = order->err;
		order->ticket = 0;
	} else {
		outcome = order->outcome;
		order->given_up = cancel;
	}
	pthread_mutex_unlock(&instruments->lock);
	return outcome;
}

/** The one of a member's that has waited longest. */
static struct order *next_order(struct instruments *instruments, size_t member)
{
	struct order *next = NULL;

	for (size_t i = 0; i < INSTRUMENTS_MAX_ORDERS; i++) {
		struct order *order = &instruments->order[i];

		if (order->ticket && order->instrument == member && order->outcome == ORDER_WAITS &&
		    (!next || order->ticket < next->ticket))
			next = order;
	}
	return next;
}

bool orders_wait(const struct member *member)
{
	return next_order(member->all, member->number) != NULL;
}

bool orders_take(struct member *member, struct order *order)
{
	struct order *next;

	pthread_mutex_lock(&member->all->lock);
	next = next_order(member->all, member->number);
	if (next) {
		next->outcome = ORDER_UNDER_WAY;
		*order = *next;
	}
	pthread_mutex_unlock(&member->all->lock);
	return next != NULL;
}

void orders_end(struct instruments *instruments, const struct order *order)
{
	struct order *row;

	pthread_mutex_lock(&instruments->lock);
	row = find_order(instruments, order->ticket);
	row->outcome = ORDER_DONE;
	row->err = order->err;
	if (row->given_up)
		row->ticket = 0;
	pthread_mutex_unlock(&instruments->lock);
}

void orders_refuse_all(struct instruments *instruments)
{
	pthread_mutex_lock(&instruments->lock);
	for (size_t i = 0; i < INSTRUMENTS_MAX_ORDERS; i++) {
		struct order *order = &instruments->order[i];

		if (order->ticket && order->outcome == ORDER_WAITS) {
			order->outcome = ORDER_DONE;
			err_set(&order->err, JOSTLE_EIO, "the run has ended; it was not carried out");
		}
	}
	pthread_mutex_unlock(&instruments->lock);
}

void notes_put(struct member *member, enum instruments_note_kind kind, const struct instrument_value *value,
	       double quantity, const char *words)
{
	struct instruments *all = member->all;
	struct instruments_note *note;

	pthread_mutex_lock(&all->lock);
	if (all->n_notes == INSTRUMENTS_MAX_NOTES) {
		all->first_note = (all->first_note + 1) % INSTRUMENTS_MAX_NOTES;
		all->n_notes--;
	}
	note = &all->note[(all->first_note + all->n_notes++) % INSTRUMENTS_MAX_NOTES];
	*note = (struct instruments_note){.t_ns = clock_now_ns(), .kind = kind, .quantity = quantity};
	snprintf(note->instrument, sizeof(note->instrument), "%s", member->instrument.setup->name);
	snprintf(note->name, sizeof(note->name), "%s", value ? value->name : "");
	snprintf(note->words, sizeof(note->words), "%s", words ? words : "");
	pthread_mutex_unlock(&all->lock);
}

bool instruments_take(struct instruments *instruments, struct instruments_note *note)
{
	bool taken = false;

	pthread_mutex_lock(&instruments->lock);
	if (instruments->n_notes > 0) {
		*note = instruments->note[instruments->first_note];
		instruments->first_note = (instruments->first_note + 1) % INSTRUMENTS_MAX_NOTES;
		instruments->n_notes--;
		taken = true;
	}
	pthread_mutex_unlock(&instruments->lock);
	return taken;
}
