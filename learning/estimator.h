#ifndef JOSTLE_ESTIMATOR_H
#define JOSTLE_ESTIMATOR_H
/*
 * A learning rule: from observations to the gradient of the loss L = E|f - f*|^2 / 2 with respect to theta, at one time.
 *
 * An estimator sees observations and the network's phi, and never who made them; it works on chunks of a batch so that
 * threads can share out the work and whoever adds up does it in order.
 */
#include <stdbool.h>
#include <stddef.h>

#include "protocols/network.h"
#include "protocols/observation.h"

struct err;

struct estimator_sum {
	double n_moments; /* moments observed */
	double *gradient; /* [n_parameters]: sum of the per-moment gradients */
	double residual;  /* sum of |f - f*|^2 over sites, of a rule that has it */
};

struct estimator_type {
	const char *name, *summary;

	/** Which fields of an observation it needs: enum observation_field, or-ed. Call from: any. */
	unsigned needs;

	/** Whether its moments have a residual f - f*, so that the training loss can be told. */
	bool has_residual;

	/**
	 * Add the moments of blocks [first_block, last_block) of `batch` to `sum`. `packed` is the network's packed theta
	 * (only its wall is used, so that phi is taken where the force is). Scratch is on the stack or static to the
	 * caller's thread. Call from: any.
	 */
	void (*observe)(const struct network *network, const float packed[], const struct observation_batch *batch,
			size_t first_block, size_t last_block, struct estimator_sum *sum);
};

/** The rules, ended by NULL. */
extern const struct estimator_type *const estimator_registry[];

/** Find by name. Errors: JOSTLE_ENOENT, naming those there are. Call from: setup. */
int estimator_find(const char *name, const struct estimator_type **type, struct err *err);

#endif
