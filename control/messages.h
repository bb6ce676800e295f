#ifndef JOSTLE_MESSAGES_H
#define JOSTLE_MESSAGES_H
/*
 * The wire between a bench process and its clients: names, versions, bounds, and commands taken apart. docs/file-formats.md
 * describes every message. Nothing here knows of the loop: a client includes this file and base alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/wire.h"

struct err;

#define MESSAGE_VERSION     1
#define MESSAGE_MAX_BYTES   4096 /* of a command */
#define MESSAGE_MAX_FIELDS  16   /* of a command */
#define MESSAGE_MAX_PATH    1024 /* with its NUL */
#define MESSAGE_MAX_NAME    32   /* of an instrument and its values, with its NUL */
#define MESSAGE_MAX_SAMPLES 1e9
#define MESSAGE_STATUS_HZ   10
#define MESSAGE_TRACE_HZ    30
#define MESSAGE_RELAX       4.0 /* relaxation times before each sample, where a command gives none */

/* Topics of the telemetry, the first part of every message. */
#define TOPIC_STATUS    "status"
#define TOPIC_TRACE     "trace"
#define TOPIC_EVENT     "event"
#define TOPIC_SAMPLE    "sample"
#define TOPIC_HISTOGRAM "histogram"

enum message_kind {
	MESSAGE_PING,
	MESSAGE_STATUS,
	MESSAGE_SNAPSHOT,
	MESSAGE_RESET,
	MESSAGE_ARM,
	MESSAGE_RUN,
	MESSAGE_STOP,
	MESSAGE_LOAD_PROTOCOL,
	MESSAGE_SAMPLE,
	MESSAGE_STOP_SAMPLING,
	MESSAGE_MANUAL,
	MESSAGE_LIMITS,
	MESSAGE_RECORD,
	MESSAGE_DOCTOR,
	MESSAGE_INSTRUMENT,
	MESSAGE_SHUTDOWN,
	MESSAGE_N_KINDS
};

/** A command. What a kind has no field for is 0. */
struct message {
	enum message_kind kind;
	bool has_id;
	uint64_t id;                 /* the client's, echoed in the answer */
	char path[MESSAGE_MAX_PATH]; /* load-protocol */
	uint64_t n;                  /* sample */
	double relax;                /* sample: relaxation times, at least MESSAGE_RELAX */
	double t_final;              /* sample: natural time; NaN where none was given: the protocol's last knot */
	uint64_t output;             /* manual, limits */
	double volts;                /* manual; NaN: give the output back */
	double min_V, max_V, slew_V_per_s;                  /* limits; slew 0 where none was given */
	bool on;                                            /* record */
	char name[MESSAGE_MAX_NAME], set[MESSAGE_MAX_NAME]; /* instrument: which, and its value to be set */
	double value;                                       /* instrument: in the unit of that value */
};

/**
 * Take a command apart: a map of at most MESSAGE_MAX_FIELDS plain values, nothing else. Every field is checked for type and range;
 * fields that the command does not have, or has twice, are refused, and so is whatever follows the map. id and has_id are set also
 * where another field is refused. Errors: JOSTLE_EFORMAT (no such map), JOSTLE_EVERSION, JOSTLE_EINVAL (naming the field).
 * Call from: any.
 */
int message_decode(struct message *message, const void *bytes, size_t size, struct err *err);

/** The command as a line for a person and for the run file, "manual output=3 volts=0.5". Call from: any. */
void message_format(const struct message *message, char *text, size_t size);

/** A command's name, "load-protocol". Call from: any. */
const char *message_name(enum message_kind kind);

#endif
