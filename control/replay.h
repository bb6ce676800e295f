#ifndef JOSTLE_REPLAY_H
#define JOSTLE_REPLAY_H
/*
 * Replay: a recorded run through the same loop once more, tick by tick. The loop is handed what came from outside, as it was
 * recorded (inputs, time, what the driver returned, requests and programs, enum outside), and what it makes of it is
 * compared with the recording, bit for bit.
 *
 * It follows a run from file to file. A stretch of rows without a gap that begins with the loop's own first tick is
 * compared from there; any other from its first tick in a state but RUNNING on, since what the loop carries from tick to tick
 * is then known. Rows before that are left out, and counted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/supervisor.h"

struct err;

enum replay_field {
	REPLAY_OUT_V,
	REPLAY_STATE,
	REPLAY_TICK,
	REPLAY_PROGRAM,
	REPLAY_SEGMENT,
	REPLAY_SETPOINT,
	REPLAY_SETPOINT_T,
	REPLAY_ANSWER, /* to a request: 1 taken, 0 refused */
	REPLAY_N_FIELDS
};

/** Where recording and replay part. */
struct replay_difference {
	enum replay_field field;
	size_t output;      /* of REPLAY_OUT_V */
	enum daq_role role; /* its role and index */
	size_t index;
	uint64_t number, tick; /* struct tick_record's, as recorded */
	int64_t t_ns;
	double recorded, replayed; /* V for REPLAY_OUT_V; else the field's number */
};

struct replay_report {
	char run[64], bench[64], backend[96], version[64]; /* of the program that recorded */
	bool simulated;
	double period_s;
	size_t n_in, n_out;
	uint64_t n_files;
	uint64_t n_rows; /* compared and left out */
	uint64_t n_compared;
	uint64_t n_left_out;
	uint64_t n_stretches; /* that were compared */
	uint64_t n_missing;   /* rows that no file holds, between the first and the last */
	uint64_t n_driven;    /* of the compared: under a protocol */
	uint64_t n_requests;  /* handed to the loop, programs included */
	uint64_t n_programs;  /* that it carried out */
	uint64_t n_different; /* rows */
	struct replay_difference first;
};

/**
 * Replay a run from the file `path` (NAME-000.h5, or a later one, or one whose writer was killed) to its last, with progress
 * on standard error. Returns 0 when all of it was gone through, whatever the comparison came to: n_different and
 * n_compared say. Errors: those of run_file_open() and of building a loop; JOSTLE_EFORMAT (a recording that contradicts
 * itself), JOSTLE_EINTR. The report holds what was found so far, also after an error. Call from: setup.
 */
int replay_run(const char *path, struct replay_report *report, struct err *err);

/** "output 1 (force 1): recorded 1.25 V (0x3ff4000000000000), replayed …": a sentence. Call from: setup. */
void replay_difference_format(const struct replay_difference *difference, char *text, size_t size);

#endif
