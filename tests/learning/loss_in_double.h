#ifndef JOSTLE_TEST_LOSS_IN_DOUBLE_H
#define JOSTLE_TEST_LOSS_IN_DOUBLE_H
/*
 * The losses that the rules descend, computed for one moment in double precision from nothing but the force: for a test
 * that is itself compiled for the block layout.
 */
#include <stddef.h>

struct network;
struct wall;

struct moment {
	double t;
	const double *x, *x0; /* [n_sites] */
};

/** |f - f*|^2 / 2 with f* = x - 2 (x - a x0) / sigma^2. */
double denoising_loss(const struct network *network, const double theta[], const struct wall *wall,
		      const struct moment *moment);

/** |f|^2 / 2 + f . f_pass + 2 div f with f_pass = -x and the divergence by central differences of the force. */
double implicit_loss(const struct network *network, const double theta[], const struct wall *wall,
		     const struct moment *moment);

#endif
