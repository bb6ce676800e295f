#ifndef JOSTLE_TICK_H
#define JOSTLE_TICK_H
/*
 * What leaves the loop: one record for each tick, one for each thing that happened. Flat, of fixed size, so that a ring
 * carries them to whoever keeps or shows them.
 */
#include <stddef.h>
#include <stdint.h>

/** Facts from outside that a tick acted on: with inputs and requests they are all that a replay needs. */
enum outside {
	OUTSIDE_GUARDIAN_LOST = 1 << 0,   /* the guardian's beat has stopped */
	OUTSIDE_GUARDIAN_SEIZED = 1 << 1, /* the guardian holds the outputs */
	OUTSIDE_EXPIRED = 1 << 2,         /* the calibration's time is over */
	OUTSIDE_NO_ROOM = 1 << 3,         /* the ring of samples was full */
	OUTSIDE_READING = 1 << 4,         /* an instrument's reading is outside its limits */
	OUTSIDE_SILENT = 1 << 5           /* an instrument does not give a reading that has limits */
};

/** One tick. Followed by in_V[n_in], out_V[n_out] as written, command[n_out] in natural units. */
struct tick_record {
	uint64_t number;       /* of the exchange, 0 for the first; none is left out */
	uint64_t tick;         /* of the edge on the time grid; missed slots leave numbers out */
	int64_t t_ns;          /* struct state's */
	int64_t woke_ns;       /* struct daq's; 0 where nobody waited */
	int32_t exchange;      /* what the driver returned */
	uint32_t outside;      /* enum outside, or'ed */
	uint32_t state;        /* enum supervisor_state, after the tick */
	uint32_t setpoint;     /* enum setpoint_kind */
	uint64_t program;      /* id of the program that was carried out */
	uint64_t repeat;       /* whole repeats of its plan done before the tick */
	uint32_t segment;      /* of the plan */
	uint32_t execution_ns; /* of the tick before this one */
	double setpoint_t;     /* diffusion time; 0 for a passive setpoint */
	double values[];
};

/** Bytes of a tick_record. Call from: any. */
static inline size_t tick_record_size(size_t n_in, size_t n_out)
{
	return sizeof(struct tick_record) + (n_in + 2 * n_out) * sizeof(double);
}

enum loop_event_kind {
	EVENT_STATE,  /* a: state before, b: state after */
	EVENT_TRIP,   /* a: enum trip_cause; channel, value, limit: struct trip's */
	EVENT_MISSED, /* value: slots missed before this edge */
	EVENT_REQUEST, /* request: its id; a: enum request_kind; b: 1 taken, 0 refused; c: program, supervisor event or output */
	EVENT_SAMPLE, /* c: its number in the plan */
	EVENT_PLAN,   /* the plan is done; c: its program */
	EVENT_N_KINDS
};

/** Something that happened at a tick. */
struct loop_event {
	uint32_t kind;
	uint32_t a, b;
	uint32_t reserved;
	uint64_t number, tick; /* struct tick_record's */
	int64_t t_ns;
	uint64_t request; /* id of the request behind it; 0 for none */
	uint64_t c;
	double value, limit; /* also of a request: value_V; min_V and max_V */
	double slew;         /* of REQUEST_LIMITS: slew_V_per_s */
};

#endif
