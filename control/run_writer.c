#include "control/run_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "control/run_layout.h"

#define RESERVE_AHEAD 16777216 /* bytes of the disk taken at once */
#define CLOSING_ROOM  1048576  /* bytes: what closing a file can cost, with room to spare */

/** Bytes of the long attributes. */
static size_t text_size(const struct recorder_setup *setup)
{
	const char *const texts[] = {setup->bench->text, setup->plant, setup->doctor, setup->override_text};
	size_t size = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += texts[i] ? strlen(texts[i]) : 0;
	return size;
}

/** A file is laid out under another name: who finds it under its own can read it, whenever the writer dies. */
static int give_name(struct run_writer *w, const char *path, struct err *err)
{
	char before[sizeof(w->file.path) + 16], after[sizeof(w->file.path) + 16];

	snprintf(before, sizeof(before), "%s.partial", w->file.path);
	snprintf(after, sizeof(after), "%s.partial", path);
	if (rename(before, after) < 0)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be given its name: %s", strerror(errno));
	snprintf(w->file.path, sizeof(w->file.path), "%s", path);
	return 0;
}

static int remember_place(struct run_writer *w, struct err *err)
{
	char path[sizeof(w->file.path) + 16];
	struct stat status;

	snprintf(path, sizeof(path), "%s.partial", w->file.path);
	if (stat(path, &status) < 0)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "is not there any more: %s", strerror(errno));
	w->device = status.st_dev;
	w->inode = status.st_ino;
	return 0;
}

/** A file that was removed, or its folder, takes rows as before, and nobody would ever find them. */
static int check_place(const struct run_writer *w, struct err *err)
{
	char path[sizeof(w->file.path) + 16];
	struct stat status;

	snprintf(path, sizeof(path), "%s.partial", w->file.path);
	if (stat(path, &status) < 0)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "was removed while it was written: %s", strerror(errno));
	if (status.st_dev != w->device || status.st_ino != w->inode)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "is another file than the one being written");
	return 0;
}

int run_writer_open(struct run_writer **writer, const struct run_writer_setup *setup, struct err *err)
{
	char path[sizeof((*writer)->file.path)];
	struct run_writer *w = calloc(1, sizeof(*w));
	int code;

	*writer = NULL;
	if (!w)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a run file");
	w->setup = *setup->recorder;
	snprintf(path, sizeof(path), "%s.new", setup->path);
	code = h5_create_growing(&w->file, path, err);
	if (!code)
		code = h5_reserve(&w->file, CLOSING_ROOM + setup->calibration_size + text_size(setup->recorder), err);
	if (code) {
		run_writer_abandon(w, false);
		return code;
	}
	code = run_layout(w, setup, err);
	if (!code)
		code = run_writer_clock(w, err);
	if (!code)
		code = h5_share(&w->file, err);
	if (!code)
		code = give_name(w, setup->path, err);
	if (!code)
		code = remember_place(w, err);
	if (code) {
		run_writer_abandon(w, true);
		return code;
	}
	*writer = w;
	return 0;
}

int run_writer_reserve(struct run_writer *w, size_t n, size_t n_other, size_t bytes, struct err *err)
{
	uint64_t need = run_table_room(&w->rows, n) + bytes + 2 * run_content_kind.rows_once + CLOSING_ROOM;

	for (size_t k = 0; k < RUN_N_TABLES; k++)
		need += run_table_room(&w->table[k], n_other);
	need += h5_size(&w->file);
	if (need <= w->reserved)
		return 0;
	/* Much at once where there is much; else what is needed. */
	if (!h5_reserve(&w->file, need + RESERVE_AHEAD, NULL)) {
		w->reserved = need + RESERVE_AHEAD;
		return 0;
	}
	const int code = h5_reserve(&w->file, need, err);

	if (!code)
		w->reserved = need;
	return code;
}

int run_writer_rows(struct run_writer *w, const void *rows, size_t n, struct err *err)
{
	return run_table_append(&w->rows, &w->file, rows, n, err);
}

int run_writer_event(struct run_writer *w, const struct run_event *event, struct err *err)
{
	return run_table_append(&w->table[RUN_EVENTS], &w->file, event, 1, err);
}

int run_writer_command(struct run_writer *w, const struct run_command *command, struct err *err)
{
	return run_table_append(&w->table[RUN_COMMANDS], &w->file, command, 1, err);
}

int run_writer_instrument(struct run_writer *w, const struct instruments_note *note, struct err *err)
{
	return run_table_append(&w->table[RUN_INSTRUMENTS], &w->file, note, 1, err);
}

int run_writer_sample(struct run_writer *w, const void *sample, struct err *err)
{
	return run_table_append(&w->table[RUN_SAMPLES], &w->file, sample, 1, err);
}

/** Where in /programs/content this protocol is; written there unless it is already. */
static int place_content(struct run_writer *w, struct run_program_entry *entry, const unsigned char *content,
			 size_t size, struct err *err)
{
	for (size_t i = 0; i < w->n_placed; i++)
		if (strcmp(w->placed[i].checksum, entry->checksum) == 0) {
			entry->offset = w->placed[i].offset;
			entry->size = w->placed[i].size;
			return 0;
		}
	struct run_program_entry *placed = realloc(w->placed, (w->n_placed + 1) * sizeof(*placed));

	if (!placed)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a program of a run file");
	w->placed = placed;
	entry->offset = w->content.n_rows;
	entry->size = size;
	const int code = h5_column_append(&w->content, &w->file, size, content, err);

	if (!code)
		w->placed[w->n_placed++] = *entry;
	return code;
}

int run_writer_program(struct run_writer *w, uint64_t id, const char *checksum, const unsigned char *content,
		       size_t size, const struct plan *plan, struct err *err)
{
	struct run_program_entry entry = {.id = id,
					  .plan_first = w->table[RUN_PLAN].n_records,
					  .plan_segments = plan ? plan->n_segments : 0,
					  .plan_repeats = plan ? plan->n_repeats : 0};
	int code = 0;

	if (size) {
		strncpy(entry.checksum, checksum, sizeof(entry.checksum) - 1);
		code = place_content(w, &entry, content, size, err);
	}
	for (size_t i = 0; i < entry.plan_segments && !code; i++) {
		const struct segment *segment = &plan->segments[i];
		const struct run_segment record = {.kind = (uint32_t)segment->kind,
						   .duration = segment->duration,
						   .t_final = segment->t_final,
						   .t_minimum = segment->t_minimum};

		code = run_table_append(&w->table[RUN_PLAN], &w->file, &record, 1, err);
	}
	return code ? code : run_table_append(&w->table[RUN_PROGRAMS], &w->file, &entry, 1, err);
}

int run_writer_clock(struct run_writer *w, struct err *err)
{
	struct timespec now;
	struct run_clock clock;

	clock.monotonic_ns = clock_now_ns();
	clock_gettime(CLOCK_REALTIME, &now);
	clock.realtime_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	const int code = run_table_append(&w->table[RUN_CLOCK], &w->file, &clock, 1, err);

	return code ? code : run_layout_histograms(w, err);
}

int run_writer_acknowledge(struct run_writer *w, const uint64_t dropped[DROPPED_N], struct err *err)
{
	const uint64_t acknowledged[RUN_N_ACKNOWLEDGED] = {
		w->rows.n_records,
		w->table[RUN_EVENTS].n_records,
		w->table[RUN_COMMANDS].n_records,
		w->table[RUN_SAMPLES].n_records,
		w->table[RUN_PROGRAMS].n_records,
		w->table[RUN_CLOCK].n_records,
		w->table[RUN_INSTRUMENTS].n_records,
	};
	int code = run_table_flush(&w->rows, &w->file, err);

	for (size_t k = 0; k < RUN_N_TABLES && !code; k++)
		if (w->table[k].n_records != w->flushed[k]) {
			code = run_table_flush(&w->table[k], &w->file, err);
			w->flushed[k] = w->table[k].n_records;
		}
	if (!code && w->content.n_rows != w->content_flushed) {
		code = h5_column_flush(&w->content, &w->file, err);
		w->content_flushed = w->content.n_rows;
	}
	if (!code && memcmp(dropped, w->dropped, sizeof(w->dropped)) != 0) {
		memcpy(w->dropped, dropped, sizeof(w->dropped));
		code = h5_replace_u64s(&w->file, "dropped", DROPPED_N, dropped, err);
	}
	if (!code)
		code = h5_replace_u64s(&w->file, "acknowledged", RUN_N_ACKNOWLEDGED, acknowledged, err);
	if (!code)
		code = check_place(w, err);
	if (!code)
		w->acknowledged = w->rows.n_records;
	return code;
}

uint64_t run_writer_rows_acknowledged(const struct run_writer *w)
{
	return w->acknowledged;
}

uint64_t run_writer_size(const struct run_writer *w)
{
	return h5_size(&w->file);
}

int run_writer_close(struct run_writer *w, struct err *err)
{
	struct stat status;
	char path[sizeof(w->file.path)];

	if (!w)
		return 0;
	memcpy(path, w->file.path, sizeof(path));
	run_layout_close(w, false);
	const int code = h5_commit(&w->file, err);

	free(w);
	/* What was reserved beyond the end goes back to the disk; were it refused, it would cost room and nothing else. */
	if (!code && stat(path, &status) == 0) {
		const int kept = truncate(path, status.st_size);
		(void)kept;
	}
	return code;
}

/** A write may have failed: the library is not asked for anything any more. */
static void forget(struct run_writer *w)
{
	run_layout_close(w, true);
	if (w->file.id > 0)
		h5_forget(&w->file);
}

void run_writer_give_up(struct run_writer *w)
{
	forget(w);
	free(w);
}

void run_writer_abandon(struct run_writer *w, bool failed)
{
	if (failed)
		forget(w);
	else
		run_layout_close(w, false);
	h5_abandon(&w->file);
	free(w);
}
