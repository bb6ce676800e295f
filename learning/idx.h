#ifndef JOSTLE_IDX_H
#define JOSTLE_IDX_H
/*
 * IDX, the format of the MNIST files: arrays of unsigned bytes, plain or compressed with gzip.
 * docs/file-formats.md describes what is read.
 */
#include <stddef.h>
#include <stdint.h>

struct err;

#define IDX_MAX_RANK   4
#define IDX_MAX_VALUES ((size_t)1 << 28)

struct idx {
	size_t rank;
	size_t dims[IDX_MAX_RANK]; /* the last one running fastest */
	uint8_t *values;
};

/**
 * Read a whole file of `rank` dimensions, 1 to IDX_MAX_RANK. The caller ends it with idx_fini(); on error there is nothing
 * to end. Sizes are checked before memory is taken, and no more is decompressed than they call for.
 * Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_ENOMEM; JOSTLE_EFORMAT, naming the field: another magic number, type or rank,
 * dimensions of 0 or of more than IDX_MAX_VALUES in all, a file that ends early or goes on, damaged gzip.
 * Call from: setup.
 */
int idx_load(struct idx *idx, const char *path, size_t rank, struct err *err);
void idx_fini(struct idx *idx);

#endif
