#ifndef JOSTLE_SERVICE_PARTS_H
#define JOSTLE_SERVICE_PARTS_H
/*
 * What the files of the service share: service.c (open, run, close), service_commands.c (what clients ask), service_answers.c (what
 * the loop made of it), service_programs.c (protocols and plans), service_load.c (reading them), service_refusals.c (how much is written down of what came to nothing), service_instruments.c (what instruments do), telemetry.c and telemetry_events.c (what goes out).
 */
#include "base/err.h"
#include "control/door.h"
#include "control/gate.h"
#include "control/instruments.h"
#include "control/loop.h"
#include "control/messages.h"
#include "control/program.h"
#include "control/recorder.h"
#include "control/service.h"
#include "control/watchdog.h"
#include "protocols/protocol.h"

#define MAX_IDENTITY 255
#define MAX_PENDING  64 /* commands that wait for the loop */
#define MAX_ORDERS   16 /* commands that wait for an instrument */
#define MAX_PROGRAMS 16 /* built and not yet freed: the one carried out, and those asked for */
#define MAX_ANSWER   1024
#define MAX_REFUSALS 32 /* clients whose refused commands are counted */

/** Who sent a command, and how the answer finds its way. */
struct client {
	unsigned char identity[MAX_IDENTITY];
	size_t identity_size;
	bool delimited; /* an empty part stands before the command, as REQ sockets have it */
	char name[CURVE_MAX_NAME];
};

/** A command that the loop has been asked for. */
struct pending {
	uint64_t request; /* 0: a free row */
	int64_t deadline_ns;
	struct client client;
	struct message message;
	uint64_t program; /* id of the program that was built for it; 0 for none */
	bool taken;       /* by the loop, at this event; the state that it led to is yet to be told */
	struct loop_event event;
};

/** What a client asked for in vain within the last second. */
struct refusals {
	char client[CURVE_MAX_NAME];
	int64_t since_ns;
	uint64_t n, n_left_out; /* written down, and not */
};

/** A command that an instrument has been asked for. */
struct expected_order {
	uint64_t ticket; /* 0: a free row */
	int64_t deadline_ns;
	struct client client;
	struct message message;
};

/** A protocol in memory, its file as the recorder keeps it, and how many programs are made from it. */
struct loaded {
	struct protocol protocol;
	unsigned char *image; /* NULL where nothing is recorded */
	size_t image_size;
	size_t n_users;
};

struct entry {
	struct program program;
	struct loaded *loaded; /* NULL: a free row */
	uint64_t request;
	uint64_t n_samples; /* that its plan draws; 0 for one that idles */
};

enum topic { TOPIC_OF_STATUS, TOPIC_OF_TRACE, TOPIC_OF_EVENT, TOPIC_OF_SAMPLE, TOPIC_OF_HISTOGRAM, N_TOPICS };

struct service {
	struct service_setup setup;
	void *context, *publisher, *router;
	char telemetry[256], commands[256]; /* endpoints as bound */
	struct gate gate;
	struct door publisher_door, router_door;
	size_t n_topics; /* that somebody has subscribed to, known ones and others */
	struct watchdog watchdog;
	unsigned char body[MESSAGE_MAX_BYTES + 1]; /* of the command at hand */
	size_t body_size;
	struct wire_writer frame, answer;
	uint64_t seq[N_TOPICS];
	int64_t next_status_ns, next_trace_ns, next_histogram_ns, next_malformed_ns, next_attend_ns;
	uint64_t n_commands, n_malformed;
	bool shutdown;
	struct pending pending[MAX_PENDING];
	size_t n_pending;
	struct expected_order order[MAX_ORDERS];
	size_t n_orders;
	struct refusals refusals[MAX_REFUSALS];
	struct instruments_view instrument;  /* a copy to read */
	uint64_t last_request, last_program; /* ids given */
	struct entry entry[MAX_PROGRAMS];
	struct loaded *loaded;        /* of the program asked for last */
	struct load *load;            /* under way, or NULL */
	uint64_t current;             /* id of the program that the loop carries out, by its events and views */
	const struct loop_view *view; /* the newest, or NULL */
	uint64_t number;              /* of the newest event's tick */
	enum supervisor_state state;  /* as the events tell */
	struct trip trip;
	struct sample_record *sample;
	struct histogram histogram; /* a copy to read */
};

/* service_commands.c */

/** Take what has come from clients, a bounded number of commands. Call from: the service's thread; so are all below. */
void commands_serve(struct service *service);

/* service_answers.c */

/** Hand a request to the loop; the client hears when the loop has taken it. Errors: JOSTLE_EBUSY (too many wait, or too many of this client's). */
int answers_expect(struct service *service, struct request *request, const struct client *client,
		   const struct message *message, struct err *err);

/** The same for a program, which goes where it can't be handed over. */
int answers_expect_program(struct service *service, struct entry *entry, const struct client *client,
			   const struct message *message, struct err *err);

/** An event of the loop: answer whoever waits for it. */
void answers_hear(struct service *service, const struct loop_event *event);

/** Answer those for whom the loop took too long; all of them when `ending`. */
void answers_expire(struct service *service, int64_t now_ns, bool ending);

/** Begin an answer: "v", "id", "ok" and, where err is not NULL, "error". More keys may follow. */
struct wire_writer *answer_begin(struct service *service, const struct message *message, const struct err *err);

/** Send it. A client that is gone or does not read loses it. */
void answer_send(struct service *service, const struct client *client);

/** Write a command and its outcome into the run file, before the client hears of it; of what the loop did not carry out a few a second. */
void answer_record(struct service *service, uint64_t request, const struct client *client,
		   const struct message *message, const struct err *err);

/* service_refusals.c */

/** One more of a client's commands that the loop does not carry out: whether there is room to write it down. There is a recorder. */
bool refusals_count(struct service *service, const char *client, int64_t now_ns);

/** Write down how many were left out, a second ago; all of them when `ending`. */
void refusals_look(struct service *service, int64_t now_ns, bool ending);

/* service_programs.c */

/**
 * Load a protocol; *loaded is the caller's until programs_take() or programs_forget(). Waits for the disk and for HDF5. Errors: those of
 * protocol_load(), JOSTLE_ENOMEM. Call from: any.
 */
int programs_read(const char *path, struct loaded **loaded, struct err *err);

/**
 * Check that the bench can carry out one generation with it, and lay out what the recorder keeps of it. Waits for HDF5. Errors: those of
 * program_init() and recorder_image(). Call from: any.
 */
int programs_try(const struct service_setup *setup, struct loaded *loaded, struct err *err);

/** Go over to a protocol, which is no longer the caller's whatever comes of it; *entry idles with it. Errors: those of program_init(), JOSTLE_EBUSY. */
int programs_take(struct service *service, struct loaded *loaded, struct entry **entry, struct err *err);
void programs_forget(struct loaded *loaded);

/** A program that draws samples with the protocol asked for last, or idles when message is NULL. Errors: JOSTLE_EINVAL (no protocol), those of program_init(), JOSTLE_EBUSY. */
int programs_build(struct service *service, const struct message *message, struct entry **entry, struct err *err);

/** The request for it, numbered; the run file gets the protocol. */
struct request programs_request(struct service *service, struct entry *entry);

/** The loop has answered the request: free the one it will never carry out again, or never did. */
void programs_hear(struct service *service, const struct loop_event *event);

/** It could not be handed over: what is asked for next is made from the protocol that was asked for before. */
void programs_drop(struct service *service, struct entry *entry);

/** The loop has ended. */
void programs_fini(struct service *service);

/** The entry of a program, or NULL. */
const struct entry *programs_find(const struct service *service, uint64_t program);

/* service_load.c */

/**
 * Begin to load a protocol in a thread of its own: the disk may take its time. The client hears when the loop has taken it. Errors:
 * JOSTLE_EBUSY (another is being loaded), JOSTLE_ENOMEM.
 */
int load_begin(struct service *service, const struct client *client, const struct message *message, struct err *err);

/** Go over to what has been loaded, or answer that it has not, or not in time. */
void load_look(struct service *service, int64_t now_ns);

/** Answer whoever waits for one; wait for the thread, a bounded time. */
void load_fini(struct service *service);

/* service_instruments.c */

/** Have an instrument set; the client hears when it is. Errors: those of instruments_order(), JOSTLE_EBUSY. */
int instruments_expect(struct service *service, const struct client *client, const struct message *message,
		       struct err *err);

/** Answer whose order is done, or late; all of them when `ending`. Hand what the instruments said to the recorder. */
void instruments_listen(struct service *service, int64_t now_ns, bool ending);

/** The key "instruments" and how they stand. */
void telemetry_put_instruments(struct service *service, struct wire_writer *writer);

/* telemetry.c */

/** Take what subscribers have said: of topics, there are few. */
void telemetry_serve(struct service *service);

/** Publish what is due. */
void telemetry_publish(struct service *service, int64_t now_ns);

/** When the next frame is due. */
int64_t telemetry_due_ns(const struct service *service);

/** A frame: begin, put keys, send. */
struct wire_writer *telemetry_begin(struct service *service, enum topic topic);
void telemetry_send(struct service *service, enum topic topic);

/** The keys of the status; the latest tick's values as a map, or nil; the key "trip" and what it was, or nil. */
void telemetry_put_status(struct service *service, struct wire_writer *writer);
void telemetry_put_trace(const struct service *service, struct wire_writer *writer);
void telemetry_put_trip(const struct service *service, struct wire_writer *writer, const struct trip *trip);

/** A key and a number, or nil where it is not finite. */
void telemetry_put_number(struct wire_writer *writer, const char *key, double value);

/* telemetry_events.c */

/** Take all that the loop has said since: publish it, answer whoever waits for it, hand on the samples. */
void events_listen(struct service *service);

/** Take a newer view, if there is one, and what it tells that a dropped event did not; returns whether there is. */
bool events_look(struct service *service);

#endif
