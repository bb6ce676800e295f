/*
 * What crosses a page: sets of volts under the sequence counters of base/shared_page.h.
 */
#include "sim/plant_page.h"

#include <linux/futex.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "sim/plant_page_layout.h"

void plant_page_publish(struct plant_page *page, uint64_t edge, int64_t t_ns, const double in_V[])
{
	struct plant_shared *shared = page->shared;
	const unsigned odd = shared_set_begin(&shared->in_sequence);

	shared_cell_store(&shared->cells[CELL_EDGE], edge);
	shared_cell_store(&shared->cells[CELL_TIME], (uint64_t)t_ns);
	shared_cell_store(&shared->cells[CELL_TAKEN], page->taken);
	for (size_t c = 0; c < page->facts.n_in; c++)
		shared_cell_store(&shared->cells[CELL_IN + c], shared_bits(in_V[c]));
	shared_set_end(&shared->in_sequence, odd);
	atomic_store_explicit(&shared->edge_word, (unsigned)edge, memory_order_release);
	futex_wake(&shared->edge_word);
}

static bool read_set(struct plant_page *page, atomic_uint *sequence, size_t first, size_t n)
{
	return shared_set_read(sequence, &page->shared->cells[first], n, page->pending);
}

bool plant_page_read_guard(struct plant_page *page)
{
	return read_set(page, &page->shared->guard_sequence, guard_cells(&page->facts), page->facts.n_out);
}

static void take_finite(const struct plant_page *page, const uint64_t from[], double out_V[])
{
	for (size_t c = 0; c < page->facts.n_out; c++) {
		const double value_V = shared_value(from[c]);

		if (isfinite(value_V))
			out_V[c] = value_V;
	}
}

void plant_page_take(struct plant_page *page, double out_V[])
{
	struct plant_shared *shared = page->shared;
	const bool seized = atomic_load_explicit(&shared->seized, memory_order_acquire) != 0;

	/* A client whose outputs are held still learns whether it writes in time. */
	if (read_set(page, &shared->out_sequence, client_cells(&page->facts), CELL_OUT + page->facts.n_out)) {
		page->taken = page->pending[CELL_FOR];
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
	    !shared_page_is_locked(&page->page, LOCK_PLANT))
		return JOSTLE_EIO;
	const unsigned odd = shared_set_begin(&shared->guard_sequence);
	for (size_t c = 0; c < page->facts.n_out; c++)
		shared_cell_store(&shared->cells[first + c], shared_bits(out_V[c]));
	shared_set_end(&shared->guard_sequence, odd);
	atomic_store_explicit(&shared->seized, 1, memory_order_release);
	return 0;
}

void plant_page_let_go(struct plant_page *page)
{
	atomic_store_explicit(&page->shared->seized, 0, memory_order_release);
}

void plant_page_write(struct plant_page *page, const double out_V[])
{
	struct plant_shared *shared = page->shared;
	const size_t first = client_cells(&page->facts);
	const unsigned odd = shared_set_begin(&shared->out_sequence);

	shared_cell_store(&shared->cells[first + CELL_FOR], page->seen + 1);
	for (size_t c = 0; c < page->facts.n_out; c++)
		shared_cell_store(&shared->cells[first + CELL_OUT + c], shared_bits(out_V[c]));
	shared_set_end(&shared->out_sequence, odd);
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
	const uint64_t edge = page->pending[CELL_EDGE];
	if (edge <= page->seen)
		return JOSTLE_EIO;
	for (size_t c = 0; c < page->facts.n_in; c++)
		in_V[c] = shared_value(page->pending[CELL_IN + c]);
	*t_ns = (int64_t)page->pending[CELL_TIME];
	/* A write for the edge after the last one that came after it acts from the one after that: two periods of delay. */
	const bool missed = edge - page->seen > 1 || page->pending[CELL_TAKEN] != edge;
	page->seen = edge;
	return missed ? JOSTLE_EMISSED : 0;
}

void plant_page_skip(struct plant_page *page)
{
	page->seen = atomic_load_explicit(&page->shared->cells[CELL_EDGE], memory_order_acquire);
}
