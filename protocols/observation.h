#ifndef JOSTLE_OBSERVATION_H
#define JOSTLE_OBSERVATION_H
/*
 * What learning and calibration see of a bench, whoever made it: the ensemble engine, the twin, or shots on hardware.
 *
 * A batch is `n` moments of the same time t, in blocks of 32 lanes laid out [block][variable][lane], natural units. A
 * field that was not observed is NULL; an estimator says which it needs.
 */
#include <stddef.h>

#include "protocols/kernel_target.h"

struct network;

enum observation_field {
	OBSERVED_X_BEFORE = 1 << 0,
	OBSERVED_X_AFTER = 1 << 1,
	OBSERVED_FORCE = 1 << 2,
	OBSERVED_X0 = 1 << 3,
	OBSERVED_COMMAND = 1 << 4,
	OBSERVED_PASSIVE = 1 << 5,
};

struct observation_batch {
	double t;              /* diffusion time of every moment */
	double step;           /* probe time delta between before and after; 0 when x_after is NULL */
	size_t n_blocks;       /* whole blocks: n = 32 n_blocks */
	size_t n_sites;        /* lattice sites in a block, at most NETWORK_MAX_SITES */
	const float *x_before; /* [block][site][lane] */
	const float *x_after;
	const float *force;   /* measured total force at x_before, never the number that was commanded */
	const float *x0;      /* the datum that x_before was noised from */
	const float *command; /* what was commanded */
	const float *passive; /* f_pass(x_before) of the bench; -x on an ideal one */
};

#endif
