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

int64_t histogram_edge_ns(size_t bin)
{
	return bin ? bin_end(bin - 1) + 1 : 0;
}

/** There is one writer: no need to lock the bus for it. */
static void add_one(_Atomic uint64_t *count)
{
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, int64_t duration_ns)
{
	const int64_t duration = duration_ns > 0 ? duration_ns : 0;

	add_one(&histogram->n);
	if (duration > atomic_load_explicit(&histogram->max_ns, memory_order_relaxed))
		atomic_store_explicit(&histogram->max_ns, duration, memory_order_relaxed);
	add_one(&histogram->count[bin_of((uint64_t)duration)]);
}

void histogram_copy(struct histogram *to, const struct histogram *from)
{
	uint64_t n = 0;

	for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
		const uint64_t count = atomic_load_explicit(&from->count[bin], memory_order_relaxed);

		atomic_store_explicit(&to->count[bin], count, memory_order_relaxed);
		n += count;
	}
	/* Not from->n, which may count what no bin had yet: quantiles go by the sum. */
	atomic_store_explicit(&to->n, n, memory_order_relaxed);
	atomic_store_explicit(&to->max_ns, atomic_load_explicit(&from->max_ns, memory_order_relaxed),
			      memory_order_relaxed);
}

int64_t histogram_quantile_ns(const struct histogram *histogram, double q)
{
	const double wanted = ceil(q * (double)histogram->n);
	const int64_t max_ns = histogram->max_ns;
	uint64_t seen = 0;

	for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
		seen += histogram->count[bin];
		if (seen > 0 && (double)seen >= wanted)
			return bin == HISTOGRAM_BINS - 1 || bin_end(bin) > max_ns ? max_ns : bin_end(bin);
	}
	return 0;
}
