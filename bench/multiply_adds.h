#ifndef JOSTLE_BENCH_MULTIPLY_ADDS_H
#define JOSTLE_BENCH_MULTIPLY_ADDS_H
/*
 * How fast this machine multiplies and adds when nothing else is in the way: the engine's own limit.
 */
struct multiply_adds {
	const char *name; /* as the engine's kernels of the same target */
	double count;     /* multiply-adds in a run, one for each lane of each vector */

	/** Twelve sums in registers, as many as a core needs to keep its multipliers busy. Call from: any. */
	void (*run)(void);
};

/** In the order of engine_kernels_all(). Call from: any. */
const struct multiply_adds *const *multiply_adds_all(void);

#endif
