/*
 * What the tables of a run file are: docs/file-formats.md, "Run", in a form that writer and reader share.
 */
#include <string.h>

#include "control/instruments.h"
#include "control/run_table.h"

#define ROW(member)     offsetof(struct tick_record, member)
#define EVENT(member)   (offsetof(struct run_event, event) + offsetof(struct loop_event, member))
#define COMMAND(member) offsetof(struct run_command, member)
#define PROGRAM(member) offsetof(struct run_program_entry, member)
#define SEGMENT(member) offsetof(struct run_segment, member)
#define CLOCK(member)   offsetof(struct run_clock, member)
#define NOTE(member)    offsetof(struct instruments_note, member)

#define FLAT(path, type, unit, meaning, at)                                                                            \
	{                                                                                                              \
		{.name = path, .value = type, .width = 1, .flat = true, .label = {unit, meaning}}, at                  \
	}
#define WORDS(path, size, meaning, at)                                                                                 \
	{                                                                                                              \
		{.name = path, .value = H5_TEXT, .width = size, .flat = true, .label = {"1", meaning}}, at             \
	}

static const struct run_column row_columns[] = {
	FLAT("tick/number", H5_U64, "1", "number of the exchange", ROW(number)),
	FLAT("tick/tick", H5_U64, "1", "number of the edge on the time grid", ROW(tick)),
	FLAT("tick/t_ns", H5_I64, "ns", "CLOCK_MONOTONIC at the edge", ROW(t_ns)),
	FLAT("tick/woke_ns", H5_I64, "ns", "CLOCK_MONOTONIC when the wait for the edge was over; 0: nobody waited",
	     ROW(woke_ns)),
	FLAT("tick/exchange", H5_I32, "1", "what the driver returned: 0 or a negative error", ROW(exchange)),
	FLAT("tick/outside", H5_U32, "1", "facts from outside, or'ed", ROW(outside)),
	FLAT("tick/state", H5_U32, "1", "supervisor after the tick: 0 SAFE, 1 IDLE, 2 ARMED, 3 RUNNING, 4 FAULT",
	     ROW(state)),
	FLAT("tick/setpoint", H5_U32, "1", "setpoint: 0 passive, 1 the protocol", ROW(setpoint)),
	FLAT("tick/program", H5_U64, "1", "id of the program carried out; 0: none", ROW(program)),
	FLAT("tick/repeat", H5_U64, "1", "repeats of the plan done before the tick", ROW(repeat)),
	FLAT("tick/segment", H5_U32, "1", "segment of the plan", ROW(segment)),
	FLAT("tick/execution_ns", H5_U32, "ns", "execution time of the tick before this one", ROW(execution_ns)),
	FLAT("tick/setpoint_t", H5_F64, "natural", "diffusion time of the setpoint", ROW(setpoint_t)),
};

static const struct run_column event_columns[] = {
	FLAT("events/kind", H5_U32, "1", "0 state, 1 trip, 2 missed slots, 3 request, 4 sample, 5 end of the plan",
	     EVENT(kind)),
	FLAT("events/a", H5_U32, "1", "state before, cause of the trip, or kind of the request", EVENT(a)),
	FLAT("events/b", H5_U32, "1", "state after, or whether the request was taken", EVENT(b)),
	FLAT("events/number", H5_U64, "1", "number of the exchange at which it happened", EVENT(number)),
	FLAT("events/tick", H5_U64, "1", "number of that edge on the time grid", EVENT(tick)),
	FLAT("events/t_ns", H5_I64, "ns", "CLOCK_MONOTONIC at that edge", EVENT(t_ns)),
	FLAT("events/request", H5_U64, "1", "id of the request behind it; 0: none", EVENT(request)),
	FLAT("events/c", H5_U64, "1", "channel, output, program, supervisor event or sample, by the kind", EVENT(c)),
	FLAT("events/value", H5_F64, "by kind", "value of the trip, slots missed, or the request's first number",
	     EVENT(value)),
	FLAT("events/limit", H5_F64, "by kind", "limit of the trip, or the request's second number", EVENT(limit)),
	FLAT("events/slew", H5_F64, "V/s", "the request's slew limit", EVENT(slew)),
	WORDS("events/text", RUN_TEXT_SIZE, "the same in words", offsetof(struct run_event, text)),
};

static const struct run_column command_columns[] = {
	FLAT("commands/t_ns", H5_I64, "ns", "CLOCK_MONOTONIC when it was answered", COMMAND(t_ns)),
	FLAT("commands/request", H5_U64, "1", "id of the request to the loop; 0: none", COMMAND(request)),
	WORDS("commands/client", RUN_CLIENT_SIZE, "who asked", COMMAND(client)),
	WORDS("commands/command", RUN_COMMAND_SIZE, "what for", COMMAND(command)),
	WORDS("commands/answer", RUN_COMMAND_SIZE, "what was answered", COMMAND(answer)),
};

static const struct run_column sample_columns[] = {
	FLAT("samples/program", H5_U64, "1", "id of the program that made it", offsetof(struct sample_record, program)),
	FLAT("samples/number", H5_U64, "1", "number in the program's plan", offsetof(struct sample_record, number)),
	FLAT("samples/tick", H5_U64, "1", "edge at which it was read", offsetof(struct sample_record, tick)),
};

static const struct run_column program_columns[] = {
	FLAT("programs/id", H5_U64, "1", "id of the program", PROGRAM(id)),
	FLAT("programs/offset", H5_U64, "B", "where its protocol's file begins in content", PROGRAM(offset)),
	FLAT("programs/size", H5_U64, "B", "how long that is; 0: no protocol", PROGRAM(size)),
	FLAT("programs/plan_first", H5_U64, "1", "row of /plan at which its plan begins", PROGRAM(plan_first)),
	FLAT("programs/plan_segments", H5_U64, "1", "rows of /plan that it has", PROGRAM(plan_segments)),
	FLAT("programs/plan_repeats", H5_U64, "1", "how many times they are carried out", PROGRAM(plan_repeats)),
	WORDS("programs/checksum", sizeof(((struct run_program_entry *)NULL)->checksum), "the protocol's checksum",
	      PROGRAM(checksum)),
};

static const struct run_column plan_columns[] = {
	FLAT("plan/kind", H5_U32, "1", "0 idle, 1 relax, 2 generate", SEGMENT(kind)),
	FLAT("plan/duration", H5_F64, "natural", "how long an idle or relaxation lasts", SEGMENT(duration)),
	FLAT("plan/t_final", H5_F64, "natural", "diffusion time at which a generation begins", SEGMENT(t_final)),
	FLAT("plan/t_minimum", H5_F64, "natural", "diffusion time at which it ends", SEGMENT(t_minimum)),
};

static const struct run_column clock_columns[] = {
	FLAT("clock/monotonic_ns", H5_I64, "ns", "CLOCK_MONOTONIC", CLOCK(monotonic_ns)),
	FLAT("clock/realtime_ns", H5_I64, "ns", "CLOCK_REALTIME, from 1970 on, at the same moment", CLOCK(realtime_ns)),
};

static const struct run_column instrument_columns[] = {
	FLAT("instruments/t_ns", H5_I64, "ns", "CLOCK_MONOTONIC", NOTE(t_ns)),
	FLAT("instruments/kind", H5_U32, "1", "0 reading, 1 set, 2 words", NOTE(kind)),
	WORDS("instruments/instrument", INSTRUMENT_NAME_SIZE, "name of the instrument", NOTE(instrument)),
	WORDS("instruments/name", INSTRUMENT_NAME_SIZE, "name of what was read or set", NOTE(name)),
	FLAT("instruments/quantity", H5_F64, "the bench file's", "what was read, or what it was set to",
	     NOTE(quantity)),
	WORDS("instruments/words", INSTRUMENT_WORDS, "what happened, where it is words", NOTE(words)),
};
_Static_assert(sizeof(enum instruments_note_kind) == sizeof(uint32_t), "a note's kind is a column of that size");

const struct h5_column_kind run_content_kind = {.name = "programs/content",
						.value = H5_U8,
						.width = 1,
						.flat = true,
						.rows_once = 65536,
						.label = {"1", "protocol files, one after another"}};
const struct h5_column_kind run_calibration_kind = {.name = "calibration",
						    .value = H5_U8,
						    .width = 1,
						    .flat = true,
						    .rows_once = 65536,
						    .label = {"1", "the calibration record's file"}};

#define N(array)   (sizeof(array) / sizeof((array)[0]))
#define COPY(from) (memcpy(columns, from, sizeof(from)), N(from))

/** A column of several values in each row; none when there are none. */
static size_t add_wide(struct run_column columns[], size_t n, const char *name, enum h5_value value, size_t width,
		       size_t offset, const char *units, const char *long_name)
{
	if (width)
		columns[n++] = (struct run_column){
			{.name = name, .value = value, .width = width, .label = {units, long_name}}, offset};
	return n;
}

size_t run_row_columns(const struct run_shape *shape, bool derived, struct run_column columns[])
{
	const size_t in = ROW(values), out = in + shape->n_in * sizeof(double);
	const size_t command = out + shape->n_out * sizeof(double), x = command + shape->n_out * sizeof(double);
	const size_t force = x + shape->n_sites * sizeof(float), temperature = force + shape->n_sites * sizeof(float);
	size_t n = COPY(row_columns);

	n = add_wide(columns, n, "in_V", H5_F64, shape->n_in, in, "V", "inputs, in the order of the bench file");
	n = add_wide(columns, n, "out_V", H5_F64, shape->n_out, out, "V", "outputs as written");
	n = add_wide(columns, n, "command", H5_F64, shape->n_out, command, "N, or unit of theta, by the output's role",
		     "what was commanded, before calibration and limits");
	if (!derived)
		return n;
	n = add_wide(columns, n, "x_m", H5_F32, shape->n_sites, x, "m", "displacement of each site");
	n = add_wide(columns, n, "force_N", H5_F32, shape->force ? shape->n_sites : 0, force, "N",
		     "measured force on each site");
	if (shape->temperature)
		columns[n++] =
			(struct run_column)FLAT("temperature_K", H5_F32, "K", "temperature of the bath", temperature);
	return n;
}

size_t run_event_columns(bool text, struct run_column columns[])
{
	return COPY(event_columns) - !text;
}

size_t run_command_columns(struct run_column columns[])
{
	return COPY(command_columns);
}

size_t run_sample_columns(size_t n_sites, struct run_column columns[])
{
	return add_wide(columns, COPY(sample_columns), "samples/value", H5_F64, n_sites,
			offsetof(struct sample_record, value), "natural",
			"displacement of each site after the read-out");
}

size_t run_program_columns(struct run_column columns[])
{
	return COPY(program_columns);
}

size_t run_plan_columns(struct run_column columns[])
{
	return COPY(plan_columns);
}

size_t run_clock_columns(struct run_column columns[])
{
	return COPY(clock_columns);
}

size_t run_instrument_columns(struct run_column columns[])
{
	return COPY(instrument_columns);
}
