#ifndef JOSTLE_OPTIMISER_H
#define JOSTLE_OPTIMISER_H
/*
 * A way to find theta at one knot: a registry of const structs.
 *
 * All that an optimiser remembers between steps is `state`, n_state() doubles that the trainer owns and puts into
 * checkpoints: a run that stops after any step and goes on later ends with the same bits.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct problem;
struct task_training;

/** All members are required; the registry's conformance test walks them. */
struct optimiser_type {
	const char *name, *summary;

	/** Whether it works on a sample stored at the start of the knot, and not on fresh moments. */
	bool stores_sample;

	/** Doubles of state. Call from: any. */
	size_t (*n_state)(size_t n_parameters);

	/**
	 * Start a knot from theta[n_parameters], which holds the neighbour's solution, or zeros at the `first` knot.
	 * Fills state[]. Call from: setup.
	 */
	void (*begin)(const struct task_training *training, struct problem *problem, bool first, const double theta[],
		      double state[]);

	/** One step: updates theta and state. Returns the fraction of this knot's work that is done, 1 at its end. Call from: setup. */
	double (*step)(const struct task_training *training, struct problem *problem, double theta[], double state[]);

	/** The training loss of the knot after its last step, for a rule that has a residual. Call from: setup. */
	double (*loss)(const double state[]);
};

/** The optimisers, ended by NULL. */
extern const struct optimiser_type *const optimiser_registry[];

/** Find by name. Errors: JOSTLE_ENOENT, naming those there are. Call from: setup. */
int optimiser_find(const char *name, const struct optimiser_type **type, struct err *err);

#endif
