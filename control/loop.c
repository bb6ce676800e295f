#include "control/loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "control/loop_parts.h"
#include "control/realtime.h"
#include "daq/bench.h"
#include "daq/daq.h"

#define MAX_REQUESTS 16
#define WAIT_NS      1000000

static int take_memory(struct loop *loop, size_t n_requests, struct err *err)
{
	const struct bench *bench = loop->daq->bench;
	int code = state_init(&loop->state, bench->nx * bench->ny, err);

	if (!code)
		code = command_init(&loop->command, bench->n_out, err);
	if (!code)
		code = ring_init(&loop->requests, sizeof(struct request), n_requests ? n_requests : MAX_REQUESTS, err);
	if (!code)
		code = ring_init(&loop->stops, sizeof(struct stop), n_requests ? n_requests : MAX_REQUESTS, err);
	if (!code)
		code = view_init(loop, err);
	if (code)
		return code;
	loop->in_V = memory_touched(bench->n_in, sizeof(*loop->in_V));
	loop->out_V = memory_touched(bench->n_out, sizeof(*loop->out_V));
	loop->manual_V = memory_touched(bench->n_out, sizeof(*loop->manual_V));
	if (!loop->in_V || !loop->out_V || !loop->manual_V)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the loop of bench %s", bench->name);
	for (size_t k = 0; k < bench->n_out; k++) {
		loop->out_V[k] = bench->out[k].safe_V;
		loop->manual_V[k] = NAN;
	}
	return 0;
}

int loop_init(struct loop *loop, const struct loop_setup *setup, struct err *err)
{
	const struct bench *bench = setup->daq->bench;
	int code;

	*loop = (struct loop){
		.daq = setup->daq,
		.calibration = setup->calibration,
		.program = setup->program,
		.events = setup->events,
		.tap = setup->tap ? *setup->tap : (struct loop_tap){0},
		.watch = setup->watch ? *setup->watch : (struct loop_watch){0},
		.expires_ns = setup->expires_ns > 0 ? setup->expires_ns : INT64_MAX,
		.cpu = setup->cpu,
		.paced = setup->paced,
		.ends_with_plan = setup->ends_with_plan,
		.stages = setup->stages,
	};
	code = setup->daq->simulated ? 0 : bench_check_limits(bench, err);
	if (!code && !program_fits(loop, setup->program))
		code = err_set(err, JOSTLE_EINVAL, "the loop of bench %s: expected a program for its %zu outputs",
			       bench->name, bench->n_out);
	if (!code)
		code = take_memory(loop, setup->n_requests, err);
	if (!code)
		code = supervisor_init(&loop->supervisor, bench, setup->calibration, setup->daq->period_s,
				       setup->arming_allowed, err);
	if (code)
		loop_fini(loop);
	return code;
}

void loop_fini(struct loop *loop)
{
	supervisor_fini(&loop->supervisor);
	triple_fini(&loop->view);
	ring_fini(&loop->requests);
	ring_fini(&loop->stops);
	command_fini(&loop->command);
	state_fini(&loop->state);
	free(loop->in_V);
	free(loop->out_V);
	free(loop->manual_V);
	loop->in_V = loop->out_V = loop->manual_V = NULL;
}

int loop_continue(struct loop *loop, const struct tick_record *last, const double in_V[], const double out_V[],
		  const struct trip *trip, struct err *err)
{
	if (last->state >= SUPERVISOR_N_STATES || last->state == SUPERVISOR_RUNNING)
		return err_set(err, JOSTLE_EINVAL, "tick %llu: expected a loop that was not running, found state %s",
			       (unsigned long long)last->number, supervisor_state_name(last->state));
	loop->n_ticks = last->number + 1;
	loop->state.tick = last->tick;
	loop->state.t_ns = last->t_ns;
	sequencer_resume(&loop->program->sequencer, last->repeat);
	supervisor_continue(&loop->supervisor, last->state, trip, last->t_ns, in_V, out_V);
	memcpy(loop->in_V, in_V, loop->supervisor.n_in * sizeof(*in_V));
	memcpy(loop->out_V, out_V, loop->supervisor.n_out * sizeof(*out_V));
	return 0;
}

bool loop_ask(struct loop *loop, const struct request *request)
{
	if (request->kind == REQUEST_EVENT && request->event == SUPERVISOR_STOP)
		return ring_push(&loop->stops, &(struct stop){*request, loop->n_asked});
	if (!ring_push(&loop->requests, request))
		return false;
	loop->n_asked++;
	return true;
}

bool loop_request(struct loop *loop, enum supervisor_event event)
{
	return loop_ask(loop, &(struct request){.kind = REQUEST_EVENT, .event = event});
}

static bool at_end(const struct loop *loop)
{
	const struct supervisor *supervisor = &loop->supervisor;
	const bool tripped = supervisor->state == SUPERVISOR_FAULT && supervisor->trip.cause != TRIP_START;

	return atomic_load_explicit(&loop->stopping, memory_order_relaxed) ||
	       (loop->ends_with_plan && (loop->program->sequencer.done || tripped || loop->n_refused));
}

/** Unpaced, time stands still between ticks: the loop can wait for whoever takes the samples. Paced, it must not. */
static void wait_for_room(struct loop *loop)
{
	const struct timespec pause = {.tv_nsec = WAIT_NS};

	while (!loop->paced && !sequencer_has_room(&loop->program->sequencer) && !at_end(loop))
		nanosleep(&pause, NULL);
}

int loop_run(struct loop *loop, struct err *err)
{
	struct realtime realtime;
	int code;

	if (loop->paced)
		realtime_enter(&realtime, loop->cpu);
	code = loop->daq->driver->start(loop->daq, err);
	if (!code)
		do {
			wait_for_room(loop);
			loop_tick(loop);
		} while (!at_end(loop));
	loop->safe = loop->daq->driver->stop(loop->daq) == 0;
	if (!code && !loop->safe)
		code = err_set(err, JOSTLE_EIO,
			       "the outputs could not be driven to safe_V at the end: they are to be taken as unknown");
	if (loop->paced)
		realtime_leave(&realtime);
	atomic_store_explicit(&loop->finished, true, memory_order_release);
	return code;
}

static void *thread_main(void *argument)
{
	struct loop *loop = argument;

	loop->err.code = loop_run(loop, &loop->err);
	return NULL;
}

int loop_start(struct loop *loop, struct err *err)
{
	const int failed = realtime_thread(&loop->thread, thread_main, loop);

	return failed ? err_set(err, JOSTLE_ENOMEM, "the loop's thread could not be started (error %d)", failed) : 0;
}

void loop_stop(struct loop *loop)
{
	atomic_store_explicit(&loop->stopping, true, memory_order_relaxed);
}

bool loop_finished(const struct loop *loop)
{
	return atomic_load_explicit(&loop->finished, memory_order_acquire);
}

int loop_join(struct loop *loop, struct err *err)
{
	pthread_join(loop->thread, NULL);
	if (loop->err.code && err)
		*err = loop->err;
	return loop->err.code;
}

bool loop_left_safe(const struct loop *loop)
{
	return loop->safe;
}

uint64_t loop_n_ticks(const struct loop *loop)
{
	return atomic_load_explicit(&loop->beats, memory_order_relaxed);
}
