#ifndef JOSTLE_SHARED_PAGE_H
#define JOSTLE_SHARED_PAGE_H
/*
 * A page of POSIX shared memory between two processes, neither of which waits for the other or believes it.
 *
 * Who holds a page is told by locks on single bytes of its file, which the kernel releases when the process ends, however
 * it ends. Byte 0 is the maker's: a page is live while that lock is held. Sets of numbers cross under sequence counters.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/rt.h"

struct err;

#define SHARED_PAGE_MAKER 0 /* the byte whose lock the maker holds */

struct shared_page {
	void *memory;
	size_t size;
	int fd; /* -1 for none */
	bool maker;
	char path[96]; /* "/jostle-KIND-NAME" */
};

/**
 * Make the page "/jostle-KIND-NAME" of `size` zeroed bytes and lock byte 0. A page of that name is replaced when none of
 * its bytes in the mask `keepers` (bit b for byte b) is locked. The caller ends it with shared_page_close().
 * Errors: JOSTLE_EINVAL (name), JOSTLE_EBUSY (it is held), JOSTLE_EIO. Call from: setup.
 */
int shared_page_make(struct shared_page *page, const char *kind, const char *name, size_t size, unsigned keepers,
		     struct err *err);

/**
 * Map a page that another process has made, whole; min_size and max_size bound what is taken for one. Takes no lock. The
 * caller ends it with shared_page_close(). Errors: JOSTLE_EINVAL (name), JOSTLE_ENOENT (none, or its maker has ended),
 * JOSTLE_EFORMAT (another user's, or of no possible size), JOSTLE_EIO. Call from: setup.
 */
int shared_page_join(struct shared_page *page, const char *kind, const char *name, size_t min_size, size_t max_size,
		     struct err *err);

/** Lock a byte. False when another holds it. Call from: any but the loop. */
bool shared_page_lock(const struct shared_page *page, int byte);

/** Whether another opening of the page holds the byte's lock. Call from: any but the loop. */
bool shared_page_is_locked(const struct shared_page *page, int byte);

/**
 * Take the name away, unless it has been; who has the page mapped keeps it. Only for who holds a lock that keeps the page.
 * Call from: setup.
 */
void shared_page_unlink(const struct shared_page *page);

/** Unmap and give back the locks; the maker's takes the name away. Safe to call twice. Call from: setup. */
void shared_page_close(struct shared_page *page);

/*
 * Sequence counters (Boehm 2012): the writer makes the counter odd, writes, makes it even; a reader that saw the same even
 * value before and after has a whole set. Cells are stored with release and loaded with acquire, which orders them against
 * the counter without fences. A writer that died in the middle leaves the counter odd, and its successor goes on from there.
 */
typedef atomic_uint_fast64_t shared_cell;

/** Begin to write a set; gives what shared_set_end() wants. RT_SAFE. Call from: the only writer of the set. */
RT_SAFE static inline unsigned shared_set_begin(atomic_uint *sequence)
{
	const unsigned odd = (atomic_load_explicit(sequence, memory_order_relaxed) + 1) | 1u;

	atomic_store_explicit(sequence, odd, memory_order_relaxed);
	return odd;
}

/** End it. RT_SAFE. Call from: the same. */
RT_SAFE static inline void shared_set_end(atomic_uint *sequence, unsigned odd)
{
	atomic_store_explicit(sequence, odd + 1, memory_order_release);
}

/** RT_SAFE. Call from: the writer, between begin and end. */
RT_SAFE static inline void shared_cell_store(shared_cell *cell, uint64_t value)
{
	atomic_store_explicit(cell, value, memory_order_release);
}

/** Copy n cells, whole, into values[n]. False when a writer was in the way every time; values are then anything. RT_SAFE. Call from: any. */
RT_SAFE bool shared_set_read(atomic_uint *sequence, const shared_cell cells[], size_t n, uint64_t values[]);

/** A double's bits and back. RT_SAFE. Call from: any. */
RT_SAFE static inline uint64_t shared_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

RT_SAFE static inline double shared_value(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#endif
