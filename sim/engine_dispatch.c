/*
 * Which of the engine's kernels this CPU can run.
 */
#include "protocols/kernel_choice.h"
#include "sim/engine_kernels.h"

extern const struct engine_kernels engine_kernels_table_block;
#if defined JOSTLE_X86
extern const struct engine_kernels engine_kernels_table_avx2;
extern const struct engine_kernels engine_kernels_table_avx512;
#endif

const struct engine_kernels *const *engine_kernels_all(void)
{
	static const struct engine_kernels *const all[] = KERNEL_CHOICES(engine_kernels_table);

	return all + kernel_choice_first();
}

const struct engine_kernels *engine_kernels_best(void)
{
	return engine_kernels_all()[0];
}
