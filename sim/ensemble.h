#ifndef JOSTLE_ENSEMBLE_H
#define JOSTLE_ENSEMBLE_H
/*
 * The Langevin engine: many replicas of one network, 32 side by side, threads sharing out blocks.
 *
 * Every random number is addressed by (seed, stream, replica, step, variable), so that results depend neither on the
 * number of threads nor on how replicas are shared out. Natural units. x is [block][variable][lane].
 */
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

struct bath;
struct engine_kernels;
struct err;
struct network_kernels_block;
struct pool;
struct progress;
struct protocol;

struct ensemble {
	size_t   n_replicas;    /* as asked for */
	size_t   n_blocks;      /* whole blocks; the last one may hold replicas that nobody asked for */
	size_t   n_variables;
	uint64_t seed;
	uint32_t first_replica; /* address of replica 0: another process may hold those before it */
	float   *x;             /* [n_blocks][n_variables][32], aligned to 64 bytes */

	/* The fastest that this CPU can run; a test or a benchmark may put others of one target in their place. */
	const struct network_kernels_block *kernels;
	const struct engine_kernels        *engine;
};

/** The caller ends it with ensemble_fini(). Errors: JOSTLE_EINVAL, JOSTLE_ENOMEM. Call from: setup. */
int  ensemble_init(struct ensemble *ensemble, size_t n_replicas, size_t n_variables, uint64_t seed,
                   uint32_t first_replica, struct err *err);
void ensemble_fini(struct ensemble *ensemble);

/** Draw x from the bath's stationary law: where generation starts. Errors: JOSTLE_ENOMEM. Call from: setup. */
int ensemble_draw_prior(struct ensemble *ensemble, const struct bath *bath, struct pool *pool, struct err *err);

/**
 * Advance x by the exact forward transition over `time`; `number` addresses the noise.
 * Errors: JOSTLE_ENOMEM. Call from: setup.
 */
int ensemble_noise(struct ensemble *ensemble, const struct bath *bath, double time, uint64_t number,
                   struct pool *pool, struct err *err);

/**
 * Generate: from t_final down the bath's reverse process with the protocol's force, by Euler and Maruyama on the grid of
 * diffusion_grid(). `step` as there: 0 for the accurate grid, a bench's period for the grid it would run.
 * `progress` may be NULL. Errors: JOSTLE_ENOMEM, JOSTLE_EINTR. Call from: setup.
 */
int ensemble_generate(struct ensemble *ensemble, const struct protocol *protocol, double step, struct pool *pool,
                      struct progress *progress, struct err *err);

/**
 * The read-out at t_min of every replica and visible site: samples is [n_replicas][n_sites]. *n_diverged counts the
 * replicas with a value that is not finite or lies outside the protocol's wall by more than a quarter of its position.
 * Errors: JOSTLE_ENOMEM. Call from: setup.
 */
int ensemble_read_out(const struct ensemble *ensemble, const struct protocol *protocol, float samples[],
                      size_t *n_diverged, struct pool *pool, struct err *err);

/** f of the protocol at time t for every replica, same layout as x. Errors: JOSTLE_ENOMEM. Call from: setup. */
int ensemble_force(const struct ensemble *ensemble, const struct protocol *protocol, double t, float f[],
                   struct pool *pool, struct err *err);

#endif
