/*
 * What the supervisor judges a tick by: facts from outside, clock, inputs, and what is asked of the outputs.
 */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "control/state.h"
#include "control/supervisor_parts.h"
#include "control/tick.h"
#include "daq/bench.h"

#define CLOCK_SLACK_PERIODS 2 /* of jitter in the times that a bench gives its edges */

/** Keep the first thing that was found: what follows from it is not news. */
void supervisor_find(struct trip *found, enum trip_cause cause, size_t channel, double value, double limit)
{
	if (found->cause == TRIP_NONE)
		*found = (struct trip){.cause = cause, .channel = channel, .value = value, .limit = limit};
}

static void check_outside(const struct state *state, struct trip *found)
{
	if (state->outside & OUTSIDE_GUARDIAN_SEIZED)
		supervisor_find(found, TRIP_GUARDIAN, 0, 0, 0);
	if (state->outside & OUTSIDE_GUARDIAN_LOST)
		supervisor_find(found, TRIP_GUARDIAN_LOST, 0, 0, 0);
	if (state->outside & OUTSIDE_EXPIRED)
		supervisor_find(found, TRIP_CALIBRATION, 0, 0, 0);
	if (state->outside & OUTSIDE_READING)
		supervisor_find(found, TRIP_READING, 0, 0, 0);
	if (state->outside & OUTSIDE_SILENT)
		supervisor_find(found, TRIP_SILENT, 0, 0, 0);
}

/** The window moves on by one slot of the time grid. */
static void pass_slot(struct supervisor *supervisor, bool missed)
{
	unsigned char *slot = &supervisor->slot_missed[supervisor->slot];

	supervisor->n_missed += (size_t)missed;
	supervisor->n_missed -= *slot;
	*slot = missed;
	supervisor->slot = (supervisor->slot + 1) % BENCH_MISSED_WINDOW;
}

/**
 * A write that came too late for its edge held the outputs as long as a slot left out does. A gap in which a guardian would
 * have given the loop up trips whatever number of slots the bench puts up with, and where there is no guardian too.
 */
static void check_missed(struct supervisor *supervisor, const struct state *state, struct trip *found)
{
	size_t most;

	for (uint64_t i = 0; i < state->slots_missed && i < BENCH_MISSED_WINDOW; i++)
		pass_slot(supervisor, true);
	most = supervisor->n_missed;
	pass_slot(supervisor, state->missed && state->slots_missed == 0);
	if (supervisor->n_missed > most)
		most = supervisor->n_missed;
	if (supervisor->guardian_periods && state->slots_missed > supervisor->guardian_periods)
		supervisor_find(found, TRIP_MISSED, 0, (double)state->slots_missed,
				(double)supervisor->guardian_periods);
	if (supervisor->missed_periods && most > supervisor->missed_periods)
		supervisor_find(found, TRIP_MISSED, 0, (double)most, (double)supervisor->missed_periods);
}

/**
 * Clock at a stand: the sample is an old one. Clock ahead of the edges that were counted: it has been set, and no time of this
 * run can be trusted. One displacement at a stand: that sensor is blind, and the feedback would
 * push its site about unseen; a frozen bench shows in each of them. Other inputs may rest: a force that nobody drives, a
 * monitor.
 */
static void check_fresh(struct supervisor *supervisor, const double in_V[], const struct state *state,
			struct trip *found)
{
	const double passed_ns = (double)state->t_ns - (double)supervisor->last_t_ns;
	const double due_ns = ((double)state->slots_missed + 1) * supervisor->period_s * 1e9;

	if (supervisor->seen && passed_ns <= 0)
		supervisor_find(found, TRIP_STALE_CLOCK, 0, passed_ns, due_ns);
	else if (supervisor->seen && passed_ns > due_ns + CLOCK_SLACK_PERIODS * supervisor->period_s * 1e9)
		supervisor_find(found, TRIP_CLOCK_STEP, 0, passed_ns, due_ns);
	for (size_t k = 0; k < supervisor->n_in; k++) {
		const bool same = supervisor->seen && memcmp(&in_V[k], &supervisor->last_in_V[k], sizeof(in_V[k])) == 0;

		supervisor->n_identical[k] = same ? supervisor->n_identical[k] + 1 : 1;
		if (supervisor->in[k].must_move && supervisor->stale_periods &&
		    supervisor->n_identical[k] >= supervisor->stale_periods)
			supervisor_find(found, TRIP_STALE_INPUT, k, (double)supervisor->n_identical[k],
					(double)supervisor->stale_periods);
		supervisor->last_in_V[k] = in_V[k];
	}
	supervisor->seen = true;
	supervisor->last_t_ns = state->t_ns;
}

/** A sensor at an end of its converter's range says no more than "somewhere beyond". */
static void check_rails(struct supervisor *supervisor, const double in_V[], struct trip *found)
{
	for (size_t k = 0; k < supervisor->n_in; k++) {
		const struct input_guard *guard = &supervisor->in[k];
		const bool railed = guard->has_rails && (in_V[k] <= guard->rail_min_V || in_V[k] >= guard->rail_max_V);

		supervisor->n_railed[k] = railed ? supervisor->n_railed[k] + 1 : 0;
		if (supervisor->rail_periods && supervisor->n_railed[k] >= supervisor->rail_periods)
			supervisor_find(found, TRIP_RAIL, k, in_V[k], (double)supervisor->rail_periods);
	}
}

static void check_inputs(const struct supervisor *supervisor, const double in_V[], const struct state *state,
			 struct trip *found)
{
	for (size_t k = 0; k < supervisor->n_in; k++) {
		const struct input_guard *guard = &supervisor->in[k];
		const double quantity = guard->role == DAQ_DISPLACEMENT ? state->x[guard->site]
					: guard->role == DAQ_FORCE      ? state->force[guard->site]
									: 0;

		/* Not ">": a quantity that is not a number is beyond every limit. */
		if (!isfinite(in_V[k]))
			supervisor_find(found, TRIP_INPUT, k, in_V[k], 0);
		else if (!(fabs(quantity) <= guard->limit))
			supervisor_find(found, guard->role == DAQ_FORCE ? TRIP_FORCE : TRIP_DIVERGENCE, k,
					quantity * guard->unit, guard->limit * guard->unit);
		else if (in_V[k] < guard->min_V || in_V[k] > guard->max_V)
			supervisor_find(found, TRIP_VOLTS, k, in_V[k],
					in_V[k] < guard->min_V ? guard->min_V : guard->max_V);
		else if (guard->role == DAQ_TEMPERATURE &&
			 !(state->temperature_K >= guard->min_K && state->temperature_K <= guard->max_K))
			supervisor_find(found, TRIP_TEMPERATURE, k, state->temperature_K,
					state->temperature_K < guard->min_K ? guard->min_K : guard->max_K);
	}
}

/** A moment at the end of the range is a thermal tail; one that lasts means that the force wanted is not there (ADR 6). */
static void check_saturation(struct supervisor *supervisor, const struct command *command, struct trip *found)
{
	const bool running = supervisor_running(supervisor);

	for (size_t k = 0; k < supervisor->n_out; k++) {
		supervisor->n_saturated[k] = running && command->saturated[k] ? supervisor->n_saturated[k] + 1 : 0;
		if (supervisor->saturated_periods && supervisor->n_saturated[k] > supervisor->saturated_periods)
			supervisor_find(found, TRIP_SATURATION, k, (double)supervisor->n_saturated[k],
					(double)supervisor->saturated_periods);
	}
}

void supervisor_judge(struct supervisor *supervisor, int exchange, const double in_V[], const struct state *state,
		      const struct command *command, struct trip *found)
{
	const bool sampled = !exchange || exchange == JOSTLE_EMISSED;

	if (!sampled)
		supervisor_find(found, TRIP_EXCHANGE, 0, exchange, 0);
	check_outside(state, found);
	check_missed(supervisor, state, found);
	if (sampled) {
		check_fresh(supervisor, in_V, state, found);
		check_rails(supervisor, in_V, found);
		check_inputs(supervisor, in_V, state, found);
	}
	check_saturation(supervisor, command, found);
}
