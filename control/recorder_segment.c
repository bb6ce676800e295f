/*
 * One file after another. Nothing leaves the thread's memory before a file has acknowledged it: a file that cannot be
 * written is closed, or given up, and the next one begins with what it lacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/recorder_parts.h"
#include "control/run_words.h"

#define CLOCK_EVERY_NS 60000000000
#define LAYOUT_ROOM    4194304 /* bytes: what a file takes before its first row, with room to spare */

/** The next name that nothing bears yet. */
static int next_path(struct recorder *r, char path[1024], struct err *err)
{
	char partial[1040];

	for (;; r->segment++) {
		snprintf(r->name, sizeof(r->name), "%s-%03llu.h5", r->setup.name, (unsigned long long)r->segment);
		if (snprintf(path, 1024, "%s/%s", r->setup.folder, r->name) >= 1000)
			return err_set(err, JOSTLE_EIO, "the path of %s is too long", r->name);
		snprintf(partial, sizeof(partial), "%s.partial", path);
		if (access(path, F_OK) < 0 && access(partial, F_OK) < 0)
			return 0;
	}
}

void recorder_forget_programs(struct recorder *r, uint64_t current)
{
	size_t first = 0;

	for (size_t i = r->n_programs; i-- > 0 && !first;)
		if (r->program[i].id == current)
			first = i;
	for (size_t i = 0; i < first; i++)
		recorded_program_fini(&r->program[i]);
	if (first)
		memmove(r->program, r->program + first, (r->n_programs - first) * sizeof(*r->program));
	r->n_programs -= first;
}

/** Whether the folder takes bytes at all; a file without a name, where the file system knows such. */
static int try_write(const char *folder, struct err *err)
{
	static const char page[4096];
	const int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int reason = 0;

	if (fd < 0)
		return errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT
			       ? 0
			       : err_set(err, JOSTLE_EIO, "no file can be made in %s: %s", folder, strerror(errno));
	if (pwrite(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page) || fdatasync(fd) < 0)
		reason = errno;
	close(fd);
	return reason ? err_set(err, JOSTLE_EIO, "nothing can be written in %s: %s", folder, strerror(reason)) : 0;
}

/** No file is begun on a disk that is nearly full or broken: HDF5 is at a loss when a write fails. */
static int look_for_room(const struct recorder *r, struct err *err)
{
	struct statvfs disk;

	if (statvfs(r->setup.folder, &disk) == 0 &&
	    (uint64_t)disk.f_bavail * disk.f_frsize < LAYOUT_ROOM + r->calibration_size)
		return err_set(err, JOSTLE_EIO, "no room for another file in %s", r->setup.folder);
	return try_write(r->setup.folder, err);
}

int recorder_begin(struct recorder *r, struct err *err)
{
	char path[1024];
	int code = look_for_room(r, err);

	if (!code)
		code = next_path(r, path, err);
	if (code)
		return code;
	const struct run_writer_setup setup = {.recorder = &r->setup,
					       .shape = r->shape,
					       .path = path,
					       .run = r->run,
					       .segment = r->segment,
					       .previous = r->previous,
					       .calibration = r->calibration,
					       .calibration_size = r->calibration_size};

	code = run_writer_open(&r->writer, &setup, err);
	if (code)
		return code;
	r->segment++;
	r->clock_ns = clock_now_ns() + CLOCK_EVERY_NS;
	for (size_t i = 0; i < r->n_programs; i++)
		r->program[i].in_file = false;
	pthread_mutex_lock(&r->lock);
	snprintf(r->path, sizeof(r->path), "%s.partial", path);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

/** Nothing of the file under way is acknowledged: there is none. */
static void abandon(struct recorder *r, bool failed)
{
	run_writer_abandon(r->writer, failed);
	r->writer = NULL;
	r->segment--;
}

/** A write has failed: what was acknowledged stays. */
static void give_up(struct recorder *r)
{
	if (run_writer_rows_acknowledged(r->writer) == 0) {
		abandon(r, true);
		return;
	}
	run_writer_give_up(r->writer);
	r->writer = NULL;
	memcpy(r->previous, r->name, sizeof(r->previous));
}

int recorder_end(struct recorder *r, struct err *err)
{
	uint64_t dropped[DROPPED_N];

	recorder_dropped(r, dropped);
	int code = run_writer_clock(r->writer, err);

	if (!code)
		code = run_writer_acknowledge(r->writer, dropped, err);
	if (code) {
		give_up(r);
		return code;
	}
	code = run_writer_close(r->writer, err);
	r->writer = NULL;
	memcpy(r->previous, r->name, sizeof(r->previous));
	if (!code) {
		pthread_mutex_lock(&r->lock);
		snprintf(r->path, sizeof(r->path), "%s/%s", r->setup.folder, r->name);
		pthread_mutex_unlock(&r->lock);
	}
	return code;
}

static int write_programs(struct recorder *r, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < r->n_programs && !code; i++) {
		struct recorded_program *program = &r->program[i];

		if (program->in_file)
			continue;
		code = run_writer_program(r->writer, program->id, program->checksum, program->content, program->size,
					  &program->plan, err);
		program->in_file = true;
	}
	return code;
}

static int write_event(struct recorder *r, const struct loop_event *event, struct err *err)
{
	struct run_event record = {.event = *event};

	run_event_words(event, r->setup.bench, record.text, sizeof(record.text));
	return run_writer_event(r->writer, &record, err);
}

/** At a file's head: the limits in force, as they were asked for before its first row. */
static int write_limits(struct recorder *r, struct err *err)
{
	const uint64_t first = ((const struct tick_record *)r->derived)->number;
	int code = 0;

	for (size_t k = 0; k < r->shape.n_out && !code; k++)
		if (r->limits[k].kind == EVENT_REQUEST && r->limits[k].number < first)
			code = write_event(r, &r->limits[k], err);
	return code;
}

/** The events up to the last row; returns how many, or an error. */
static int write_events(struct recorder *r, bool all, size_t *n, struct err *err)
{
	int code = 0;

	for (*n = 0; *n < r->n_events && !code; ++*n) {
		if (!all && r->event[*n].number > r->last_number)
			break;
		code = write_event(r, &r->event[*n], err);
	}
	return code;
}

static int write_waiting(struct recorder *r, struct err *err)
{
	int code = 0;

	for (const struct queued *item = r->waiting.first; item && !code; item = item->next)
		code = item->kind == QUEUED_COMMAND      ? run_writer_command(r->writer, &item->is.command, err)
		       : item->kind == QUEUED_INSTRUMENT ? run_writer_instrument(r->writer, &item->is.note, err)
							 : run_writer_sample(r->writer, item->is.sample, err);
	return code;
}

/** What the programs not yet in the file take. */
static size_t content_size(const struct recorder *r)
{
	size_t size = 0;

	for (size_t i = 0; i < r->n_programs; i++)
		size += r->program[i].in_file ? 0 : r->program[i].size + r->program[i].plan.n_segments * 1024;
	return size;
}

int recorder_write(struct recorder *r, size_t n, bool all_events, struct err *err)
{
	const uint64_t before = run_writer_rows_acknowledged(r->writer), last_number = r->last_number;
	uint64_t dropped[DROPPED_N];
	size_t n_events = 0;
	const size_t n_other = r->n_events + r->n_programs + r->waiting.n + r->shape.n_out + 1;
	int code = run_writer_reserve(r->writer, n, n_other, content_size(r), err);

	if (code) {
		/* No room: the file is whole as it is. */
		if (before > 0)
			recorder_end(r, NULL);
		else
			abandon(r, false);
		return code;
	}
	if (n)
		r->last_number = ((const struct tick_record *)(r->derived + (n - 1) * r->derived_size))->number;
	code = write_programs(r, err);
	if (!code)
		code = run_writer_rows(r->writer, r->derived, n, err);
	if (!code && n && before == 0)
		code = write_limits(r, err);
	if (!code)
		code = write_events(r, all_events, &n_events, err);
	if (!code)
		code = write_waiting(r, err);
	if (!code && clock_now_ns() >= r->clock_ns) {
		r->clock_ns += CLOCK_EVERY_NS;
		code = run_writer_clock(r->writer, err);
	}
	recorder_dropped(r, dropped);
	if (!code)
		code = run_writer_acknowledge(r->writer, dropped, err);
	if (code) {
		give_up(r);
		r->last_number = last_number;
		return code;
	}
	atomic_fetch_add(&r->n_acknowledged, run_writer_rows_acknowledged(r->writer) - before);
	memmove(r->batch, r->batch + n * r->row_size, (r->n_batch - n) * r->row_size);
	r->n_batch -= n;
	for (size_t i = 0; i < n_events; i++)
		recorder_remember(r, &r->event[i]);
	memmove(r->event, r->event + n_events, (r->n_events - n_events) * sizeof(*r->event));
	r->n_events -= n_events;
	queue_clear(&r->waiting);
	return 0;
}
