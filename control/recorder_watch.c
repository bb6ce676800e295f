/*
 * What a person is told of a recorder that can't keep up. Its own thread may be the one that stands still, in a disk's hands:
 * another looks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/recorder_parts.h"

#define STILL_NS 5000000000  /* without a row acknowledged while some wait */
#define AGAIN_NS 60000000000 /* between two warnings that things are dropped */

void recorder_loss_format(const uint64_t dropped[DROPPED_N], char *out, size_t size)
{
	static const char *const names[DROPPED_N] = {
		[DROPPED_ROWS] = "ticks",        [DROPPED_EVENTS] = "events",
		[DROPPED_COMMANDS] = "commands", [DROPPED_SAMPLES] = "samples",
		[DROPPED_PROGRAMS] = "programs", [DROPPED_INSTRUMENTS] = "instruments' notes",
	};
	size_t n = 0;

	snprintf(out, size, "nothing");
	for (size_t k = 0; k < DROPPED_N && n < size; k++)
		if (dropped[k])
			n += (size_t)snprintf(out + n, size - n, "%s%" PRIu64 " %s", n ? ", " : "", dropped[k],
					      names[k]);
}

static void watch_drops(struct recorder *r, int64_t now_ns)
{
	uint64_t dropped[DROPPED_N], n = 0;
	char text[256];

	recorder_dropped(r, dropped);
	for (size_t k = 0; k < DROPPED_N; k++)
		n += dropped[k];
	if (n == r->told_dropped || (r->told_dropped && now_ns < r->told_ns + AGAIN_NS))
		return;
	recorder_loss_format(dropped, text, sizeof(text));
	log_warning("the disk can't keep up and memory is full: lost to the recording so far: %s", text);
	r->told_dropped = n;
	r->told_ns = now_ns;
}

static void watch_rows(struct recorder *r, int64_t now_ns)
{
	struct recorder_status status;

	recorder_status(r, &status);
	/* The last row waits for its successor, in order. */
	const bool waiting = status.n_rows > status.n_acknowledged + status.n_dropped + 1;

	if (!waiting || status.n_acknowledged != r->rows_then) {
		if (r->told_still)
			log_info("the disk takes ticks again");
		r->told_still = false;
		r->rows_then = status.n_acknowledged;
		r->moved_ns = now_ns;
	} else if (!r->told_still && !status.failed && now_ns >= r->moved_ns + STILL_NS) {
		log_warning("the disk has taken nothing for %.0f s: %" PRIu64 " ticks wait in memory",
			    (double)(now_ns - r->moved_ns) * 1e-9,
			    status.n_rows - status.n_acknowledged - status.n_dropped);
		r->told_still = true;
	}
}

void recorder_watch(struct recorder *r)
{
	const int64_t now_ns = clock_now_ns();

	if (!r)
		return;
	watch_drops(r, now_ns);
	watch_rows(r, now_ns);
}
