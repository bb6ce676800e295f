#include "control/supervisor.h"

#include <stdio.h>

#include "base/err.h"
#include "daq/bench.h"

static const char *const state_names[] = {
	[SUPERVISOR_SAFE] = "SAFE",       [SUPERVISOR_IDLE] = "IDLE",   [SUPERVISOR_ARMED] = "ARMED",
	[SUPERVISOR_RUNNING] = "RUNNING", [SUPERVISOR_FAULT] = "FAULT",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == SUPERVISOR_N_STATES, "every state has a name");

static const char *const event_names[] = {
	[SUPERVISOR_RESET] = "reset", [SUPERVISOR_WHOLE] = "whole tick", [SUPERVISOR_ARM] = "arm",
	[SUPERVISOR_RUN] = "run",     [SUPERVISOR_STOP] = "stop",        [SUPERVISOR_TRIP] = "trip",
};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == SUPERVISOR_N_EVENTS, "every event has a name");

static bool nothing_is_wrong(const struct supervisor *supervisor)
{
	return supervisor->condition == TRIP_NONE;
}

static bool arming_is_allowed(const struct supervisor *supervisor)
{
	return supervisor->arming_allowed && nothing_is_wrong(supervisor);
}

struct transition {
	bool exists;
	enum supervisor_state to;
	bool (*guard)(const struct supervisor *supervisor); /* NULL: always */
};

static const struct transition transitions[SUPERVISOR_N_STATES][SUPERVISOR_N_EVENTS] = {
	[SUPERVISOR_FAULT] = {[SUPERVISOR_RESET] = {true, SUPERVISOR_SAFE, nothing_is_wrong},
			      [SUPERVISOR_TRIP] = {true, SUPERVISOR_FAULT, NULL}},
	[SUPERVISOR_SAFE] = {[SUPERVISOR_WHOLE] = {true, SUPERVISOR_IDLE, NULL},
			     [SUPERVISOR_TRIP] = {true, SUPERVISOR_FAULT, NULL}},
	[SUPERVISOR_IDLE] = {[SUPERVISOR_ARM] = {true, SUPERVISOR_ARMED, arming_is_allowed},
			     [SUPERVISOR_TRIP] = {true, SUPERVISOR_FAULT, NULL}},
	[SUPERVISOR_ARMED] = {[SUPERVISOR_RUN] = {true, SUPERVISOR_RUNNING, nothing_is_wrong},
			      [SUPERVISOR_STOP] = {true, SUPERVISOR_IDLE, NULL},
			      [SUPERVISOR_TRIP] = {true, SUPERVISOR_FAULT, NULL}},
	[SUPERVISOR_RUNNING] =
		{[SUPERVISOR_STOP] = {true, SUPERVISOR_IDLE, NULL}, [SUPERVISOR_TRIP] = {true, SUPERVISOR_FAULT, NULL}},
};

bool supervisor_event(struct supervisor *supervisor, enum supervisor_event event)
{
	if ((unsigned)event >= SUPERVISOR_N_EVENTS)
		return false;
	const struct transition *transition = &transitions[supervisor->state][event];

	if (!transition->exists || (transition->guard && !transition->guard(supervisor)))
		return false;
	supervisor->state = transition->to;
	if (event == SUPERVISOR_RESET)
		supervisor->trip = (struct trip){.cause = TRIP_NONE};
	return true;
}

void supervisor_trip(struct supervisor *supervisor, const struct trip *trip)
{
	if (supervisor->state != SUPERVISOR_FAULT || supervisor->trip.cause == TRIP_START)
		supervisor->trip = *trip;
	supervisor_event(supervisor, SUPERVISOR_TRIP);
}

const char *supervisor_state_name(enum supervisor_state state)
{
	return (unsigned)state < SUPERVISOR_N_STATES ? state_names[state] : "unknown state";
}

const char *supervisor_event_name(enum supervisor_event event)
{
	return (unsigned)event < SUPERVISOR_N_EVENTS ? event_names[event] : "unknown event";
}

/** "input 3 (displacement 1)". */
static const char *channel_name(const struct trip *trip, const struct bench *bench, bool input, char *text, size_t size)
{
	const size_t n = input ? bench->n_in : bench->n_out;

	if (trip->channel >= n)
		snprintf(text, size, "%s %zu", input ? "input" : "output", trip->channel);
	else
		snprintf(text, size, "%s %zu (%s %zu)", input ? "input" : "output", trip->channel,
			 daq_role_name((input ? bench->in : bench->out)[trip->channel].role),
			 (input ? bench->in : bench->out)[trip->channel].index);
	return text;
}

static void cause_format(const struct trip *trip, const struct bench *bench, char *text, size_t size)
{
	char channel[64];

	switch (trip->cause) {
	case TRIP_START:
		snprintf(text, size, "not reset since the start");
		break;
	case TRIP_EXCHANGE:
		snprintf(text, size,
			 "the bench could not exchange samples: %s; where a plant or a device was started again, so "
			 "must this run be",
			 err_name((int)trip->value));
		break;
	case TRIP_INPUT:
		snprintf(text, size, "%s: expected a finite voltage, found %g V",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value);
		break;
	case TRIP_STALE_INPUT:
		snprintf(text, size, "stale input: %s stood still for %g periods, limit %g",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_CLOCK_STEP:
		snprintf(text, size,
			 "the bench's clock was set: expected the edge's time to advance by %g ns, found %+g ns",
			 trip->limit, trip->value);
		break;
	case TRIP_STALE_CLOCK:
		snprintf(text, size, "stale clock: expected the edge's time to advance, found %+g ns", trip->value);
		break;
	case TRIP_DIVERGENCE:
		snprintf(text, size, "divergence: %s at %g m, limit %g m",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_FORCE:
		snprintf(text, size, "measured force: %s at %g N, limit %g N",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_VOLTS:
		snprintf(text, size, "%s reads %g V, outside its limits, which end at %g V",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_COMMAND:
		snprintf(text, size, "%s: expected a finite command, found %g",
			 channel_name(trip, bench, false, channel, sizeof(channel)), trip->value);
		break;
	case TRIP_SPAN:
		snprintf(text, size, "%s: %g V is outside the converter's span, which ends at %g V",
			 channel_name(trip, bench, false, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_SATURATION:
		snprintf(text, size, "%s at the end of its range for %g periods in a row, limit %g",
			 channel_name(trip, bench, false, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_MISSED:
		snprintf(text, size, "%g slots of the time grid missed within %d, limit %g", trip->value,
			 BENCH_MISSED_WINDOW, trip->limit);
		break;
	case TRIP_RAIL:
		snprintf(text, size, "saturated input: %s at an end of its converter's span, %g V, for %g periods",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_TEMPERATURE:
		snprintf(text, size, "%s at %g K, outside its limits, which end at %g K",
			 channel_name(trip, bench, true, channel, sizeof(channel)), trip->value, trip->limit);
		break;
	case TRIP_CALIBRATION:
		snprintf(text, size, "the calibration has expired");
		break;
	case TRIP_GUARDIAN_LOST:
		snprintf(text, size, "the guardian is lost");
		break;
	case TRIP_GUARDIAN:
		snprintf(text, size, "the guardian has seized the outputs");
		break;
	case TRIP_READING:
		snprintf(text, size, "an instrument's reading is outside its limits");
		break;
	case TRIP_SILENT:
		snprintf(text, size, "an instrument is silent whose reading has limits");
		break;
	default:
		snprintf(text, size, "no trip");
		break;
	}
}

void trip_format(const struct trip *trip, const struct bench *bench, char *text, size_t size)
{
	char cause[256];

	cause_format(trip, bench, cause, sizeof(cause));
	if (trip->cause == TRIP_NONE || trip->cause == TRIP_START)
		snprintf(text, size, "%s", cause);
	else
		snprintf(text, size, "%s; tick %llu, %.6f s on the bench's clock", cause,
			 (unsigned long long)trip->tick, (double)trip->t_ns * 1e-9);
}
