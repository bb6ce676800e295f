/*
 * A run, file after file: which rows can be compared, and what the loop is asked at each.
 *
 * Where a stretch does not begin with the loop's first tick, the counts that the supervisor keeps of the ticks before it
 * (stale inputs, saturation, missed slots) are not known. They can only be larger than the replay's, and matter only if the
 * recording trips on one of them soon after: then the stretch is begun anew at that trip.
 */
#include "control/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "control/replay_loop.h"

#define PROGRESS_ROWS 4096

struct replay {
	struct run_file file;
	struct replay_loop loop;
	struct replay_report *report;
	struct loop_event event; /* the next one, where `more` */
	bool more;
	uint64_t next;      /* the number that follows on */
	uint64_t uncertain; /* rows for which counts from before the stretch may matter */
	struct progress progress;
};

static int next_event(struct replay *replay, struct err *err)
{
	const int code = run_file_event(&replay->file, &replay->event, err);

	replay->more = code > 0;
	return code < 0 ? code : 0;
}

/** What an event before the rows that are compared leaves behind. */
static void remember(struct replay *replay, const struct loop_event *event)
{
	struct replay_loop *loop = &replay->loop;

	if (event->kind == EVENT_TRIP)
		loop->trip = (struct trip){.cause = (enum trip_cause)event->a,
					   .channel = event->c,
					   .value = event->value,
					   .limit = event->limit,
					   .t_ns = event->t_ns,
					   .tick = event->tick};
	if (event->kind == EVENT_REQUEST && event->a == REQUEST_LIMITS && event->b && event->c < loop->bench.n_out) {
		struct replay_limits *limits = &loop->limits[event->c];
		const double slew = event->slew > 0 ? event->slew : limits->slew_V_per_s;

		*limits = (struct replay_limits){true, event->value, event->limit, slew};
	}
}

/** Go through the events up to a row; `asking`: hand the loop those requests that it took or refused at this very row. */
static int events_to(struct replay *replay, uint64_t number, bool asking, struct err *err)
{
	int code = 0;

	while (!code && replay->more && replay->event.number <= number) {
		if (asking && replay->event.kind == EVENT_REQUEST && replay->event.number == number)
			code = replay_loop_ask(&replay->loop, &replay->file, &replay->event, err);
		remember(replay, &replay->event);
		if (!code)
			code = next_event(replay, err);
	}
	return code;
}

static uint64_t longest_count(const struct bench *bench)
{
	const uint64_t counts[] = {bench->stale_periods, bench->saturated_periods, bench->rail_periods,
				   BENCH_MISSED_WINDOW};
	uint64_t longest = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		longest = counts[i] > longest ? counts[i] : longest;
	return longest + 1;
}

static bool tripped_unseen(const struct replay *replay, const struct tick_record *row)
{
	return replay->uncertain > 0 && row->state == SUPERVISOR_FAULT &&
	       replay->loop.loop->supervisor.state != SUPERVISOR_FAULT;
}

/** A row that nothing is compared at: the loop may go on from it. */
static int pass_row(struct replay *replay, const struct tick_record *row, struct err *err)
{
	replay->report->n_left_out++;
	if (row->state == SUPERVISOR_RUNNING || row->state >= SUPERVISOR_N_STATES)
		return 0;
	replay->uncertain = longest_count(&replay->loop.bench);
	return replay_loop_begin(&replay->loop, &replay->file, row, true, err);
}

static int one_row(struct replay *replay, const struct tick_record *row, struct err *err)
{
	struct replay_report *report = replay->report;
	int code = 0;

	if ((report->n_rows > 0 && row->number < replay->next) || row->number == UINT64_MAX)
		return err_at(err, JOSTLE_EFORMAT, replay->file.h5.path, 0, 0,
			      "tick/number: expected at least %" PRIu64 ", found %" PRIu64, replay->next, row->number);
	if (report->n_rows > 0 && row->number > replay->next) {
		report->n_missing += row->number - replay->next;
		replay_loop_end(&replay->loop);
	}
	report->n_rows++;
	replay->next = row->number + 1;
	if (row->number == 0) {
		replay->uncertain = 0;
		code = replay_loop_begin(&replay->loop, &replay->file, row, false, err);
	}
	const bool following = !code && replay->loop.loop;

	code = code ? code : events_to(replay, row->number, following, err);
	if (code)
		return code;
	if (!following)
		return pass_row(replay, row, err);
	const struct replay_report before = *report;

	replay_loop_tick(&replay->loop, row);
	if (tripped_unseen(replay, row)) {
		*report = before;
		return pass_row(replay, row, err);
	}
	replay->uncertain -= replay->uncertain > 0;
	return 0;
}

static int one_file(struct replay *replay, struct err *err)
{
	const struct tick_record *row;
	int code = next_event(replay, err);

	replay->report->n_files++;
	while (!code) {
		code = run_file_row(&replay->file, &row, err);
		if (code <= 0)
			return code;
		code = one_row(replay, row, err);
		if (!code && replay->report->n_rows % PROGRESS_ROWS == 0) {
			progress_update(&replay->progress, (double)replay->report->n_rows, NULL);
			if (interrupt_asked())
				code = err_set(err, JOSTLE_EINTR, "interrupted after %" PRIu64 " rows",
					       replay->report->n_rows);
		}
	}
	return code;
}

static int head(struct replay *replay, struct err *err)
{
	const struct run_file *file = &replay->file;
	struct replay_report *report = replay->report;
	char *version = NULL;
	const int code = run_file_text(file, "version", &version, err);

	snprintf(report->run, sizeof(report->run), "%s", file->run);
	snprintf(report->bench, sizeof(report->bench), "%s", file->bench_name);
	snprintf(report->backend, sizeof(report->backend), "%s", file->backend);
	snprintf(report->version, sizeof(report->version), "%s", version ? version : "");
	report->simulated = file->simulated;
	report->period_s = file->period_s;
	report->n_in = file->n_in;
	report->n_out = file->n_out;
	free(version);
	return code;
}

int replay_run(const char *path, struct replay_report *report, struct err *err)
{
	struct replay replay = {.report = report};
	int code, more = 1;

	*report = (struct replay_report){0};
	code = run_file_open(&replay.file, path, err);
	if (code)
		return code;
	code = head(&replay, err);
	code = code ? code : replay_loop_init(&replay.loop, &replay.file, report, err);
	progress_begin(&replay.progress, "replaying", (double)replay.file.n_rows, 0);
	while (!code && more) {
		code = one_file(&replay, err);
		if (code)
			break;
		more = run_file_next(&replay.file, err);
		code = more < 0 ? more : 0;
		replay.progress.total += more > 0 ? (double)replay.file.n_rows : 0;
	}
	progress_end(&replay.progress, (double)report->n_rows);
	replay_loop_fini(&replay.loop);
	run_file_close(&replay.file);
	return code;
}
