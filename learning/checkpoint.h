#ifndef JOSTLE_CHECKPOINT_H
#define JOSTLE_CHECKPOINT_H
/*
 * Interrupted training on disk: everything that the rest of the run depends on, and the configuration that it is of.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct err;
struct task;
struct training_report;

/** What a checkpoint must agree with before it may be resumed. */
struct checkpoint_configuration {
	const char *rule, *optimiser;
	uint64_t seed;
	char task[HASH_HEX_SIZE]; /* of task_hash() */
};

/** Where training stands. The arrays are the trainer's. */
struct checkpoint {
	struct checkpoint_configuration configuration;
	size_t n_knots, n_parameters, n_state;
	size_t left;   /* knots not yet finished; knot left - 1 is under way */
	bool begun;    /* state[] holds that knot's optimiser */
	double *theta; /* [n_knots][n_parameters] */
	double *state; /* [n_state] */
	struct training_report *report;
};

/** Write path, whole or not at all. Errors: JOSTLE_EIO. Call from: setup. */
int checkpoint_save(const struct checkpoint *checkpoint, const char *path, struct err *err);

/**
 * Read path into the checkpoint's arrays, whose sizes and configuration are set. On error they may be half filled.
 * Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT, JOSTLE_EVERSION, and JOSTLE_ECONFIG when it is of another
 * configuration: names what differs. Call from: setup.
 */
int checkpoint_load(struct checkpoint *checkpoint, const char *path, struct err *err);

#endif
