#include "base/ring.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int ring_init(struct ring *ring, size_t record_size, size_t capacity, struct err *err)
{
	size_t rounded = 1;

	while (rounded < capacity && rounded <= SIZE_MAX / 4)
		rounded *= 2;
	*ring = (struct ring){.record_size = record_size, .capacity = rounded};
	if (rounded >= capacity && record_size > 0 && rounded <= PTRDIFF_MAX / record_size)
		ring->records = calloc(rounded, record_size);
	if (!ring->records)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a ring of %zu records of %zu bytes", rounded,
			       record_size);
	/* calloc's pages are not there until they are written: a first write from the loop would fault. */
	memset(ring->records, 0xff, rounded * record_size);
	return 0;
}

void ring_fini(struct ring *ring)
{
	free(ring->records);
	ring->records = NULL;
}

bool ring_push(struct ring *ring, const void *record)
{
	const size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	const size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head - tail == ring->capacity) {
		atomic_fetch_add_explicit(&ring->n_dropped, 1, memory_order_relaxed);
		return false;
	}
	memcpy(ring->records + (head & (ring->capacity - 1)) * ring->record_size, record, ring->record_size);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

bool ring_pop(struct ring *ring, void *record)
{
	const size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	const size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	if (head == tail)
		return false;
	memcpy(record, ring->records + (tail & (ring->capacity - 1)) * ring->record_size, ring->record_size);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}
