#ifndef JOSTLE_RUN_TABLE_H
#define JOSTLE_RUN_TABLE_H
/*
 * Records in memory as columns in a run file, and back: for the writer and the reader of run files only. What a run file's
 * tables are is stated once, here, for both.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/h5_column.h"
#include "control/sequencer.h"
#include "control/tick.h"

struct err;

#define RUN_MAX_COLUMNS  24
#define RUN_CLIENT_SIZE  64
#define RUN_TEXT_SIZE    256
#define RUN_COMMAND_SIZE 1024

/** The channels of a run. */
struct run_shape {
	size_t n_in, n_out, n_sites;
	bool force, temperature; /* some input measures it */
};

/** One column, and where its values are in a record. */
struct run_column {
	struct h5_column_kind kind;
	size_t offset;
};

/** A record of /events. */
struct run_event {
	struct loop_event event;
	char text[RUN_TEXT_SIZE];
};

/** A record of /commands. */
struct run_command {
	int64_t t_ns;
	uint64_t request;
	char client[RUN_CLIENT_SIZE], command[RUN_COMMAND_SIZE], answer[RUN_COMMAND_SIZE];
};

/** A record of /programs. */
struct run_program_entry {
	uint64_t id, offset, size, plan_first, plan_segments, plan_repeats;
	char checksum[72]; /* HASH_HEX_SIZE, rounded up */
};

/** A record of /clock. */
struct run_clock {
	int64_t monotonic_ns, realtime_ns;
};

/** A record of /plan: struct segment, in types of known size. */
struct run_segment {
	double duration, t_final, t_minimum;
	uint32_t kind;
};

/**
 * A record of the rows: struct tick_record with its in_V, out_V and command in N or theta, and where it is `derived` the
 * floats x_m[n_sites], force_N[n_sites], temperature_K after it.
 */
static inline size_t run_row_size(const struct run_shape *shape, bool derived)
{
	const size_t floats = derived ? 2 * shape->n_sites + 2 : 0; /* an even number: whole doubles */

	return tick_record_size(shape->n_in, shape->n_out) + (floats + floats % 2) * sizeof(float);
}

/** A record of /samples: struct sample_record with n_sites values. */
static inline size_t run_sample_size(size_t n_sites)
{
	return (3 + n_sites) * sizeof(uint64_t);
}

/** The columns of a table of this shape into columns[RUN_MAX_COLUMNS]; return how many. Call from: setup. */
size_t run_row_columns(const struct run_shape *shape, bool derived, struct run_column columns[]);
size_t run_event_columns(bool text, struct run_column columns[]);
size_t run_command_columns(struct run_column columns[]);
size_t run_sample_columns(size_t n_sites, struct run_column columns[]);
size_t run_program_columns(struct run_column columns[]);
size_t run_plan_columns(struct run_column columns[]);
size_t run_clock_columns(struct run_column columns[]);
size_t run_instrument_columns(struct run_column columns[]); /* of struct instruments_note */

/** Datasets that are single columns of bytes. */
extern const struct h5_column_kind run_content_kind, run_calibration_kind;

/** An open table. */
struct run_table {
	size_t n_columns, record_size;
	struct run_column column[RUN_MAX_COLUMNS];
	struct h5_column open[RUN_MAX_COLUMNS];
	uint64_t n_records;    /* written; or to be read */
	unsigned char *values; /* of one column, `once` records */
	size_t once;
	unsigned char *block; /* reading: `once` records, n_block of them, from number `first` on */
	uint64_t first, at;   /* reading: `at` is the next record's number */
	size_t n_block;
};

/**
 * Make the columns of a table; records have record_size bytes. The groups exist. The caller ends it with
 * run_table_close(), also after an error. Errors: JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup.
 */
int run_table_make(struct run_table *table, const struct h5_file *file, const struct run_column columns[],
		   size_t n_columns, size_t record_size, struct err *err);

/** Open them to read n_records. Errors: those of h5_column_open(), JOSTLE_ENOMEM. Call from: setup. */
int run_table_open(struct run_table *table, const struct h5_file *file, const struct run_column columns[],
		   size_t n_columns, size_t record_size, uint64_t n_records, struct err *err);

/** Append n records. Errors: JOSTLE_EIO. Call from: setup. */
int run_table_append(struct run_table *table, const struct h5_file *file, const void *records, size_t n,
		     struct err *err);

/** Hand what was appended to the system. Errors: JOSTLE_EIO. Call from: setup. */
int run_table_flush(struct run_table *table, const struct h5_file *file, struct err *err);

/** The next record: 1 and *record, valid until the next call; 0 at the end; JOSTLE_EFORMAT. Call from: setup. */
int run_table_next(struct run_table *table, const struct h5_file *file, const void **record, struct err *err);

/** Bytes of the disk that n more records can take, chunks that they begin included. Call from: setup. */
uint64_t run_table_room(const struct run_table *table, size_t n);

/** Safe on a zeroed table, and twice. Call from: setup. */
void run_table_close(struct run_table *table);

/** Instead, before h5_forget(). Call from: setup. */
void run_table_forget(struct run_table *table);

#endif
