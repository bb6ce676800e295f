#ifndef JOSTLE_HISTOGRAM_H
#define JOSTLE_HISTOGRAM_H
/*
 * A histogram of durations with bins of equal ratio: 16 to the octave, so that a quantile is right to 6 percent, in
 * memory that does not grow. One thread adds, others may copy while it does.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"

#define HISTOGRAM_OCTAVE  16 /* bins in an octave */
#define HISTOGRAM_OCTAVES 40 /* up to 2^40 ns, 18 minutes; longer ones fall into the last */
#define HISTOGRAM_BINS    ((HISTOGRAM_OCTAVES - 3) * HISTOGRAM_OCTAVE)

struct histogram {
	_Atomic uint64_t n;
	_Atomic int64_t max_ns; /* exact */
	_Atomic uint64_t count[HISTOGRAM_BINS];
};

/** A negative duration counts as 0. RT_SAFE. Call from: one thread. */
RT_SAFE void histogram_add(struct histogram *histogram, int64_t duration_ns);

/** What it holds at this moment, a count or two older or newer in one bin than in another. Call from: any. */
void histogram_copy(struct histogram *to, const struct histogram *from);

/** The shortest duration that falls into a bin. Call from: any. */
int64_t histogram_edge_ns(size_t bin);

/** The smallest bin edge that a fraction q of the durations does not exceed; 0 for none of them. Call from: any. */
int64_t histogram_quantile_ns(const struct histogram *histogram, double q);

#endif
