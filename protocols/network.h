#ifndef JOSTLE_NETWORK_H
#define JOSTLE_NETWORK_H
/*
 * The oscillators and what couples them: variables on a lattice and a list of energy terms.
 *
 * Variables 0 … nx ny - 1 are the lattice sites, row by row; whatever else a network has (hidden units, noise variables
 * of an active bath) comes after them. Constant after network_init().
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/rt.h"
#include "protocols/kernel_target.h"

struct err;
struct energy_term;

#define NETWORK_MAX_SIDE       32
#define NETWORK_MAX_SITES      (NETWORK_MAX_SIDE * NETWORK_MAX_SIDE)
#define NETWORK_MAX_VARIABLES  (4 * NETWORK_MAX_SITES)
#define NETWORK_MAX_TERMS      32
#define NETWORK_MAX_PARAMETERS 1000000

enum variable_role { VARIABLE_VISIBLE, VARIABLE_HIDDEN, VARIABLE_NOISE };

struct variable {
	enum variable_role role;
	double             mobility;    /* natural units; 1 for a site of the nominal bench */
	double             temperature; /* of its bath, in units of the bench's kT */
};

/**
 * Confinement that holds for every theta: outside [-position, position] a site feels only the restoring force
 * -stiffness (x - x_clamped), and the others feel it as if it stood at the wall. With c the clamped state,
 * U(x) = sum_k theta_k phi_k(c) + stiffness |x - c|^2 / 2, which is continuous and grows in every direction.
 */
struct wall {
	double position;  /* > 0, natural units */
	double stiffness; /* > 0 */
};

struct network {
	size_t              nx, ny, n_sites;
	size_t              n_variables;
	struct variable    *variables;
	size_t              n_terms;
	struct energy_term *terms;      /* [n_terms] */
	const size_t       *term_types; /* [n_terms]: row in every target's registry */
	char              **specs;      /* [n_terms]: as given, in the one-line form of base/spec.h */
	const size_t       *offsets;    /* [n_terms]: where a term's parameters begin in theta */
	size_t              n_parameters;
};

/**
 * Build a network of nx × ny visible sites, mobility and temperature 1, with the terms that the one-line
 * specifications name. The caller ends it with network_fini(). Errors: JOSTLE_ECONFIG (names the term and the setting),
 * JOSTLE_ENOENT (no such term; names those there are), JOSTLE_ENOMEM. Call from: setup.
 */
int  network_init(struct network *network, size_t nx, size_t ny, const char *const specs[], size_t n_specs,
                  struct err *err);
void network_fini(struct network *network);

/**
 * Whether the network is nothing but visible sites of mobility and temperature 1: what a bench without hidden units,
 * noise variables and baths of several temperatures can carry out. A protocol file may hold others. Call from: setup.
 */
bool network_is_plain(const struct network *network);

/** The canonical name of parameter k of the whole network. Call from: setup. */
void network_parameter_name(const struct network *network, size_t k, char *name, size_t size);

/**
 * The arithmetic of a whole network for one target of kernel_target.h. x, f, r are [variable][lane]; `packed` is
 * packed_size(network) reals that hold theta and the wall in the layout the kernels read.
 */
#define network_kernels FAMILY(network_kernels)
struct network_kernels {
	const char *name; /* of its target in kernel_target.h */
	size_t (*packed_size)(const struct network *network);

	/** RT_SAFE. Call from: any. */
	void (*pack)(const struct network *network, const double theta[], const struct wall *wall, real packed[]);

	/** Another wall for what was packed. RT_SAFE. Call from: any. */
	void (*set_wall)(const struct wall *wall, real packed[]);

	/** u[lane] = U(x). RT_SAFE. Call from: any. */
	void (*energy)(const struct network *network, const real packed[], const real x[], real u[LANES]);

	/** f = -grad U(x) for every lattice site; other variables are left alone. RT_SAFE. Call from: any. */
	void (*force)(const struct network *network, const real packed[], const real x[], real f[]);

	/**
	 * g[k] -= sum over lanes of r . grad phi_k, l[k] += sum of the Laplacian of phi_k, p[k] += sum of
	 * |grad phi_k|^2, each at x clamped to the wall of `packed`; a site outside the wall counts in none of them,
	 * except that the Laplacian and the power are taken at the clamped point. RT_SAFE. Call from: any.
	 */
	void (*gradient)(const struct network *network, const real packed[], const real x[], const real r[], double g[]);
	void (*laplacian)(const struct network *network, const real packed[], const real x[], double l[]);
	void (*power)(const struct network *network, const real packed[], const real x[], double p[]);
};

/** The kernels of this layout: the single-replica ones, or the fastest block ones that this CPU can run. Call from: any. */
#define network_kernels_best FAMILY(network_kernels_best)
const struct network_kernels *network_kernels_best(void);

/** All kernels of this layout that this CPU can run, ended by NULL: for tests and benchmarks. Call from: any. */
#define network_kernels_all FAMILY(network_kernels_all)
const struct network_kernels *const *network_kernels_all(void);

#endif
