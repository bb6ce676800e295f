#ifndef JOSTLE_TARGET_H
#define JOSTLE_TARGET_H
/*
 * What a bench is to learn: a source of data points, and for two-dimensional targets their exact density.
 *
 * Every built-in two-dimensional target is a mixture of isotropic normal modes, curves being a row of many, so that bin
 * masses are exact (products of error functions) and metrics compare against the truth, not against another sample.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

struct err;
struct spec;

/** Isotropic normal modes in n_sites dimensions. */
struct mixture {
	size_t  n_modes, n_sites;
	double *weight; /* [n_modes], sums to 1 */
	double *mean;   /* [n_modes][n_sites] */
	double *sigma;  /* [n_modes] */
	size_t  n_named; /* modes whose weight is reported: n_modes for Gaussians, 0 for curves */
};

struct target {
	const struct target_type *type;
	size_t                    n_sites;
	size_t                    n_train, n_held; /* sizes of a finite data set; 0 where draws never end */
	struct mixture            mixture;         /* n_modes 0 where there is none */
	void                     *data;            /* the type's own */
};

/** All members are required. */
struct target_type {
	const char *name, *summary, *settings, *example;

	/** Read the settings and prepare; n_sites is set by the caller. Errors: JOSTLE_ECONFIG, JOSTLE_ENOMEM. Call from: setup. */
	int (*init)(struct target *target, struct spec *spec, struct err *err);
	void (*fini)(struct target *target);

	/**
	 * Datum number `index` of `stream` (RANDOM_DATA, RANDOM_HELD_DATA or RANDOM_REFERENCE) at `step` of training:
	 * x0[n_sites], natural units. The same address gives the same datum. Call from: any.
	 */
	void (*draw)(const struct target *target, uint64_t seed, enum random_stream stream, uint32_t index,
	             uint64_t step, float x0[]);

	/** The largest |x| of the data to plan for: a wall stands outside it. Call from: any. */
	double (*extent)(const struct target *target);
};

/** The targets, ended by NULL. */
extern const struct target_type *const target_registry[];

/** Build from a one-line specification. Errors: JOSTLE_ECONFIG, JOSTLE_ENOENT, JOSTLE_ENOMEM. Call from: setup. */
int  target_init(struct target *target, const char *spec, size_t n_sites, struct err *err);
void target_fini(struct target *target);

#endif
