/*
 * Answers: at once for what the service knows itself, and after the loop has spoken for what it was asked for.
 */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "control/service_parts.h"
#include "daq/bench.h"

#define ANSWER_NS INT64_C(5000000000) /* 50 ticks of the slowest loop: more than can wait in its ring */
#define SHARE     8                   /* commands of one client that wait: half of what the loop takes */
#define KEPT      16                  /* rows that nothing but a stop may have */
#define STATE_NS  INT64_C(500000000)  /* for the state that a request led to, should its event have found no room */

struct wire_writer *answer_begin(struct service *service, const struct message *message, const struct err *err)
{
	struct wire_writer *writer = &service->answer;
	char text[MAX_ANSWER];

	wire_clear(writer);
	wire_map(writer);
	wire_put_whole(writer, "v", MESSAGE_VERSION);
	wire_key(writer, "id");
	if (message->has_id)
		wire_whole(writer, message->id);
	else
		wire_nil(writer);
	wire_put_flag(writer, "ok", !err);
	if (err) {
		err_format(err, text, sizeof(text));
		wire_put_text(writer, "error", text);
	}
	return writer;
}

void answer_send(struct service *service, const struct client *client)
{
	struct wire_writer *writer = &service->answer;

	wire_end(writer);
	if (writer->failed ||
	    zmq_send(service->router, client->identity, client->identity_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return;
	if (client->delimited)
		zmq_send(service->router, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(service->router, writer->bytes.data, writer->bytes.size, ZMQ_DONTWAIT);
}

void answer_record(struct service *service, uint64_t request, const struct client *client,
		   const struct message *message, const struct err *err)
{
	char command[MAX_ANSWER + MESSAGE_MAX_PATH], text[MAX_ANSWER] = "ok";

	if (!service->setup.recorder || ((err || !request) && !refusals_count(service, client->name, clock_now_ns())))
		return;
	message_format(message, command, sizeof(command));
	if (err)
		err_format(err, text, sizeof(text));
	recorder_command(service->setup.recorder, request, client->name, command, text);
}

/** By its key where there are keys; else each connection is one. */
static bool is_same(const struct service *service, const struct client *a, const struct client *b)
{
	if (service->gate.socket)
		return strcmp(a->name, b->name) == 0;
	return a->identity_size == b->identity_size && memcmp(a->identity, b->identity, a->identity_size) == 0;
}

static size_t count_waiting(const struct service *service, const struct client *client)
{
	size_t n = 0;

	for (size_t i = 0; i < MAX_PENDING; i++)
		n += service->pending[i].request != 0 && !service->pending[i].taken &&
		     is_same(service, client, &service->pending[i].client);
	return n;
}

int answers_expect(struct service *service, struct request *request, const struct client *client,
		   const struct message *message, struct err *err)
{
	struct pending *row = service->pending;

	if (message->kind != MESSAGE_STOP && count_waiting(service, client) >= SHARE)
		return err_set(err, JOSTLE_EBUSY, "%d of this client's commands wait for the loop already", SHARE);
	if (service->n_pending >= (message->kind == MESSAGE_STOP ? MAX_PENDING : MAX_PENDING - KEPT))
		return err_set(err, JOSTLE_EBUSY, "%zu commands wait for the loop already", service->n_pending);
	while (row->request)
		row++;
	if (!loop_ask(service->setup.loop, request))
		return err_set(err, JOSTLE_EBUSY, "the loop has as many requests waiting as it takes");
	*row = (struct pending){
		.request = request->id,
		.deadline_ns = clock_now_ns() + ANSWER_NS,
		.client = *client,
		.message = *message,
		.program = request->program ? request->program->id : 0,
	};
	service->n_pending++;
	return 0;
}

int answers_expect_program(struct service *service, struct entry *entry, const struct client *client,
			   const struct message *message, struct err *err)
{
	struct request request = programs_request(service, entry);
	const int code = answers_expect(service, &request, client, message, err);

	if (code)
		programs_drop(service, entry);
	return code;
}

/** Why the loop said no, as far as one can tell from here. */
static void explain(const struct service *service, const struct message *message, struct err *err)
{
	const char *state = supervisor_state_name(service->state);
	char trip[512] = "";

	if (service->state == SUPERVISOR_FAULT)
		trip_format(&service->trip, service->setup.bench, trip, sizeof(trip));
	switch (message->kind) {
	case MESSAGE_MANUAL:
		err_set(err, JOSTLE_EINVAL,
			"refused in state %s: volts are taken by hand in state RUNNING, within the converter's span, "
			"and not for a "
			"heartbeat",
			state);
		return;
	case MESSAGE_LIMITS:
		err_set(err, JOSTLE_EINVAL,
			"refused: limits may be narrowed alone, and the safe voltage must lie within");
		return;
	case MESSAGE_ARM:
		if (service->state == SUPERVISOR_IDLE) {
			err_set(err, JOSTLE_EINVAL,
				"refused in state IDLE: nobody has allowed this bench's outputs; ask the doctor");
			return;
		}
		break;
	default:
		break;
	}
	err_set(err, JOSTLE_EINVAL, "refused in state %s%s%s", state, trip[0] ? ": " : "", trip);
}

static void end(struct service *service, struct pending *row, const struct err *err, const struct loop_event *event)
{
	struct wire_writer *writer = answer_begin(service, &row->message, err);

	if (event) {
		wire_put_whole(writer, "number", event->number);
		wire_put_whole(writer, "tick", event->tick);
		wire_put_signed(writer, "t_ns", event->t_ns);
		wire_put_text(writer, "state", supervisor_state_name(service->state));
	}
	if (row->program && !err)
		wire_put_whole(writer, "program", row->program);
	answer_record(service, row->request, &row->client, &row->message, err);
	answer_send(service, &row->client);
	row->request = 0;
	service->n_pending--;
}

/** The state that a request led to is an event of its own, just behind: whoever is answered may count on it. */
static void hear_request(struct service *service, struct pending *row, const struct loop_event *event)
{
	struct err err = {0};

	if (!event->b) {
		explain(service, &row->message, &err);
		end(service, row, &err, event);
	} else if (event->a == REQUEST_EVENT) {
		row->taken = true;
		row->event = *event;
		row->deadline_ns = clock_now_ns() + STATE_NS;
	} else {
		end(service, row, NULL, event);
	}
}

void answers_hear(struct service *service, const struct loop_event *event)
{
	for (size_t i = 0; i < MAX_PENDING && service->n_pending > 0; i++) {
		struct pending *row = &service->pending[i];

		if (row->request == 0 || row->request != event->request)
			continue;
		if (event->kind == EVENT_REQUEST)
			hear_request(service, row, event);
		else if (event->kind == EVENT_STATE && row->taken)
			end(service, row, NULL, &row->event);
		return;
	}
}

void answers_expire(struct service *service, int64_t now_ns, bool ending)
{
	struct err err = {0};

	for (size_t i = 0; i < MAX_PENDING && service->n_pending > 0; i++) {
		struct pending *row = &service->pending[i];

		if (row->request == 0 || !(ending || now_ns >= row->deadline_ns))
			continue;
		if (row->taken) {
			end(service, row, NULL, &row->event);
			continue;
		}
		err_set(&err, JOSTLE_EIO,
			ending ? "the run has ended"
			       : "the loop has not answered within %d s; it may carry the command out yet",
			(int)(ANSWER_NS / 1000000000));
		end(service, row, &err, NULL);
	}
}
