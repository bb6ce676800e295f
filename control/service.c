#include "control/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/ring.h"
#include "control/endpoint.h"
#include "control/service_parts.h"
#include "daq/bench.h"

#define SEND_QUEUE    256                       /* messages kept for a client that does not read; then it loses some */
#define RECEIVE_QUEUE 256                       /* of each client */
#define PART_BYTES    (MESSAGE_MAX_BYTES + 512) /* of a message, encryption included: who sends more is cut off */
#define HEARTBEAT_MS  2000                      /* between signs of life of a connection */
#define LIFETIME_MS   10000                     /* without one: then it is closed, and what waits for it is let go */
#define KEEPALIVE_S   30                        /* TCP's own, for those who have gone without a word */
#define HANDSHAKE_MS  5000                      /* for a connection to say who it is; then it is closed */
#define MAX_CLIENTS   1000 /* connections of a socket; fewer where there are few file descriptors */
#define LINGER_MS     500  /* for the last messages, when the run ends */
#define ATTEND_NS     INT64_C(100000000)
#define HASTE_NS      INT64_C(2000000) /* how long an answer of the loop may lie, while a client waits for it */

/**
 * Signs of life are asked of those who command. One who listens and is slow reads none of them for a while, and is not gone for
 * that; TCP tells of the dead ones.
 */
static int prepare(void *socket, int type, const char *endpoint, struct err *err)
{
	const struct {
		int name, value;
	} options[] = {
		{ZMQ_SNDHWM, SEND_QUEUE},
		{ZMQ_RCVHWM, RECEIVE_QUEUE},
		{ZMQ_HEARTBEAT_IVL, type == ZMQ_ROUTER ? HEARTBEAT_MS : 0},
		{ZMQ_TCP_KEEPALIVE, 1},
		{ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S},
		{ZMQ_HEARTBEAT_TIMEOUT, LIFETIME_MS},
		{ZMQ_LINGER, LINGER_MS},
		{ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
		{ZMQ_IPV6, strchr(endpoint, '[') != NULL},
	};
	const int64_t part_bytes = PART_BYTES;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof(options[i].value)))
			return err_set(err, JOSTLE_EIO, "ZeroMQ refuses option %d: %s", options[i].name,
				       zmq_strerror(errno));
	return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &part_bytes, sizeof(part_bytes))
		       ? err_set(err, JOSTLE_EIO, "ZeroMQ bounds no messages: %s", zmq_strerror(errno))
		       : 0;
}

static int open_socket(struct service *service, void **socket, int type, const char *endpoint, char *bound, size_t size,
		       struct err *err)
{
	bool local;
	int code = endpoint_check(endpoint, &local, err);

	if (code)
		return code;
	if (!local && !service->gate.socket)
		return err_set(err, JOSTLE_EINVAL,
			       "%s is reached from other machines: expected a secret key and a list of clients "
			       "(jostle keygen), found none",
			       endpoint);
	*socket = zmq_socket(service->context, type);
	if (!*socket)
		return err_set(err, JOSTLE_EIO, "no socket to be had: %s", zmq_strerror(errno));
	code = prepare(*socket, type, endpoint, err);
	if (!code)
		code = gate_guard(&service->gate, *socket, err);
	return code ? code : endpoint_bind(*socket, endpoint, bound, size, err);
}

/** Half of the file descriptors are for connections: while these are let go others still come. */
static int open_doors(struct service *service, struct err *err)
{
	const size_t share = door_raise_limit() / 4, max = share < MAX_CLIENTS ? share : MAX_CLIENTS;
	const int code = door_open(&service->publisher_door, service->context, service->publisher, "telemetry",
				   service->telemetry, max, err);

	return code ? code
		    : door_open(&service->router_door, service->context, service->router, "commands", service->commands,
				max, err);
}

static int open_sockets(struct service *service, struct err *err)
{
	const struct service_setup *setup = &service->setup;
	int code;

	service->context = zmq_ctx_new();
	if (!service->context)
		return err_set(err, JOSTLE_EIO, "ZeroMQ does not begin: %s", zmq_strerror(errno));
	if ((code = gate_open(&service->gate, service->context, setup->key_file, setup->allow_file, err)))
		return code;
	if ((code = open_socket(service, &service->publisher, ZMQ_XPUB, setup->telemetry, service->telemetry,
				sizeof(service->telemetry), err))) {
		err_context(err, "telemetry");
		return code;
	}
	code = open_socket(service, &service->router, ZMQ_ROUTER, setup->commands, service->commands,
			   sizeof(service->commands), err);
	if (code)
		err_context(err, "commands");
	return code ? code : open_doors(service, err);
}

int service_open(struct service **service, const struct service_setup *setup, struct err *err)
{
	struct service *fresh = calloc(1, sizeof(*fresh));
	int code;

	*service = NULL;
	if (!fresh)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the service");
	fresh->setup = *setup;
	fresh->last_request = SERVICE_FIRST_REQUEST - 1;
	fresh->last_program = fresh->current = SERVICE_FIRST_PROGRAM;
	fresh->state = SUPERVISOR_FAULT;
	fresh->trip = (struct trip){.cause = TRIP_START};
	wire_init(&fresh->frame);
	wire_init(&fresh->answer);
	watchdog_init(&fresh->watchdog);
	fresh->sample = calloc(1, setup->samples->record_size);
	code = fresh->sample ? open_sockets(fresh, err) : err_set(err, JOSTLE_ENOMEM, "no memory for a sample");
	if (code)
		service_close(fresh);
	else
		*service = fresh;
	return code;
}

int service_load(struct service *service, const char *path, struct err *err)
{
	struct loaded *loaded;
	struct entry *entry;
	struct request request;
	int code = programs_read(path, &loaded, err);

	if (code)
		return code;
	code = programs_try(&service->setup, loaded, err);
	if (code)
		programs_forget(loaded);
	else
		code = programs_take(service, loaded, &entry, err);
	if (code)
		return code;
	request = programs_request(service, entry);
	if (loop_ask(service->setup.loop, &request))
		return 0;
	programs_drop(service, entry);
	return err_set(err, JOSTLE_EBUSY, "the loop has as many requests waiting as it takes");
}

const char *service_telemetry(const struct service *service)
{
	return service->telemetry;
}

const char *service_commands(const struct service *service)
{
	return service->commands;
}

/** Until a client says something, or something is due. An answer of the loop makes no sound, nor does a protocol that is there: look often while one is awaited. */
static int wait_for_work(struct service *service, struct err *err)
{
	zmq_pollitem_t items[] = {{.socket = service->router, .events = ZMQ_POLLIN},
				  {.socket = service->publisher, .events = ZMQ_POLLIN},
				  {.socket = service->publisher_door.monitor, .events = ZMQ_POLLIN},
				  {.socket = service->router_door.monitor, .events = ZMQ_POLLIN},
				  {.socket = service->gate.socket, .events = ZMQ_POLLIN}};
	const int64_t left_ns = telemetry_due_ns(service) - clock_now_ns();
	const bool awaited = service->n_pending + service->n_orders > 0 || service->load;
	const int64_t wait_ns = awaited && left_ns > HASTE_NS ? HASTE_NS : left_ns;

	if (zmq_poll(items, service->gate.socket ? 5 : 4, wait_ns > 0 ? (long)(wait_ns / 1000000 + 1) : 0) >= 0 ||
	    errno == EINTR)
		return 0;
	return err_set(err, JOSTLE_EIO, "the clients' sockets can't be waited for: %s", zmq_strerror(errno));
}

static void attend(struct service *service, int64_t now_ns)
{
	if (!service->setup.attend || now_ns < service->next_attend_ns)
		return;
	service->next_attend_ns = now_ns + ATTEND_NS;
	service->setup.attend(service->setup.context);
}

int service_run(struct service *service, struct err *err)
{
	const double duration_s = service->setup.duration_s;
	const int64_t end_ns =
		duration_s > 0 && duration_s < 1e9 ? clock_now_ns() + (int64_t)(duration_s * 1e9) : INT64_MAX;
	int64_t now_ns = clock_now_ns();
	int code = 0;

	events_look(service);
	while (!code && !service->shutdown && !interrupt_asked() && now_ns < end_ns &&
	       !loop_finished(service->setup.loop)) {
		code = wait_for_work(service, err);
		door_serve(&service->publisher_door, clock_now_ns());
		door_serve(&service->router_door, clock_now_ns());
		gate_serve(&service->gate);
		telemetry_serve(service);
		commands_serve(service);
		events_listen(service);
		now_ns = clock_now_ns();
		load_look(service, now_ns);
		answers_expire(service, now_ns, false);
		instruments_listen(service, now_ns, false);
		if (service->setup.recorder)
			refusals_look(service, now_ns, false);
		telemetry_publish(service, now_ns);
		watchdog_look(&service->watchdog, now_ns, loop_n_ticks(service->setup.loop));
		attend(service, now_ns);
	}
	watchdog_stopping();
	return code;
}

/** What the loop did on its way out is still told. */
static void say_goodbye(struct service *service)
{
	events_look(service);
	events_listen(service);
	load_fini(service);
	answers_expire(service, clock_now_ns(), true);
	instruments_listen(service, clock_now_ns(), true);
	if (service->setup.recorder)
		refusals_look(service, clock_now_ns(), true);
	service->next_status_ns = 0;
	telemetry_publish(service, clock_now_ns());
}

void service_close(struct service *service)
{
	if (!service)
		return;
	if (service->publisher && service->router)
		say_goodbye(service);
	door_close(&service->publisher_door);
	door_close(&service->router_door);
	if (service->publisher)
		zmq_close(service->publisher);
	if (service->router)
		zmq_close(service->router);
	gate_close(&service->gate);
	if (service->context)
		while (zmq_ctx_term(service->context) && errno == EINTR)
			;
	programs_fini(service);
	wire_fini(&service->frame);
	wire_fini(&service->answer);
	free(service->sample);
	free(service);
}
