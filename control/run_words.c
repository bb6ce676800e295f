#include "control/run_words.h"

#include <math.h>
#include <stdio.h>

#include "control/request.h"
#include "control/supervisor.h"
#include "control/tick.h"

static const char *state_name(uint32_t state)
{
	return state < SUPERVISOR_N_STATES ? supervisor_state_name((enum supervisor_state)state) : "no state";
}

static void request_words(const struct loop_event *event, char *text, size_t size)
{
	const char *const done = event->b ? "" : " refused";
	const unsigned long long c = event->c;

	switch (event->a) {
	case REQUEST_EVENT:
		snprintf(text, size, "%s%s",
			 c < SUPERVISOR_N_EVENTS ? supervisor_event_name((enum supervisor_event)c) : "no event", done);
		break;
	case REQUEST_PROGRAM:
		snprintf(text, size, "program %llu%s", c, done);
		break;
	case REQUEST_MANUAL:
		if (isnan(event->value))
			snprintf(text, size, "output %llu no longer by hand%s", c, done);
		else
			snprintf(text, size, "output %llu by hand at %g V%s", c, event->value, done);
		break;
	case REQUEST_LIMITS:
		snprintf(text, size, "output %llu limited to %g V … %g V, %g V/s%s", c, event->value, event->limit,
			 event->slew, done);
		break;
	default:
		snprintf(text, size, "request of kind %u%s", event->a, done);
	}
}

void run_event_words(const struct loop_event *event, const struct bench *bench, char *text, size_t size)
{
	const unsigned long long c = event->c;

	switch (event->kind) {
	case EVENT_STATE:
		snprintf(text, size, "%s to %s", state_name(event->a), state_name(event->b));
		break;
	case EVENT_TRIP:
		trip_format(&(struct trip){.cause = event->a < TRIP_N_CAUSES ? (enum trip_cause)event->a : TRIP_NONE,
					   .channel = (size_t)event->c,
					   .value = event->value,
					   .limit = event->limit,
					   .t_ns = event->t_ns,
					   .tick = event->tick},
			    bench, text, size);
		break;
	case EVENT_MISSED:
		snprintf(text, size, "missed %g slots", event->value);
		break;
	case EVENT_REQUEST:
		request_words(event, text, size);
		break;
	case EVENT_SAMPLE:
		snprintf(text, size, "sample %llu", c);
		break;
	case EVENT_PLAN:
		snprintf(text, size, "plan of program %llu done", c);
		break;
	default:
		snprintf(text, size, "event of kind %u", event->kind);
	}
}
