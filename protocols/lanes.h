#ifndef JOSTLE_LANES_H
#define JOSTLE_LANES_H
/*
 * Vectors for kernels whose sums must stay in registers: of a plain loop over lanes the compiler makes a sum in memory.
 *
 * `vector` is WIDTH lanes of the target, a scalar where LANES is 1.
 */
#include "protocols/kernel_target.h"

#if LANES == 1
#define WIDTH 1
typedef real vector;
#else
#if defined __AVX512F__
#define WIDTH 16
#elif defined __AVX__
#define WIDTH 8
#else
#define WIDTH 4
#endif
typedef real vector __attribute__((vector_size(WIDTH * sizeof(real)), aligned(sizeof(real)), may_alias));
#endif

#define LANE_VECTORS (LANES / WIDTH) /* vectors in a block's row */

#endif
