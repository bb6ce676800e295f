#ifndef JOSTLE_SCRATCH_H
#define JOSTLE_SCRATCH_H
/*
 * Scratch of the calling thread for the kernels, one for all targets: tables of a number per site and lane are too large
 * for the stack of a small thread.
 */
#include "protocols/network.h"

enum scratch_table {
	SCRATCH_CLAMPED, /* the network's own: x clamped to the wall */
	SCRATCH_INSIDE,  /* and r where x is within it */
	SCRATCH_A,       /* a term's, while it is called */
	SCRATCH_B,
	SCRATCH_C,
	SCRATCH_D,
	N_SCRATCH_TABLES
};

union scratch {
	float block[N_SCRATCH_TABLES][NETWORK_MAX_SITES * BLOCK_LANES];
	double one[N_SCRATCH_TABLES][NETWORK_MAX_SITES];
};

extern _Thread_local union scratch network_scratch;

/** [site][lane]. RT_SAFE. Call from: any. */
static inline real *scratch_table(enum scratch_table table)
{
#if LANES == 1
	return network_scratch.one[table];
#else
	return network_scratch.block[table];
#endif
}

#endif
