#ifndef JOSTLE_CONTROL_POTENTIAL_H
#define JOSTLE_CONTROL_POTENTIAL_H
/*
 * The protocol's potential at one moment, for one replica, in memory taken beforehand.
 */
#include "base/rt.h"
#include "protocols/network.h"

struct err;
struct protocol;

struct potential {
	const struct protocol *protocol; /* the caller's, outlives this */
	const struct network_kernels *kernels;
	struct wall wall;
	double *theta;  /* [n_parameters]: at the last potential_at() */
	double *packed; /* in the layout the kernels read */
};

/** The caller ends it with potential_fini(). Errors: JOSTLE_ECONFIG (a network that is not plain), JOSTLE_ENOMEM. Call from: setup. */
int potential_init(struct potential *potential, const struct protocol *protocol, struct err *err);
void potential_fini(struct potential *potential);

/** Take theta and the wall at diffusion time t; enough for reading theta. RT_SAFE. Call from: any. */
RT_SAFE void potential_at(struct potential *potential, double t);

/** potential_at(), and f[n_sites] = f_theta(x, t): the total force. RT_SAFE. Call from: any. */
RT_SAFE void potential_force_at(struct potential *potential, double t, const double x[], double f[]);

#endif
