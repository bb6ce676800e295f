/*
 * What the loop says, in its order: events, and between them samples.
 */
#include "base/ring.h"
#include "control/service_parts.h"
#include "daq/bench.h"

static const char *const kind_names[EVENT_N_KINDS] = {
	[EVENT_STATE] = "state",     [EVENT_TRIP] = "trip",     [EVENT_MISSED] = "missed",
	[EVENT_REQUEST] = "request", [EVENT_SAMPLE] = "sample", [EVENT_PLAN] = "plan",
};

static struct trip trip_of(const struct loop_event *event)
{
	return (struct trip){.cause = (enum trip_cause)event->a,
			     .channel = (size_t)event->c,
			     .value = event->value,
			     .limit = event->limit,
			     .t_ns = event->t_ns,
			     .tick = event->tick};
}

static const char *request_name(const struct loop_event *event)
{
	static const char *const names[REQUEST_N_KINDS] = {
		[REQUEST_PROGRAM] = "program", [REQUEST_MANUAL] = "manual", [REQUEST_LIMITS] = "limits"};

	return event->a == REQUEST_EVENT ? supervisor_event_name((enum supervisor_event)event->c) : names[event->a];
}

static void publish_event(struct service *service, const struct loop_event *event)
{
	struct wire_writer *writer = telemetry_begin(service, TOPIC_OF_EVENT);
	const struct trip trip = trip_of(event);

	wire_put_text(writer, "kind", kind_names[event->kind]);
	wire_put_whole(writer, "number", event->number);
	wire_put_whole(writer, "tick", event->tick);
	wire_put_signed(writer, "t_ns", event->t_ns);
	wire_put_whole(writer, "request", event->request);
	switch ((enum loop_event_kind)event->kind) {
	case EVENT_STATE:
		wire_put_text(writer, "before", supervisor_state_name((enum supervisor_state)event->a));
		wire_put_text(writer, "after", supervisor_state_name((enum supervisor_state)event->b));
		break;
	case EVENT_TRIP:
		telemetry_put_trip(service, writer, &trip);
		break;
	case EVENT_MISSED:
		wire_put_real(writer, "slots", event->value);
		break;
	case EVENT_REQUEST:
		wire_put_text(writer, "what", request_name(event));
		wire_put_flag(writer, "taken", event->b);
		break;
	case EVENT_SAMPLE:
		wire_put_whole(writer, "sample", event->c);
		break;
	case EVENT_PLAN:
		wire_put_whole(writer, "program", event->c);
		break;
	case EVENT_N_KINDS:
		break;
	}
	telemetry_send(service, TOPIC_OF_EVENT);
}

static void hear(struct service *service, const struct loop_event *event)
{
	service->number = event->number;
	if (event->kind == EVENT_STATE)
		service->state = (enum supervisor_state)event->b;
	if (event->kind == EVENT_STATE && event->a == SUPERVISOR_FAULT)
		service->trip = (struct trip){.cause = TRIP_NONE};
	if (event->kind == EVENT_TRIP)
		service->trip = trip_of(event);
	if (event->kind == EVENT_REQUEST && event->a == REQUEST_PROGRAM)
		programs_hear(service, event);
	if (event->request)
		answers_hear(service, event);
	publish_event(service, event);
}

static void listen_to_events(struct service *service)
{
	struct loop_event event;

	for (size_t i = 0; i < service->setup.events->capacity && ring_pop(service->setup.events, &event); i++)
		hear(service, &event);
}

static void publish_sample(struct service *service, const struct sample_record *sample)
{
	const struct bench *bench = service->setup.bench;
	struct wire_writer *writer = telemetry_begin(service, TOPIC_OF_SAMPLE);

	wire_put_whole(writer, "program", sample->program);
	wire_put_whole(writer, "number", sample->number);
	wire_put_whole(writer, "tick", sample->tick);
	wire_put_reals(writer, "x", sample->value, bench->nx * bench->ny);
	telemetry_send(service, TOPIC_OF_SAMPLE);
	if (service->setup.recorder)
		recorder_sample(service->setup.recorder, sample->program, sample->number, sample->tick, sample->value);
}

void events_listen(struct service *service)
{
	listen_to_events(service);
	/* The loop tells of a program before it hands over a sample of it: with the sample in hand that event is there. */
	for (size_t i = 0; i < service->setup.samples->capacity && ring_pop(service->setup.samples, service->sample);
	     i++) {
		listen_to_events(service);
		publish_sample(service, service->sample);
	}
}

bool events_look(struct service *service)
{
	const struct loop_view *view = loop_view(service->setup.loop);
	const bool fresh = view && view != service->view;

	service->view = view;
	if (fresh && view->tick.number > service->number) {
		service->state = (enum supervisor_state)view->tick.state;
		service->trip = view->trip;
		service->current = view->tick.program;
	}
	return fresh;
}
