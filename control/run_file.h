#ifndef JOSTLE_RUN_FILE_H
#define JOSTLE_RUN_FILE_H
/*
 * Reading a recorded run (docs/file-formats.md, "Run"): rows and events in their order, one after another, and the programs
 * and the calibration that they were made with. A file whose writer was killed reads up to what was acknowledged.
 *
 * A run file may come from anybody: types, shapes and sizes are checked before memory is taken, and memory is taken for
 * blocks of rows, never for all of them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/h5.h"
#include "base/h5_column.h"
#include "control/request.h"
#include "control/sequencer.h"
#include "control/tick.h"
#include "daq/bench.h"
#include "protocols/protocol.h"

struct calibration_record;
struct err;
struct run_table;

#define RUN_FILE_FORMAT  "jostle-run"
#define RUN_FILE_VERSION 1
#define RUN_ID_SIZE      64

/** An open file. The reader's; its fields up to the counts are for the caller to read. */
struct run_file {
	struct h5_file h5;
	char run[RUN_ID_SIZE]; /* the same in all files of a run */
	uint64_t segment;
	char previous[256]; /* name of the file before this one, "" for the first */
	char bench_name[64];
	char backend[96];
	enum drive drive;
	bool simulated;
	uint64_t seed;
	double period_s;
	size_t n_in, n_out, n_sites;
	uint64_t n_rows, n_events, n_commands, n_samples, n_programs; /* acknowledged */
	struct run_table *rows, *events;                              /* where they stand */
};

/**
 * Open one file, NAME-000.h5 or NAME-000.h5.partial, and check all of it but the rows themselves. The caller ends it with
 * run_file_close(). Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT, JOSTLE_EVERSION, JOSTLE_ENOMEM. Call from: setup.
 */
int run_file_open(struct run_file *file, const char *path, struct err *err);

/** Safe on a zeroed struct and on one that failed to open. Call from: setup. */
void run_file_close(struct run_file *file);

/**
 * Go on with the run's next file, if there is one: `file` is then that, at its beginning. Returns 1, 0 when this was the
 * last (`file` stays as it is), or an error of run_file_open() (`file` is closed). Rows of one file follow on those of the
 * one before when their numbers do. Call from: setup.
 */
int run_file_next(struct run_file *file, struct err *err);

/**
 * The next row: returns 1 and sets *row, 0 at the end, or JOSTLE_EFORMAT. row->values are in_V[n_in], out_V[n_out],
 * command[n_out], the last as the file has it: N or unit of theta. Valid until the next call. Call from: setup.
 */
int run_file_row(struct run_file *file, const struct tick_record **row, struct err *err);

/**
 * The next event: returns 1, 0 at the end, or JOSTLE_EFORMAT. In the order in which they happened; `number` says at which
 * row, and may be beyond the last acknowledged one. Call from: setup.
 */
int run_file_event(struct run_file *file, struct loop_event *event, struct err *err);

/**
 * The request behind an EVENT_REQUEST, but for its program, whose id is event->c. Returns false for any other event and for
 * a request that is not one. Call from: any.
 */
bool run_file_request(const struct loop_event *event, struct request *request);

/** What the loop was told to carry out. */
struct run_program {
	uint64_t id;
	bool has_protocol;
	struct protocol protocol;
	struct plan plan; /* of no segments: idle for ever. plan.segments is `segments` */
	struct segment *segments;
};

/**
 * Load a program by its id. The caller ends it with run_program_fini(). Errors: JOSTLE_ENOENT (the file has no such
 * program), those of protocol_load(), JOSTLE_EFORMAT, JOSTLE_ENOMEM. Call from: setup.
 */
int run_file_program(const struct run_file *file, uint64_t id, struct run_program *program, struct err *err);
void run_program_fini(struct run_program *program);

/** The calibration record. The caller ends it with calibration_record_fini(). Errors: those of
 * calibration_record_load(). Call from: setup. */
int run_file_calibration(const struct run_file *file, struct calibration_record *record, struct err *err);

/**
 * An attribute that is a text: "bench", "plant", "doctor", "override", "version". *text is the caller's to free(), NULL where
 * the file has none. Errors: JOSTLE_EFORMAT, JOSTLE_ENOMEM. Call from: setup.
 */
int run_file_text(const struct run_file *file, const char *attribute, char **text, struct err *err);

#endif
