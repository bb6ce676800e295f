#ifndef JOSTLE_ENERGY_TERM_H
#define JOSTLE_ENERGY_TERM_H
/*
 * One family of terms of the potential: U = sum_k theta_k phi_k(x), linear in theta.
 *
 * A member of the registry is one file in terms/ that exports one symbol, `const struct energy_term_type
 * TARGET(term_NAME)`, and one line `plugin(term NAME)`. The file is compiled for each target of kernel_target.h.
 * Natural units throughout. x, f, r are [variable][lane]; all functions add to their result.
 */
#include <stddef.h>

#include "base/rt.h"
#include "protocols/kernel_target.h"

struct err;
struct network;
struct spec;

#define PARAMETER_NAME_SIZE 48

/** A term as it stands in one network. Constant after init, shared by all threads and targets. */
struct energy_term {
	size_t n_sites;      /* the lattice sites, variables 0 … n_sites - 1, that terms act on */
	size_t n_parameters; /* set by init() */
	void  *plan;         /* the family's own tables, from init(); NULL if it needs none */
};

#define energy_term_type FAMILY(energy_term_type)

/** All members are required; the registry's conformance test walks them. */
struct energy_term_type {
	const char *name;     /* as in a task file: "onsite-power" */
	const char *summary;  /* one line for `jostle list` */
	const char *settings; /* the keys it takes, for a person: "powers=1-4" */
	const char *example;  /* a specification the conformance suite can build on two sites */

	/**
	 * Read the settings, set n_parameters, allocate the plan.
	 * Errors: JOSTLE_ECONFIG (names the setting), JOSTLE_ENOMEM; nothing stays allocated. Call from: setup.
	 */
	int (*init)(struct energy_term *term, const struct network *network, struct spec *spec, struct err *err);

	/** Free the plan. Call from: setup. */
	void (*fini)(struct energy_term *term);

	/**
	 * The canonical name of phi_k, "x0^2 x1": the same function has the same name in every family, because a
	 * parametric bench maps its output channels by it. Call from: setup.
	 */
	void (*parameter_name)(const struct energy_term *term, size_t k, char name[PARAMETER_NAME_SIZE]);

	/** How many reals pack() writes. Call from: setup. */
	size_t (*packed_size)(const struct energy_term *term);

	/**
	 * Put theta[n_parameters] into the layout that energy() and force() read. Linear in theta, as they are in what is
	 * packed. RT_SAFE. Call from: any.
	 */
	void (*pack)(const struct energy_term *term, const double theta[], real packed[]);

	/** u[lane] += U. RT_SAFE. Call from: any. */
	void (*energy)(const struct energy_term *term, const real packed[], const real x[], real u[LANES]);

	/** f -= dU/dx. RT_SAFE. Call from: any. */
	void (*force)(const struct energy_term *term, const real packed[], const real x[], real f[]);

	/** g[k] -= sum over lanes of r . grad phi_k: the local rule, r = f - f_target. RT_SAFE. Call from: any. */
	void (*gradient)(const struct energy_term *term, const real x[], const real r[], double g[]);

	/** l[k] += sum over lanes of the Laplacian of phi_k. RT_SAFE. Call from: any. */
	void (*laplacian)(const struct energy_term *term, const real x[], double l[]);

	/** p[k] += sum over lanes of |grad phi_k|^2: the diagonal of the loss's Hessian. RT_SAFE. Call from: any. */
	void (*power)(const struct energy_term *term, const real x[], double p[]);
};

/** The families of this target, ended by NULL. */
extern const struct energy_term_type *const TARGET(term_registry)[];

/** x^n for the small n that occur, so that the compiler sees straight multiplications. */
static inline real integer_power(real x, size_t n)
{
	real y = 1;

	while (n-- > 0)
		y *= x;
	return y;
}

/**
 * Sum over lanes, in double precision: single-precision sums over a long batch would lose the small gradients.
 * The order of additions is fixed, eight running sums and then a tree, so that every target can vectorise it alike.
 */
static inline double lane_sum(const real v[LANES])
{
#if LANES == 1
	return v[0];
#else
	/* Spelt out as vectors: of the plain loop the compiler makes 32 conversions of one number each. */
	typedef float eight_floats __attribute__((vector_size(32), aligned(4), may_alias));
	typedef double eight_doubles __attribute__((vector_size(64)));
	const eight_floats *f = (const eight_floats *)v;
	const eight_doubles sum =
		(__builtin_convertvector(f[0], eight_doubles) + __builtin_convertvector(f[1], eight_doubles)) +
		(__builtin_convertvector(f[2], eight_doubles) + __builtin_convertvector(f[3], eight_doubles));

	return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
#endif
}

#endif
