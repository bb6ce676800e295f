#include "control/sequencer.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/ring.h"
#include "control/potential.h"
#include "protocols/diffusion.h"
#include "protocols/protocol.h"

#define MAX_TICKS 1e15 /* a segment's length stays exact in a double */

/** One kind of segment. All members are required. */
struct segment_type {
	const char *name;

	/** Check the segment and set n_ticks. Returns NULL, or what was expected. Call from: setup. */
	const char *(*compile)(struct compiled_segment *compiled, double period, double latency);

	/** The setpoint at tick `since` of the segment, below n_ticks. RT_SAFE. Call from: loop. */
	void (*step)(struct sequencer *sequencer, const struct compiled_segment *compiled, uint64_t since,
		     const struct state *state, struct setpoint *setpoint);
};

/** Whole periods that cover a time; what is a whole number but for rounding counts as one. */
static double periods_of(double time, double period)
{
	return ceil(time / period * (1 - 1e-12) - 1e-9);
}

static const char *compile_passive(struct compiled_segment *compiled, double period, double latency)
{
	(void)latency;
	const double n_ticks = periods_of(compiled->segment.duration, period);

	if (!(compiled->segment.duration > 0) || !(n_ticks < MAX_TICKS))
		return "a positive duration of at most 1e15 periods";
	compiled->n_ticks = n_ticks > 1 ? (uint64_t)n_ticks : 1;
	return NULL;
}

static void step_passive(struct sequencer *sequencer, const struct compiled_segment *compiled, uint64_t since,
			 const struct state *state, struct setpoint *setpoint)
{
	(void)sequencer;
	(void)compiled;
	(void)since;
	(void)state;
	setpoint->kind = SETPOINT_PASSIVE;
}

static const char *compile_generate(struct compiled_segment *compiled, double period, double latency)
{
	const struct segment *segment = &compiled->segment;
	const double n_driven = periods_of(segment->t_final - segment->t_minimum, period);

	if (!(segment->t_minimum > 0) || !(segment->t_final > segment->t_minimum) || !(n_driven < MAX_TICKS))
		return "t_final > t_minimum > 0, at most 1e15 periods apart";
	compiled->n_driven = n_driven > 1 ? (uint64_t)n_driven : 1;
	compiled->n_ticks = compiled->n_driven + 2 + (uint64_t)ceil(latency);
	return NULL;
}

static void read_out(struct sequencer *sequencer, double t, const struct state *state)
{
	struct potential *potential = sequencer->potential;
	const double weight = potential->protocol->readout_weight;

	potential_force_at(potential, t, state->x, sequencer->force);
	for (size_t i = 0; i < potential->protocol->network.n_sites; i++)
		sequencer->sample->value[i] = diffusion_readout(state->x[i], sequencer->force[i], t, weight);
	sequencer->sample->tick = state->tick;
	sequencer->sample_ready = true;
}

static void step_generate(struct sequencer *sequencer, const struct compiled_segment *compiled, uint64_t since,
			  const struct state *state, struct setpoint *setpoint)
{
	const double t_minimum = compiled->segment.t_minimum;
	/* From where this command acts to the read-out, in periods. */
	const double left = (double)compiled->n_ticks - 2 - sequencer->latency - (double)since;

	setpoint->kind = SETPOINT_PASSIVE;
	if (left > 0) {
		setpoint->kind = SETPOINT_PROTOCOL;
		setpoint->t = t_minimum + left * sequencer->period;
	} else if (since + 1 == compiled->n_ticks) {
		read_out(sequencer, t_minimum, state);
	}
}

static const struct segment_type segment_types[] = {
	[SEGMENT_IDLE] = {"idle", compile_passive, step_passive},
	[SEGMENT_RELAX] = {"relax", compile_passive, step_passive},
	[SEGMENT_GENERATE] = {"generate", compile_generate, step_generate},
};
#define N_SEGMENT_TYPES (sizeof(segment_types) / sizeof(segment_types[0]))
_Static_assert(N_SEGMENT_TYPES == SEGMENT_GENERATE + 1, "every kind of segment has its row");

const char *segment_name(enum segment_kind kind)
{
	return (size_t)kind < N_SEGMENT_TYPES ? segment_types[kind].name : "unknown segment";
}

static int compile(struct sequencer *sequencer, const struct plan *plan, size_t s, struct err *err)
{
	struct compiled_segment *compiled = &sequencer->segments[s];
	const struct segment *before = s > 0 ? &plan->segments[s - 1] : NULL;
	const char *expected;

	if ((size_t)plan->segments[s].kind >= N_SEGMENT_TYPES)
		return err_set(err, JOSTLE_EINVAL, "plan, segment %zu: unknown kind %d", s,
			       (int)plan->segments[s].kind);
	compiled->segment = plan->segments[s];
	compiled->type = &segment_types[compiled->segment.kind];
	expected = compiled->type->compile(compiled, sequencer->period, sequencer->latency);
	if (expected)
		return err_set(err, JOSTLE_EINVAL, "plan, segment %zu (%s): expected %s, found %g, %g to %g", s,
			       compiled->type->name, expected, compiled->segment.duration, compiled->segment.t_final,
			       compiled->segment.t_minimum);
	if (compiled->segment.kind != SEGMENT_GENERATE)
		return 0;
	if (!sequencer->potential->protocol)
		return err_set(err, JOSTLE_EINVAL, "plan, segment %zu (generate): expected a protocol", s);
	if (!sequencer->samples)
		return err_set(err, JOSTLE_EINVAL, "plan, segment %zu (generate): expected a ring for samples", s);
	if (!before || before->kind != SEGMENT_RELAX || before->duration < SEQUENCER_MINIMUM_RELAXATION)
		return err_set(err, JOSTLE_EINVAL,
			       "plan, segment %zu (generate): expected a relaxation of at least %g relaxation times "
			       "before it, found %s of %g",
			       s, SEQUENCER_MINIMUM_RELAXATION, before ? segment_name(before->kind) : "nothing",
			       before ? before->duration : 0.0);
	return 0;
}

size_t sequencer_record_size(size_t n_sites)
{
	return sizeof(struct sample_record) + n_sites * sizeof(double);
}

int sequencer_init(struct sequencer *sequencer, const struct plan *plan, double period, double latency,
		   struct potential *potential, struct ring *samples, struct err *err)
{
	const struct network *network = potential->protocol ? &potential->protocol->network : NULL;
	int code = 0;

	if (plan->n_segments == 0 || plan->n_repeats == 0 || !(period > 0))
		return err_set(err, JOSTLE_EINVAL, "plan: expected segments, repeats and a period, found %zu, %llu, %g",
			       plan->n_segments, (unsigned long long)plan->n_repeats, period);
	*sequencer = (struct sequencer){
		.segments = memory_touched(plan->n_segments, sizeof(*sequencer->segments)),
		.n_segments = plan->n_segments,
		.n_repeats = plan->n_repeats,
		.period = period,
		.latency = latency,
		.potential = potential,
		.samples = samples,
		.force = memory_touched(network ? network->n_variables : 0, sizeof(double)),
		.sample = memory_touched(1, sequencer_record_size(network ? network->n_sites : 0)),
	};
	if (!sequencer->segments || !sequencer->force || !sequencer->sample)
		code = err_set(err, JOSTLE_ENOMEM, "no memory for a plan of %zu segments", plan->n_segments);
	for (size_t s = 0; !code && s < plan->n_segments; s++)
		code = compile(sequencer, plan, s, err);
	if (code)
		sequencer_fini(sequencer);
	return code;
}

void sequencer_fini(struct sequencer *sequencer)
{
	free(sequencer->segments);
	free(sequencer->force);
	free(sequencer->sample);
	*sequencer = (struct sequencer){0};
}

/** Leave the current segment, which has run its time. */
static void advance(struct sequencer *sequencer)
{
	sequencer->start_tick += sequencer->segments[sequencer->current].n_ticks;
	if (++sequencer->current < sequencer->n_segments)
		return;
	sequencer->current = 0;
	sequencer->done = ++sequencer->repeat == sequencer->n_repeats;
}

/**
 * Follow the clock over the ends of segments that missed slots have carried it past. Returns false when such a slot lies
 * in a generation. At the first tick of one what was held is passive still, as is what should have been.
 */
static bool follow_clock(struct sequencer *sequencer, const struct state *state)
{
	const struct compiled_segment *compiled = &sequencer->segments[sequencer->current];

	while (!sequencer->done && state->tick - sequencer->start_tick >= compiled->n_ticks) {
		if (compiled->segment.kind == SEGMENT_GENERATE)
			return false;
		advance(sequencer);
		compiled = &sequencer->segments[sequencer->current];
	}
	return !(state->missed && compiled->segment.kind == SEGMENT_GENERATE && state->tick > sequencer->start_tick);
}

static void spoil(struct sequencer *sequencer, const struct state *state)
{
	sequencer->n_spoiled++;
	sequencer->done = ++sequencer->n_in_a_row == SEQUENCER_MAX_SPOILED;
	sequencer->current = 0;
	sequencer->start_tick = state->tick;
}

void sequencer_step(struct sequencer *sequencer, const struct state *state, struct setpoint *setpoint)
{
	sequencer->sample_ready = false;
	setpoint->kind = SETPOINT_PASSIVE;
	sequencer->carried_out = sequencer->current;
	sequencer->carried_repeat = sequencer->repeat;
	if (sequencer->done)
		return;
	if (!sequencer->entered) {
		sequencer->start_tick = state->tick;
		sequencer->entered = true;
	}
	if (!follow_clock(sequencer, state))
		spoil(sequencer, state);
	if (sequencer->done)
		return;
	const struct compiled_segment *compiled = &sequencer->segments[sequencer->current];
	const uint64_t since = state->tick - sequencer->start_tick;

	sequencer->carried_out = sequencer->current;
	sequencer->carried_repeat = sequencer->repeat;
	compiled->type->step(sequencer, compiled, since, state, setpoint);
	/* Left on its last tick, so that whoever waits for the plan's end need not wait for one tick more. */
	if (since + 1 == compiled->n_ticks)
		advance(sequencer);
}

/** A sample that was read but not delivered is still owed, though its repeat may have been counted as done. */
static void owe_sample(struct sequencer *sequencer)
{
	sequencer->sample_ready = false;
	if (sequencer->current != 0)
		return;
	sequencer->repeat--;
	sequencer->done = false;
}

void sequencer_publish(struct sequencer *sequencer, bool room)
{
	if (!sequencer->sample_ready)
		return;
	sequencer->sample->program = sequencer->program;
	sequencer->sample->number = sequencer->n_samples;
	if (room && ring_push(sequencer->samples, sequencer->sample)) {
		sequencer->sample_ready = false;
		sequencer->n_samples++;
		sequencer->n_in_a_row = 0;
		return;
	}
	owe_sample(sequencer);
	sequencer->n_refused++;
	sequencer->current = 0;
	sequencer->start_tick = sequencer->sample->tick + 1;
}

bool sequencer_has_room(const struct sequencer *sequencer)
{
	const struct ring *ring = sequencer->samples;

	return !ring || atomic_load_explicit(&ring->head, memory_order_relaxed) -
					atomic_load_explicit(&ring->tail, memory_order_acquire) <
				ring->capacity;
}

void sequencer_restart(struct sequencer *sequencer)
{
	sequencer->current = sequencer->carried_out = 0;
	sequencer->repeat = sequencer->carried_repeat = 0;
	sequencer->entered = sequencer->sample_ready = sequencer->done = false;
	sequencer->n_samples = sequencer->n_spoiled = sequencer->n_refused = sequencer->n_in_a_row = 0;
}

void sequencer_resume(struct sequencer *sequencer, uint64_t repeat)
{
	sequencer_restart(sequencer);
	for (size_t s = 0; s < sequencer->n_segments; s++)
		sequencer->n_samples += sequencer->segments[s].segment.kind == SEGMENT_GENERATE;
	sequencer->n_samples *= repeat;
	sequencer->repeat = sequencer->carried_repeat = repeat;
	sequencer->done = repeat >= sequencer->n_repeats;
}

void sequencer_rewind(struct sequencer *sequencer)
{
	/* Read at the very tick that tripped. */
	if (sequencer->sample_ready)
		owe_sample(sequencer);
	sequencer->current = sequencer->carried_out = 0;
	sequencer->carried_repeat = sequencer->repeat;
	sequencer->entered = false;
}
