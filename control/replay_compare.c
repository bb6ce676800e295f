/*
 * The comparison of a replayed tick with its row, and how a difference is told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/replay_loop.h"

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/** Count a row that differs, and keep what was the very first to. */
static void found(struct replay_loop *replay, enum replay_field field, size_t output, double recorded, double replayed)
{
	struct replay_report *report = replay->report;
	const struct tick_record *row = replay->row;

	if (replay->differs)
		return;
	replay->differs = true;
	if (report->n_different++)
		return;
	report->first = (struct replay_difference){
		.field = field,
		.output = output,
		.number = row->number,
		.tick = row->tick,
		.t_ns = row->t_ns,
		.recorded = recorded,
		.replayed = replayed,
	};
	if (field == REPLAY_OUT_V) {
		report->first.role = replay->bench.out[output].role;
		report->first.index = replay->bench.out[output].index;
	}
}

void replay_loop_compare(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
			 const double command[])
{
	struct replay_loop *replay = context;
	const struct tick_record *row = replay->row;
	const double *recorded_V = row->values + replay->bench.n_in;

	(void)in_V;
	(void)command;
	replay->report->n_driven += tick->setpoint == SETPOINT_PROTOCOL;
	for (size_t k = 0; k < replay->bench.n_out; k++)
		if (!same_bits(recorded_V[k], out_V[k]))
			found(replay, REPLAY_OUT_V, k, recorded_V[k], out_V[k]);
	const struct {
		enum replay_field field;
		uint64_t recorded, replayed;
	} numbers[] = {
		{REPLAY_STATE, row->state, tick->state},          {REPLAY_TICK, row->tick, tick->tick},
		{REPLAY_PROGRAM, row->program, tick->program},    {REPLAY_SEGMENT, row->segment, tick->segment},
		{REPLAY_SETPOINT, row->setpoint, tick->setpoint},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].recorded != numbers[i].replayed)
			found(replay, numbers[i].field, 0, (double)numbers[i].recorded, (double)numbers[i].replayed);
	if (!same_bits(row->setpoint_t, tick->setpoint_t))
		found(replay, REPLAY_SETPOINT_T, 0, row->setpoint_t, tick->setpoint_t);
}

void replay_loop_hear(void *context, const struct loop_event *event)
{
	struct replay_loop *replay = context;

	if (event->kind == EVENT_REQUEST && replay->asked && replay->taken != (event->b != 0))
		found(replay, REPLAY_ANSWER, 0, replay->taken, event->b);
}

static const char *const field_names[] = {
	[REPLAY_OUT_V] = "output",
	[REPLAY_STATE] = "state",
	[REPLAY_TICK] = "tick on the grid",
	[REPLAY_PROGRAM] = "program",
	[REPLAY_SEGMENT] = "segment",
	[REPLAY_SETPOINT] = "setpoint",
	[REPLAY_SETPOINT_T] = "diffusion time",
	[REPLAY_ANSWER] = "answer to a request",
};
_Static_assert(sizeof(field_names) / sizeof(field_names[0]) == REPLAY_N_FIELDS, "every field has a name");

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

void replay_difference_format(const struct replay_difference *difference, char *text, size_t size)
{
	const double recorded = difference->recorded, replayed = difference->replayed;

	if (difference->field == REPLAY_OUT_V)
		snprintf(text, size,
			 "output %zu (%s %zu): recorded %.17g V (%016" PRIx64 "), replayed %.17g V (%016" PRIx64 ")",
			 difference->output, daq_role_name(difference->role), difference->index, recorded,
			 bits_of(recorded), replayed, bits_of(replayed));
	else if (difference->field == REPLAY_STATE)
		snprintf(text, size, "state: recorded %s, replayed %s",
			 supervisor_state_name((enum supervisor_state)recorded),
			 supervisor_state_name((enum supervisor_state)replayed));
	else
		snprintf(text, size, "%s: recorded %.17g, replayed %.17g", field_names[difference->field], recorded,
			 replayed);
}
