#include "base/triple.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"

#define FRESH 4u /* beside the index: published, and not yet taken */

int triple_init(struct triple *triple, size_t size, struct err *err)
{
	*triple = (struct triple){.back = 0, .front = 2};
	atomic_init(&triple->between, 1);
	if (size <= PTRDIFF_MAX / 8) {
		triple->stride = memory_round_up(size ? size : 1, MEMORY_ALIGNMENT);
		triple->memory = aligned_alloc(MEMORY_ALIGNMENT, 3 * triple->stride);
	}
	if (!triple->memory)
		return err_set(err, JOSTLE_ENOMEM, "no memory for three buffers of %zu bytes", size);
	memset(triple->memory, 0, 3 * triple->stride);
	return 0;
}

void triple_fini(struct triple *triple)
{
	free(triple->memory);
	triple->memory = NULL;
}

void *triple_buffer(struct triple *triple, unsigned index)
{
	return triple->memory + index * triple->stride;
}

void *triple_back(struct triple *triple)
{
	return triple_buffer(triple, triple->back);
}

void triple_publish(struct triple *triple)
{
	triple->back = atomic_exchange_explicit(&triple->between, triple->back | FRESH, memory_order_acq_rel) & ~FRESH;
}

const void *triple_latest(struct triple *triple)
{
	if (atomic_load_explicit(&triple->between, memory_order_relaxed) & FRESH) {
		triple->front =
			atomic_exchange_explicit(&triple->between, triple->front, memory_order_acq_rel) & ~FRESH;
		triple->read = true;
	}
	return triple->read ? triple_buffer(triple, triple->front) : NULL;
}
