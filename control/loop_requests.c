/*
 * What the loop may be asked for, one row a kind. Whatever is refused changes nothing.
 */
#include <math.h>

#include "control/loop_parts.h"
#include "daq/bench.h"
#include "daq/daq.h"

bool program_fits(const struct loop *loop, const struct program *program)
{
	return program && program->id != 0 && program->drive.n_out == loop->daq->bench->n_out &&
	       program->drive.calibration == loop->calibration;
}

/**
 * Trips and whole ticks are the supervisor's own to raise. An arm that a stop has overtaken is void, and a run behind it with
 * it: whoever asked for the stop last is not to find the bench running.
 */
static bool take_event(struct loop *loop, const struct request *request)
{
	if (request->event == SUPERVISOR_ARM && loop->n_popped <= loop->void_asks)
		return false;
	return request->event != SUPERVISOR_TRIP && request->event != SUPERVISOR_WHOLE &&
	       supervisor_event(&loop->supervisor, request->event);
}

static bool take_program(struct loop *loop, const struct request *request)
{
	if (!program_fits(loop, request->program))
		return false;
	loop->program = request->program;
	sequencer_restart(&loop->program->sequencer);
	loop->plan_told = false;
	return true;
}

/** A volt beyond the converter's span would trip the bench: it is refused instead. The heartbeat is nobody's hand's. */
static bool take_manual(struct loop *loop, const struct request *request)
{
	const struct bench *bench = loop->daq->bench;
	const size_t k = request->output;

	if (!supervisor_running(&loop->supervisor) || k >= bench->n_out || bench->out[k].role == DAQ_HEARTBEAT)
		return false;
	if (!isnan(request->value_V) &&
	    !(request->value_V >= bench->out[k].min_V && request->value_V <= bench->out[k].max_V))
		return false;
	loop->manual_V[k] = request->value_V;
	loop->by_hand = true;
	return true;
}

static bool take_limits(struct loop *loop, const struct request *request)
{
	return supervisor_narrow(&loop->supervisor, request->output, request->min_V, request->max_V,
				 request->slew_V_per_s);
}

/** What EVENT_REQUEST says of it, beyond its id and kind. */
static struct loop_event answer(const struct request *request)
{
	struct loop_event event = {.kind = EVENT_REQUEST, .request = request->id, .a = request->kind};

	if (request->kind == REQUEST_EVENT)
		event.c = request->event;
	else if (request->kind == REQUEST_PROGRAM)
		event.c = request->program ? request->program->id : 0;
	else
		event.c = request->output;
	if (request->kind == REQUEST_MANUAL)
		event.value = request->value_V;
	if (request->kind == REQUEST_LIMITS) {
		event.value = request->min_V;
		event.limit = request->max_V;
		event.slew = request->slew_V_per_s;
	}
	return event;
}

static bool (*const takers[REQUEST_N_KINDS])(struct loop *loop, const struct request *request) = {
	[REQUEST_EVENT] = take_event,
	[REQUEST_PROGRAM] = take_program,
	[REQUEST_MANUAL] = take_manual,
	[REQUEST_LIMITS] = take_limits,
};

/** A stop, if one waits, ahead of all others. */
static bool next_request(struct loop *loop, struct request *request)
{
	struct stop stop;

	if (ring_pop(&loop->stops, &stop)) {
		*request = stop.request;
		loop->void_asks = stop.n_before;
		return true;
	}
	if (!ring_pop(&loop->requests, request))
		return false;
	loop->n_popped++;
	return true;
}

void take_request(struct loop *loop)
{
	const enum supervisor_state before = loop->supervisor.state;
	struct request request;

	/* Before the first tick has been judged there is nothing to reset: the request waits. */
	if (loop->n_ticks == 1 || !next_request(loop, &request))
		return;
	struct loop_event event = answer(&request);

	event.b = (size_t)request.kind < REQUEST_N_KINDS && takers[request.kind](loop, &request);
	loop->n_refused += !event.b;
	tell(loop, event);
	tell_state(loop, before, request.id);
}
