#ifndef JOSTLE_TRIPLE_H
#define JOSTLE_TRIPLE_H
/*
 * The latest value of something, from one writer thread to one reader thread, without locks: neither waits for the other,
 * and the reader always holds a whole value.
 *
 * Of three buffers one is the writer's, one the reader's, and the third changes hands by one atomic exchange.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/rt.h"

struct err;

struct triple {
	unsigned char *memory;
	size_t stride;                    /* bytes from one buffer to the next, whole cache lines */
	_Alignas(64) atomic_uint between; /* the third buffer, and whether it is newer than the reader's */
	_Alignas(64) unsigned back;       /* the writer's */
	_Alignas(64) unsigned front;      /* the reader's */
	bool read;                        /* the reader has had a value */
};

/** Three buffers of `size` bytes, zeroed. The caller ends it with triple_fini(). Errors: JOSTLE_ENOMEM. Call from: setup. */
int triple_init(struct triple *triple, size_t size, struct err *err);

/** Free the memory; safe on a zeroed triple. Neither side may be in use. Call from: setup. */
void triple_fini(struct triple *triple);

/** Buffer 0, 1 or 2, to lay out what stays in each. Call from: setup, before either side is in use. */
void *triple_buffer(struct triple *triple, unsigned index);

/** The buffer to write into, until triple_publish(). It holds some older value. RT_SAFE. Call from: the writer. */
RT_SAFE void *triple_back(struct triple *triple);

/** Hand over what was written; triple_back() is another buffer from then on. RT_SAFE. Call from: the writer. */
RT_SAFE void triple_publish(struct triple *triple);

/** The newest value, which stays as it is until the next call; NULL before the first. RT_SAFE. Call from: the reader. */
RT_SAFE const void *triple_latest(struct triple *triple);

#endif
