#ifndef JOSTLE_CONTROL_POTENTIAL_H
#define JOSTLE_CONTROL_POTENTIAL_H
/*
 * The protocol's potential at one moment, for one replica, in memory taken beforehand.
 *
 * The force is linear in theta, and theta is linear between two knots: the force at a time between them is a mean of the
 * forces that the two knots have. Theta of every knot is packed beforehand, so that a tick neither mixes nor packs it.
 */
#include <stddef.h>

#include "base/rt.h"
#include "protocols/network.h"

struct err;
struct protocol;

struct potential {
	const struct protocol *protocol; /* the caller's, outlives this */
	const struct network_kernels *kernels;
	struct wall wall;
	double *theta;  /* [n_parameters]: at the last potential_at() */
	double *packed; /* [n_knots][packed_size]: in the layout the kernels read */
	size_t packed_size;
	double *above; /* [n_variables]: force of the upper knot, within potential_force_at() */
};

/** The protocol is as it stands now: later changes of its theta show in theta alone. The caller ends it with
 * potential_fini(). Errors: JOSTLE_ECONFIG (a network that is not plain), JOSTLE_ENOMEM. Call from: setup. */
int potential_init(struct potential *potential, const struct protocol *protocol, struct err *err);
void potential_fini(struct potential *potential);

/** Take theta and the wall at diffusion time t; enough for reading theta. RT_SAFE. Call from: any. */
RT_SAFE void potential_at(struct potential *potential, double t);

/** f[n_variables] = f_theta(x, t): the total force; theta and the wall are left alone. RT_SAFE. Call from: any. */
RT_SAFE void potential_force_at(struct potential *potential, double t, const double x[], double f[]);

#endif
