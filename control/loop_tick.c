/*
 * One tick.
 */
#include <math.h>

#include "base/clock.h"
#include "base/err.h"
#include "control/loop_parts.h"
#include "daq/bench.h"
#include "daq/daq.h"

#define TIMED_TICKS 64 /* unpaced: reading the clock at every tick would cost as much as a small network's force */

static const char *const stage_names[] = {
	[STAGE_REQUEST] = "request", [STAGE_STATE] = "state", [STAGE_SEQUENCER] = "sequencer",
	[STAGE_DRIVE] = "drive",     [STAGE_VOLTS] = "volts", [STAGE_SUPERVISOR] = "supervisor",
	[STAGE_REPORT] = "report",
};
_Static_assert(sizeof(stage_names) / sizeof(stage_names[0]) == LOOP_N_STAGES, "every stage has a name");

const char *loop_stage_name(enum loop_stage stage)
{
	return (unsigned)stage < LOOP_N_STAGES ? stage_names[stage] : "unknown stage";
}

/** A stage has ended. */
static void mark(struct loop *loop, enum loop_stage stage)
{
	if (!loop->stages)
		return;
	const int64_t now_ns = clock_now_ns();

	histogram_add(&loop->timing.stage[stage], now_ns - loop->mark_ns);
	loop->mark_ns = now_ns;
}

/** Whether the last exchange gave no sample. */
static bool failed(const struct loop *loop)
{
	return loop->exchange && loop->exchange != JOSTLE_EMISSED;
}

/** Nothing but the driver keeps the pace, and one that fails may come back at once: then no sooner than after a period. */
static void keep_pace(struct loop *loop)
{
	if (!loop->paced)
		return;
	if (failed(loop))
		clock_sleep_until(loop->begun_ns + (int64_t)(loop->daq->period_s * 1e9));
	loop->begun_ns = clock_now_ns();
}

/** Wait for the edge, exchange samples, take the time. Returns whether this tick is timed. */
static bool exchange(struct loop *loop)
{
	keep_pace(loop);
	const bool timed = loop->paced || loop->stages || loop->watch.beat || loop->n_ticks % TIMED_TICKS == 0;

	loop->exchange = loop->daq->driver->exchange(loop->daq, loop->out_V, loop->in_V, &loop->state.t_ns);
	loop->mark_ns = loop->start_ns = timed ? clock_now_ns() : 0;
	return timed;
}

/**
 * The number of this edge on the time grid: the next one, unless the driver says that edges were missed. When it says so
 * and none was left out, the outputs were written too late for this one.
 */
static void count_slots(struct loop *loop, int64_t before_ns)
{
	const double period_ns = loop->daq->period_s * 1e9;
	struct state *state = &loop->state;
	uint64_t slots = 1;

	state->slots_missed = 0;
	state->missed = loop->exchange == JOSTLE_EMISSED && loop->n_ticks > 0;
	if (loop->n_ticks++ == 0)
		return;
	if (state->missed) {
		const double passed = round(((double)state->t_ns - (double)before_ns) / period_ns);

		slots = passed > 1 && passed < 1e15 ? (uint64_t)passed : 1;
		state->slots_missed = slots - 1;
	}
	state->tick += slots;
	if (state->missed) {
		const uint64_t held = slots > 1 ? slots - 1 : 1;

		loop->n_missed += held;
		tell(loop, (struct loop_event){.kind = EVENT_MISSED, .value = (double)held});
	}
}

/** How the wait for the edge went. A grid that was left for some slots says nothing of how well it is kept, a failed exchange of nothing. */
static void time_wake(struct loop *loop)
{
	const int64_t woke_ns = loop->daq->woke_ns;

	if (failed(loop))
		loop->woke_before_ns = 0;
	if (!woke_ns || failed(loop))
		return;
	if (!loop->state.missed)
		histogram_add(&loop->timing.wake, woke_ns - loop->state.t_ns);
	if (loop->woke_before_ns)
		histogram_add(&loop->timing.period, woke_ns - loop->woke_before_ns);
	histogram_add(&loop->timing.exchange, loop->start_ns - woke_ns);
	loop->woke_before_ns = woke_ns;
}

static void look_outside(struct loop *loop)
{
	uint32_t found = 0;

	loop->expired = loop->expired || loop->start_ns >= loop->expires_ns;
	if (loop->expired)
		found |= OUTSIDE_EXPIRED;
	if (!sequencer_has_room(&loop->program->sequencer))
		found |= OUTSIDE_NO_ROOM;
	if (loop->watch.outside)
		found = loop->watch.outside(loop->watch.context, loop->n_ticks - 1, loop->start_ns, found);
	loop->state.outside = found;
}

/** What is wanted: the plan's next setpoint while running, else nothing, with the plan back at its beginning. */
static void next_setpoint(struct loop *loop, bool finite)
{
	loop->setpoint.kind = SETPOINT_PASSIVE;
	if (!supervisor_running(&loop->supervisor))
		sequencer_rewind(&loop->program->sequencer);
	else if (finite)
		sequencer_step(&loop->program->sequencer, &loop->state, &loop->setpoint);
	loop->n_driven += loop->setpoint.kind == SETPOINT_PROTOCOL;
}

/** What a person holds by hand takes the command's place, ahead of every limit; all of it ends with RUNNING. */
static void put_by_hand(struct loop *loop)
{
	const bool running = supervisor_running(&loop->supervisor);

	for (size_t k = 0; loop->by_hand && k < loop->daq->n_out; k++) {
		if (!running)
			loop->manual_V[k] = NAN;
		else if (!isnan(loop->manual_V[k]))
			loop->out_V[k] = loop->manual_V[k];
	}
	loop->by_hand = loop->by_hand && running;
}

static void tell_trip(struct loop *loop, enum trip_cause before)
{
	const struct trip *trip = &loop->supervisor.trip;

	if (trip->cause != before && trip->cause != TRIP_NONE)
		tell(loop, (struct loop_event){.kind = EVENT_TRIP,
					       .a = trip->cause,
					       .c = trip->channel,
					       .value = trip->value,
					       .limit = trip->limit});
}

/** The tick has passed the supervisor: a sample that it read may go out. */
static void publish(struct loop *loop)
{
	struct sequencer *sequencer = &loop->program->sequencer;
	const uint64_t n_samples = sequencer->n_samples;

	if (!supervisor_running(&loop->supervisor))
		return;
	sequencer_publish(sequencer, !(loop->state.outside & OUTSIDE_NO_ROOM));
	if (sequencer->n_samples != n_samples)
		tell(loop, (struct loop_event){.kind = EVENT_SAMPLE, .c = n_samples});
	if (sequencer->done && !loop->plan_told)
		tell(loop, (struct loop_event){.kind = EVENT_PLAN, .c = loop->program->id});
	loop->plan_told = sequencer->done;
}

static void limit(struct loop *loop)
{
	const enum supervisor_state before = loop->supervisor.state;
	const enum trip_cause cause = loop->supervisor.trip.cause;

	supervisor_limit(&loop->supervisor, loop->exchange, loop->in_V, &loop->state, &loop->command, loop->out_V);
	tell_trip(loop, cause);
	tell_state(loop, before, 0);
}

static void end_of_tick(struct loop *loop)
{
	const int64_t took_ns = clock_now_ns() - loop->start_ns;

	histogram_add(&loop->timing.execution, took_ns);
	loop->execution_ns = took_ns < UINT32_MAX ? (uint32_t)took_ns : UINT32_MAX;
}

void loop_tick(struct loop *loop)
{
	const int64_t before_ns = loop->state.t_ns;
	const bool timed = exchange(loop);

	count_slots(loop, before_ns);
	look_outside(loop);
	take_request(loop);
	mark(loop, STAGE_REQUEST);
	const bool finite = calibration_to_state(loop->calibration, loop->in_V, &loop->state);
	mark(loop, STAGE_STATE);
	next_setpoint(loop, finite);
	mark(loop, STAGE_SEQUENCER);
	drive_step(&loop->program->drive, &loop->setpoint, &loop->state, &loop->command);
	mark(loop, STAGE_DRIVE);
	calibration_to_volts(loop->calibration, &loop->command, loop->out_V);
	put_by_hand(loop);
	mark(loop, STAGE_VOLTS);
	limit(loop);
	mark(loop, STAGE_SUPERVISOR);
	if (loop->watch.beat)
		loop->watch.beat(loop->watch.context, loop->start_ns, loop->supervisor.state, loop->out_V);
	publish(loop);
	if (timed)
		time_wake(loop);
	show_tick(loop);
	mark(loop, STAGE_REPORT);
	if (timed)
		end_of_tick(loop);
	atomic_store_explicit(&loop->beats, loop->n_ticks, memory_order_relaxed);
}
