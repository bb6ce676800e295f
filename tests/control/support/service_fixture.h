#ifndef JOSTLE_TEST_SERVICE_FIXTURE_H
#define JOSTLE_TEST_SERVICE_FIXTURE_H
/*
 * A loop on the test bench, a service over it in a thread of its own, and clients of it. The recorder is one that only notes what
 * it is handed.
 */
#include "base/scratch.h"
#include "control/support/test_bench.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/provenance.h"
#include "control/curve.h"
#include "control/instruments.h"
#include "control/loop.h"
#include "control/messages.h"
#include "control/recorder.h"
#include "control/service.h"

#define PATIENCE_MS 20000
#define MAX_NOTES   64

/** What the recorder was handed, in order. */
struct notes {
	size_t n_commands, n_protocols, n_samples, n_instruments;
	struct {
		uint64_t request;
		char client[64], command[256], answer[512];
	} command[MAX_NOTES];
	uint64_t program[MAX_NOTES];        /* of each protocol */
	uint64_t sample_program[MAX_NOTES]; /* of each sample */
	struct instruments_note instrument[MAX_NOTES];
	bool on, on_at_last; /* on_at_last: when the last command came */
};

struct fixture {
	struct scratch *scratch;
	struct bench *bench;
	struct daq daq;
	struct calibration_record record;
	struct calibration calibration;
	struct protocol protocol;
	struct provenance provenance;
	struct program idle;
	struct ring events, samples;
	struct loop *loop;
	struct service *service;
	struct service_setup setup;
	char telemetry[128], commands[128], protocol_path[128];
	pthread_t thread;
	bool serving;
	int code;
	atomic_size_t n_attended;
	atomic_bool fail;      /* the next exchange */
	atomic_bool slow_disk; /* the recorder lays out no protocol as long as this holds */
	void *context, *client, *subscriber;
	uint64_t id;
	unsigned char bytes[65536];
	struct wire_value field[64]; /* of the last answer or frame: its plain fields */
	struct wire_value name[64];
	size_t n_fields;
	struct err err;
};

extern struct fixture fixture;

/** What the recorder was handed so far. */
struct notes fixture_notes(void);

/** A loop in a thread, ticking about 5000 times a second; nothing served yet. */
void fixture_new(struct scratch *scratch);
void fixture_free(void);

/** Open the service with fixture.setup and serve in a thread. */
void fixture_serve(void);

/** Until the service has ended by itself: what service_run() returned. */
int fixture_join(void);

/** Ask as fixture.client; the answer is in fixture.field. More fields come from `more`, when it is not NULL. Returns its "ok". */
bool fixture_ask(const char *command, void (*more)(struct wire_writer *writer));

/** Ask, and expect "ok", or an error with these words. */
void fixture_do(const char *command, void (*more)(struct wire_writer *writer));
void fixture_refused(const char *command, void (*more)(struct wire_writer *writer), const char *words);

/** A field of the last answer or frame, which must be there. */
const struct wire_value *fixture_field(const char *name);

/** The next message of a socket into fixture.field. Returns false after PATIENCE_MS, or timeout_ms where that is not 0. */
bool fixture_receive(void *socket, int timeout_ms);

/** Subscribe fixture.subscriber to a topic, and no other; fixture_frame() is its next frame. */
void fixture_subscribe(const char *topic);
bool fixture_frame(int timeout_ms);

/** Ask for the status until its state is this one. */
void fixture_wait_for(const char *state);

#endif
