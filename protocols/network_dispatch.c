/*
 * Which kernels this CPU can run. Compiled for both layouts of kernel_target.h.
 */
#include <stdbool.h>

#include "protocols/network.h"

extern const struct network_kernels TARGET(network_kernels_table);

#if defined KERNEL_BLOCK && defined JOSTLE_HAVE_AVX2
extern const struct network_kernels network_kernels_table_avx2;

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

const struct network_kernels *const *network_kernels_all(void)
{
	static const struct network_kernels *const portable[] = {&TARGET(network_kernels_table), NULL};

#if defined KERNEL_BLOCK && defined JOSTLE_HAVE_AVX2
	static const struct network_kernels *const all[] = {&network_kernels_table_avx2, &TARGET(network_kernels_table),
							    NULL};
	if (has_avx2())
		return all;
#endif
	return portable;
}

const struct network_kernels *network_kernels_best(void)
{
	return network_kernels_all()[0];
}
