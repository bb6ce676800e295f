#ifndef JOSTLE_SEQUENCER_H
#define JOSTLE_SEQUENCER_H
/*
 * The shot sequencer: what is wanted of the bench at each tick, segment after segment, and the sample at the end of a
 * generation.
 *
 * The clock is the loop's tick number. What is computed from sample n acts from edge n + 1; the sequencer therefore
 * asks, at tick n, for the protocol at the diffusion time of edge n + 1. A generation of m driven periods is m + 2
 * ticks long:
 *
 *   tick   0 … m - 1   protocol at t_minimum + (m - tick) delta, acting from edge 1 … m on
 *   tick   m           passive, acting from edge m + 1 on, where the diffusion time is t_minimum
 *   tick   m + 1       that edge: x is the generated state, and is read out
 *
 * with m the least number that begins at or above t_final; above it the protocol's last knot holds.
 *
 * On a bench of latency L periods, as its calibration states it, a command acts from edge n + 1 + L on. With l the whole
 * number of periods that covers L, the protocol is asked for at t_minimum + (m + l - L - tick) delta, one period longer
 * where L is no whole number, and x is read at tick m + 1 + l: at every moment the theta in force is the one of the
 * diffusion time that is left until the read-out. What x the feedback saw stays 1 + L periods old.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "control/state.h"

struct err;
struct potential;
struct ring;
struct segment_type;

#define SEQUENCER_MINIMUM_RELAXATION 4.0 /* relaxation times before a generation: the prior is the stationary law */
#define SEQUENCER_MAX_SPOILED        100 /* generations in a row: then the plan is given up */

enum segment_kind { SEGMENT_IDLE, SEGMENT_RELAX, SEGMENT_GENERATE };

struct segment {
	enum segment_kind kind;
	double duration;           /* idle, relax: relaxation times, rounded up to whole periods */
	double t_final, t_minimum; /* generate: from where to where, t_final > t_minimum > 0 */
};

/** Segments in order, the whole list n_repeats times. */
struct plan {
	const struct segment *segments;
	size_t n_segments;
	uint64_t n_repeats;
};

/** What a generation yields: pushed to the ring, sequencer_record_size() bytes. */
struct sample_record {
	uint64_t program; /* id of the program that it was drawn under */
	uint64_t number;  /* 0 for the plan's first sample */
	uint64_t tick;    /* the edge at which x was read */
	double value[];   /* [n_sites]: after the read-out */
};

/** A segment as it runs. */
struct compiled_segment {
	const struct segment_type *type;
	struct segment segment;
	uint64_t n_driven; /* generate: periods from t_final to t_minimum */
	uint64_t n_ticks;  /* at least 1 */
};

struct sequencer {
	uint64_t program; /* id of the one that it belongs to, for its samples; the caller's to set, else 0 */
	struct compiled_segment *segments; /* [n_segments] */
	size_t n_segments;
	uint64_t n_repeats;
	double period;  /* delta, relaxation times */
	double latency; /* L, periods */
	struct potential *potential;
	struct ring *samples;
	size_t current;          /* segment */
	uint64_t repeat;         /* whole repeats done */
	uint64_t start_tick;     /* of the current segment */
	bool entered;            /* start_tick is set */
	size_t carried_out;      /* the segment, and */
	uint64_t carried_repeat; /* the whole repeats before it, of the last sequencer_step() */
	bool sample_ready;
	bool done;
	uint64_t n_samples, n_spoiled;
	uint64_t n_refused;           /* samples that the ring had no room for: their repeats are done again */
	uint64_t n_in_a_row;          /* spoiled since the last sample */
	double *force;                /* [n_sites] */
	struct sample_record *sample; /* the last one read */
};

/** Bytes of a sample_record of n_sites. Call from: setup. */
size_t sequencer_record_size(size_t n_sites);

/**
 * Lay out a plan for a loop of period `period`, in relaxation times, on a bench of latency `latency`, in periods.
 * `potential` gives the force of the read-out and is
 * used within sequencer_step() only; for a plan that generates nothing it may be one of no protocol; `samples`, a ring of sequencer_record_size() records, may be NULL for a plan that
 * generates nothing. Both are the caller's. The plan is copied. The caller ends it with sequencer_fini().
 * Errors: JOSTLE_EINVAL, naming the segment (a time out of range, a generation that does not follow a relaxation of at
 * least SEQUENCER_MINIMUM_RELAXATION), JOSTLE_ENOMEM. Call from: setup.
 */
int sequencer_init(struct sequencer *sequencer, const struct plan *plan, double period, double latency,
		   struct potential *potential, struct ring *samples, struct err *err);
void sequencer_fini(struct sequencer *sequencer);

/**
 * The setpoint for the sample in `state`; every field of `state` is read, its tick is the clock. After the plan's last
 * tick sequencer->done is set and the setpoint is passive. A generation with a missed slot in it, at which a force was
 * held that was meant for another moment, yields no sample: the repeat begins again at once, its relaxation included.
 * After SEQUENCER_MAX_SPOILED of them in a row the plan is done without its samples. RT_SAFE. Call from: loop.
 */
RT_SAFE void sequencer_step(struct sequencer *sequencer, const struct state *state, struct setpoint *setpoint);

/**
 * Push the sample that this tick's sequencer_step() read, if it read one: the loop calls it once the supervisor has
 * passed the tick. `room`: sequencer_has_room() at the beginning of the tick, or what a recording says of it. A full ring
 * loses nothing: the repeat is done again, and counted. RT_SAFE. Call from: loop.
 */
RT_SAFE void sequencer_publish(struct sequencer *sequencer, bool room);

/** Whether the ring has room for a sample. RT_SAFE. Call from: loop. */
RT_SAFE bool sequencer_has_room(const struct sequencer *sequencer);

/** Back to the beginning of the plan, with no samples made. RT_SAFE. Call from: loop, or setup while no loop runs. */
RT_SAFE void sequencer_restart(struct sequencer *sequencer);

/** Take the plan up where so many whole repeats of it were done. Call from: setup, while no loop runs. */
void sequencer_resume(struct sequencer *sequencer, uint64_t repeat);

/** Go back to the beginning of the repeat: the loop was not running. RT_SAFE. Call from: loop. */
RT_SAFE void sequencer_rewind(struct sequencer *sequencer);

/** A segment's name, "relax". Call from: any. */
const char *segment_name(enum segment_kind kind);

#endif
