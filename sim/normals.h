#ifndef JOSTLE_NORMALS_H
#define JOSTLE_NORMALS_H
/*
 * Normal numbers for a block of replicas: the numbers of random_normals() in single precision, 32 replicas side by side.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "protocols/kernel_target.h"

/**
 * normals[variable][lane] for variables 0 … n_variables - 1 of replicas first_replica … + 31. Room for n_variables
 * rounded up to a multiple of four rows is required. Call from: any.
 */
void normals_block(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step,
                   size_t n_variables, float normals[]);

/** The variants this CPU can run, ended by NULL: for tests and benchmarks. */
struct normals_kernel {
	const char *name;
	void (*block)(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step,
	              size_t n_variables, float normals[]);
};
const struct normals_kernel *const *normals_kernels(void);

#endif
