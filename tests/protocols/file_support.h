#ifndef JOSTLE_TEST_FILE_SUPPORT_H
#define JOSTLE_TEST_FILE_SUPPORT_H
/*
 * Spoiling files: cutting, flipping, and changing one object of a good one.
 */
#include <fcntl.h>
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct bytes {
	unsigned char *data;
	size_t size;
};

/** The caller frees data. */
static inline struct bytes bytes_read(const char *path)
{
	struct bytes b = {0};
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	b.size = (size_t)ftell(f);
	rewind(f);
	b.data = malloc(b.size);
	assert_non_null(b.data);
	assert_int_equal(fread(b.data, 1, b.size, f), b.size);
	fclose(f);
	return b;
}

static inline void bytes_write(const char *path, const unsigned char *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* Files are spoilt in place: emptying and writing them anew, thousands of times, would wait for the disk each time. */

static inline void poke(const char *path, size_t at, unsigned char byte)
{
	const int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	assert_int_equal(close(fd), 0);
}

/** A copy of a file, opened for change; the caller closes it with H5Fclose(). */
static inline hid_t copy_open(const char *from, const char *to)
{
	const struct bytes b = bytes_read(from);

	bytes_write(to, b.data, b.size);
	free(b.data);
	const hid_t file = H5Fopen(to, H5F_ACC_RDWR, H5P_DEFAULT);
	assert_true(file >= 0);
	return file;
}

static inline void put_attribute(hid_t file, const char *object, const char *name, hid_t type, const void *value)
{
	const hid_t space = H5Screate(H5S_SCALAR);

	if (H5Aexists_by_name(file, object, name, H5P_DEFAULT) > 0)
		assert_true(H5Adelete_by_name(file, object, name, H5P_DEFAULT) >= 0);
	const hid_t attribute =
		H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	assert_true(attribute >= 0 && H5Awrite(attribute, type, value) >= 0);
	H5Aclose(attribute);
	H5Sclose(space);
}

static inline void put_u64(hid_t file, const char *object, const char *name, uint64_t value)
{
	put_attribute(file, object, name, H5T_NATIVE_UINT64, &value);
}

static inline void put_double(hid_t file, const char *object, const char *name, double value)
{
	put_attribute(file, object, name, H5T_NATIVE_DOUBLE, &value);
}

static inline void put_text(hid_t file, const char *object, const char *name, const char *text)
{
	const hid_t type = H5Tcopy(H5T_C_S1);

	H5Tset_size(type, strlen(text) + 1);
	put_attribute(file, object, name, type, text);
	H5Tclose(type);
}

/** Change one number of a dataset of doubles. */
static inline void put_number(hid_t file, const char *name, size_t index, double value)
{
	const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
	const hid_t space = H5Dget_space(dataset);
	const hssize_t n = H5Sget_simple_extent_npoints(space);
	double *values = malloc((size_t)n * sizeof(*values));

	assert_true(dataset >= 0 && n > 0 && index < (size_t)n);
	assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	values[index] = value;
	assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	free(values);
	H5Sclose(space);
	H5Dclose(dataset);
}

/** Replace a dataset by zeros of another shape and type; a chunked one holds no bytes, whatever it claims. */
static inline void put_dataset(hid_t file, const char *name, int rank, const hsize_t dims[], hid_t type, int chunked)
{
	const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
	const hsize_t chunk[2] = {1, 1};
	const hid_t space = H5Screate_simple(rank, dims, NULL);

	if (H5Lexists(file, name, H5P_DEFAULT) > 0)
		assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
	if (chunked)
		H5Pset_chunk(creation, rank, chunk);
	else
		H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
	const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
	assert_true(dataset >= 0);
	H5Dclose(dataset);
	H5Sclose(space);
	H5Pclose(creation);
}

static inline void drop(hid_t file, const char *name)
{
	assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
}

#endif
