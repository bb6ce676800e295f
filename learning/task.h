#ifndef JOSTLE_TASK_H
#define JOSTLE_TASK_H
/*
 * A task: what is to be learned, by a network of which terms, and how long. A YAML file found by name or path;
 * docs/file-formats.md has every field.
 *
 * The struct is plain and holds its texts itself, so that the command line may change a field after task_load() and
 * before task_check().
 */
#include <stddef.h>

#include "base/spec.h"
#include "protocols/network.h"

struct err;
struct hash;

#define TASK_MAX_BATCH  (1u << 22) /* moments in one step */
#define TASK_MAX_SAMPLE (1u << 24) /* moments stored, or held out */
#define TASK_MAX_STEPS  10000000
#define TASK_MAX_RATE   10.0

/** How long to learn, per knot. */
struct task_training {
	size_t batch;  /* adam: moments in a step, rounded up to whole blocks of 32 */
	size_t steps;  /* adam: steps at each knot; the first knot, which starts from nothing, takes twice as many */
	double rate;   /* adam: first step length, in parameters of order one; it falls to zero over the steps */
	size_t sample; /* cg: moments of the stored sample */
	size_t held;   /* moments held out for the loss */
};

struct task {
	char name[64];
	char summary[256];
	size_t nx, ny;
	char target[SPEC_MAX_TEXT]; /* one-line specification */
	size_t n_terms;
	char terms[NETWORK_MAX_TERMS][SPEC_MAX_TEXT]; /* one-line specifications */
	size_t knots;
	double readout_weight; /* density 1/2, image 1, none 0 */
	char bath[64];         /* one-line specification */
	struct task_training training;
};

/**
 * Read and check a task file. The caller ends it with task_fini().
 * Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_ENOMEM, JOSTLE_ECONFIG with file, line and field. Call from: setup.
 */
int task_load(struct task *task, const char *path, struct err *err);
void task_fini(struct task *task);

/**
 * The same for a text that is in memory already, as the one in a protocol file; `origin` stands for the file in errors.
 * Call from: setup.
 */
int task_parse(struct task *task, const char *origin, const char *text, struct err *err);

/** Replace the terms. Errors: JOSTLE_ECONFIG (too many or too long). Call from: setup. */
int task_set_terms(struct task *task, const char *const specs[], size_t n_specs, struct err *err);

/** Replace the target. Errors: JOSTLE_ECONFIG (too long). Call from: setup. */
int task_set_target(struct task *task, const char *spec, struct err *err);

/**
 * Check every field against its range, and build the network, the target and the bath once to see that they can be
 * built. Errors: JOSTLE_ECONFIG or JOSTLE_ENOENT, naming the field; JOSTLE_ENOMEM. Call from: setup.
 */
int task_check(const struct task *task, struct err *err);

/** The name of a read-out's weight in a task file, or NULL for a weight that has none. Call from: any. */
const char *task_readout_name(double weight);

/** Build the network that the task names. The caller ends it with network_fini(). Errors: network_init()'s. Call from: setup. */
int task_network(const struct task *task, struct network *network, struct err *err);

/**
 * The task as a file that task_load() reads back to the same: every field as it now stands, defaults and changes
 * included. The text is the caller's to free(). Errors: JOSTLE_ENOMEM. Call from: setup.
 */
int task_format(const struct task *task, char **text, struct err *err);

/** Add everything that a learned protocol depends on; the name and the summary are left out. Call from: setup. */
void task_hash(const struct task *task, struct hash *hash);

#endif
