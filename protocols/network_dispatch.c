/*
 * Which kernels this CPU can run. Compiled for both layouts of kernel_target.h.
 */
#include "protocols/kernel_choice.h"
#include "protocols/network.h"

extern const struct network_kernels TARGET(network_kernels_table);
#if defined KERNEL_BLOCK && defined JOSTLE_X86
extern const struct network_kernels network_kernels_table_avx2;
extern const struct network_kernels network_kernels_table_avx512;
#endif

const struct network_kernels *const *network_kernels_all(void)
{
	static const struct network_kernels *const all[] = KERNEL_CHOICES(network_kernels_table);

	return all + kernel_choice_first();
}

const struct network_kernels *network_kernels_best(void)
{
	return network_kernels_all()[0];
}
