#ifndef JOSTLE_RING_H
#define JOSTLE_RING_H
/*
 * A ring of fixed-size records from one producer thread to one consumer thread, without locks.
 *
 * The producer never waits: a full ring drops the record and counts it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"

struct err;

struct ring {
	unsigned char *records;
	size_t record_size;
	size_t capacity;                 /* a power of two */
	_Alignas(64) atomic_size_t head; /* written by the producer */
	_Alignas(64) atomic_size_t tail; /* written by the consumer */
	_Alignas(64) atomic_uint_fast64_t n_dropped;
};

/** Room for at least `capacity` records. The caller ends it with ring_fini(). Errors: JOSTLE_ENOMEM. Call from: setup. */
int ring_init(struct ring *ring, size_t record_size, size_t capacity, struct err *err);

/** Free the memory. Neither side may be in use. Call from: setup. */
void ring_fini(struct ring *ring);

/** Copy a record in. Returns false, and counts, when the ring is full. RT_SAFE. Call from: the producer, loop or any. */
RT_SAFE bool ring_push(struct ring *ring, const void *record);

/** Copy the oldest record out. Returns false when there is none. RT_SAFE. Call from: the consumer. */
RT_SAFE bool ring_pop(struct ring *ring, void *record);

#endif
