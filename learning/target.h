#ifndef JOSTLE_TARGET_H
#define JOSTLE_TARGET_H
/*
 * What a bench is to learn: a source of data points, and what metrics compare samples with: for two-dimensional targets
 * their exact density, for images those held out.
 *
 * Every built-in two-dimensional target is a mixture of isotropic normal modes, curves being a row of many, so that bin
 * masses are exact (products of error functions) and metrics compare against the truth, not against another sample.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "learning/mixture.h"

struct err;
struct image_set;
struct spec;

struct target {
	const struct target_type *type;
	size_t n_sites;
	size_t n_train, n_held;   /* sizes of a finite data set; 0 where draws never end */
	struct mixture mixture;   /* the exact density; n_modes 0 where there is none */
	struct image_set *images; /* the images, for metrics to compare with; NULL where there are none */
	void *data;               /* the type's own */
};

/** All members are required; the registry's conformance test walks them. */
struct target_type {
	const char *name;     /* as in a task file: "gaussians" */
	const char *summary;  /* one line for `jostle list` */
	const char *settings; /* the keys it takes, for a person */
	const char *example;  /* a specification that the conformance suite can build on example_sites sites */
	size_t example_sites;

	/**
	 * Read the settings and prepare; n_sites is set by the caller. On error the caller calls fini().
	 * Errors: JOSTLE_ECONFIG, JOSTLE_ENOMEM, and those of reading files. Call from: setup.
	 */
	int (*init)(struct target *target, struct spec *spec, struct err *err);

	/** Free what init() took, whole or in part. Call from: setup. */
	void (*fini)(struct target *target);

	/**
	 * Datum number `index` of `stream` (RANDOM_DATA, RANDOM_HELD_DATA or RANDOM_REFERENCE) at `step` of training:
	 * x0[n_sites], natural units. The same address gives the same datum. Call from: any.
	 */
	void (*draw)(const struct target *target, uint64_t seed, enum random_stream stream, uint32_t index,
		     uint64_t step, float x0[]);

	/**
	 * How far out the data lie when they are noised to a x0 + sigma xi: n standard deviations of what is random
	 * beyond what is not, in the site where that is largest. The wall stands there. Call from: any.
	 */
	double (*extent)(const struct target *target, double a, double sigma, double n_deviations);
};

/** The targets, ended by NULL. */
extern const struct target_type *const target_registry[];

/**
 * Build from a one-line specification. Errors: JOSTLE_ECONFIG, JOSTLE_ENOENT, JOSTLE_ENOMEM; JOSTLE_EFORMAT and JOSTLE_EIO
 * for a target that reads files. Call from: setup.
 */
int target_init(struct target *target, const char *spec, size_t n_sites, struct err *err);
void target_fini(struct target *target);

/** fini, draw and extent of a target that is its mixture and nothing else. Call from: as in struct target_type. */
void target_mixture_fini(struct target *target);
void target_mixture_draw(const struct target *target, uint64_t seed, enum random_stream stream, uint32_t index,
			 uint64_t step, float x0[]);
double target_mixture_extent(const struct target *target, double a, double sigma, double n_deviations);

#endif
