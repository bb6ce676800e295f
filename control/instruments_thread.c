/*
 * One instrument's thread: orders first, then readings, round after round; and finding it again when it has gone.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/instruments_parts.h"

#define RETRY_NS INT64_C(2000000000) /* between two looks for an instrument that has gone */

/** Something went wrong; said once, however often it does in a row. */
static void complain(struct member *member, const struct err *err)
{
	struct instruments_view *view = &member->view;
	char words[INSTRUMENT_WORDS];
	bool news;

	snprintf(words, sizeof(words), "%s", err->text);
	pthread_mutex_lock(&member->all->lock);
	news = strcmp(view->words, words) != 0;
	memcpy(view->words, words, sizeof(words));
	view->n_errors++;
	pthread_mutex_unlock(&member->all->lock);
	if (!news)
		return;
	log_warning("instrument %s: %s", view->setup->name, words);
	notes_put(member, NOTE_WORDS, NULL, NAN, words);
}

/** All is well. */
static void calm(struct member *member)
{
	pthread_mutex_lock(&member->all->lock);
	member->view.words[0] = '\0';
	pthread_mutex_unlock(&member->all->lock);
}

/** What it is set to is not known any more: it may have been off, or another command's half may have reached it. */
static void forget_sets(struct member *member)
{
	pthread_mutex_lock(&member->all->lock);
	for (size_t k = 0; k < member->view.setup->n_sets; k++)
		member->view.set[k] = (struct instruments_value){.quantity = NAN};
	pthread_mutex_unlock(&member->all->lock);
}

static void show_connected(struct member *member)
{
	char words[INSTRUMENT_WORDS];

	pthread_mutex_lock(&member->all->lock);
	member->view.connected = member->instrument.connected;
	if (member->instrument.connected) {
		snprintf(member->view.identity, sizeof(member->view.identity), "%.*s", INSTRUMENT_WORDS - 1,
			 member->instrument.identity);
		member->view.words[0] = '\0';
	}
	pthread_mutex_unlock(&member->all->lock);
	if (!member->instrument.connected)
		return;
	snprintf(words, sizeof(words), "connected: %.200s", member->instrument.identity);
	notes_put(member, NOTE_WORDS, NULL, NAN, words);
}

int instruments_find(struct member *member, struct err *err)
{
	const int code = instrument_connect(&member->instrument, err);

	if (!code)
		show_connected(member);
	return code;
}

/** It has gone: let go of its port, and look for it some time later. */
static void lose(struct member *member)
{
	instrument_disconnect(&member->instrument);
	show_connected(member);
	forget_sets(member);
	member->retry_ns = clock_now_ns() + RETRY_NS;
}

/** What an exchange with it came to; returns whether it is still there. */
static bool outlive(struct member *member, int code, const struct err *err)
{
	if (code)
		complain(member, err);
	if (code == JOSTLE_EIO)
		lose(member);
	return code != JOSTLE_EIO;
}

/** What it complained of before an order is not the order's. Returns 0 when it listens. */
static int hear_out(struct member *member, struct err *err)
{
	struct instrument *instrument = &member->instrument;
	int code = JOSTLE_EFORMAT;

	/* Twice: what it has said unasked is found by the first question. */
	for (int i = 0; i < 2 && code == JOSTLE_EFORMAT; i++) {
		code = instrument_regain(instrument, err);
		if (code == JOSTLE_ENODEV)
			forget_sets(member);
		code = code ? code : instrument_errors(instrument, err);
	}
	if (code != JOSTLE_EINVAL)
		return code;
	complain(member, err);
	*err = (struct err){0};
	return 0;
}

static void carry_out(struct member *member, struct order *order)
{
	const struct instrument_value *value = &member->view.setup->set[order->value];
	struct err *err = &order->err;
	int code;

	if (!member->instrument.connected) {
		err_set(err, JOSTLE_ENODEV, "the instrument is not there: %s", member->view.words);
	} else {
		code = hear_out(member, err);
		code = code ? code : instrument_set(&member->instrument, value, order->quantity, err);
		pthread_mutex_lock(&member->all->lock);
		/* One that refused or said nothing may be set to anything: some take the nearest that they can. */
		member->view.set[order->value] = (struct instruments_value){
			.quantity = code ? NAN : order->quantity, .t_ns = clock_now_ns(), .good = !code};
		pthread_mutex_unlock(&member->all->lock);
		if (!code)
			notes_put(member, NOTE_SET, value, order->quantity, NULL);
		outlive(member, code, err);
	}
	orders_end(member->all, order);
}

static void carry_out_orders(struct member *member)
{
	struct order order;

	while (!atomic_load(&member->all->closing) && orders_take(member, &order))
		carry_out(member, &order);
}

static void keep_reading(struct member *member, size_t k, double quantity)
{
	const struct instrument_value *reading = &member->view.setup->read[k];
	const int64_t now_ns = clock_now_ns();

	atomic_store(&member->reading[k], quantity);
	atomic_store(&member->guarded[k].beyond, !(quantity >= reading->min && quantity <= reading->max));
	atomic_store_explicit(&member->guarded[k].good_ns, now_ns, memory_order_release);
	pthread_mutex_lock(&member->all->lock);
	member->view.read[k] = (struct instruments_value){.quantity = quantity, .t_ns = now_ns};
	pthread_mutex_unlock(&member->all->lock);
	notes_put(member, NOTE_READING, reading, quantity, NULL);
}

/** Every reading once, and what it complains of by itself. Orders need not wait for the round's end. */
static void do_round(struct member *member)
{
	const struct instrument_setup *setup = member->view.setup;
	struct instrument *instrument = &member->instrument;
	struct err err = {0};
	double quantity = NAN;
	int code = instrument_regain(instrument, &err);
	bool well = !code;

	/* One that did not say who it is may have been off. */
	if (code == JOSTLE_ENODEV)
		forget_sets(member);

	if (!outlive(member, code, &err) || code)
		return;
	for (size_t k = 0; k < setup->n_reads && !atomic_load(&member->all->closing); k++) {
		code = instrument_read(instrument, &setup->read[k], &quantity, &err);
		if (!code)
			keep_reading(member, k, quantity);
		well = well && !code;
		if (!outlive(member, code, &err) || !instrument->scpi.in_step)
			return;
		carry_out_orders(member);
		if (!instrument->connected || !instrument->scpi.in_step)
			return;
	}
	code = instrument_errors(instrument, &err);
	outlive(member, code, &err);
	if (well && !code)
		calm(member);
}

static void look_again(struct member *member)
{
	struct err err = {0};

	if (instruments_find(member, &err)) {
		complain(member, &err);
		member->retry_ns = clock_now_ns() + RETRY_NS;
	} else {
		log_info("instrument %s is back", member->view.setup->name);
		member->next_ns = clock_now_ns();
	}
}

/** Until something is to be done. */
static void rest(struct member *member)
{
	const int64_t until_ns = member->instrument.connected ? member->next_ns : member->retry_ns;
	const struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
	struct instruments *all = member->all;

	pthread_mutex_lock(&all->lock);
	while (!atomic_load(&all->closing) && !orders_wait(member) && clock_now_ns() < until_ns)
		pthread_cond_timedwait(&all->wake, &all->lock, &until);
	pthread_mutex_unlock(&all->lock);
}

static void make_safe(struct member *member)
{
	const struct instrument_setup *setup = member->view.setup;
	struct err err = {0};

	for (size_t k = 0; k < setup->n_sets; k++) {
		if (isnan(setup->set[k].safe))
			continue;
		const int code = member->instrument.connected
					 ? instrument_set(&member->instrument, &setup->set[k], setup->set[k].safe, &err)
					 : err_set(&err, JOSTLE_ENODEV, "it is not there");

		if (code)
			log_warning("instrument %s: %s was not set to its safe value: %s", setup->name,
				    setup->set[k].name, err.text);
		else
			notes_put(member, NOTE_SET, &setup->set[k], setup->set[k].safe, NULL);
	}
}

void *instruments_main(void *argument)
{
	struct member *member = argument;
	const int64_t interval_ns = (int64_t)(member->view.setup->interval_s * 1e9);

	member->next_ns = clock_now_ns();
	while (!atomic_load(&member->all->closing)) {
		carry_out_orders(member);
		if (!member->instrument.connected && clock_now_ns() >= member->retry_ns)
			look_again(member);
		if (member->instrument.connected && clock_now_ns() >= member->next_ns) {
			do_round(member);
			/* A round that took longer than the interval is followed by the next one after a whole interval. */
			member->next_ns += interval_ns;
			if (member->next_ns < clock_now_ns())
				member->next_ns = clock_now_ns() + interval_ns;
		}
		rest(member);
	}
	make_safe(member);
	return NULL;
}
