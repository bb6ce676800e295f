#include "bench/multiply_adds.h"
#include "protocols/kernel_choice.h"

extern const struct multiply_adds multiply_adds_table_block;
#if defined JOSTLE_X86
extern const struct multiply_adds multiply_adds_table_avx2;
extern const struct multiply_adds multiply_adds_table_avx512;
#endif

const struct multiply_adds *const *multiply_adds_all(void)
{
	static const struct multiply_adds *const all[] = KERNEL_CHOICES(multiply_adds_table);

	return all + kernel_choice_first();
}
