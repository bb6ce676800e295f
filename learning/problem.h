#ifndef JOSTLE_PROBLEM_H
#define JOSTLE_PROBLEM_H
/*
 * The learning problem at one knot, posed by the ideal twin: data are noised to time t, the network's force is measured
 * there, and a learning rule turns that into a gradient.
 *
 * Every random number is addressed by (seed, knot, step, moment), and sums are taken chunk by chunk in order, so that
 * nothing depends on the number of threads or of ranks (base/ranks.h). What takes sums or draws a sample is called by all
 * ranks together, and gives the same on each.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocols/network.h"

struct err;
struct estimator_type;
struct pool;
struct target;

/* Steps of a knot that are not training steps. */
#define PROBLEM_STEP_SCALE  0xfffffffeu /* the batch that the parameters' scale is taken from */
#define PROBLEM_STEP_STORED 0xffffffffu /* the stored sample */

struct problem {
	/* The caller's, all of which outlive the problem. */
	const struct network *network;
	const struct target *target;
	const struct estimator_type *rule;
	struct pool *pool;
	uint64_t seed;

	/* Set by problem_enter(). */
	size_t knot;
	double t;
	struct wall wall;

	size_t n_stored;     /* blocks of the stored sample; 0 while there is none */
	size_t first_stored; /* where this rank's part of them begins */
	float *stored;       /* this rank's part: [blocks][x0, x][site][lane] */
	float *packed;       /* the network's packed theta */
	float *scratch;      /* of the threads */
	size_t scratch_size;
	double *sums; /* of the chunks */
};

/** The caller ends it with problem_fini(). Errors: JOSTLE_ENOMEM. Call from: setup. */
int problem_init(struct problem *problem, const struct network *network, const struct target *target,
		 const struct estimator_type *rule, struct pool *pool, uint64_t seed, struct err *err);
void problem_fini(struct problem *problem);

/** Go to a knot at time t; drops the stored sample. Call from: setup. */
void problem_enter(struct problem *problem, size_t knot, double t);

/** The wall that stands outside the data at time t, whatever theta is. Call from: any. */
struct wall problem_wall(const struct target *target, double t);

/**
 * The rule's gradient per moment at theta, from fresh moments of a step: g[n_parameters]. n_moments is rounded up to
 * whole blocks of 32. Returns the loss of these moments as it is reported, sigma^2 / 4N |f - f*|^2 per moment, or 0 for a
 * rule whose has_residual is false. Call from: setup.
 */
double problem_gradient(struct problem *problem, const double theta[], uint32_t step, size_t n_moments, double g[]);

/** E|grad phi_k|^2 from fresh moments, power[n_parameters]: the diagonal of the loss's Hessian. Call from: setup. */
void problem_power(struct problem *problem, size_t n_moments, double power[]);

/** Draw and keep a sample of this knot. Errors: JOSTLE_ENOMEM. Call from: setup. */
int problem_store(struct problem *problem, size_t n_moments, struct err *err);

/** The same three on the stored sample; apply gives G v with G the loss's Hessian, never formed. Call from: setup. */
double problem_stored_gradient(struct problem *problem, const double theta[], double g[]);
void problem_stored_power(struct problem *problem, double power[]);
void problem_stored_apply(struct problem *problem, const double v[], double gv[]);

/**
 * The loss sigma^2 / 4N E|f - f*|^2 of theta on held-out data, and its standard error. The draws depend on t alone, not
 * on the seed: two learners are compared on the same moments. Call from: setup.
 */
void problem_held_out(struct problem *problem, const double theta[], size_t n_moments, double *loss,
		      double *standard_error);

#endif
