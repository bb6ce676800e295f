/*
 * Columns: chunked datasets of one row after another. Chunks hold about 64 KiB, so that a chunk that has begun is rewritten at little
 * cost and the index of a large file stays small. Reading checks what base/h5_data.c checks, and that no filter and no
 * giant chunk stands between the file and the values.
 */
#include "base/h5_column.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5_error.h"

#define CHUNK_BYTES     65536
#define MOST_ROWS_ONCE  8192
#define MAX_CHUNK_BYTES (16u << 20)
#define CACHED_CHUNKS   4
#define CACHE_SLOTS     101 /* a prime, and much larger than CACHED_CHUNKS */

/** The types of a value in a file and in memory; text needs one of its own. */
static hid_t stored_type(enum h5_value value)
{
	switch (value) {
	case H5_U8:
		return H5T_STD_U8LE;
	case H5_U32:
		return H5T_STD_U32LE;
	case H5_I32:
		return H5T_STD_I32LE;
	case H5_U64:
		return H5T_STD_U64LE;
	case H5_I64:
		return H5T_STD_I64LE;
	case H5_F32:
		return H5T_IEEE_F32LE;
	default:
		return H5T_IEEE_F64LE;
	}
}

static hid_t memory_type(enum h5_value value)
{
	switch (value) {
	case H5_U8:
		return H5T_NATIVE_UINT8;
	case H5_U32:
		return H5T_NATIVE_UINT32;
	case H5_I32:
		return H5T_NATIVE_INT32;
	case H5_U64:
		return H5T_NATIVE_UINT64;
	case H5_I64:
		return H5T_NATIVE_INT64;
	case H5_F32:
		return H5T_NATIVE_FLOAT;
	default:
		return H5T_NATIVE_DOUBLE;
	}
}

/** A copy that is the caller's to close. */
static hid_t copy_type(const struct h5_column_kind *kind, bool stored)
{
	if (kind->value != H5_TEXT)
		return H5Tcopy(stored ? stored_type(kind->value) : memory_type(kind->value));
	const hid_t type = H5Tcopy(H5T_C_S1);

	if (type >= 0 && H5Tset_size(type, kind->width) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
		return type;
	if (type >= 0)
		H5Tclose(type);
	return H5I_INVALID_HID;
}

static int begin(struct h5_column *column, const struct h5_file *file, const struct h5_column_kind *kind,
		 struct err *err)
{
	*column = (struct h5_column){.name = kind->name, .id = H5I_INVALID_HID, .memory = copy_type(kind, false)};
	if (column->memory < 0)
		return h5_fail(err, JOSTLE_EIO, file, "%s: no such type", kind->name);
	column->flat = kind->flat;
	column->width = kind->value == H5_TEXT ? 1 : kind->width;
	column->row_size = column->width * H5Tget_size(column->memory);
	return 0;
}

static size_t rows_in_a_chunk(const struct h5_column_kind *kind, size_t row_size)
{
	size_t rows = 1;

	if (kind->rows_once)
		return kind->rows_once;
	while (rows < MOST_ROWS_ONCE && 2 * rows * row_size <= CHUNK_BYTES)
		rows *= 2;
	return rows;
}

/** A cache of a few chunks: rows come in order, and what is full is never met again. */
static hid_t cache_of(size_t chunk_bytes)
{
	const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);

	if (access >= 0)
		H5Pset_chunk_cache(access, CACHE_SLOTS, CACHED_CHUNKS * chunk_bytes, 1.0);
	return access;
}

int h5_column_make(struct h5_column *column, const struct h5_file *file, const struct h5_column_kind *kind,
		   struct err *err)
{
	const int rank = kind->flat ? 1 : 2;
	int code = begin(column, file, kind, err);

	if (code)
		return code;
	column->chunk_rows = rows_in_a_chunk(kind, column->row_size);
	const hsize_t none[2] = {0, column->width}, most[2] = {H5S_UNLIMITED, column->width};
	const hsize_t chunk[2] = {column->chunk_rows, column->width};
	const hid_t space = H5Screate_simple(rank, none, most), creation = H5Pcreate(H5P_DATASET_CREATE);
	const hid_t access = cache_of(column->chunk_rows * column->row_size), stored = copy_type(kind, true);

	if (space >= 0 && creation >= 0 && stored >= 0 && H5Pset_chunk(creation, rank, chunk) >= 0 &&
	    H5Pset_obj_track_times(creation, false) >= 0)
		column->id = H5Dcreate2(file->id, kind->name, stored, space, H5P_DEFAULT, creation, access);
	code = column->id < 0 ? h5_fail(err, JOSTLE_EIO, file, "%s: cannot be made", kind->name) : 0;
	if (stored >= 0)
		H5Tclose(stored);
	if (access >= 0)
		H5Pclose(access);
	if (creation >= 0)
		H5Pclose(creation);
	if (space >= 0)
		H5Sclose(space);
	if (!code)
		code = h5_set_text(file, kind->name, "units", kind->label.units, err);
	if (!code)
		code = h5_set_text(file, kind->name, "long_name", kind->label.long_name, err);
	if (code)
		h5_column_close(column);
	return code;
}

/** Check the stored type and shape against the kind. */
static int check_rows(const struct h5_column *column, const struct h5_file *file, const struct h5_column_kind *kind,
		      struct err *err)
{
	const hid_t type = H5Dget_type(column->id), wanted = copy_type(kind, true), space = H5Dget_space(column->id);
	hsize_t dims[2] = {0, 1};
	int code = 0;

	if (type < 0 || wanted < 0 || space < 0)
		code = h5_fail(err, JOSTLE_EFORMAT, file, "%s: cannot be opened", column->name);
	else if (H5Tequal(type, wanted) <= 0)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected another type than %s of %zu bytes",
			      column->name, h5_type_name(type), H5Tget_size(type));
	else if (H5Sget_simple_extent_ndims(space) != (column->flat ? 1 : 2) ||
		 H5Sget_simple_extent_dims(space, dims, NULL) < 0)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected rank %d, found %d", column->name,
			      column->flat ? 1 : 2, H5Sget_simple_extent_ndims(space));
	else if (dims[1] != column->width)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected rows of %zu values, found %llu",
			      column->name, column->width, (unsigned long long)dims[1]);
	else if (dims[0] < column->n_rows)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected at least %llu rows, found %llu",
			      column->name, (unsigned long long)column->n_rows, (unsigned long long)dims[0]);
	if (space >= 0)
		H5Sclose(space);
	if (wanted >= 0)
		H5Tclose(wanted);
	if (type >= 0)
		H5Tclose(type);
	return code;
}

/** Check that the bytes of n_rows are in this file, as they are. */
static int check_chunks(struct h5_column *column, const struct h5_file *file, struct err *err)
{
	const hid_t creation = H5Dget_create_plist(column->id);
	hsize_t chunk[2] = {0, 1}, file_size = 0;
	int code = 0;

	if (creation < 0 || H5Pget_layout(creation) != H5D_CHUNKED || H5Pget_nfilters(creation) != 0 ||
	    H5Pget_chunk(creation, 2, chunk) < 0) {
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected chunks without a filter",
			      column->name);
	} else if (chunk[0] > MAX_CHUNK_BYTES || chunk[1] > MAX_CHUNK_BYTES ||
		   chunk[0] * chunk[1] > MAX_CHUNK_BYTES * column->width / column->row_size) {
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "%s: expected chunks of at most %u bytes, found %llu x %llu values", column->name,
			      MAX_CHUNK_BYTES, (unsigned long long)chunk[0], (unsigned long long)chunk[1]);
	} else if (H5Fget_filesize(file->id, &file_size) < 0 || column->n_rows > file_size / column->row_size ||
		   H5Dget_storage_size(column->id) < column->n_rows * column->row_size) {
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected the bytes of %llu rows, found fewer",
			      column->name, (unsigned long long)column->n_rows);
	}
	column->chunk_rows = (size_t)chunk[0];
	if (creation >= 0)
		H5Pclose(creation);
	H5Eclear2(H5E_DEFAULT);
	return code;
}

int h5_column_open(struct h5_column *column, const struct h5_file *file, const struct h5_column_kind *kind,
		   uint64_t n_rows, struct err *err)
{
	int code = begin(column, file, kind, err);

	if (code)
		return code;
	column->n_rows = n_rows;
	if (!h5_reaches(file, kind->name))
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "expected a dataset %s, found none", kind->name);
	else if ((column->id = H5Dopen2(file->id, kind->name, H5P_DEFAULT)) < 0)
		code = h5_fail(err, JOSTLE_EFORMAT, file, "%s: expected a dataset", kind->name);
	else if (!(code = check_rows(column, file, kind, err)))
		code = check_chunks(column, file, err);
	if (code)
		h5_column_close(column);
	return code;
}

/** Move n rows from `first` on between the file and memory. */
static herr_t move(const struct h5_column *column, uint64_t first, size_t n, const void *from, void *into)
{
	const hsize_t start[2] = {first, 0}, count[2] = {n, column->width};
	const hid_t there = H5Dget_space(column->id), here = H5Screate_simple(column->flat ? 1 : 2, count, NULL);
	herr_t result = -1;

	if (there >= 0 && here >= 0 && H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
		result = from ? H5Dwrite(column->id, column->memory, here, there, H5P_DEFAULT, from)
			      : H5Dread(column->id, column->memory, here, there, H5P_DEFAULT, into);
	if (here >= 0)
		H5Sclose(here);
	if (there >= 0)
		H5Sclose(there);
	return result;
}

int h5_column_append(struct h5_column *column, const struct h5_file *file, size_t n, const void *values,
		     struct err *err)
{
	const hsize_t size[2] = {column->n_rows + n, column->width};

	if (n == 0)
		return 0;
	if (H5Dset_extent(column->id, size) < 0 || move(column, column->n_rows, n, values, NULL) < 0)
		return h5_fail(err, JOSTLE_EIO, file, "%s: cannot be written", column->name);
	column->n_rows += n;
	return 0;
}

int h5_column_flush(struct h5_column *column, const struct h5_file *file, struct err *err)
{
	return H5Dflush(column->id) < 0 ? h5_fail(err, JOSTLE_EIO, file, "%s: cannot be written", column->name) : 0;
}

int h5_column_read(const struct h5_column *column, const struct h5_file *file, uint64_t first, size_t n, void *values,
		   struct err *err)
{
	if (first > column->n_rows || n > column->n_rows - first)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected %zu rows from %llu on, found %llu",
			      column->name, n, (unsigned long long)first, (unsigned long long)column->n_rows);
	if (n && move(column, first, n, NULL, values) < 0)
		return h5_fail(err, JOSTLE_EFORMAT, file, "%s: cannot be read", column->name);
	return 0;
}

int h5_read_bytes(const struct h5_file *file, const struct h5_column_kind *kind, size_t max, unsigned char **bytes,
		  size_t *size, struct err *err)
{
	struct h5_column column;
	hsize_t length = 0;

	*bytes = NULL;
	*size = 0;
	int code = h5_column_open(&column, file, kind, 0, err);

	if (code)
		return code;
	const hid_t space = H5Dget_space(column.id);

	if (space < 0 || H5Sget_simple_extent_dims(space, &length, NULL) < 0 || length > max)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected at most %zu bytes, found %llu",
			      kind->name, max, (unsigned long long)length);
	if (space >= 0)
		H5Sclose(space);
	h5_column_close(&column);
	if (!code)
		code = h5_column_open(&column, file, kind, length, err);
	if (code)
		return code;
	*bytes = malloc(length ? length : 1);
	code = *bytes ? h5_column_read(&column, file, 0, length, *bytes, err)
		      : err_at(err, JOSTLE_ENOMEM, file->path, 0, 0, "%s: no memory for %llu bytes", kind->name,
			       (unsigned long long)length);
	h5_column_close(&column);
	if (code) {
		free(*bytes);
		*bytes = NULL;
	} else {
		*size = length;
	}
	return code;
}

void h5_column_close(struct h5_column *column)
{
	if (column->id > 0)
		H5Dclose(column->id);
	if (column->memory > 0)
		H5Tclose(column->memory);
	column->id = column->memory = H5I_INVALID_HID;
}

void h5_column_forget(struct h5_column *column)
{
	column->id = H5I_INVALID_HID;
	h5_column_close(column);
}
