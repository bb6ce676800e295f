#include "control/loop.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "control/realtime.h"
#include "control/stability.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"

#define MAX_REQUESTS 16
#define WAIT_NS      1000000
#define TIMED_TICKS  64 /* unpaced: reading the clock at every tick would cost as much as a small network's force */

static int take_memory(struct loop *loop, struct err *err)
{
	const struct bench *bench = loop->daq->bench;
	int code = state_init(&loop->state, bench->nx * bench->ny, err);

	if (!code)
		code = command_init(&loop->command, bench->n_out, err);
	if (!code)
		code = ring_init(&loop->requests, sizeof(enum supervisor_event), MAX_REQUESTS, err);
	if (code)
		return code;
	loop->in_V = calloc(bench->n_in ? bench->n_in : 1, sizeof(*loop->in_V));
	loop->out_V = calloc(bench->n_out ? bench->n_out : 1, sizeof(*loop->out_V));
	if (!loop->in_V || !loop->out_V)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the loop of bench %s", bench->name);
	for (size_t k = 0; k < bench->n_out; k++)
		loop->out_V[k] = bench->out[k].safe_V;
	return 0;
}

int loop_init(struct loop *loop, const struct loop_setup *setup, struct err *err)
{
	const struct bench *bench = setup->daq->bench;
	const double period_s = setup->daq->period_s;
	int code;

	*loop = (struct loop){.daq = setup->daq, .paced = setup->paced, .ends_with_plan = setup->ends_with_plan};
	code = setup->daq->simulated ? 0 : bench_check_limits(bench, err);
	if (!code)
		code = take_memory(loop, err);
	if (!code)
		code = calibration_init(&loop->calibration, bench, setup->record, period_s, err);
	if (!code)
		code = potential_init(&loop->potential, setup->protocol, err);
	if (!code)
		code = drive_init(&loop->drive, bench, &loop->calibration, setup->record, &loop->potential, err);
	if (!code)
		code = sequencer_init(&loop->sequencer, setup->plan, loop->calibration.period,
				      loop->calibration.latency, &loop->potential, setup->samples, err);
	if (!code)
		code = stability_check(setup->plan, bench, &loop->calibration, &loop->potential, period_s, err);
	if (!code)
		code = supervisor_init(&loop->supervisor, bench, &loop->calibration, period_s, setup->arming_allowed,
				       err);
	if (code)
		loop_fini(loop);
	return code;
}

void loop_fini(struct loop *loop)
{
	supervisor_fini(&loop->supervisor);
	sequencer_fini(&loop->sequencer);
	drive_fini(&loop->drive);
	potential_fini(&loop->potential);
	calibration_fini(&loop->calibration);
	ring_fini(&loop->requests);
	command_fini(&loop->command);
	state_fini(&loop->state);
	free(loop->in_V);
	free(loop->out_V);
	loop->in_V = loop->out_V = NULL;
}

bool loop_request(struct loop *loop, enum supervisor_event event)
{
	return ring_push(&loop->requests, &event);
}

/**
 * The number of this edge on the time grid: the next one, unless the driver says that edges were missed. When it says so
 * and none was left out, the outputs were written too late for this one.
 */
static void count_tick(struct loop *loop, int exchange, int64_t before_ns)
{
	const double period_ns = loop->daq->period_s * 1e9;

	if (loop->n_ticks++ == 0)
		return;
	uint64_t slots = 1;

	loop->state.missed = exchange == JOSTLE_EMISSED;
	if (loop->state.missed) {
		const double passed = round((double)(loop->state.t_ns - before_ns) / period_ns);

		slots = passed > 1 && passed < 1e15 ? (uint64_t)passed : 1;
		loop->n_missed += slots > 1 ? slots - 1 : 1;
	}
	loop->state.tick += slots;
}

static void take_request(struct loop *loop)
{
	enum supervisor_event event;

	/* Before the first tick has been judged there is nothing to reset: the request waits. */
	if (loop->n_ticks == 1 || !ring_pop(&loop->requests, &event))
		return;
	/* Trips and whole ticks are the supervisor's own to raise. */
	if (event == SUPERVISOR_TRIP || event == SUPERVISOR_WHOLE || !supervisor_event(&loop->supervisor, event))
		loop->n_refused++;
}

/** What is wanted: the plan's next setpoint while running, else nothing, with the plan back at its beginning. */
static void next_setpoint(struct loop *loop, bool finite)
{
	loop->setpoint.kind = SETPOINT_PASSIVE;
	if (!supervisor_running(&loop->supervisor))
		sequencer_rewind(&loop->sequencer);
	else if (finite)
		sequencer_step(&loop->sequencer, &loop->state, &loop->setpoint);
	loop->n_driven += loop->setpoint.kind == SETPOINT_PROTOCOL;
}

void loop_tick(struct loop *loop)
{
	const int64_t before_ns = loop->state.t_ns;
	const int exchange = loop->daq->driver->exchange(loop->daq, loop->out_V, loop->in_V, &loop->state.t_ns);
	const bool timed = loop->paced || loop->n_ticks % TIMED_TICKS == 0;
	const int64_t start_ns = timed ? clock_now_ns() : 0;

	count_tick(loop, exchange, before_ns);
	take_request(loop);
	const bool finite = calibration_to_state(&loop->calibration, loop->in_V, &loop->state);
	next_setpoint(loop, finite);
	drive_step(&loop->drive, &loop->setpoint, &loop->state, &loop->command);
	calibration_to_volts(&loop->calibration, &loop->command, loop->out_V);
	supervisor_limit(&loop->supervisor, exchange, loop->in_V, &loop->state, &loop->command, loop->out_V);
	if (supervisor_running(&loop->supervisor))
		sequencer_publish(&loop->sequencer);

	if (timed)
		histogram_add(&loop->execution, clock_now_ns() - start_ns);
}

static bool at_end(const struct loop *loop)
{
	const struct supervisor *supervisor = &loop->supervisor;
	const bool tripped = supervisor->state == SUPERVISOR_FAULT && supervisor->trip.cause != TRIP_START;

	return atomic_load_explicit(&loop->stopping, memory_order_relaxed) ||
	       (loop->ends_with_plan && (loop->sequencer.done || tripped || loop->n_refused));
}

/** Unpaced, time stands still between ticks: the loop can wait for whoever takes the samples. Paced, it must not. */
static void wait_for_room(struct loop *loop)
{
	const struct timespec pause = {.tv_nsec = WAIT_NS};

	while (!loop->paced && !sequencer_has_room(&loop->sequencer) && !at_end(loop))
		nanosleep(&pause, NULL);
}

int loop_run(struct loop *loop, struct err *err)
{
	struct realtime realtime;
	int code;

	if (loop->paced)
		realtime_enter(&realtime);
	code = loop->daq->driver->start(loop->daq, err);
	if (!code)
		do {
			wait_for_room(loop);
			loop_tick(loop);
		} while (!at_end(loop));
	loop->daq->driver->stop(loop->daq);
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
	const int failed = pthread_create(&loop->thread, NULL, thread_main, loop);

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
