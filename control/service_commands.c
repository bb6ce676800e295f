/*
 * What clients ask for, one function a command. Nothing here reaches the loop but through its ring of requests.
 */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "control/service_parts.h"
#include "daq/bench.h"

#define MAX_AT_ONCE  64                  /* commands, before telemetry and watchdog have their turn */
#define MALFORMED_NS INT64_C(1000000000) /* at most one of them a second goes into the run file */

typedef int handler(struct service *service, const struct client *client, const struct message *message,
		    struct err *err);

static int ping(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct wire_writer *writer = answer_begin(service, message, NULL);

	(void)err;
	wire_put_text(writer, "name", service->setup.name);
	wire_put_signed(writer, "t_ns", clock_now_ns());
	answer_send(service, client);
	return 0;
}

static int status(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct wire_writer *writer = answer_begin(service, message, NULL);

	(void)err;
	telemetry_put_status(service, writer);
	answer_send(service, client);
	return 0;
}

static void put_roles(struct wire_writer *writer, const char *key, const struct bench_channel channels[], size_t n)
{
	wire_key(writer, key);
	wire_array(writer, n);
	for (size_t i = 0; i < n; i++)
		wire_text(writer, daq_role_name(channels[i].role));
}

/** All that a client needs who has just come: what stands still, what is, and where every topic's numbers are. */
static int snapshot(struct service *service, const struct client *client, const struct message *message,
		    struct err *err)
{
	static const char *const topics[N_TOPICS] = {TOPIC_STATUS, TOPIC_TRACE, TOPIC_EVENT, TOPIC_SAMPLE,
						     TOPIC_HISTOGRAM};
	struct wire_writer *writer = answer_begin(service, message, NULL);
	const struct bench *bench = service->setup.bench;

	(void)err;
	wire_key(writer, "status");
	wire_map(writer);
	telemetry_put_status(service, writer);
	wire_end(writer);
	wire_key(writer, "trace");
	telemetry_put_trace(service, writer);
	wire_key(writer, "seq");
	wire_map(writer);
	for (size_t i = 0; i < N_TOPICS; i++)
		wire_put_whole(writer, topics[i], service->seq[i]);
	wire_end(writer);
	wire_put_text(writer, "bench", bench->name);
	wire_put_text(writer, "bench_file", bench->text);
	wire_put_whole(writer, "nx", bench->nx);
	wire_put_whole(writer, "ny", bench->ny);
	put_roles(writer, "in_role", bench->in, bench->n_in);
	put_roles(writer, "out_role", bench->out, bench->n_out);
	answer_send(service, client);
	return 0;
}

static int doctor(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct wire_writer *writer = answer_begin(service, message, NULL);

	(void)err;
	wire_put_text(writer, "doctor", service->setup.doctor);
	wire_put_text(writer, "override", service->setup.override_text);
	answer_send(service, client);
	return 0;
}

static int supervise(struct service *service, const struct client *client, const struct message *message,
		     struct err *err)
{
	struct request request = {
		.id = ++service->last_request,
		.kind = REQUEST_EVENT,
		.event = message->kind == MESSAGE_RESET ? SUPERVISOR_RESET
			 : message->kind == MESSAGE_ARM ? SUPERVISOR_ARM
			 : message->kind == MESSAGE_RUN ? SUPERVISOR_RUN
							: SUPERVISOR_STOP,
	};

	return answers_expect(service, &request, client, message, err);
}

static int load_protocol(struct service *service, const struct client *client, const struct message *message,
			 struct err *err)
{
	return load_begin(service, client, message, err);
}

static int sample(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct entry *entry;
	int code;

	if (service->load && message->kind == MESSAGE_SAMPLE)
		return err_set(err, JOSTLE_EBUSY, "a protocol is being loaded: ask again when it is");
	code = programs_build(service, message->kind == MESSAGE_SAMPLE ? message : NULL, &entry, err);
	return code ? code : answers_expect_program(service, entry, client, message, err);
}

static int check_output(const struct service *service, const struct message *message, struct err *err)
{
	const size_t n_out = service->setup.bench->n_out;

	if (message->output < n_out)
		return 0;
	return err_set(err, JOSTLE_EINVAL, "output: expected one of %zu, from 0 on, found %llu", n_out,
		       (unsigned long long)message->output);
}

static int manual(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct request request = {.id = ++service->last_request,
				  .kind = REQUEST_MANUAL,
				  .output = (size_t)message->output,
				  .value_V = message->volts};
	const int code = check_output(service, message, err);

	return code ? code : answers_expect(service, &request, client, message, err);
}

static int limits(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct request request = {.id = ++service->last_request,
				  .kind = REQUEST_LIMITS,
				  .output = (size_t)message->output,
				  .min_V = message->min_V,
				  .max_V = message->max_V,
				  .slew_V_per_s = message->slew_V_per_s};
	const int code = check_output(service, message, err);

	return code ? code : answers_expect(service, &request, client, message, err);
}

static int record(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	if (!service->setup.recorder)
		return err_set(err, JOSTLE_EINVAL, "expected a run with a folder to record into, found one without");
	/* What is recorded knows of it either way: the recorder takes commands only while it is on. */
	if (message->on)
		recorder_set(service->setup.recorder, true);
	answer_record(service, 0, client, message, NULL);
	if (!message->on)
		recorder_set(service->setup.recorder, false);
	answer_begin(service, message, NULL);
	answer_send(service, client);
	return 0;
}

static int instrument(struct service *service, const struct client *client, const struct message *message,
		      struct err *err)
{
	return instruments_expect(service, client, message, err);
}

static int shut_down(struct service *service, const struct client *client, const struct message *message,
		     struct err *err)
{
	(void)err;
	service->shutdown = true;
	answer_record(service, 0, client, message, NULL);
	answer_begin(service, message, NULL);
	answer_send(service, client);
	return 0;
}

static handler *const handlers[MESSAGE_N_KINDS] = {
	[MESSAGE_PING] = ping,
	[MESSAGE_STATUS] = status,
	[MESSAGE_SNAPSHOT] = snapshot,
	[MESSAGE_RESET] = supervise,
	[MESSAGE_ARM] = supervise,
	[MESSAGE_RUN] = supervise,
	[MESSAGE_STOP] = supervise,
	[MESSAGE_LOAD_PROTOCOL] = load_protocol,
	[MESSAGE_SAMPLE] = sample,
	[MESSAGE_STOP_SAMPLING] = sample,
	[MESSAGE_MANUAL] = manual,
	[MESSAGE_LIMITS] = limits,
	[MESSAGE_RECORD] = record,
	[MESSAGE_DOCTOR] = doctor,
	[MESSAGE_INSTRUMENT] = instrument,
	[MESSAGE_SHUTDOWN] = shut_down,
};

/** One message, whatever it is. */
static void serve(struct service *service, const struct client *client)
{
	struct message message;
	struct err err = {0};

	service->n_commands++;
	if (message_decode(&message, service->body, service->body_size, &err)) {
		const int64_t now_ns = clock_now_ns();

		service->n_malformed++;
		if (service->setup.recorder && now_ns >= service->next_malformed_ns) {
			service->next_malformed_ns = now_ns + MALFORMED_NS;
			recorder_command(service->setup.recorder, 0, client->name, "not understood", err.text);
		}
	} else if (!handlers[message.kind](service, client, &message, &err)) {
		return;
	} else {
		answer_record(service, 0, client, &message, &err);
	}
	answer_begin(service, &message, &err);
	answer_send(service, client);
}

/** The name on the list of clients, else the address. */
static void name_client(const struct service *service, struct client *client, zmq_msg_t *part)
{
	const char *name = zmq_msg_gets(part, service->gate.socket ? "User-Id" : "Peer-Address");

	snprintf(client->name, sizeof(client->name), "%s", name && name[0] ? name : "local");
}

/** Take the next part of a message; returns whether there was one. */
static bool take_part(struct service *service, zmq_msg_t *part, bool *more)
{
	if (zmq_msg_recv(part, service->router, ZMQ_DONTWAIT) < 0)
		return false;
	*more = zmq_msg_more(part);
	return true;
}

/** Keep the command's bytes; one more than it may have is as much as anybody needs to see that there are too many. */
static void keep_body(struct service *service, zmq_msg_t *part)
{
	const size_t size = zmq_msg_size(part);

	service->body_size = size < sizeof(service->body) ? size : sizeof(service->body);
	memcpy(service->body, zmq_msg_data(part), service->body_size);
}

/** Identity, an empty part where there is one, the command. What has more parts is taken whole and has no command. */
static bool receive(struct service *service, struct client *client)
{
	zmq_msg_t part;
	bool more = false, whole;

	*client = (struct client){0};
	service->body_size = 0;
	zmq_msg_init(&part);
	if (!take_part(service, &part, &more)) {
		zmq_msg_close(&part);
		return false;
	}
	client->identity_size = zmq_msg_size(&part) < MAX_IDENTITY ? zmq_msg_size(&part) : MAX_IDENTITY;
	memcpy(client->identity, zmq_msg_data(&part), client->identity_size);
	whole = more && take_part(service, &part, &more);
	if (whole && more && zmq_msg_size(&part) == 0) {
		client->delimited = true;
		whole = take_part(service, &part, &more);
	}
	name_client(service, client, &part);
	if (whole && !more)
		keep_body(service, &part);
	while (more && take_part(service, &part, &more))
		;
	zmq_msg_close(&part);
	return true;
}

void commands_serve(struct service *service)
{
	struct client client;

	for (size_t i = 0; i < MAX_AT_ONCE && !service->shutdown && receive(service, &client); i++)
		serve(service, &client);
}
