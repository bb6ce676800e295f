#ifndef JOSTLE_RUN_LAYOUT_H
#define JOSTLE_RUN_LAYOUT_H
/*
 * What a run file is made of before readers are let in: for run_writer.c and run_layout.c only.
 */
#include "control/recorder.h"
#include "control/run_table.h"
#include "control/run_writer.h"

enum run_tables {
	RUN_EVENTS,
	RUN_COMMANDS,
	RUN_SAMPLES,
	RUN_PROGRAMS,
	RUN_PLAN,
	RUN_CLOCK,
	RUN_INSTRUMENTS,
	RUN_N_TABLES
};

#define RUN_N_ACKNOWLEDGED 7 /* rows, events, commands, samples, programs, clock, instruments */

struct run_writer {
	struct h5_file file;
	dev_t device; /* and inode of the file: where its name leads as long as nobody moves it */
	ino_t inode;
	struct recorder_setup setup;
	struct run_table rows, table[RUN_N_TABLES];
	struct h5_column content;
	uint64_t flushed[RUN_N_TABLES], content_flushed;
	uint64_t acknowledged; /* rows */
	uint64_t dropped[DROPPED_N];
	uint64_t reserved;                /* the size that the disk keeps room for */
	struct run_program_entry *placed; /* [n_placed]: protocols that /programs/content has */
	size_t n_placed;
};

/** Attributes, groups and datasets. On error run_layout_close() is called for what there is. Call from: setup. */
int run_layout(struct run_writer *writer, const struct run_writer_setup *setup, struct err *err);

/** Put the histograms as they are now. Call from: setup. */
int run_layout_histograms(struct run_writer *writer, struct err *err);

/** Close every dataset, or forget it (h5_forget()), and free what they took; the file stays open. Call from: setup. */
void run_layout_close(struct run_writer *writer, bool forget);

#endif
