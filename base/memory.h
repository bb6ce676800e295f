#ifndef JOSTLE_MEMORY_H
#define JOSTLE_MEMORY_H
/*
 * Memory for the kernels: aligned to 64 bytes, a cache line and the widest vector.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MEMORY_ALIGNMENT 64

/** The smallest multiple that is not below n; n is at most SIZE_MAX - multiple. Call from: any. */
static inline size_t memory_round_up(size_t n, size_t multiple)
{
	return (n + multiple - 1) / multiple * multiple;
}

/** Aligned memory for n floats, not set to anything; the caller's to free(). NULL when there is none. Call from: setup. */
static inline float *memory_floats(size_t n)
{
	if (n > (SIZE_MAX - MEMORY_ALIGNMENT) / sizeof(float))
		return NULL;
	return aligned_alloc(MEMORY_ALIGNMENT, memory_round_up(n * sizeof(float), MEMORY_ALIGNMENT));
}

/**
 * Zeroed memory for n (or, when that is 0, for one) of `size` bytes, every page of which is there: a first write from the
 * loop does not fault. The caller's to free(). NULL when there is none. Call from: setup.
 */
static inline void *memory_touched(size_t n, size_t size)
{
	char *memory = calloc(n ? n : 1, size);

	for (size_t i = 0; memory && i < n * size; i += 4096)
		((volatile char *)memory)[i] = 0;
	return memory;
}

#endif
