#ifndef JOSTLE_H5_COLUMN_H
#define JOSTLE_H5_COLUMN_H
/*
 * Datasets that grow by rows, in files that others may read while they grow (HDF5's single writer and many readers).
 */
#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#include "base/h5.h"

enum h5_value { H5_U8, H5_U32, H5_I32, H5_U64, H5_I64, H5_F32, H5_F64, H5_TEXT };

/** What a column is: a value, or `width` of them, in each row. */
struct h5_column_kind {
	const char *name;
	enum h5_value value;
	size_t width;     /* values in a row; H5_TEXT: bytes with the terminating NUL. At least 1 */
	bool flat;        /* of rank 1: width is 1, or it is text */
	size_t rows_once; /* in a chunk, when made; 0: about 64 KiB of them */
	struct h5_label label;
};

/** An open column. */
struct h5_column {
	const char *name; /* the kind's */
	hid_t id, memory; /* dataset, and its values' type in memory */
	size_t width, row_size, chunk_rows;
	bool flat;
	uint64_t n_rows; /* written; or to be read */
};

/**
 * Make an empty column. Its group must exist. The caller ends it with h5_column_close(). Errors: JOSTLE_EIO. Call from:
 * setup.
 */
int h5_column_make(struct h5_column *column, const struct h5_file *file, const struct h5_column_kind *kind,
		   struct err *err);

/**
 * Open a column for reading its first n_rows. Errors: JOSTLE_EFORMAT: no such dataset, values of another type, rows of
 * another width, fewer rows, chunks of more than 16 MiB, filters, bytes that are not in this file or fewer than the rows
 * need. Call from: setup.
 */
int h5_column_open(struct h5_column *column, const struct h5_file *file, const struct h5_column_kind *kind,
		   uint64_t n_rows, struct err *err);

/** Append n rows. Errors: JOSTLE_EIO. Call from: setup. */
int h5_column_append(struct h5_column *column, const struct h5_file *file, size_t n, const void *values,
		     struct err *err);

/** Hand everything appended to the system. Errors: JOSTLE_EIO. Call from: setup. */
int h5_column_flush(struct h5_column *column, const struct h5_file *file, struct err *err);

/** Read rows first … first + n - 1, which must be there. Errors: JOSTLE_EFORMAT. Call from: setup. */
int h5_column_read(const struct h5_column *column, const struct h5_file *file, uint64_t first, size_t n, void *values,
		   struct err *err);

/**
 * Read a whole column of H5_U8 into fresh memory, the caller's to free(). Errors: those of h5_column_open(); more than `max`
 * bytes: JOSTLE_EFORMAT; JOSTLE_ENOMEM. Call from: setup.
 */
int h5_read_bytes(const struct h5_file *file, const struct h5_column_kind *kind, size_t max, unsigned char **bytes,
		  size_t *size, struct err *err);

/** Safe on a zeroed column, and twice. Call from: setup. */
void h5_column_close(struct h5_column *column);

/** Instead, before h5_forget(). Call from: setup. */
void h5_column_forget(struct h5_column *column);

/** Put n values in the place of those that h5_write_u64s() wrote, and hand them to the system. Errors: JOSTLE_EIO. Call from: setup. */
int h5_replace_u64s(const struct h5_file *file, const char *name, size_t n, const uint64_t values[], struct err *err);

/**
 * From now on others may read along, and find it readable after this process's death. No object and no attribute can be
 * made any more; columns made before stay open. Errors: JOSTLE_EIO. Call from: setup.
 */
int h5_share(const struct h5_file *file, struct err *err);

/** Bytes that the file takes. Call from: setup. */
uint64_t h5_size(const struct h5_file *file);

/**
 * Have the disk keep room for the file to grow to `end` bytes. Errors: JOSTLE_EIO: there is none, with the system's reason,
 * and nothing has changed. Call from: setup.
 */
int h5_reserve(const struct h5_file *file, uint64_t end, struct err *err);

#endif
