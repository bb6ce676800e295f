/*
 * Datasets. What is read may come from anybody, so before memory is taken the dataset must show: plain numbers of the
 * right class, the expected rank and lengths, no more values than the caller allows, and all its bytes inside this file
 * (no external, virtual, chunked or never-written storage, which could claim any size or lead elsewhere).
 */
#include "base/h5.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5_error.h"

bool h5_type_is(hid_t type, enum h5_number number)
{
	const hid_t floats[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE};
	const hid_t whole[] = {H5T_STD_U8LE,  H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE,
			       H5T_STD_U16BE, H5T_STD_U32BE, H5T_STD_U64BE};
	const hid_t *types = number == H5_NUMBER_FLOAT ? floats : whole;
	const size_t n =
		number == H5_NUMBER_FLOAT ? sizeof(floats) / sizeof(floats[0]) : sizeof(whole) / sizeof(whole[0]);

	for (size_t i = 0; i < n; i++)
		if (H5Tequal(type, types[i]) > 0)
			return true;
	return false;
}

const char *h5_type_name(hid_t type)
{
	switch (H5Tget_class(type)) {
	case H5T_INTEGER:
		return H5Tget_sign(type) == H5T_SGN_2 ? "signed whole numbers" : "unsigned whole numbers";
	case H5T_FLOAT:
		return "floating-point numbers";
	case H5T_STRING:
		return H5Tis_variable_str(type) > 0 ? "text of variable length" : "text of fixed length";
	case H5T_COMPOUND:
		return "compound values";
	case H5T_ENUM:
		return "enumerated values";
	default:
		return "values of another type";
	}
}

static const char *expected_type(enum h5_number number)
{
	return number == H5_NUMBER_FLOAT ? "floating-point numbers" : "unsigned whole numbers";
}

static int write_values(const struct h5_file *file, const char *name, hid_t stored, hid_t memory, size_t rank,
			const size_t dims[], const void *values, struct h5_label label, struct err *err)
{
	hsize_t lengths[H5_MAX_RANK];
	hid_t space = H5I_INVALID_HID, creation = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
	int code;

	if (rank < 1 || rank > H5_MAX_RANK)
		return err_at(err, JOSTLE_EINVAL, file->path, 0, 0, "%s: expected rank 1 to %d, found %zu", name,
			      H5_MAX_RANK, rank);
	for (size_t i = 0; i < rank; i++)
		lengths[i] = dims[i];
	space = H5Screate_simple((int)rank, lengths, NULL);
	creation = H5Pcreate(H5P_DATASET_CREATE);
	/* Every value is written, so nothing is filled in first. */
	if (space < 0 || creation < 0 || H5Pset_obj_track_times(creation, false) < 0 ||
	    H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) < 0)
		goto fail;
	dataset = H5Dcreate2(file->id, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
	if (dataset < 0 || H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
		goto fail;
	code = label.units ? h5_set_text(file, name, "units", label.units, err) : 0;
	if (!code && label.long_name)
		code = h5_set_text(file, name, "long_name", label.long_name, err);
	goto done;
fail:
	code = h5_fail(err, JOSTLE_EIO, file, "%s: cannot be written", name);
done:
	if (dataset >= 0)
		H5Dclose(dataset);
	if (creation >= 0)
		H5Pclose(creation);
	if (space >= 0)
		H5Sclose(space);
	return code;
}

int h5_write_doubles(const struct h5_file *file, const char *name, size_t rank, const size_t dims[],
		     const double values[], struct h5_label label, struct err *err)
{
	return write_values(file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rank, dims, values, label, err);
}

int h5_write_floats(const struct h5_file *file, const char *name, size_t rank, const size_t dims[],
		    const float values[], struct h5_label label, struct err *err)
{
	return write_values(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, rank, dims, values, label, err);
}

int h5_write_u64s(const struct h5_file *file, const char *name, size_t rank, const size_t dims[],
		  const uint64_t values[], struct h5_label label, struct err *err)
{
	return write_values(file, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, rank, dims, values, label, err);
}

/** "[3 x any]": 0 stands for any in what is expected, and for itself in what is found. */
static void format_shape(size_t rank, const hsize_t dims[], bool zero_is_any, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "[");

	for (size_t i = 0; i < rank && at < size; i++)
		at += (size_t)(dims[i] == 0 && zero_is_any ? snprintf(out + at, size - at, "%sany", i ? " x " : "")
							   : snprintf(out + at, size - at, "%s%llu", i ? " x " : "",
								      (unsigned long long)dims[i]));
	if (at < size)
		snprintf(out + at, size - at, "]");
}

/** Check rank and lengths, fill in dims and count the values. */
static int check_shape(const struct h5_file *file, const char *name, hid_t space, size_t rank, size_t dims[],
		       size_t max_values, size_t *n_values, struct err *err)
{
	hsize_t expected[H5_MAX_RANK], found[H5S_MAX_RANK];
	char expected_text[100], found_text[800];
	size_t n = 1;

	const int found_rank =
		H5Sget_simple_extent_type(space) == H5S_NULL ? -1 : H5Sget_simple_extent_dims(space, found, NULL);
	if (found_rank < 0)
		return h5_fail(err, JOSTLE_EFORMAT, file, "%s: has no shape", name);
	bool fits = (size_t)found_rank == rank;
	for (size_t i = 0; i < rank; i++) {
		expected[i] = dims[i];
		fits = fits && (dims[i] == 0 || dims[i] == found[i]);
	}
	format_shape((size_t)found_rank, found, false, found_text, sizeof(found_text));
	if (!fits) {
		format_shape(rank, expected, true, expected_text, sizeof(expected_text));
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected shape %s, found %.300s", name,
			      expected_text, found_text);
	}
	for (size_t i = 0; i < rank; i++) {
		if (found[i] != 0 && n > max_values / found[i])
			return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
				      "%s: expected at most %zu values, found shape %.300s", name, max_values,
				      found_text);
		n *= (size_t)found[i];
	}
	for (size_t i = 0; i < rank; i++)
		dims[i] = (size_t)found[i];
	*n_values = n;
	return 0;
}

/** Check that all bytes lie in this file, in one piece. */
static int check_storage(const struct h5_file *file, const char *name, hid_t dataset, size_t n_bytes, struct err *err)
{
	const hid_t creation = H5Dget_create_plist(dataset);
	hsize_t file_size = 0;
	int code = 0;

	const H5D_layout_t layout = creation < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(creation);
	if ((layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) || H5Pget_external_count(creation) != 0)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "%s: expected contiguous storage in this file, found %s", name,
			      layout == H5D_CHUNKED   ? "chunks"
			      : layout == H5D_VIRTUAL ? "a view of other files"
						      : "another file");
	else if (H5Fget_filesize(file->id, &file_size) < 0 || n_bytes > file_size ||
		 H5Dget_storage_size(dataset) != n_bytes)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected %zu bytes of values, found fewer",
			      name, n_bytes);
	if (creation >= 0)
		H5Pclose(creation);
	return code;
}

/** Read into fresh memory of `width` bytes a value; n_values may be 0, the memory is still the caller's to free. */
static int read_values(const struct h5_file *file, const char *name, enum h5_number number, hid_t memory, size_t width,
		       size_t rank, size_t dims[], size_t max_values, void **values, size_t *n_values, struct err *err)
{
	hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
	void *fresh = NULL;
	int code;

	*values = NULL;
	if (rank < 1 || rank > H5_MAX_RANK)
		return err_at(err, JOSTLE_EINVAL, file->path, 0, 0, "%s: expected rank 1 to %d, found %zu", name,
			      H5_MAX_RANK, rank);
	if (!h5_reaches(file, name))
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "expected a dataset %s, found none", name);
	dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
	if (dataset < 0 || (type = H5Dget_type(dataset)) < 0 || (space = H5Dget_space(dataset)) < 0) {
		code = h5_fail(err, JOSTLE_EFORMAT, file, "%s: expected a dataset", name);
		goto fail;
	}
	if (!h5_type_is(type, number)) {
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected %s, found %s", name,
			      expected_type(number), h5_type_name(type));
		goto fail;
	}
	code = check_shape(file, name, space, rank, dims, max_values < SIZE_MAX / 8 ? max_values : SIZE_MAX / 8,
			   n_values, err);
	if (!code)
		code = check_storage(file, name, dataset, *n_values * H5Tget_size(type), err);
	if (code)
		goto fail;
	fresh = malloc(*n_values ? *n_values * width : 1);
	if (!fresh)
		code = err_at(err, JOSTLE_ENOMEM, file->path, 0, 0, "%s: no memory for %zu values", name, *n_values);
	else if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, fresh) < 0)
		code = h5_fail(err, JOSTLE_EFORMAT, file, "%s: cannot be read", name);
fail:
	if (space >= 0)
		H5Sclose(space);
	if (type >= 0)
		H5Tclose(type);
	if (dataset >= 0)
		H5Dclose(dataset);
	if (code)
		free(fresh);
	else
		*values = fresh;
	return code;
}

int h5_read_doubles(const struct h5_file *file, const char *name, size_t rank, size_t dims[], size_t max_values,
		    double **values, struct err *err)
{
	void *fresh;
	size_t n;

	*values = NULL;
	int code = read_values(file, name, H5_NUMBER_FLOAT, H5T_NATIVE_DOUBLE, sizeof(double), rank, dims, max_values,
			       &fresh, &n, err);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(((double *)fresh)[i])) {
			code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
				      "%s: expected finite numbers, found %g as value %zu", name, ((double *)fresh)[i],
				      i);
			free(fresh);
			return code;
		}
	*values = fresh;
	return 0;
}

int h5_read_floats(const struct h5_file *file, const char *name, size_t rank, size_t dims[], size_t max_values,
		   float **values, struct err *err)
{
	void *fresh;
	size_t n;

	*values = NULL;
	int code = read_values(file, name, H5_NUMBER_FLOAT, H5T_NATIVE_FLOAT, sizeof(float), rank, dims, max_values,
			       &fresh, &n, err);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(((float *)fresh)[i])) {
			code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
				      "%s: expected finite numbers, found %g as value %zu", name,
				      (double)((float *)fresh)[i], i);
			free(fresh);
			return code;
		}
	*values = fresh;
	return 0;
}

int h5_read_u64s(const struct h5_file *file, const char *name, size_t rank, size_t dims[], size_t max_values,
		 uint64_t **values, struct err *err)
{
	void *fresh;
	size_t n;
	int code = read_values(file, name, H5_NUMBER_UNSIGNED, H5T_NATIVE_UINT64, sizeof(uint64_t), rank, dims,
			       max_values, &fresh, &n, err);

	*values = fresh;
	return code;
}
