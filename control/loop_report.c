/*
 * What the loop tells others, and never waits for them to hear: events, the tap, the view.
 */
#include <string.h>

#include "control/loop_parts.h"
#include "daq/bench.h"
#include "daq/daq.h"

void tell(struct loop *loop, struct loop_event event)
{
	event.number = loop->n_ticks - 1;
	event.tick = loop->state.tick;
	event.t_ns = loop->state.t_ns;
	if (loop->events)
		ring_push(loop->events, &event);
	if (loop->tap.event)
		loop->tap.event(loop->tap.context, &event);
}

void tell_state(struct loop *loop, enum supervisor_state before, uint64_t request)
{
	if (loop->supervisor.state != before)
		tell(loop, (struct loop_event){
				   .kind = EVENT_STATE, .a = before, .b = loop->supervisor.state, .request = request});
}

int view_init(struct loop *loop, struct err *err)
{
	const struct bench *bench = loop->daq->bench;
	const size_t n_sites = bench->nx * bench->ny;
	const size_t n_values = bench->n_in + 2 * bench->n_out + 2 * n_sites;
	const int code = triple_init(&loop->view, sizeof(struct loop_view) + n_values * sizeof(double), err);

	for (unsigned i = 0; !code && i < 3; i++) {
		struct loop_view *view = triple_buffer(&loop->view, i);

		view->in_V = (const double *)(view + 1);
		view->out_V = view->in_V + bench->n_in;
		view->command = view->out_V + bench->n_out;
		view->x = view->command + bench->n_out;
		view->force = view->x + n_sites;
	}
	return code;
}

static void copy(const double *to, const double from[], size_t n)
{
	memcpy((double *)to, from, n * sizeof(*from));
}

static void fill_view(struct loop *loop, const struct tick_record *tick)
{
	const struct sequencer *sequencer = &loop->program->sequencer;
	const struct bench *bench = loop->daq->bench;
	struct loop_view *view = triple_back(&loop->view);

	view->n_ticks = loop->n_ticks;
	view->n_missed = loop->n_missed;
	view->n_driven = loop->n_driven;
	view->n_refused = loop->n_refused;
	view->n_samples = sequencer->n_samples;
	view->n_spoiled = sequencer->n_spoiled;
	view->n_undelivered = sequencer->n_refused;
	view->repeat = sequencer->repeat;
	view->n_repeats = sequencer->n_repeats;
	view->done = sequencer->done;
	view->trip = loop->supervisor.trip;
	view->temperature_K = loop->state.temperature_K;
	view->tick = *tick;
	copy(view->in_V, loop->in_V, bench->n_in);
	copy(view->out_V, loop->out_V, bench->n_out);
	copy(view->command, loop->command.value, bench->n_out);
	copy(view->x, loop->state.x, loop->state.n_sites);
	copy(view->force, loop->state.force, loop->state.n_sites);
	triple_publish(&loop->view);
}

void show_tick(struct loop *loop)
{
	const bool asked = atomic_load_explicit(&loop->view_asked, memory_order_relaxed);

	if (!asked && !loop->tap.tick)
		return;
	const struct tick_record tick = {
		.number = loop->n_ticks - 1,
		.tick = loop->state.tick,
		.t_ns = loop->state.t_ns,
		.woke_ns = loop->daq->woke_ns,
		.exchange = loop->exchange,
		.outside = loop->state.outside,
		.state = loop->supervisor.state,
		.setpoint = loop->setpoint.kind,
		.program = loop->program->id,
		.repeat = loop->program->sequencer.carried_repeat,
		.segment = (uint32_t)loop->program->sequencer.carried_out,
		.execution_ns = loop->execution_ns,
		.setpoint_t = loop->setpoint.kind == SETPOINT_PROTOCOL ? loop->setpoint.t : 0,
	};

	if (loop->tap.tick)
		loop->tap.tick(loop->tap.context, &tick, loop->in_V, loop->out_V, loop->command.value);
	if (asked) {
		atomic_store_explicit(&loop->view_asked, false, memory_order_relaxed);
		fill_view(loop, &tick);
	}
}

const struct loop_view *loop_view(struct loop *loop)
{
	const struct loop_view *view = triple_latest(&loop->view);

	atomic_store_explicit(&loop->view_asked, true, memory_order_relaxed);
	return view;
}
