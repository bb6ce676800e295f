#ifndef JOSTLE_REQUEST_H
#define JOSTLE_REQUEST_H
/*
 * What the loop may be asked for. It takes one request at the beginning of a tick, in order, and answers each with an
 * event (EVENT_REQUEST). Whatever is asked, the supervisor's table and its clamp decide what comes of it.
 */
#include <stddef.h>
#include <stdint.h>

#include "control/supervisor.h"

struct program;

enum request_kind {
	REQUEST_EVENT,   /* reset, arm, run, stop */
	REQUEST_PROGRAM, /* carry out another program from this tick on; a generation under way is given up */
	REQUEST_MANUAL,  /* one output's volts by hand, within every limit, while RUNNING; NaN gives it back */
	REQUEST_LIMITS,  /* narrower limits of one output; never wider than the bench file's */
	REQUEST_N_KINDS
};

struct request {
	uint64_t id; /* the asker's, not 0 */
	enum request_kind kind;
	enum supervisor_event event; /* REQUEST_EVENT */
	struct program *program;     /* REQUEST_PROGRAM: whole, the loop's until another is taken */
	size_t output;               /* REQUEST_MANUAL, REQUEST_LIMITS */
	double value_V;              /* REQUEST_MANUAL */
	double min_V, max_V;         /* REQUEST_LIMITS */
	double slew_V_per_s;         /* REQUEST_LIMITS; 0 leaves it as it is */
};

#endif
