#ifndef JOSTLE_TRAINER_H
#define JOSTLE_TRAINER_H
/*
 * Training: a task, a rule and an optimiser become a driving protocol, knot by knot from t_final down, each knot starting
 * from its neighbour's solution.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct h5_file;
struct pool;
struct progress;
struct protocol;
struct task;

struct trainer_options {
	const char *rule;      /* a member of the estimator registry */
	const char *optimiser; /* a member of the optimiser registry */
	uint64_t seed;
	const char
		*checkpoint; /* file for interrupted work, usually the output's path + ".checkpoint"; NULL for none */
	bool resume;         /* go on from the checkpoint, which must be of this very configuration */

	/** Asked after every step whether to stop here. NULL means interrupt_asked(). */
	bool (*stop)(void *context);
	void *stop_context;

	struct progress *progress; /* begun and ended by the trainer, in knots; NULL for silence */
};

/** What became of each knot. */
struct training_report {
	size_t n_knots;
	double *t;              /* [n_knots], ascending */
	double *loss;           /* [n_knots]: held out, sigma^2 / 4N E|f - f*|^2; 1 is the zero score f = x */
	double *standard_error; /* [n_knots]: of `loss` */
	bool has_training_loss; /* whether it was measured: by training, with a rule that has a residual */
	double *training_loss;  /* [n_knots]: the same on training moments; zeros where it was not measured */
};

/**
 * Train. `task` has passed task_check(). Fills `protocol`, which the caller ends with protocol_fini(), and `report`, which
 * the caller ends with training_report_fini(); on error neither.
 *
 * At least every ten seconds, and when it is asked to stop, the work done so far goes into the checkpoint; a resumed run
 * gives the same bits as one that was never interrupted. A finished run leaves the checkpoint where it is, for the
 * caller to remove once the protocol is saved.
 *
 * All ranks run it together (base/ranks.h) and end with the same protocol, bit for bit what one rank would learn, or with
 * the same error. Rank 0 alone reads and writes the checkpoint; asking one rank to stop stops all.
 *
 * Errors: JOSTLE_EINTR (stopped; what was done is in the checkpoint if there is one), JOSTLE_ECONFIG (also: a checkpoint
 * of another configuration, or ranks that differ in theirs), JOSTLE_ENOENT (no such rule, optimiser or checkpoint), JOSTLE_EDIVERGED (theta left the
 * range of numbers), JOSTLE_EFORMAT, JOSTLE_EVERSION, JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup.
 */
int trainer_run(const struct trainer_options *options, const struct task *task, struct pool *pool,
		struct protocol *protocol, struct training_report *report, struct err *err);

void training_report_fini(struct training_report *report);

/**
 * Write the report as datasets of the group /learning of a file being written; what was not measured is left out.
 * Call from: setup.
 */
int training_report_write(const struct training_report *report, const struct h5_file *file, struct err *err);

/**
 * The held-out losses of any protocol on a task's target, as training reports them and on the same moments; there is
 * no training loss. The caller ends it with training_report_fini(). Errors: JOSTLE_ECONFIG (sites that do not fit
 * the target), JOSTLE_ENOENT, JOSTLE_ENOMEM. Call from: setup.
 */
int training_report_measure(struct training_report *report, const struct protocol *protocol, const struct task *task,
			    struct pool *pool, struct err *err);

#endif
