/*
 * From the rings and the queue into the recorder thread's own memory, where everything stays until a file holds it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/calibration.h"
#include "control/recorder_parts.h"
#include "control/request.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"

static void take_program(struct recorder *r, struct recorded_program *program)
{
	struct recorded_program *more = realloc(r->program, (r->n_programs + 1) * sizeof(*more));

	if (!more) {
		log_warning("program %llu is not recorded: no memory", (unsigned long long)program->id);
		recorded_program_fini(program);
		pthread_mutex_lock(&r->lock);
		r->dropped[DROPPED_PROGRAMS]++;
		pthread_mutex_unlock(&r->lock);
		return;
	}
	r->program = more;
	r->program[r->n_programs++] = *program;
}

static void take_queue(struct recorder *r)
{
	struct queue taken = {0};

	pthread_mutex_lock(&r->lock);
	queue_move(&taken, &r->queue);
	pthread_mutex_unlock(&r->lock);
	while (taken.first) {
		struct queued *item = taken.first;

		taken.first = item->next;
		if (item->kind == QUEUED_PROGRAM) {
			take_program(r, &item->is.program);
			free(item);
		} else {
			queue_put(&r->waiting, item);
		}
	}
	pthread_mutex_lock(&r->lock);
	r->waiting_size = r->waiting.size;
	pthread_mutex_unlock(&r->lock);
}

void recorder_remember(struct recorder *r, const struct loop_event *event)
{
	if (event->kind != EVENT_REQUEST || event->a != REQUEST_LIMITS || !event->b || event->c >= r->shape.n_out)
		return;
	struct loop_event *known = &r->limits[event->c];
	const struct loop_event before = *known;
	const bool newer = before.kind != EVENT_REQUEST || event->number >= before.number;

	if (newer)
		*known = *event;
	known->reserved = 0;
	/* A request without a slew leaves the one before it in force. */
	if (known->slew == 0)
		known->slew = newer ? before.slew : event->slew;
}

/** With no row under way nothing of an event that came while recording was off is to be written at its place. */
static void take_events(struct recorder *r)
{
	const bool resting = r->n_batch == 0 && !r->writer;

	while (r->n_events < RECORDER_EVENTS && ring_pop(&r->events, &r->event[r->n_events])) {
		if (resting && r->event[r->n_events].reserved == RECORDER_OFF)
			recorder_remember(r, &r->event[r->n_events]);
		else
			r->n_events++;
	}
}

void recorder_take(struct recorder *r)
{
	uint64_t current = atomic_load(&r->current);

	/* Rows first: whatever came before a row in the loop or before its program was asked for is then there to be taken. */
	while (r->n_batch < r->batch_rows && ring_pop(&r->rows, r->batch + r->n_batch * r->row_size))
		r->n_batch++;
	take_events(r);
	take_queue(r);
	if (r->n_batch)
		current = ((const struct tick_record *)r->batch)->program;
	recorder_forget_programs(r, current);
}

/** The row as the file has it: the command in SI, and what follows from the inputs. */
static void derive(struct recorder *r, const unsigned char *from, unsigned char *to)
{
	const struct run_shape *shape = &r->shape;
	const struct units *units = &r->setup.record->units;
	struct tick_record *row = (struct tick_record *)to;

	memcpy(to, from, r->row_size);
	double *command = row->values + shape->n_in + shape->n_out;
	float *x_m = (float *)(command + shape->n_out), *force_N = x_m + shape->n_sites;

	for (size_t k = 0; k < shape->n_out; k++) {
		const enum daq_role role = r->setup.bench->out[k].role;

		command[k] = role == DAQ_FORCE ? command[k] * units->force_N : role == DAQ_PARAMETER ? command[k] : 0;
	}
	calibration_to_state(r->setup.calibration, row->values, &r->state);
	for (size_t i = 0; i < shape->n_sites; i++) {
		x_m[i] = (float)(r->state.x[i] * units->length_m);
		force_N[i] = (float)(r->state.force[i] * units->force_N);
	}
	force_N[shape->n_sites] = (float)r->state.temperature_K;
}

size_t recorder_derive(struct recorder *r, bool keep_last)
{
	/* Of what happened at the last row not everything may be there before its successor is. */
	const size_t n = r->n_batch > 0 && keep_last ? r->n_batch - 1 : r->n_batch;

	for (size_t i = 0; i < n; i++)
		derive(r, r->batch + i * r->row_size, r->derived + i * r->derived_size);
	return n;
}
