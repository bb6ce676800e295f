#ifndef JOSTLE_H5_H
#define JOSTLE_H5_H
/*
 * HDF5 with this project's manners: files appear whole or not at all, every error names file and object, and whatever
 * is read is checked for type, shape and size before memory is taken. Never from the loop.
 */
#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define H5_MAX_RANK 4

/** An open file. `path` is the final name; while writing the file is called path + ".partial". */
struct h5_file {
	hid_t id;
	bool writing;
	struct h5_image *image; /* of a file in memory that is being written (base/h5_image.h), or NULL */
	char path[1024];
};

/** What a dataset says of itself to a person; both are written as attributes "units" and "long_name". */
struct h5_label {
	const char *units, *long_name;
};

/**
 * Create path + ".partial", replacing one left behind. The caller ends it with h5_commit() or h5_close().
 * Object time stamps are off, so that equal content gives equal files.
 * Errors: JOSTLE_EIO with the system's reason. Call from: setup.
 */
int h5_create(struct h5_file *file, const char *path, struct err *err);

/**
 * h5_create() for a file of columns (base/h5_column.h): a kill damages nothing that was there before. Errors: as
 * h5_create(). Call from: setup.
 */
int h5_create_growing(struct h5_file *file, const char *path, struct err *err);

/**
 * A write of this file has failed. The library (1.10.8) can't close it then: it frees half and crashes when the process
 * ends. So it is left as it is, with what the library holds of it, some megabytes, until then; nothing more is written to
 * the disk, and this process can't read the file any more; others can. Columns that are open in it are to be forgotten
 * too. Call from: setup.
 */
void h5_forget(struct h5_file *file);

/** Flush, close, sync to disk and rename to the final name. On error the .partial file stays. Call from: setup. */
int h5_commit(struct h5_file *file, struct err *err);

/** Close a file being written and remove its .partial: it will not be. Call from: setup. */
void h5_abandon(struct h5_file *file);

/** Close. A file being written keeps its .partial name. Safe to call twice. Call from: setup. */
void h5_close(struct h5_file *file);

/**
 * Open for reading. Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT (not HDF5, or truncated). Call from: setup.
 */
int h5_open(struct h5_file *file, const char *path, struct err *err);

/** h5_open(), also of a file that is being written under h5_share(), or was when its writer died. Call from: setup. */
int h5_open_growing(struct h5_file *file, const char *path, struct err *err);

/** Create a group "name" inside `at`. Missing parents are errors. Call from: setup. */
int h5_make_group(const struct h5_file *file, const char *name, struct err *err);

/** Write a dataset of shape dims[rank]. Call from: setup. */
int h5_write_doubles(const struct h5_file *file, const char *name, size_t rank, const size_t dims[],
		     const double values[], struct h5_label label, struct err *err);
int h5_write_floats(const struct h5_file *file, const char *name, size_t rank, const size_t dims[],
		    const float values[], struct h5_label label, struct err *err);
int h5_write_u64s(const struct h5_file *file, const char *name, size_t rank, const size_t dims[],
		  const uint64_t values[], struct h5_label label, struct err *err);

/**
 * Read a whole dataset into fresh memory, the caller's to free(). `rank` must match; dims[i] is the expected length, or
 * 0 for any, and is filled in; an empty dataset gives memory that holds nothing. JOSTLE_EFORMAT: no such dataset, more than
 * `max_values`, another shape, another class of numbers (IEEE 32 or 64 bits for doubles and floats, unsigned for u64s),
 * numbers that are not finite, storage that is not contiguous and in this file, and whatever only a soft or external
 * link leads to. Call from: setup.
 */
int h5_read_doubles(const struct h5_file *file, const char *name, size_t rank, size_t dims[], size_t max_values,
		    double **values, struct err *err);
int h5_read_floats(const struct h5_file *file, const char *name, size_t rank, size_t dims[], size_t max_values,
		   float **values, struct err *err);
int h5_read_u64s(const struct h5_file *file, const char *name, size_t rank, size_t dims[], size_t max_values,
		 uint64_t **values, struct err *err);

/** Whether an object of that name exists, by hard links alone. Call from: setup. */
bool h5_has(const struct h5_file *file, const char *name);

/** Write an attribute of an object ("/" for the file). Text is UTF-8, stored with fixed length. Call from: setup. */
int h5_set_text(const struct h5_file *file, const char *object, const char *name, const char *text, struct err *err);
int h5_set_double(const struct h5_file *file, const char *object, const char *name, double value, struct err *err);
int h5_set_u64(const struct h5_file *file, const char *object, const char *name, uint64_t value, struct err *err);

/**
 * Read an attribute. Text longer than size - 1 or of variable length, non-finite numbers, other types, no such
 * attribute: JOSTLE_EFORMAT.
 * h5_get_long_text() gives fresh memory, at most max_size bytes, the caller's to free(). Call from: setup.
 */
int h5_get_text(const struct h5_file *file, const char *object, const char *name, char *text, size_t size,
		struct err *err);
int h5_get_long_text(const struct h5_file *file, const char *object, const char *name, size_t max_size, char **text,
		     struct err *err);
int h5_get_double(const struct h5_file *file, const char *object, const char *name, double *value, struct err *err);
int h5_get_u64(const struct h5_file *file, const char *object, const char *name, uint64_t *value, struct err *err);

#endif
