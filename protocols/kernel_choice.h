#ifndef JOSTLE_KERNEL_CHOICE_H
#define JOSTLE_KERNEL_CHOICE_H
/*
 * Which of a layout's targets this CPU can run.
 */
#include <stddef.h>

#include "protocols/kernel_target.h"

/* A list of a layout's targets, fastest first and ended by NULL; a CPU can run all from some place on. */
#if defined KERNEL_BLOCK && defined JOSTLE_X86
#define KERNEL_CHOICES(table) {&table##_avx512, &table##_avx2, &TARGET(table), NULL}
#else
#define KERNEL_CHOICES(table) {&TARGET(table), NULL}
#endif

/** Where in KERNEL_CHOICES() this CPU begins. Call from: any. */
static inline size_t kernel_choice_first(void)
{
#if defined KERNEL_BLOCK && defined JOSTLE_X86
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
		return 2;
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
			       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
		       ? 0
		       : 1;
#else
	return 0;
#endif
}

#endif
