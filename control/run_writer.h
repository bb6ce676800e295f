#ifndef JOSTLE_RUN_WRITER_H
#define JOSTLE_RUN_WRITER_H
/*
 * Writing one run file (docs/file-formats.md, "Run"). Nothing here knows of threads or of the loop; whoever calls asks for
 * room on the disk first, appends, and then acknowledges.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/run_file.h"
#include "control/run_table.h"

struct err;
struct instruments_note;
struct recorder_setup;
struct run_writer;

enum run_dropped {
	DROPPED_ROWS,
	DROPPED_EVENTS,
	DROPPED_COMMANDS,
	DROPPED_SAMPLES,
	DROPPED_PROGRAMS,
	DROPPED_INSTRUMENTS,
	DROPPED_N
};

/** A file to be made. All of it is the caller's. */
struct run_writer_setup {
	const struct recorder_setup *recorder;
	struct run_shape shape;
	const char *path; /* the final name */
	const char *run;
	uint64_t segment;
	const char *previous;             /* name of the file before this one, or "" */
	const unsigned char *calibration; /* the record's file, whole */
	size_t calibration_size;
};

/**
 * Make the file, lay out every dataset, and let readers in. The caller ends it with run_writer_close(). On error nothing is
 * left of it. Errors: JOSTLE_EIO (a disk that is full, too), JOSTLE_ENOMEM. Call from: setup.
 */
int run_writer_open(struct run_writer **writer, const struct run_writer_setup *setup, struct err *err);

/**
 * Take room on the disk for n rows, n_other records of every other table, `bytes` of content, and the closing of the file. What is
 * appended within it cannot meet a full disk. Errors: JOSTLE_EIO: no room, nothing has changed. Call from: setup.
 */
int run_writer_reserve(struct run_writer *writer, size_t n, size_t n_other, size_t bytes, struct err *err);

/** Append records of control/run_table.h; rows are derived ones. Errors: JOSTLE_EIO. Call from: setup. */
int run_writer_rows(struct run_writer *writer, const void *rows, size_t n, struct err *err);
int run_writer_event(struct run_writer *writer, const struct run_event *event, struct err *err);
int run_writer_command(struct run_writer *writer, const struct run_command *command, struct err *err);
int run_writer_instrument(struct run_writer *writer, const struct instruments_note *note, struct err *err);
int run_writer_sample(struct run_writer *writer, const void *sample, struct err *err);

/**
 * Append a program: the protocol's file, or NULL with size 0, and its plan. A protocol that the file already has, by its
 * checksum, is not written again. Errors: JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup.
 */
int run_writer_program(struct run_writer *writer, uint64_t id, const char *checksum, const unsigned char *content,
		       size_t size, const struct plan *plan, struct err *err);

/** Append a reading of the two clocks, and put the histograms as they are now. Errors: JOSTLE_EIO. Call from: setup. */
int run_writer_clock(struct run_writer *writer, struct err *err);

/**
 * Hand all that was appended to the system, then say that it holds, with what has been dropped so far. Errors: JOSTLE_EIO (a file that
 * was removed or moved, too).
 * Call from: setup.
 */
int run_writer_acknowledge(struct run_writer *writer, const uint64_t dropped[DROPPED_N], struct err *err);

/** Rows acknowledged, and bytes of the file. Call from: setup. */
uint64_t run_writer_rows_acknowledged(const struct run_writer *writer);
uint64_t run_writer_size(const struct run_writer *writer);

/** Close the file and give it its final name; frees the writer, also on error, when the file keeps its .partial name.
 * What is not acknowledged is lost. NULL is allowed. Errors: JOSTLE_EIO. Call from: setup. */
int run_writer_close(struct run_writer *writer, struct err *err);

/** End with a file that a write of has failed: it keeps its .partial name and what is acknowledged. Frees the writer. Call
 * from: setup. */
void run_writer_give_up(struct run_writer *writer);

/** Leave nothing of a file; `failed`: a write of it has. Frees the writer. Call from: setup. */
void run_writer_abandon(struct run_writer *writer, bool failed);

#endif
