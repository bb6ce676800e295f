#ifndef JOSTLE_SUPERVISOR_H
#define JOSTLE_SUPERVISOR_H
/*
 * The supervisor: which state the bench is in, and the last word on every voltage.
 *
 *             reset         whole tick          arm            run
 *     FAULT -------> SAFE -------------> IDLE -------> ARMED -------> RUNNING
 *                                          ^             |               |
 *                                          +--- stop ----+----- stop ----+
 *
 * and from every state by a trip to FAULT.
 *
 * It starts in FAULT, with no tick judged yet. A trip is latched with its cause, channel, value and time, and only a reset clears it, once what
 * caused it has gone; nothing arms or runs but an explicit request. In every state but RUNNING the outputs stand at
 * safe_V; they go there at once, not through the slew limit, since what needs a trip cannot wait for it. A heartbeat
 * changes with every tick of every state but FAULT, in which it rests low.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "control/shared_limits.h"
#include "daq/daq.h"

struct bench;
struct calibration;
struct command;
struct err;
struct state;

enum supervisor_state {
	SUPERVISOR_SAFE,    /* a fault has been acknowledged; the inputs have not been seen whole since */
	SUPERVISOR_IDLE,    /* inputs whole */
	SUPERVISOR_ARMED,   /* a person, or the job of a simulated bench, has allowed the outputs */
	SUPERVISOR_RUNNING, /* the outputs follow the command, within the limits */
	SUPERVISOR_FAULT,
	SUPERVISOR_N_STATES
};

enum supervisor_event {
	SUPERVISOR_RESET,
	SUPERVISOR_WHOLE, /* a tick whose inputs pass every check; raised by supervisor_limit() */
	SUPERVISOR_ARM,
	SUPERVISOR_RUN,
	SUPERVISOR_STOP,
	SUPERVISOR_TRIP, /* raised by supervisor_limit() and supervisor_trip() */
	SUPERVISOR_N_EVENTS
};

enum trip_cause {
	TRIP_NONE,
	TRIP_START,    /* not yet reset since the start */
	TRIP_EXCHANGE, /* the driver could not exchange samples; value: the enum jostle_error */
	TRIP_INPUT,    /* an input that is not finite, V */
	TRIP_STALE_INPUT, /* a displacement that stood still, bit for bit, for the bench's stale_periods; value: how many */
	TRIP_STALE_CLOCK, /* the edge's time did not advance; value: by how much it did, ns */
	TRIP_DIVERGENCE,  /* a displacement beyond its limit, m */
	TRIP_FORCE,       /* a measured force beyond its limit, N */
	TRIP_VOLTS,       /* an input outside its limits in volts */
	TRIP_COMMAND,     /* a command that is not finite, or has no finite voltage, natural units */
	TRIP_SPAN,        /* a voltage outside the converter's span, V */
	TRIP_SATURATION, /* a command at the end of its range for more than the bench's saturated_periods; value: how many */
	/* Files hold these numbers: new ones come last. */
	TRIP_MISSED,        /* slots of the time grid missed within BENCH_MISSED_WINDOW, or in a row; value: how many */
	TRIP_RAIL,          /* an input at an end of its converter's span for the bench's rail_periods, V */
	TRIP_TEMPERATURE,   /* of the bath, outside its limits, K */
	TRIP_CALIBRATION,   /* expired */
	TRIP_GUARDIAN_LOST, /* its beat has stopped */
	TRIP_GUARDIAN,      /* it holds the outputs; nothing resets until it has let go */
	TRIP_CLOCK_STEP, /* the edge's time advanced by more than the slots that passed; value: by how much, limit: expected, ns */
	TRIP_READING, /* an instrument's reading is outside its limits; which one is in the run file and the telemetry */
	TRIP_SILENT,  /* an instrument does not give a reading that has limits */
	TRIP_N_CAUSES
};

struct trip {
	enum trip_cause cause;
	size_t channel; /* output for COMMAND, SPAN and SATURATION; 0 where there is none; input for the others */
	double value, limit;
	int64_t t_ns;
	uint64_t tick;
};

/** The limits of one output, all in V. */
struct output_guard {
	double min_V, max_V;                   /* the converter's span */
	double physical_min_V, physical_max_V; /* the limit of force or parameter, through the calibration */
	double limit_min_V, limit_max_V;
	double slew_V; /* largest change in one period; infinite for none */
	double safe_V;
};

/** What is asked of one input. */
struct input_guard {
	enum daq_role role;
	bool has_rails; /* displacement and force */
	bool must_move; /* a displacement: thermal motion and the sensor's noise never leave it still */
	size_t site;
	double limit;                  /* largest |quantity|, natural units; infinite for none */
	double unit;                   /* m or N in a natural unit */
	double min_V, max_V;           /* the limits in volts; the converter's span where the file gives none */
	double rail_min_V, rail_max_V; /* an input there or beyond is at an end of its span */
	double min_K, max_K;           /* role temperature; infinite for none */
};

struct supervisor {
	enum supervisor_state state;
	bool arming_allowed;
	enum trip_cause condition; /* what the last tick found, whatever the state; TRIP_START before the first */
	struct trip trip;          /* the first of those that led to FAULT */
	size_t n_in, n_out;
	struct input_guard *in;
	struct output_guard *out;
	size_t stale_periods;
	size_t *n_identical; /* [n_in]: samples of this value so far */
	size_t rail_periods;
	size_t *n_railed; /* [n_in]: samples in a row at an end of the span */
	size_t missed_periods, guardian_periods;
	unsigned char *slot_missed; /* [BENCH_MISSED_WINDOW]: of the slots up to the last edge, [slot] the oldest */
	size_t slot, n_missed;      /* n_missed of them */
	bool seen;                  /* last_in_V and last_t_ns hold a sample */
	int64_t last_t_ns;
	double *last_in_V, *last_out_V;
	size_t saturated_periods;
	size_t *n_saturated; /* [n_out]: periods in a row with the command at the end of its range */
	uint64_t *n_limited; /* [n_out]: ticks at which a limit changed the voltage */
	uint64_t *n_slewed;  /* [n_out]: those at which it was the slew limit */
	uint64_t n_drawn_in; /* ticks at which a limit that outputs share drew all of them towards safe_V */
	struct shared_limits shared;
	double *wanted_V, *target_V; /* [n_out]: within supervisor_limit() only */
	double period_s;
	size_t heartbeat; /* the output that is one; n_out for none */
	bool high;        /* it is */
};

/**
 * Lay out the limits. `arming_allowed`: the bench is simulated, or a person said so. stale_periods 0 switches off the
 * check for stale inputs, saturated_periods 0 the one for lasting saturation, rail_periods 0 the one for saturated
 * inputs, missed_periods 0 the one for missed slots but for gaps longer than guardian_periods. The caller ends it with supervisor_fini(). Errors: JOSTLE_ECONFIG,
 * naming the output whose limits are empty or leave safe_V out, or the shared limit that safe_V does not keep;
 * JOSTLE_ENOMEM. Call from: setup.
 */
int supervisor_init(struct supervisor *supervisor, const struct bench *bench, const struct calibration *calibration,
		    double period_s, bool arming_allowed, struct err *err);
void supervisor_fini(struct supervisor *supervisor);

/**
 * Take up where another supervisor of the same bench stood after a tick at t_ns whose inputs and outputs were these:
 * SAFE, IDLE, ARMED, or FAULT with its trip. Whether what tripped has gone is for the next tick to find out; periods are
 * counted anew. Call from: setup.
 */
void supervisor_continue(struct supervisor *supervisor, enum supervisor_state state, const struct trip *trip,
			 int64_t t_ns, const double in_V[], const double out_V[]);

/**
 * Take the transition that the table has for this event. Returns false, and changes nothing, when there is none or its
 * guard refuses. RT_SAFE. Call from: loop, or setup while no loop runs.
 */
RT_SAFE bool supervisor_event(struct supervisor *supervisor, enum supervisor_event event);

/** Latch a trip; in FAULT the first one stays, for which TRIP_START does not count. RT_SAFE. Call from: loop, or setup while no loop runs. */
RT_SAFE void supervisor_trip(struct supervisor *supervisor, const struct trip *trip);

/**
 * Judge a tick and limit what is written at the next edge. `exchange` is what the driver returned. out_V[n_out] holds
 * the converted command and is rewritten in place: within every limit, or safe_V. Physical limit first, then the
 * converter's span (beyond it: a trip), then the limit in volts, then those that outputs share, then the slew. Of the
 * state it takes clock, tick, x, force, temperature, slots_missed, missed and outside. RT_SAFE. Call from: loop.
 */
RT_SAFE void supervisor_limit(struct supervisor *supervisor, int exchange, const double in_V[],
			      const struct state *state, const struct command *command, double out_V[]);

/**
 * Narrow the limits of one output: min_V to max_V, and slew_V_per_s unless that is 0. Where its last voltage lies beyond,
 * all outputs are drawn towards safe_V at the next tick, at once and not through the slew. Returns false, and changes
 * nothing, when any of them is wider than what holds now, leaves safe_V out or is not a number, or the output is a
 * heartbeat or does not exist. RT_SAFE. Call from: loop, or setup while no loop runs.
 */
RT_SAFE bool supervisor_narrow(struct supervisor *supervisor, size_t output, double min_V, double max_V,
			       double slew_V_per_s);

/** RT_SAFE. Call from: loop, or any while no loop runs. */
RT_SAFE static inline bool supervisor_running(const struct supervisor *supervisor)
{
	return supervisor->state == SUPERVISOR_RUNNING;
}

/** Names for people: "RUNNING", "reset". Never NULL. Call from: any. */
const char *supervisor_state_name(enum supervisor_state state);
const char *supervisor_event_name(enum supervisor_event event);

/** A trip as a sentence without its full stop. Call from: setup. */
void trip_format(const struct trip *trip, const struct bench *bench, char *text, size_t size);

#endif
