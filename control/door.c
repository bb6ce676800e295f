#include "control/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <zmq.h>

#include "base/err.h"
#include "base/log.h"
#include "control/endpoint.h"

#define EVENTS (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_CLOSE_FAILED)
#define PAUSE_NS                                                                                                       \
	INT64_C(1000000000) /* for the connections' last messages to go out or be given up, and between attempts */

size_t door_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		const struct rlimit raised = {limit.rlim_max, limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur;
}

int door_open(struct door *door, void *context, void *socket, const char *name, const char *endpoint, size_t max,
	      struct err *err)
{
	const int unbounded = 0, linger = 0;
	char address[64];

	*door = (struct door){.socket = socket, .name = name, .endpoint = endpoint, .max = max};
	snprintf(address, sizeof(address), "inproc://door-%s", name);
	/* libzmq's own thread hands the events over, and would wait where they found no room. */
	if (zmq_socket_monitor(socket, address, EVENTS) == 0 && (door->monitor = zmq_socket(context, ZMQ_PAIR)) &&
	    zmq_setsockopt(door->monitor, ZMQ_RCVHWM, &unbounded, sizeof(unbounded)) == 0 &&
	    zmq_setsockopt(door->monitor, ZMQ_LINGER, &linger, sizeof(linger)) == 0 &&
	    zmq_connect(door->monitor, address) == 0)
		return 0;
	return err_set(err, JOSTLE_EIO, "%s: the connections can't be counted: %s", name, zmq_strerror(errno));
}

void door_close(struct door *door)
{
	if (door->socket)
		zmq_socket_monitor(door->socket, NULL, 0);
	if (door->monitor)
		zmq_close(door->monitor);
	*door = (struct door){0};
}

/** The next event's number, or 0. It has two parts: number and value, and the endpoint. */
static unsigned next_event(struct door *door)
{
	unsigned char number[6];
	uint16_t event;
	char endpoint[256];

	if (zmq_recv(door->monitor, number, sizeof(number), ZMQ_DONTWAIT) < (int)sizeof(event))
		return 0;
	memcpy(&event, number, sizeof(event));
	zmq_recv(door->monitor, endpoint, sizeof(endpoint), ZMQ_DONTWAIT);
	return event;
}

static void count(struct door *door, int64_t now_ns)
{
	unsigned event;

	while ((event = next_event(door)) != 0) {
		if (event == ZMQ_EVENT_ACCEPTED)
			door->n++;
		else if (event == ZMQ_EVENT_DISCONNECTED)
			door->n -= door->n > 0;
		else if (door->state == DOOR_CLOSING) {
			door->state = DOOR_CLOSED;
			door->next_ns = now_ns + PAUSE_NS;
		}
	}
}

void door_clear(struct door *door, const char *why)
{
	if (door->state != DOOR_OPEN)
		return;
	log_warning("%s: %s; all connections are closed, and taken again in a second", door->name, why);
	if (zmq_unbind(door->socket, door->endpoint) == 0)
		door->state = DOOR_CLOSING;
}

/** Only now that the old binding is gone: it takes an ipc socket's file with it. */
static void open_again(struct door *door, int64_t now_ns)
{
	char bound[256];
	struct err err = {0};

	door->next_ns = now_ns + PAUSE_NS;
	if (endpoint_bind(door->socket, door->endpoint, bound, sizeof(bound), &err)) {
		log_warning("%s: %s", door->name, err.text);
		return;
	}
	door->state = DOOR_OPEN;
	door->n = 0;
}

void door_serve(struct door *door, int64_t now_ns)
{
	char why[64];

	count(door, now_ns);
	if (door->state == DOOR_OPEN && door->n > door->max) {
		snprintf(why, sizeof(why), "more than %zu connections", door->max);
		door_clear(door, why);
	}
	if (door->state == DOOR_CLOSED && now_ns >= door->next_ns)
		open_again(door, now_ns);
}
