/*
 * A loop of multiply-adds on registers. Compiled for each block target.
 */
#include "bench/multiply_adds.h"

#include <stddef.h>

#include "protocols/lanes.h"

#define SUMS  12
#define TURNS 100000

/* Where the result goes, so that somebody wants it. */
static _Thread_local volatile float wanted;

static void run(void)
{
	vector sum[SUMS], total = {0};

	for (size_t i = 0; i < SUMS; i++)
		sum[i] = (vector){0} + (float)i;
	for (size_t turn = 0; turn < TURNS; turn++)
#pragma GCC unroll 12
		for (size_t i = 0; i < SUMS; i++)
			sum[i] = sum[i] * 0.999f + 0.5f;
	for (size_t i = 0; i < SUMS; i++)
		total += sum[i];
	wanted = total[0];
}

extern const struct multiply_adds TARGET(multiply_adds_table);
const struct multiply_adds TARGET(multiply_adds_table) = {
	.name = TARGET_NAME,
	.count = (double)TURNS * SUMS * WIDTH,
	.run = run,
};
