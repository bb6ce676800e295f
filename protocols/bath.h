#ifndef JOSTLE_BATH_H
#define JOSTLE_BATH_H
/*
 * A noise process, per site: the displacement x and up to one auxiliary variable (the force eta of an active bath).
 *
 * All laws are linear and Gaussian, so a process is its 2 × 2 matrices; index 0 is x, index 1 the auxiliary variable,
 * zero where the process has none. Natural units.
 */
#include <stddef.h>

#include "base/rt.h"

struct err;
struct spec;

#define BATH_DIMENSION 2

/** A linear Gaussian transition: z(t) = map z(0) + noise of covariance `covariance`. */
struct bath_law {
	double map[BATH_DIMENSION][BATH_DIMENSION];
	double covariance[BATH_DIMENSION][BATH_DIMENSION];
};

/** Reverse process: dz = (drift z + diag(gain) score) dtau + noise of intensity diag(gain) per time. */
struct bath_reverse {
	double drift[BATH_DIMENSION][BATH_DIMENSION];
	double gain[BATH_DIMENSION]; /* 2 T_p for x, 2 T_a / tau^2 for eta */
};

/** A process with its settings. Copied by value; holds no memory. */
struct bath {
	const struct bath_type *type;
	double stiffness;          /* k, 1 in natural units */
	double temperature;        /* T_p of the thermal bath */
	double active_temperature; /* T_a, 0 for a passive bath */
	double persistence_time;   /* tau, 0 for a passive bath */
};

/** All members are required. */
struct bath_type {
	const char *name, *summary, *settings;
	size_t n_auxiliary; /* auxiliary variables per site: 0 or 1 */

	/** Read the settings, each with a default, into `bath`. Errors: JOSTLE_ECONFIG. Call from: setup. */
	int (*init)(struct bath *bath, struct spec *spec, struct err *err);

	/** The exact forward transition over time t >= 0, at any t. RT_SAFE. Call from: any. */
	void (*transition)(const struct bath *bath, double t, struct bath_law *law);

	/** The stationary covariance: the law of the generation's start. RT_SAFE. Call from: any. */
	void (*stationary)(const struct bath *bath, double covariance[BATH_DIMENSION][BATH_DIMENSION]);

	/**
	 * The reverse process: the forward drift with its sign turned, and the score. With the stationary law's own score,
	 * -C^-1 z, it leaves that law as it is. RT_SAFE. Call from: any.
	 */
	void (*reverse)(const struct bath *bath, struct bath_reverse *reverse);
};

/** The processes, ended by NULL. They live in sim/baths, and so does their registry. */
extern const struct bath_type *const bath_registry[];

/** Build from a one-line specification, "white". Errors: JOSTLE_ECONFIG, JOSTLE_ENOENT. Call from: setup. */
int bath_init(struct bath *bath, const char *spec, struct err *err);

#endif
