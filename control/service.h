#ifndef JOSTLE_SERVICE_H
#define JOSTLE_SERVICE_H
/*
 * The service: telemetry to whoever listens and commands from whoever may, over ZeroMQ, in the thread that is not the loop.
 *
 * The wire is control/messages.h. No client, however slow, many or hostile, has a way to the loop but through the ring of
 * requests, which the supervisor's table judges.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench;
struct calibration_record;
struct err;
struct loop;
struct recorder;
struct ring;
struct service;

/** Everything here is the caller's and outlives the service. */
struct service_setup {
	const char *name;          /* of the run */
	struct loop *loop;         /* initialised; started by the caller */
	struct recorder *recorder; /* NULL: nothing is recorded */
	const struct bench *bench;
	const struct calibration_record *record;
	struct ring *events; /* of struct loop_event, filled by the loop */
	struct ring
		*samples; /* of sequencer_record_size() bytes, filled by the loop; the service gives it to programs */
	const char *telemetry, *commands; /* endpoints: "tcp://127.0.0.1:7450", "ipc:///run/jostle/a" */
	const char *key_file;             /* CURVE secret key; NULL: none, and then loopback and ipc alone */
	const char *allow_file;           /* public keys of clients, one a line, with a name each */
	const char *backend;
	bool simulated;
	const char *doctor;        /* the report, for clients that ask */
	const char *override_text; /* why a failed check was overridden, or NULL */
};

/**
 * Bind both sockets. The caller ends it with service_close(). Errors: JOSTLE_EINVAL (an endpoint beyond loopback and ipc
 * without keys), JOSTLE_EBUSY (address in use), JOSTLE_EFORMAT (a key file, by line), JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup.
 */
int service_open(struct service **service, const struct service_setup *setup, struct err *err);

/**
 * Serve until a client asks for shutdown, the person interrupts, or the loop ends; tells systemd that all is well only
 * as long as the loop's counter advances. Returns 0 or JOSTLE_EIO. Call from: the thread that opened it.
 */
int service_run(struct service *service, struct err *err);

/** Close the sockets; programs that the loop no longer carries out are freed. NULL is allowed. Call from: setup, when the loop has ended. */
void service_close(struct service *service);

#endif
