#ifndef JOSTLE_MIXTURE_H
#define JOSTLE_MIXTURE_H
/*
 * Mixtures of isotropic normal modes: draws, density, and exact masses of the bins that the metrics count in.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

struct err;

#define MIXTURE_MAX_MODES 4096
#define MIXTURE_BINS      40  /* along each axis of the plane */
#define MIXTURE_HALF_SIDE 3.0 /* the bins cover [-3, 3]^2, natural units */

/** Isotropic normal modes in n_sites dimensions. */
struct mixture {
	size_t n_modes, n_sites;
	double *weight;     /* [n_modes], sums to 1 */
	double *cumulative; /* [n_modes], running sum of the weights; the last is 1 */
	double *mean;       /* [n_modes][n_sites] */
	double *sigma;      /* [n_modes] */
	size_t n_named;     /* modes whose weight is reported: n_modes for Gaussians, 0 for curves */
};

/**
 * Room for n_modes modes, all zero: the caller fills weight, mean and sigma and then calls mixture_normalise().
 * The caller ends it with mixture_fini(). Errors: JOSTLE_EINVAL, JOSTLE_ENOMEM. Call from: setup.
 */
int mixture_init(struct mixture *mixture, size_t n_modes, size_t n_sites, struct err *err);
void mixture_fini(struct mixture *mixture);

/** Divide the weights by their sum and fill `cumulative`. Errors: JOSTLE_EINVAL (a sum that is not positive). Call from: setup. */
int mixture_normalise(struct mixture *mixture, struct err *err);

/**
 * The draw at an address: x[n_sites]. Block 0 of the address picks the mode, the blocks after it are its normals.
 * Call from: any.
 */
void mixture_draw(const struct mixture *mixture, uint64_t seed, enum random_stream stream, uint32_t index,
		  uint64_t step, float x[]);

/** Density at x[n_sites]. Call from: any. */
double mixture_density(const struct mixture *mixture, const double x[]);

/**
 * How far out the mixture lies after a x + sigma xi: the largest a |mean_i| + n standard deviations over modes and sites.
 * Call from: any.
 */
double mixture_extent(const struct mixture *mixture, double a, double sigma, double n_deviations);

/**
 * Exact mass of every bin, mass[MIXTURE_BINS * MIXTURE_BINS], the second coordinate running fastest. Two sites only.
 * Returns the mass outside all bins, not as a difference from 1. Call from: any.
 */
double mixture_bin_masses(const struct mixture *mixture, double mass[]);

/** The bin of a point of the plane, or MIXTURE_BINS * MIXTURE_BINS when it is outside or not finite. Call from: any. */
size_t mixture_bin(const float x[2]);

#endif
