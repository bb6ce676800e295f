#include "control/instruments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "control/instruments_parts.h"
#include "control/tick.h"
#include "daq/bench.h"

#define STACK_BYTES 2097152 /* the C library takes the scratch of the kernels, 1 MiB, from it too */

static void init_member(struct instruments *instruments, size_t i)
{
	struct member *member = &instruments->member[i];
	const struct instrument_setup *setup = &instruments->bench->instruments[i];

	member->all = instruments;
	member->number = i;
	instrument_init(&member->instrument, setup);
	member->view.setup = setup;
	for (size_t k = 0; k < INSTRUMENT_MAX_VALUES; k++) {
		atomic_init(&member->guarded[k].good_ns, INT64_MIN);
		atomic_init(&member->guarded[k].beyond, false);
		atomic_init(&member->reading[k], NAN);
		member->view.set[k].quantity = member->view.read[k].quantity = NAN;
	}
}

/** Conditions are waited for by the clock that everything here goes by. */
static int init_lock(struct instruments *instruments)
{
	pthread_condattr_t monotonic;
	int failed;

	if (pthread_condattr_init(&monotonic))
		return -1;
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	failed = pthread_cond_init(&instruments->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (failed)
		return -1;
	if (!pthread_mutex_init(&instruments->lock, NULL))
		return 0;
	pthread_cond_destroy(&instruments->wake);
	return -1;
}

/** With a stack of its own size: the loop locks all memory, and the usual 8 MiB of each thread would count. */
static bool start_thread(struct member *member)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes))
		return false;
	member->started = !pthread_attr_setstacksize(&attributes, STACK_BYTES) &&
			  !pthread_create(&member->thread, &attributes, instruments_main, member);
	pthread_attr_destroy(&attributes);
	return member->started;
}

int instruments_open(struct instruments **instruments, const struct bench *bench, struct err *err)
{
	struct instruments *fresh;
	int code = 0;

	*instruments = NULL;
	if (bench->n_instruments == 0)
		return 0;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh || !(fresh->member = calloc(bench->n_instruments, sizeof(*fresh->member))) || init_lock(fresh)) {
		free(fresh ? fresh->member : NULL);
		free(fresh);
		return err_set(err, JOSTLE_ENOMEM, "no memory for the instruments of bench %s", bench->name);
	}
	fresh->bench = bench;
	fresh->n = bench->n_instruments;
	for (size_t i = 0; i < fresh->n; i++)
		init_member(fresh, i);
	for (size_t i = 0; i < fresh->n && !code; i++)
		if ((code = instruments_find(&fresh->member[i], err)))
			err_context(err, "instrument %s", bench->instruments[i].name);
	for (size_t i = 0; i < fresh->n && !code; i++)
		if (!start_thread(&fresh->member[i]))
			code = err_set(err, JOSTLE_ENOMEM, "no thread for instrument %s", bench->instruments[i].name);
	if (code)
		instruments_close(fresh);
	else
		*instruments = fresh;
	return code;
}

void instruments_stop(struct instruments *instruments)
{
	if (!instruments)
		return;
	pthread_mutex_lock(&instruments->lock);
	atomic_store(&instruments->closing, true);
	pthread_cond_broadcast(&instruments->wake);
	pthread_mutex_unlock(&instruments->lock);
	for (size_t i = 0; i < instruments->n; i++) {
		struct member *member = &instruments->member[i];

		if (member->started)
			pthread_join(member->thread, NULL);
		member->started = false;
	}
	orders_refuse_all(instruments);
}

void instruments_close(struct instruments *instruments)
{
	if (!instruments)
		return;
	instruments_stop(instruments);
	for (size_t i = 0; i < instruments->n; i++)
		instrument_disconnect(&instruments->member[i].instrument);
	pthread_mutex_destroy(&instruments->lock);
	pthread_cond_destroy(&instruments->wake);
	free(instruments->member);
	free(instruments);
}

/** Whether the newest answer is too old to be one. */
RT_SAFE static bool is_silent(const struct member *member, size_t k, int64_t now_ns)
{
	const int64_t good_ns = atomic_load_explicit(&member->guarded[k].good_ns, memory_order_acquire);
	const double silent_s = member->instrument.setup->silent_s;

	return good_ns == INT64_MIN || (double)(now_ns - good_ns) * 1e-9 > silent_s;
}

uint32_t instruments_outside(const struct instruments *instruments, int64_t now_ns)
{
	uint32_t found = 0;

	for (size_t i = 0; instruments && i < instruments->n; i++) {
		const struct member *member = &instruments->member[i];
		const struct instrument_setup *setup = member->instrument.setup;

		for (size_t k = 0; k < setup->n_reads; k++) {
			if (!instrument_guards(&setup->read[k]))
				continue;
			if (is_silent(member, k, now_ns))
				found |= OUTSIDE_SILENT;
			else if (atomic_load_explicit(&member->guarded[k].beyond, memory_order_relaxed))
				found |= OUTSIDE_READING;
		}
	}
	return found;
}

int instruments_await(const struct instruments *instruments, struct err *err)
{
	double longest_s = 0;

	if (!instruments)
		return 0;
	for (size_t i = 0; i < instruments->n; i++)
		longest_s = fmax(longest_s, instruments->member[i].instrument.setup->silent_s);
	const int64_t until_ns = clock_now_ns() + (int64_t)(longest_s * 1e9);

	while (instruments_outside(instruments, clock_now_ns()) & OUTSIDE_SILENT) {
		if (interrupt_asked())
			return err_set(err, JOSTLE_EINTR, "interrupted while waiting for the instruments");
		if (clock_now_ns() > until_ns)
			return err_set(err, JOSTLE_ENODEV,
				       "expected a reading of every instrument that has limits within %g s, found none "
				       "of some",
				       longest_s);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return 0;
}

double instruments_temperature_K(const struct instruments *instruments)
{
	for (size_t i = 0; instruments && i < instruments->n; i++) {
		const struct member *member = &instruments->member[i];
		const struct instrument_setup *setup = member->instrument.setup;

		for (size_t k = 0; k < setup->n_reads; k++)
			if (setup->read[k].bath_temperature)
				return is_silent(member, k, clock_now_ns()) ? NAN : atomic_load(&member->reading[k]);
	}
	return NAN;
}

size_t instruments_count(const struct instruments *instruments)
{
	return instruments ? instruments->n : 0;
}

void instruments_look(struct instruments *instruments, size_t i, struct instruments_view *view)
{
	struct member *member = &instruments->member[i];
	const int64_t now_ns = clock_now_ns();

	pthread_mutex_lock(&instruments->lock);
	*view = member->view;
	pthread_mutex_unlock(&instruments->lock);
	for (size_t k = 0; k < view->setup->n_reads; k++) {
		const struct instrument_value *reading = &view->setup->read[k];

		view->read[k].good = !is_silent(member, k, now_ns) && view->read[k].quantity >= reading->min &&
				     view->read[k].quantity <= reading->max;
	}
}
