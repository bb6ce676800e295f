#ifndef JOSTLE_LOOP_H
#define JOSTLE_LOOP_H
/*
 * The real-time loop: one thread that owns a bench and does one tick per sample edge.
 *
 * Others reach it by a ring of requests and hear from it by events, by a tap that sees every tick, by a view of its latest
 * tick and by histograms of its timing. It waits for none of them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ring.h"
#include "base/rt.h"
#include "base/triple.h"
#include "control/calibration.h"
#include "control/histogram.h"
#include "control/program.h"
#include "control/request.h"
#include "control/state.h"
#include "control/supervisor.h"
#include "control/tick.h"

struct daq;

#define LOOP_ANY_CPU (-1)

/** Who is handed every tick and every event: a recorder, a comparison. Both functions are RT_SAFE; NULL: not wanted. */
struct loop_tap {
	void *context;
	/** `tick` without its values, which are the three arrays: in_V[n_in], out_V[n_out], command[n_out]. */
	void (*tick)(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
		     const double command[]);
	void (*event)(void *context, const struct loop_event *event);
};

/** Who watches over the loop from outside, or stands in for what was outside. RT_SAFE; NULL: nobody. */
struct loop_watch {
	void *context;
	/** The outputs are limited and will be written at the next edge. now_ns: CLOCK_MONOTONIC, of this tick. */
	void (*beat)(void *context, int64_t now_ns, enum supervisor_state state, const double out_V[]);
	/**
	 * The facts that tick `number` is to act on, or'ed enum outside: those that the loop itself has found, with others
	 * added; a replay returns the recorded ones instead. now_ns: CLOCK_MONOTONIC; 0 at an unpaced tick that was not timed.
	 */
	uint32_t (*outside)(void *context, uint64_t number, int64_t now_ns, uint32_t found);
};

/** What a loop is made of. Everything that is pointed to here is the caller's and outlives the loop. */
struct loop_setup {
	struct daq *daq; /* open, not started */
	const struct calibration *calibration;
	struct program *program;        /* the first to be carried out; for this bench and calibration */
	struct ring *events;            /* of struct loop_event, or NULL; a full ring drops and counts */
	const struct loop_tap *tap;     /* or NULL */
	const struct loop_watch *watch; /* or NULL */
	int64_t expires_ns;  /* CLOCK_MONOTONIC: the calibration is void from then on; 0 or INT64_MAX: never */
	size_t n_requests;   /* room for those waiting; 0 for 16 */
	int cpu;             /* of the loop's thread, where it is paced; or LOOP_ANY_CPU */
	bool arming_allowed; /* supervisor_init() */
	bool paced;          /* edges come by the clock: ask for real-time treatment, time every tick, never wait */
	bool ends_with_plan; /* loop_run() returns when the plan is done, at a trip, or when a request is refused */
	bool stages;         /* time each stage of every tick */
};

/** The stages of a tick, in order, the exchange left out. */
enum loop_stage {
	STAGE_REQUEST,   /* the clock of slots, facts from outside, a request */
	STAGE_STATE,     /* volts to natural units */
	STAGE_SEQUENCER, /* what is wanted; at the end of a generation its read-out */
	STAGE_DRIVE,     /* theta and the force */
	STAGE_VOLTS,     /* command to volts */
	STAGE_SUPERVISOR,
	STAGE_REPORT, /* sample, heartbeat, events, tap, view */
	LOOP_N_STAGES
};

/** Durations, ns. Written by the loop alone; others read them at any time by histogram_copy(). */
struct loop_timing {
	struct histogram wake;      /* from the edge to the end of the wait for it, where no slot was missed */
	struct histogram exchange;  /* from there to the end of the exchange */
	struct histogram execution; /* from there to the end of the tick; unpaced, of every 64th */
	struct histogram period;    /* from wake to wake */
	struct histogram stage[LOOP_N_STAGES]; /* where loop_setup asks for them */
};

/** The loop at one tick, for people and screens. */
struct loop_view {
	uint64_t n_ticks, n_missed, n_driven, n_refused; /* struct loop's */
	uint64_t n_samples, n_spoiled, n_undelivered;    /* of the program's sequencer; the last: its n_refused */
	uint64_t repeat, n_repeats;                      /* whole repeats of the plan done, and to do */
	bool done;                                       /* the plan */
	struct trip trip;                                /* supervisor.trip */
	double temperature_K;
	const double *in_V, *out_V, *command; /* [n_in], [n_out], [n_out]; inside the view */
	const double *x, *force;              /* [n_sites] */
	struct tick_record tick;              /* without values */
};

struct loop {
	struct daq *daq;
	bool paced, ends_with_plan;
	const struct calibration *calibration;
	struct program *program; /* the one carried out */
	struct supervisor supervisor;
	struct state state;
	struct setpoint setpoint;
	struct command command;
	double *in_V, *out_V;
	double *manual_V; /* [n_out]: by hand; NaN for none */
	bool by_hand;     /* one of them at least */
	struct ring requests, stops;
	uint64_t n_asked; /* the asker's: requests put into their ring */
	uint64_t n_popped,
		void_asks; /* the loop's: requests taken out of it, and how many there were at the last stop */
	struct ring *events;
	struct loop_tap tap;
	struct loop_watch watch;
	uint64_t n_ticks;   /* exchanges */
	uint64_t n_driven;  /* ticks that asked for the protocol */
	uint64_t n_missed;  /* slots of the time grid at which the outputs were held, none having come in time */
	uint64_t n_refused; /* requests that were refused */
	struct loop_timing timing;
	bool stages;
	int64_t expires_ns;
	bool expired, plan_told;
	int64_t begun_ns;                          /* when this tick's exchange was begun, where it is paced */
	int64_t start_ns, mark_ns, woke_before_ns; /* this tick's end of exchange, last mark, last tick's wake */
	uint32_t execution_ns;                     /* of the last tick that was timed */
	int exchange;                              /* what the driver returned */
	struct triple view;
	atomic_bool view_asked;
	atomic_uint_fast64_t beats; /* n_ticks, for others */
	int cpu;
	atomic_bool stopping, finished;
	bool safe; /* the driver was stopped with its outputs at safe_V */
	pthread_t thread;
	struct err err; /* of the loop's own thread */
};

/**
 * Take all memory that the loop will use. The caller ends it with loop_fini().
 * Errors: those of bench_check_limits() where there is hardware and of supervisor_init(); JOSTLE_EINVAL (a program for
 * another bench), JOSTLE_ENOMEM. Call from: setup.
 */
int loop_init(struct loop *loop, const struct loop_setup *setup, struct err *err);
void loop_fini(struct loop *loop);

/**
 * Begin as if tick `last` had just been done, with inputs in_V[n_in] and outputs out_V[n_out]: where a recording is taken up that does not begin
 * with the run. The plan is taken up at last->repeat. `trip` is what FAULT was entered for; nothing is reset before the
 * first tick has been judged. What the supervisor had counted by then (inputs at a stand or at a rail, missed slots) begins
 * anew. Errors: JOSTLE_EINVAL (last->state is RUNNING, or none). Call from: setup, between loop_init() and the first tick.
 */
int loop_continue(struct loop *loop, const struct tick_record *last, const double in_V[], const double out_V[],
		  const struct trip *trip, struct err *err);

/**
 * Ask for something. The loop takes one request at the beginning of each tick but the first, in order, and answers with
 * EVENT_REQUEST; those posted before loop_run() are taken by its first ticks. A refused request changes nothing. A program
 * is carried out from its beginning; the one before is the asker's again once the event is out. A stop goes ahead of all
 * that waits, whoever filled the ring, and an arm that it overtakes is refused. Returns false when the
 * ring of requests is full, or for a stop when as many stops wait. Call from: any, one thread at a time.
 */
bool loop_ask(struct loop *loop, const struct request *request);

/** loop_ask() for reset, arm, run or stop under id 0, by one who needs no answer. Call from: as loop_ask(). */
bool loop_request(struct loop *loop, enum supervisor_event event);

/** One tick: the whole of the loop. The driver has been started. RT_SAFE. Call from: loop. */
RT_SAFE void loop_tick(struct loop *loop);

/**
 * Start the driver, tick until loop_stop(), or as ends_with_plan says (unpaced, pausing while the ring of samples is
 * full), and stop the driver, which leaves the outputs at safe_V. Paced, a bench whose exchanges fail is asked once a period.
 * Returns 0 or the driver's error, which of its start() and stop() failed first; what the loop came to is in supervisor.trip and
 * program->sequencer.done. Call from: the thread that is to be the loop.
 */
int loop_run(struct loop *loop, struct err *err);

/** loop_run() in a thread of its own, with a stack of its own. Errors: JOSTLE_ENOMEM. Call from: setup. */
int loop_start(struct loop *loop, struct err *err);

/** Ask the loop to end after its tick. RT_SAFE. Call from: any. */
RT_SAFE void loop_stop(struct loop *loop);

/** Whether the thread of loop_start() has done its last tick. RT_SAFE. Call from: any. */
RT_SAFE bool loop_finished(const struct loop *loop);

/** Wait for the thread of loop_start(); returns what loop_run() returned. Call from: setup. */
int loop_join(struct loop *loop, struct err *err);

/** Whether loop_run() has left the outputs at safe_V; if not they are to be taken as unknown. Call from: setup, after it. */
bool loop_left_safe(const struct loop *loop);

/** Ticks done so far: a counter that stands still is a loop that does. RT_SAFE. Call from: any. */
RT_SAFE uint64_t loop_n_ticks(const struct loop *loop);

/**
 * The newest view, and ask for another, which the loop fills at its next tick: a tick that nobody asked costs nothing. It
 * stays as it is until the next call. NULL before the first one is there: call again some ticks later. RT_SAFE.
 * Call from: one thread that is not the loop.
 */
RT_SAFE const struct loop_view *loop_view(struct loop *loop);

/** "drive". Call from: any. */
const char *loop_stage_name(enum loop_stage stage);

#endif
