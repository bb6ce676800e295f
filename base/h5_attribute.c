/*
 * Attributes: one value each, or one text of fixed length. Text of variable length is refused when read: its length is
 * known only after the library has taken memory for whatever the file claims.
 */
#include "base/h5.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5_error.h"

static int write_attribute(const struct h5_file *file, const char *object, const char *name, hid_t stored, hid_t memory,
			   const void *value, struct err *err)
{
	const hid_t space = H5Screate(H5S_SCALAR);
	hid_t attribute = H5I_INVALID_HID;
	int code = 0;

	if (space >= 0)
		attribute =
			H5Acreate_by_name(file->id, object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	if (attribute < 0 || H5Awrite(attribute, memory, value) < 0)
		code = h5_fail(err, JOSTLE_EIO, file, "%s: attribute %s cannot be written", object, name);
	if (attribute >= 0)
		H5Aclose(attribute);
	if (space >= 0)
		H5Sclose(space);
	return code;
}

int h5_set_text(const struct h5_file *file, const char *object, const char *name, const char *text, struct err *err)
{
	const hid_t type = H5Tcopy(H5T_C_S1);
	int code;

	if (type < 0 || H5Tset_size(type, strlen(text) + 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
		code = h5_fail(err, JOSTLE_EIO, file, "%s: attribute %s: no such text type", object, name);
	else
		code = write_attribute(file, object, name, type, type, text, err);
	if (type >= 0)
		H5Tclose(type);
	return code;
}

int h5_set_double(const struct h5_file *file, const char *object, const char *name, double value, struct err *err)
{
	return write_attribute(file, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, err);
}

int h5_set_u64(const struct h5_file *file, const char *object, const char *name, uint64_t value, struct err *err)
{
	return write_attribute(file, object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value, err);
}

/** Open an attribute that must hold exactly one element; gives its type too. The caller closes both. */
static int open_attribute(const struct h5_file *file, const char *object, const char *name, hid_t *attribute,
			  hid_t *type, struct err *err)
{
	hid_t space = H5I_INVALID_HID;
	int code = 0;

	*attribute = *type = H5I_INVALID_HID;
	if (!h5_reaches(file, object))
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "expected an object %s, found none", object);
	if (H5Aexists_by_name(file->id, object, name, H5P_DEFAULT) == 0)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected an attribute %s, found none", object,
			      name);
	*attribute = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
	if (*attribute >= 0) {
		*type = H5Aget_type(*attribute);
		space = H5Aget_space(*attribute);
	}
	if (*type < 0 || space < 0)
		code = h5_fail(err, JOSTLE_EFORMAT, file, "%s: attribute %s cannot be opened", object, name);
	else if (H5Sget_simple_extent_npoints(space) != 1)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: attribute %s: expected one value, found %lld",
			      object, name, (long long)H5Sget_simple_extent_npoints(space));
	if (space >= 0)
		H5Sclose(space);
	return code;
}

static void close_attribute(hid_t attribute, hid_t type)
{
	if (type >= 0)
		H5Tclose(type);
	if (attribute >= 0)
		H5Aclose(attribute);
}

int h5_get_long_text(const struct h5_file *file, const char *object, const char *name, size_t max_size, char **text,
		     struct err *err)
{
	hid_t attribute, type;
	char *fresh = NULL;

	*text = NULL;
	int code = open_attribute(file, object, name, &attribute, &type, err);
	if (code)
		goto fail;
	code = JOSTLE_EFORMAT;
	if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) {
		err_at(err, code, file->path, 0, 0, "%s: attribute %s: expected text of fixed length, found %s", object,
		       name, h5_type_name(type));
		goto fail;
	}
	const size_t size = H5Tget_size(type);
	if (size > max_size) {
		err_at(err, code, file->path, 0, 0, "%s: attribute %s: expected at most %zu bytes of text, found %zu",
		       object, name, max_size, size);
		goto fail;
	}
	fresh = calloc(1, size + 1);
	if (!fresh)
		code = err_at(err, JOSTLE_ENOMEM, file->path, 0, 0, "%s: attribute %s: no memory for %zu bytes", object,
			      name, size);
	else if (H5Aread(attribute, type, fresh) < 0)
		h5_fail(err, code, file, "%s: attribute %s cannot be read", object, name);
	else
		code = 0;
fail:
	close_attribute(attribute, type);
	if (code)
		free(fresh);
	else
		*text = fresh;
	return code;
}

int h5_get_text(const struct h5_file *file, const char *object, const char *name, char *text, size_t size,
		struct err *err)
{
	char *fresh;

	int code = h5_get_long_text(file, object, name, size, &fresh, err);
	if (code)
		return code;
	if (strlen(fresh) < size)
		memcpy(text, fresh, strlen(fresh) + 1);
	else
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "%s: attribute %s: expected at most %zu bytes of text, found %zu", object, name, size - 1,
			      strlen(fresh));
	free(fresh);
	return code;
}

static int get_number(const struct h5_file *file, const char *object, const char *name, enum h5_number number,
		      hid_t memory, void *value, struct err *err)
{
	hid_t attribute, type;

	int code = open_attribute(file, object, name, &attribute, &type, err);
	if (code)
		goto fail;
	if (!h5_type_is(type, number))
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: attribute %s: expected %s, found %s", object,
			      name, number == H5_NUMBER_FLOAT ? "a floating-point number" : "an unsigned whole number",
			      h5_type_name(type));
	else if (H5Aread(attribute, memory, value) < 0)
		code = h5_fail(err, JOSTLE_EFORMAT, file, "%s: attribute %s cannot be read", object, name);
fail:
	close_attribute(attribute, type);
	return code;
}

int h5_get_double(const struct h5_file *file, const char *object, const char *name, double *value, struct err *err)
{
	double found;

	int code = get_number(file, object, name, H5_NUMBER_FLOAT, H5T_NATIVE_DOUBLE, &found, err);
	if (code)
		return code;
	if (!isfinite(found))
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "%s: attribute %s: expected a finite number, found %g", object, name, found);
	*value = found;
	return 0;
}

int h5_get_u64(const struct h5_file *file, const char *object, const char *name, uint64_t *value, struct err *err)
{
	return get_number(file, object, name, H5_NUMBER_UNSIGNED, H5T_NATIVE_UINT64, value, err);
}
