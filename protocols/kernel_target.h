#ifndef JOSTLE_KERNEL_TARGET_H
#define JOSTLE_KERNEL_TARGET_H
/*
 * One source, four machines: the arithmetic of a potential is written once and compiled for
 *
 *   one      a single replica in double precision: the real-time loop, the plant, finite differences in tests
 *   block    32 replicas side by side in single precision, portable C: the ensemble engine
 *   avx2     the same 32 replicas, compiled for AVX2 and FMA
 *   avx512   the same, compiled for AVX-512; which of the three blocks runs is chosen at run time
 *
 * A kernel loops over LANES with `real` arrays laid out [variable][lane]; LANES is a constant, so the compiler sees
 * straight vector code, or no loop at all. CMake compiles each kernel file once for each, with KERNEL_BLOCK,
 * KERNEL_AVX2, KERNEL_AVX512 or none of them defined. TARGET(name) makes a symbol of its own for each; FAMILY(name) a type of its own for each layout.
 */
#define KERNEL_PASTE_(a, b)  a##b
#define KERNEL_PASTE(a, b)   KERNEL_PASTE_(a, b)

#define BLOCK_LANES 32 /* replicas in a block, whatever this file is compiled for */

#if defined KERNEL_BLOCK || defined KERNEL_AVX2 || defined KERNEL_AVX512
typedef float real;
#define LANES        BLOCK_LANES
#define FAMILY(name) KERNEL_PASTE(name, _block)
#else
typedef double real;
#define LANES        1
#define FAMILY(name) KERNEL_PASTE(name, _one)
#endif

#if defined KERNEL_AVX512
#define TARGET(name) KERNEL_PASTE(name, _avx512)
#define TARGET_NAME  "avx512"
#elif defined KERNEL_AVX2
#define TARGET(name) KERNEL_PASTE(name, _avx2)
#define TARGET_NAME  "avx2"
#elif defined KERNEL_BLOCK
#define TARGET(name) FAMILY(name)
#define TARGET_NAME  "block"
#else
#define TARGET(name) FAMILY(name)
#define TARGET_NAME  "one"
#endif

#endif
