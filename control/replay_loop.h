#ifndef JOSTLE_REPLAY_LOOP_H
#define JOSTLE_REPLAY_LOOP_H
/*
 * A loop that is fed from a recording. For replay*.c only.
 */
#include "base/ring.h"
#include "control/calibration.h"
#include "control/loop.h"
#include "control/program.h"
#include "control/replay.h"
#include "control/run_file.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "protocols/calibration_record.h"

/** A program as the recording holds it, and built. */
struct replay_program {
	struct run_program recorded;
	struct program program;
	bool built;
};

/** The limits that an output was given last. */
struct replay_limits {
	bool given;
	double min_V, max_V, slew_V_per_s;
};

struct replay_loop {
	struct bench bench;
	struct calibration_record record;
	struct calibration calibration;
	struct daq daq; /* whose driver gives the row */
	struct ring samples;
	struct sample_record *sample;
	struct replay_program programs[2];
	size_t current;               /* of programs: the one carried out */
	struct replay_limits *limits; /* [n_out]: in force in the recording, whoever was replaying */
	struct trip trip;             /* the recording's last */
	struct loop *loop;            /* NULL between stretches */
	const struct tick_record *row;
	struct replay_report *report;
	bool asked;   /* for the tick that comes */
	bool taken;   /* so it was, then */
	bool differs; /* the last row */
};

/**
 * What all files of a run share: bench, calibration, memory. The caller ends it with replay_loop_fini(), also after an error.
 * Call from: setup.
 */
int replay_loop_init(struct replay_loop *replay, const struct run_file *file, struct replay_report *report,
		     struct err *err);
void replay_loop_fini(struct replay_loop *replay);

/**
 * A new loop, under the program that `row` names. With `after`, row is a tick after which it goes on, whose values are at hand;
 * else the loop's own first. Call from: setup.
 */
int replay_loop_begin(struct replay_loop *replay, const struct run_file *file, const struct tick_record *row,
		      bool after, struct err *err);

/** No loop any more: what follows does not follow on. Call from: setup. */
void replay_loop_end(struct replay_loop *replay);

/** Hand over a request as it was recorded, for the tick that comes. Call from: setup. */
int replay_loop_ask(struct replay_loop *replay, const struct run_file *file, const struct loop_event *event,
		    struct err *err);

/** One tick on a recorded row, compared with it. Call from: setup. */
void replay_loop_tick(struct replay_loop *replay, const struct tick_record *row);

/** The tap: compare a tick with replay->row, context being the replay. Call from: the loop. */
void replay_loop_compare(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
			 const double command[]);

/** The tap of events: compare the answer to a request with the recorded one. Call from: the loop. */
void replay_loop_hear(void *context, const struct loop_event *event);

#endif
