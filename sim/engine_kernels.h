#ifndef JOSTLE_ENGINE_KERNELS_H
#define JOSTLE_ENGINE_KERNELS_H
/*
 * The engine's inner loops over a block of 32 replicas, for each target of protocols/kernel_target.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "protocols/kernel_target.h"

struct engine_kernels {
	const char *name; /* as the network kernels of the same target */

	/** The words of random_words() for replicas first_replica … + 31, which normals() are made of. Call from: any. */
	void (*words)(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step, uint32_t block,
	              uint32_t words[4][BLOCK_LANES]);

	/**
	 * normals[variable][lane] of replicas first_replica … + 31: the numbers of random_normals() in single precision.
	 * Room for n_variables rounded up to a multiple of four rows is required. Call from: any.
	 */
	void (*normals)(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step,
	                size_t n_variables, float normals[]);

	/**
	 * One step of Euler and Maruyama: x += advance f + amplitude normals, with one advance and one amplitude for each
	 * variable and the normals of normals() at that address; [variable][lane]. Call from: any.
	 */
	void (*kick)(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step,
	             size_t n_variables, const float advance[], const float amplitude[], const float f[], float x[]);
};

/** The kernels that this CPU can run, fastest first, ended by NULL. Call from: any. */
const struct engine_kernels *const *engine_kernels_all(void);

/** The fastest. Call from: any. */
const struct engine_kernels *engine_kernels_best(void);

#endif
