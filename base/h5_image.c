#include "base/h5_image.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/h5_error.h"

#define GROW_BYTES 65536

/** Access to a file in memory, in the latest format; the caller's to close. */
static hid_t memory_access(void)
{
	const hid_t access = H5Pcreate(H5P_FILE_ACCESS);

	if (access >= 0 && H5Pset_fapl_core(access, GROW_BYTES, false) >= 0 &&
	    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
	    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0)
		return access;
	if (access >= 0)
		H5Pclose(access);
	return H5I_INVALID_HID;
}

static void begin(struct h5_file *file, const char *name)
{
	*file = (struct h5_file){.id = H5I_INVALID_HID};
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	snprintf(file->path, sizeof(file->path), "%s", name);
}

int h5_create_image(struct h5_file *file, const char *name, struct err *err)
{
	begin(file, name);
	const hid_t access = memory_access(), creation = H5Pcreate(H5P_FILE_CREATE);

	if (access >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
		file->id = H5Fcreate(name, H5F_ACC_TRUNC, creation, access);
	if (creation >= 0)
		H5Pclose(creation);
	if (access >= 0)
		H5Pclose(access);
	return file->id < 0 ? h5_fail(err, JOSTLE_EIO, file, "cannot be made in memory") : 0;
}

int h5_take_image(struct h5_file *file, unsigned char **bytes, size_t *size, struct err *err)
{
	int code = 0;

	*bytes = NULL;
	*size = 0;
	const ssize_t length = H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0 ? -1 : H5Fget_file_image(file->id, NULL, 0);

	if (length <= 0)
		code = h5_fail(err, JOSTLE_EIO, file, "cannot be completed in memory");
	else if (!(*bytes = malloc((size_t)length)))
		code = err_at(err, JOSTLE_ENOMEM, file->path, 0, 0, "no memory for %zd bytes", length);
	else if (H5Fget_file_image(file->id, *bytes, (size_t)length) != length)
		code = h5_fail(err, JOSTLE_EIO, file, "cannot be completed in memory");
	h5_close(file);
	if (code) {
		free(*bytes);
		*bytes = NULL;
	} else {
		*size = (size_t)length;
	}
	return code;
}

int h5_open_image(struct h5_file *file, const char *name, const unsigned char *bytes, size_t size, struct err *err)
{
	begin(file, name);
	if (size == 0)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "expected an HDF5 file, found an empty one");
	const hid_t access = memory_access();

	/* The library takes a pointer to what it may write, and copies at once. */
	if (access >= 0 && H5Pset_file_image(access, (void *)(uintptr_t)bytes, size) >= 0)
		file->id = H5Fopen(name, H5F_ACC_RDONLY, access);
	if (access >= 0)
		H5Pclose(access);
	return file->id < 0 ? h5_fail(err, JOSTLE_EFORMAT, file, "expected a whole HDF5 file") : 0;
}
