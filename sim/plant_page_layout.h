#ifndef JOSTLE_PLANT_PAGE_LAYOUT_H
#define JOSTLE_PLANT_PAGE_LAYOUT_H
/*
 * What lies where on a plant's page. For plant_page.c and plant_page_open.c only.
 */
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/shared_page.h"
#include "sim/plant_page.h"

#define PAGE_MAGIC   0x4a504c54u /* "JPLT" */
#define PAGE_VERSION 3u

struct plant_shared {
	atomic_uint ready; /* PAGE_MAGIC once the rest is there; 0 again when the plant ends */
	uint32_t version;
	uint64_t size;
	struct plant_facts facts;
	_Alignas(64) atomic_uint edge_word; /* low bits of the edge: what the client sleeps on */
	atomic_uint in_sequence;
	_Alignas(64) atomic_uint out_sequence;
	_Alignas(64) atomic_uint guard_sequence;
	atomic_uint seized;               /* 1: the outputs are the guardian's */
	_Alignas(64) shared_cell cells[]; /* the plant's set, the client's, the guardian's, as bit patterns */
};

/* The plant's set: edge, t_ns, the edge that the client's outputs were written for, in_V[n_in]. */
#define CELL_EDGE  0
#define CELL_TIME  1
#define CELL_TAKEN 2
#define CELL_IN    3
/* The client's, after it: the edge that it is for, out_V[n_out]. */
#define CELL_FOR 0
#define CELL_OUT 1
/* The guardian's, after that: out_V[n_out]. */

static inline size_t client_cells(const struct plant_facts *facts)
{
	return CELL_IN + facts->n_in;
}

static inline size_t guard_cells(const struct plant_facts *facts)
{
	return client_cells(facts) + CELL_OUT + facts->n_out;
}

static inline size_t page_size(const struct plant_facts *facts)
{
	return sizeof(struct plant_shared) + (guard_cells(facts) + facts->n_out) * sizeof(shared_cell);
}

static inline void futex_wake(atomic_uint *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Bytes of the page's file that are locked. */
#define LOCK_PLANT  SHARED_PAGE_MAKER
#define LOCK_CLIENT 1
#define LOCK_GUARD  2

/** Read the guardian's set into page->pending, as whole as can be had. RT_SAFE. Call from: any. */
RT_SAFE bool plant_page_read_guard(struct plant_page *page);

#endif
