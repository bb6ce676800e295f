#ifndef JOSTLE_LOOP_H
#define JOSTLE_LOOP_H
/*
 * The real-time loop: one thread that owns a bench and does one tick per sample edge.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ring.h"
#include "base/rt.h"
#include "control/calibration.h"
#include "control/drive.h"
#include "control/histogram.h"
#include "control/potential.h"
#include "control/sequencer.h"
#include "control/state.h"
#include "control/supervisor.h"

struct calibration_record;
struct daq;
struct protocol;

/** What a loop is made of. Everything here is the caller's and outlives the loop. */
struct loop_setup {
	struct daq *daq; /* open, not started */
	const struct calibration_record *record;
	const struct protocol *protocol;
	const struct plan *plan; /* may go after loop_init() */
	struct ring *samples;    /* of sequencer_record_size() bytes; NULL when nothing is generated */
	bool arming_allowed;     /* supervisor_init() */
	bool paced;              /* edges come by the clock: ask for real-time treatment, time every tick, never wait */
	bool ends_with_plan;     /* loop_run() returns when the plan is done, or at a trip */
};

struct loop {
	struct daq *daq;
	bool paced, ends_with_plan;
	struct calibration calibration;
	struct potential potential;
	struct sequencer sequencer;
	struct drive_law drive;
	struct supervisor supervisor;
	struct state state;
	struct setpoint setpoint;
	struct command command;
	double *in_V, *out_V;
	struct ring requests; /* of enum supervisor_event */
	uint64_t n_ticks;     /* exchanges */
	uint64_t n_driven;    /* ticks that asked for the protocol */
	uint64_t n_missed;    /* slots of the time grid at which the outputs were held, none having come in time */
	uint64_t n_refused;   /* requests that the supervisor's table or a guard refused */
	struct histogram execution; /* from the end of the exchange to the next; unpaced, of every 64th tick */
	atomic_bool stopping, finished;
	pthread_t thread;
	struct err err; /* of the loop's own thread */
};

/**
 * Take all memory that the loop will use. The caller ends it with loop_fini(), when no thread runs it.
 * Errors: those of bench_check_limits() where there is hardware, calibration_init(), drive_init(), sequencer_init(), stability_check() and supervisor_init(). Call from: setup.
 */
int loop_init(struct loop *loop, const struct loop_setup *setup, struct err *err);
void loop_fini(struct loop *loop);

/**
 * Hand an event to the supervisor: reset, arm, run or stop. The loop takes one at the beginning of each tick but the
 * first, in order; those posted before loop_run() are taken by its first ticks. Returns false when 16 are waiting.
 * Call from: any, one thread at a time.
 */
bool loop_request(struct loop *loop, enum supervisor_event event);

/** One tick: the whole of the loop. The driver has been started. RT_SAFE. Call from: loop. */
RT_SAFE void loop_tick(struct loop *loop);

/**
 * Start the driver, tick until loop_stop(), or as ends_with_plan says (unpaced, pausing while the ring of samples is full), and stop the driver, which leaves the outputs at
 * safe_V. Returns 0 or the driver's error; what the loop came to is in supervisor.trip and sequencer.done.
 * Call from: the thread that is to be the loop.
 */
int loop_run(struct loop *loop, struct err *err);

/** loop_run() in a thread of its own. Errors: JOSTLE_ENOMEM. Call from: setup. */
int loop_start(struct loop *loop, struct err *err);

/** Ask the loop to end after its tick. RT_SAFE. Call from: any. */
RT_SAFE void loop_stop(struct loop *loop);

/** Whether the thread of loop_start() has done its last tick. RT_SAFE. Call from: any. */
RT_SAFE bool loop_finished(const struct loop *loop);

/** Wait for the thread of loop_start(); returns what loop_run() returned. Call from: setup. */
int loop_join(struct loop *loop, struct err *err);

#endif
