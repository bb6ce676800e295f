#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/recorder_parts.h"

#define REST_NS    200000000  /* between two looks at the rings */
#define RETRY_NS   1000000000 /* after a file could not be written */
#define OFF_PASSES 3          /* with recording off before a file is closed: a tick may still be on its way */

void recorder_tell(struct recorder *r, const struct err *err)
{
	pthread_mutex_lock(&r->lock);
	const bool news = r->failing != (err != NULL);

	r->failing = err != NULL;
	if (err && !r->first_err.code)
		r->first_err = *err;
	if (err)
		err_format(err, r->text, sizeof(r->text));
	else
		r->text[0] = '\0';
	pthread_mutex_unlock(&r->lock);
	if (!news)
		return;
	if (err)
		log_warning("recording waits: %s", r->text);
	else
		log_info("recording goes on, into %s", r->path);
}

/** Something failed: say so, and let some time go by before the next attempt. */
static void fail(struct recorder *r, const struct err *err)
{
	r->retry_ns = clock_now_ns() + RETRY_NS;
	recorder_tell(r, err);
}

/** Write n rows into the file under way, or into a new one. Returns whether it could be done. */
static bool write_batch(struct recorder *r, size_t n, bool all_events)
{
	struct err err = {0};
	int code = r->writer ? 0 : recorder_begin(r, &err);

	if (!code)
		code = recorder_write(r, n, all_events, &err);
	if (!code && run_writer_size(r->writer) >= r->setup.segment_bytes)
		code = recorder_end(r, &err);
	if (code)
		fail(r, &err);
	else if (r->failing)
		recorder_tell(r, NULL);
	return code == 0;
}

/** One look at the rings. Returns whether there is more to do at once. */
static bool pass(struct recorder *r, bool on, bool closing)
{
	struct err err = {0};

	recorder_take(r);
	const bool full = r->n_batch == r->batch_rows;

	if (!closing && clock_now_ns() < r->retry_ns)
		return false;
	const size_t n = recorder_derive(r, on && !closing);
	const bool something = n > 0 || r->waiting.n > 0;

	if (something && (n > 0 || r->writer) && !write_batch(r, n, closing && !full))
		return false;
	r->n_off = on ? 0 : r->n_off + 1;
	if (r->writer && r->n_off >= OFF_PASSES && !something && !closing && recorder_end(r, &err))
		fail(r, &err);
	return full;
}

/** Until somebody wants something, or it is time to look again. */
static void rest(struct recorder *r)
{
	const int64_t until_ns = clock_now_ns() + REST_NS;
	const struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};

	pthread_mutex_lock(&r->lock);
	if (!atomic_load(&r->closing))
		pthread_cond_timedwait(&r->wake, &r->lock, &until);
	pthread_mutex_unlock(&r->lock);
}

/** The loop has ended: write what is left, or count it as lost. */
static void finish(struct recorder *r)
{
	struct err err = {0};
	uint64_t n_left = 0;

	while (pass(r, false, true))
		;
	for (n_left = r->n_batch; ring_pop(&r->rows, r->batch); n_left++)
		;
	atomic_fetch_add(&r->n_lost, n_left);
	if (r->writer && recorder_end(r, &err))
		fail(r, &err);
}

void *recorder_main(void *context)
{
	struct recorder *r = context;

	pthread_setname_np(pthread_self(), "recorder");
	while (!atomic_load(&r->closing))
		if (!pass(r, atomic_load(&r->on), false))
			rest(r);
	finish(r);
	return NULL;
}
