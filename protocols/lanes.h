#ifndef JOSTLE_LANES_H
#define JOSTLE_LANES_H
/*
 * Vectors for kernels whose sums must stay in registers: of a plain loop over lanes the compiler makes a sum in memory.
 *
 * `vector` is WIDTH lanes of the target, a scalar where LANES is 1.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocols/kernel_target.h"

#if LANES == 1
#define WIDTH 1
typedef real vector;
typedef int64_t lane_bit, lane_bits;
#define LANE_MAGNITUDE INT64_MAX
#else
#if defined __AVX512F__
#define WIDTH 16
#elif defined __AVX__
#define WIDTH 8
#else
#define WIDTH 4
#endif
typedef real vector __attribute__((vector_size(WIDTH * sizeof(real)), aligned(sizeof(real)), may_alias));
#define LANE_MAGNITUDE INT32_MAX
typedef int32_t lane_bit;
typedef lane_bit lane_bits __attribute__((vector_size(WIDTH * sizeof(int32_t))));
#endif

#define LANE_VECTORS (LANES / WIDTH) /* vectors in a block's row */

/** Vector v of a row of lanes. */
static inline vector lanes_at(const real row[], size_t v)
{
	return ((const vector *)row)[v];
}

/** The same number in all lanes. */
static inline vector lanes_all(real number)
{
	return number + (vector){0};
}

/** v in a register: the compiler would rather load it again for each use, and loads are what kernels wait for. */
static inline vector lanes_held(vector v)
{
#if WIDTH > 1 && defined __x86_64__
	__asm__("" : "+v"(v));
#endif
	return v;
}

/** x^n; the same n for all lanes, so that a loop over lanes is left without one of unknown length inside. */
static inline vector lanes_power(vector x, size_t n)
{
	vector y = lanes_all(1);

	while (n-- > 0)
		y *= x;
	return y;
}

/*
 * Half the sums and half the lanes: numbers 0 and 1, 2 and 3 of each four lanes of a and then of b are added. Twice this
 * leaves sums of four lanes, in fours; lane_fours() then adds the fours up in the same manner.
 */
#if WIDTH == 4
#define lane_pairs(a, b) \
	(__builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7))
#elif WIDTH == 8
#define lane_pairs(a, b) \
	(__builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) + \
	 __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15))
#define lane_fours(a, b) \
	(__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) + \
	 __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15))
#elif WIDTH == 16
#define lane_pairs(a, b) \
	(__builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) + \
	 __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31))
#define lane_fours(a, b) \
	(__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) + \
	 __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
#endif

/** One vector that holds the sum over lanes of each of WIDTH vectors; they are used up. */
static inline vector lane_transpose(vector s[WIDTH])
{
#if WIDTH > 1
#pragma GCC unroll 8
	for (size_t i = 0; i < WIDTH / 2; i++)
		s[i] = lane_pairs(s[2 * i], s[2 * i + 1]);
#pragma GCC unroll 4
	for (size_t i = 0; i < WIDTH / 4; i++)
		s[i] = lane_pairs(s[2 * i], s[2 * i + 1]);
#endif
#if WIDTH > 4
#pragma GCC unroll 2
	for (size_t i = 0; i < WIDTH / 8; i++)
		s[i] = lane_fours(s[2 * i], s[2 * i + 1]);
#endif
#if WIDTH > 8
	s[0] = lane_fours(s[0], s[1]);
#endif
	return s[0];
}

/**
 * out[i] += sign times the sum over lanes of s[i], i < n <= WIDTH; the rest of s is zero, and all is used up. Within a block sums are taken in
 * single precision and across blocks in double: a long batch would lose the small gradients otherwise.
 */
static inline void lanes_add_sums(vector s[WIDTH], size_t n, double sign, double out[])
{
#if WIDTH > 1
	const vector total = lane_transpose(s);

	if (n == WIDTH)
		for (size_t i = 0; i < WIDTH; i++)
			out[i] += sign * (double)total[i];
	else
		for (size_t i = 0; i < n; i++)
			out[i] += sign * (double)total[i];
#else
	(void)n;
	out[0] += sign * (double)s[0];
#endif
}

#endif
