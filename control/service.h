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
struct instruments;
struct loop;
struct recorder;
struct ring;
struct service;

#define SERVICE_FIRST_PROGRAM                                                                                          \
	1 /* id of the program that the loop begins with; the service numbers its own from the next on */
#define SERVICE_FIRST_REQUEST 1024 /* the service numbers its requests from here on; others may use the ids below */

/** Everything here is the caller's and outlives the service. */
struct service_setup {
	const char *name;          /* of the run */
	struct loop *loop;         /* initialised, with a program of id SERVICE_FIRST_PROGRAM; started by the caller */
	struct recorder *recorder; /* NULL: nothing is recorded */
	struct instruments *instruments; /* of the bench, or NULL; stopped before service_close() */
	const struct bench *bench;
	const struct calibration_record *record;
	struct ring *events; /* of struct loop_event, filled by the loop */
	struct ring
		*samples; /* of sequencer_record_size() bytes, filled by the loop; the service gives it to programs */
	const char *telemetry, *commands; /* endpoints: "tcp://127.0.0.1:7450", "ipc:///run/jostle/a" */
	const char *key_file;             /* CURVE secret key; NULL: none, and then loopback and ipc alone */
	const char *allow_file;           /* public keys of clients (control/curve.h) */
	const char *backend;
	bool simulated;
	const char *doctor;            /* the report, for clients that ask, or NULL */
	const char *override_text;     /* why a failed check was overridden, or NULL */
	void (*attend)(void *context); /* called about ten times a second by service_run(), in its thread; or NULL */
	void *context;
	double duration_s; /* end after so long; 0: not by itself */
};

/**
 * Bind both sockets. The caller ends it with service_close(). Errors: JOSTLE_EINVAL (an endpoint that is none, or is beyond
 * loopback and ipc without keys), JOSTLE_EBUSY (address in use), JOSTLE_ENOENT and JOSTLE_EFORMAT (a key file, by line),
 * JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup.
 */
int service_open(struct service **service, const struct service_setup *setup, struct err *err);

/** The endpoints as they were bound, a port in a wild card's place; the service's. Call from: any. */
const char *service_telemetry(const struct service *service);
const char *service_commands(const struct service *service);

/**
 * Load a protocol, check it against bench and calibration, and ask the loop to go over to it: the command load-protocol, from
 * within. Errors: those of protocol_load() and program_init(), JOSTLE_EBUSY (the loop has too many requests waiting).
 * Waits for the disk. Call from: setup, before service_run().
 */
int service_load(struct service *service, const char *path, struct err *err);

/**
 * Serve until a client asks for shutdown, the person interrupts, the duration is over, or the loop ends; tells systemd that all is well
 * only as long as the loop's counter advances. Returns 0 or JOSTLE_EIO. Call from: the thread that opened it.
 */
int service_run(struct service *service, struct err *err);

/**
 * Publish what the loop said last, close the sockets, free the programs. NULL is allowed. Call from: the thread that opened it, when the loop has ended.
 */
void service_close(struct service *service);

#endif
