#ifndef JOSTLE_SHARED_LIMITS_H
#define JOSTLE_SHARED_LIMITS_H
/*
 * Limits that several outputs share: differences between lattice neighbours, the power of all together.
 *
 * Each is a convex set of voltages around safe_V, so that whatever breaks one keeps it after moving far enough towards
 * safe_V, and a straight line between two points that keep them all keeps them throughout (ADR 8).
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/rt.h"

struct bench;
struct calibration;
struct err;

/** Two force outputs whose sites are neighbours. */
struct output_pair {
	size_t a, b;
};

struct shared_limits {
	bool any;
	size_t n_out, n_pairs;
	struct output_pair *pairs;  /* [n_pairs] */
	double *safe_V;             /* [n_out] */
	double *N_per_V, *offset_V; /* [n_out]: force = (V - offset_V) N_per_V; 0 for what is no force */
	double difference_V;        /* largest |V_a - V_b| of a pair; this and those below infinite for none */
	double difference_N;        /* largest |force_a - force_b| */
	double sum_N2;              /* largest sum of forces squared */
	double sum_V2;              /* largest sum of (V - safe_V)^2 */
};

/**
 * Take the bench's. The caller ends it with shared_limits_fini(), which is safe on zeroed memory and after an error.
 * Errors: JOSTLE_ECONFIG, naming the limit that safe_V of all outputs does not keep; JOSTLE_ENOMEM. Call from: setup.
 */
int shared_limits_init(struct shared_limits *limits, const struct bench *bench, const struct calibration *calibration,
		       struct err *err);
void shared_limits_fini(struct shared_limits *limits);

/** Whether out_V[n_out], a heartbeat at its safe_V, keeps them all, as stated. RT_SAFE. Call from: any. */
RT_SAFE bool shared_limits_hold(const struct shared_limits *limits, const double out_V[]);

/**
 * The largest s from 0 to 1 for which safe_V + s (out_V - safe_V) keeps them all with a margin for rounding. out_V is
 * finite. RT_SAFE. Call from: any.
 */
RT_SAFE double shared_limits_scale(const struct shared_limits *limits, const double out_V[]);

#endif
