/*
 * Durations below 16 ns have a bin each. Above, the bin is the position of the highest bit and the four bits that
 * follow it: bin = 16 (e - 3) + (d >> (e - 4)) - 16 for 2^e <= d < 2^(e+1).
 */
#include "control/histogram.h"

#include <math.h>

static size_t bin_of(uint64_t duration)
{
	if (duration < HISTOGRAM_OCTAVE)
		return (size_t)duration;
	const int exponent = 63 - __builtin_clzll(duration);
	const size_t bin =
		(size_t)(exponent - 3) * HISTOGRAM_OCTAVE + (size_t)(duration >> (exponent - 4)) - HISTOGRAM_OCTAVE;

	return bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1;
}

/** The largest duration that falls into a bin. */
static int64_t bin_end(size_t bin)
{
	if (bin < HISTOGRAM_OCTAVE)
		return (int64_t)bin;
	const size_t shift = bin / HISTOGRAM_OCTAVE - 1;

	return (int64_t)((HISTOGRAM_OCTAVE + bin % HISTOGRAM_OCTAVE + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t duration_ns)
{
	const int64_t duration = duration_ns > 0 ? duration_ns : 0;

	histogram->n++;
	if (duration > histogram->max_ns)
		histogram->max_ns = duration;
	histogram->count[bin_of((uint64_t)duration)]++;
}

int64_t histogram_quantile_ns(const struct histogram *histogram, double q)
{
	const double wanted = ceil(q * (double)histogram->n);
	uint64_t seen = 0;

	for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
		seen += histogram->count[bin];
		if (seen > 0 && (double)seen >= wanted)
			return bin == HISTOGRAM_BINS - 1 || bin_end(bin) > histogram->max_ns ? histogram->max_ns
											     : bin_end(bin);
	}
	return 0;
}
