/*
 * Sequence counters (Boehm 2012): the writer makes the counter odd, writes, makes it even; a reader that saw the same
 * even value before and after has a whole set. Values are stored with release and loaded with acquire, which orders them
 * against the counter without fences. A writer that died in the middle leaves the counter odd, and its successor goes on
 * from there.
 */
#include "sim/plant_page.h"

#include <linux/futex.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "sim/plant_page_layout.h"

#define ATTEMPTS 1000 /* to read a whole set while the other side writes; it does so for a microsecond a period */

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double value_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t load_cell(struct plant_page *page, size_t i)
{
	return atomic_load_explicit(&page->shared->cells[i], memory_order_acquire);
}

static void store_cell(struct plant_page *page, size_t i, uint64_t bits)
{
	atomic_store_explicit(&page->shared->cells[i], bits, memory_order_release);
}

static unsigned begin_write(atomic_uint *sequence)
{
	const unsigned odd = (atomic_load_explicit(sequence, memory_order_relaxed) + 1) | 1u;

	atomic_store_explicit(sequence, odd, memory_order_relaxed);
	return odd;
}

static void end_write(atomic_uint *sequence, unsigned odd)
{
	atomic_store_explicit(sequence, odd + 1, memory_order_release);
}

/** Read a whole set of volts into `pending`. False when a writer was in the way every time. */
static bool read_set(struct plant_page *page, atomic_uint *sequence, size_t first, size_t n)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		const unsigned before = atomic_load_explicit(sequence, memory_order_acquire);

		for (size_t c = 0; c < n; c++)
			page->pending[c] = value_of(load_cell(page, first + c));
		if (!(before & 1u) && atomic_load_explicit(sequence, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

void plant_page_publish(struct plant_page *page, uint64_t edge, int64_t t_ns, const double in_V[])
{
	struct plant_shared *shared = page->shared;
	const unsigned odd = begin_write(&shared->in_sequence);

	store_cell(page, CELL_EDGE, edge);
	store_cell(page, CELL_TIME, (uint64_t)t_ns);
	store_cell(page, CELL_TAKEN, page->taken);
	for (size_t c = 0; c < page->facts.n_in; c++)
		store_cell(page, CELL_IN + c, bits_of(in_V[c]));
	end_write(&shared->in_sequence, odd);
	atomic_store_explicit(&shared->edge_word, (unsigned)edge, memory_order_release);
	futex_wake(&shared->edge_word);
}

bool plant_page_read_guard(struct plant_page *page)
{
	return read_set(page, &page->shared->guard_sequence, guard_cells(&page->facts), page->facts.n_out);
}

static void take_finite(const struct plant_page *page, const double from_V[], double out_V[])
{
	for (size_t c = 0; c < page->facts.n_out; c++)
		if (isfinite(from_V[c]))
			out_V[c] = from_V[c];
}

void plant_page_take(struct plant_page *page, double out_V[])
{
	struct plant_shared *shared = page->shared;
	const bool seized = atomic_load_explicit(&shared->seized, memory_order_acquire) != 0;

	/* A client whose outputs are held still learns whether it writes in time. */
	if (read_set(page, &shared->out_sequence, client_cells(&page->facts), CELL_OUT + page->facts.n_out)) {
		page->taken = bits_of(page->pending[CELL_FOR]);
		if (!seized)
			take_finite(page, page->pending + CELL_OUT, out_V);
	}
	if (seized && plant_page_read_guard(page))
		take_finite(page, page->pending, out_V);
}

int plant_page_seize(struct plant_page *page, const double out_V[])
{
	struct plant_shared *shared = page->shared;
	const size_t first = guard_cells(&page->facts);

	if (atomic_load_explicit(&shared->ready, memory_order_acquire) != PAGE_MAGIC ||
	    !plant_page_is_locked(page->fd, LOCK_PLANT))
		return JOSTLE_EIO;
	const unsigned odd = begin_write(&shared->guard_sequence);
	for (size_t c = 0; c < page->facts.n_out; c++)
		store_cell(page, first + c, bits_of(out_V[c]));
	end_write(&shared->guard_sequence, odd);
	atomic_store_explicit(&shared->seized, 1, memory_order_release);
	return 0;
}

void plant_page_let_go(struct plant_page *page)
{
	atomic_store_explicit(&page->shared->seized, 0, memory_order_release);
}

void plant_page_write(struct plant_page *page, const double out_V[])
{
	const size_t first = client_cells(&page->facts);
	const unsigned odd = begin_write(&page->shared->out_sequence);

	store_cell(page, first + CELL_FOR, page->seen + 1);
	for (size_t c = 0; c < page->facts.n_out; c++)
		store_cell(page, first + CELL_OUT + c, bits_of(out_V[c]));
	end_write(&page->shared->out_sequence, odd);
}

int plant_page_wait(struct plant_page *page, int64_t timeout_ns, double in_V[], int64_t *t_ns)
{
	const int64_t deadline_ns = clock_now_ns() + timeout_ns;

	page->woke_ns = 0;
	while (atomic_load_explicit(&page->shared->edge_word, memory_order_acquire) == (unsigned)page->seen) {
		const int64_t left_ns = deadline_ns - clock_now_ns();

		if (left_ns <= 0 || atomic_load_explicit(&page->shared->ready, memory_order_acquire) != PAGE_MAGIC)
			return JOSTLE_EIO;
		const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
		syscall(SYS_futex, &page->shared->edge_word, FUTEX_WAIT, (unsigned)page->seen, &left, NULL, 0);
	}
	page->woke_ns = clock_now_ns();
	if (!read_set(page, &page->shared->in_sequence, 0, CELL_IN + page->facts.n_in))
		return JOSTLE_EIO;
	const uint64_t edge = bits_of(page->pending[CELL_EDGE]);
	if (edge <= page->seen)
		return JOSTLE_EIO;
	memcpy(in_V, page->pending + CELL_IN, page->facts.n_in * sizeof(*in_V));
	*t_ns = (int64_t)bits_of(page->pending[CELL_TIME]);
	/* A write for the edge after the last one that came after it acts from the one after that: two periods of delay. */
	const bool missed = edge - page->seen > 1 || bits_of(page->pending[CELL_TAKEN]) != edge;
	page->seen = edge;
	return missed ? JOSTLE_EMISSED : 0;
}

void plant_page_skip(struct plant_page *page)
{
	page->seen = load_cell(page, CELL_EDGE);
}
