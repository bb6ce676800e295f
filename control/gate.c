#include "control/gate.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/err.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define DOMAIN       "jostle"
#define MAX_AT_ONCE  32

/** The parts of a request, in their order on the wire. */
enum { PART_VERSION, PART_ID, PART_DOMAIN, PART_ADDRESS, PART_IDENTITY, PART_MECHANISM, PART_KEY, N_PARTS };

struct part {
	char bytes[256];
	size_t size;
};

int gate_open(struct gate *gate, void *context, const char *key_file, const char *allow_file, struct err *err)
{
	int code;

	*gate = (struct gate){0};
	if (!key_file && !allow_file)
		return 0;
	if (!key_file || !allow_file)
		return err_set(err, JOSTLE_EINVAL,
			       "expected a secret key and a list of clients' public keys, found %s alone",
			       key_file ? "a secret key" : "a list of clients");
	if ((code = curve_load_secret(gate->secret, key_file, err)) ||
	    (code = curve_list_load(&gate->clients, allow_file, err)))
		return code;
	gate->socket = zmq_socket(context, ZMQ_REP);
	if (!gate->socket || zmq_bind(gate->socket, ZAP_ENDPOINT))
		return err_set(err, JOSTLE_EIO, "the list of clients cannot be served: %s", zmq_strerror(errno));
	return 0;
}

void gate_close(struct gate *gate)
{
	if (gate->socket)
		zmq_close(gate->socket);
	curve_list_fini(&gate->clients);
	sodium_memzero(gate->secret, sizeof(gate->secret));
	gate->socket = NULL;
}

int gate_guard(const struct gate *gate, void *socket, struct err *err)
{
	const int yes = 1;

	if (!gate->socket)
		return 0;
	if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof(yes)) ||
	    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, gate->secret, sizeof(gate->secret)) ||
	    zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, DOMAIN, strlen(DOMAIN)))
		return err_set(err, JOSTLE_EIO, "a socket cannot be made to speak CURVE: %s", zmq_strerror(errno));
	return 0;
}

/** Receive a request whole; parts beyond N_PARTS and bytes beyond a part's room are let go. Returns the number of parts. */
static size_t receive(void *socket, struct part parts[N_PARTS])
{
	struct part spare;
	size_t n = 0;
	int more = 1, size;
	size_t size_of_more = sizeof(more);

	while (more) {
		struct part *part = n < N_PARTS ? &parts[n] : &spare;

		size = zmq_recv(socket, part->bytes, sizeof(part->bytes), ZMQ_DONTWAIT);
		if (size < 0)
			return n;
		part->size = (size_t)size;
		n++;
		if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size_of_more))
			return n;
	}
	return n;
}

static bool is(const struct part *part, const char *text)
{
	return part->size == strlen(text) && memcmp(part->bytes, text, part->size) == 0;
}

/** Everything at once: a reply that is cut off would be another request's. */
static void answer(void *socket, const struct part *id, const char *name)
{
	const char *status = name ? "200" : "400", *text = name ? "OK" : "not on the list of clients";

	zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
	zmq_send(socket, id->bytes, id->size < sizeof(id->bytes) ? id->size : sizeof(id->bytes), ZMQ_SNDMORE);
	zmq_send(socket, status, strlen(status), ZMQ_SNDMORE);
	zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
	zmq_send(socket, name ? name : "", name ? strlen(name) : 0, ZMQ_SNDMORE);
	zmq_send(socket, "", 0, 0);
}

void gate_serve(struct gate *gate)
{
	struct part parts[N_PARTS];

	for (size_t i = 0; gate->socket && i < MAX_AT_ONCE; i++) {
		const size_t n = receive(gate->socket, parts);
		const char *name = NULL;

		if (n == 0)
			return;
		if (n == N_PARTS && is(&parts[PART_VERSION], "1.0") && is(&parts[PART_DOMAIN], DOMAIN) &&
		    is(&parts[PART_MECHANISM], "CURVE"))
			name = curve_list_find(&gate->clients, parts[PART_KEY].bytes, parts[PART_KEY].size);
		answer(gate->socket, &parts[n > PART_ID ? PART_ID : PART_VERSION], name);
	}
}
