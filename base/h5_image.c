/*
 * Files in memory, by the library's own driver for them. What a file has come to is taken when the library closes it, from the
 * function that it calls to free the memory: H5Fget_file_image() of HDF5 1.10.8 clears a flag of the superblock and leaves
 * the checksum over it as it was.
 */
#include "base/h5_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5_error.h"

#define GROW_BYTES 4096

struct h5_image {
	unsigned char *bytes;
	size_t size;
	bool closed; /* the library has let go of it: it is whole */
};

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t operation, void *context)
{
	struct h5_image *image = context;
	void *more = realloc(bytes, size);

	(void)operation;
	if (more) {
		image->bytes = more;
		image->size = size;
	}
	return more;
}

static void *image_malloc(size_t size, H5FD_file_image_op_t operation, void *context)
{
	return image_realloc(NULL, size, operation, context);
}

static herr_t image_free(void *bytes, H5FD_file_image_op_t operation, void *context)
{
	struct h5_image *image = context;

	if (operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE && bytes == image->bytes)
		image->closed = true;
	else
		free(bytes);
	return 0;
}

static void *context_copy(void *context)
{
	return context;
}

static herr_t context_free(void *context)
{
	(void)context;
	return 0;
}

void h5_image_free(struct h5_image *image)
{
	/* A file that could not be closed still uses it. */
	if (!image->closed)
		return;
	free(image->bytes);
	free(image);
}

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
	h5_enter();
	snprintf(file->path, sizeof(file->path), "%s", name);
}

int h5_create_image(struct h5_file *file, const char *name, struct err *err)
{
	begin(file, name);
	file->image = calloc(1, sizeof(*file->image));
	if (!file->image)
		return err_at(err, JOSTLE_ENOMEM, name, 0, 0, "no memory for a file");
	H5FD_file_image_callbacks_t callbacks = {.image_malloc = image_malloc,
						 .image_realloc = image_realloc,
						 .image_free = image_free,
						 .udata_copy = context_copy,
						 .udata_free = context_free,
						 .udata = file->image};
	const hid_t access = memory_access(), creation = H5Pcreate(H5P_FILE_CREATE);

	if (access >= 0 && creation >= 0 && H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
	    H5Pset_obj_track_times(creation, false) >= 0)
		file->id = H5Fcreate(name, H5F_ACC_TRUNC, creation, access);
	if (creation >= 0)
		H5Pclose(creation);
	if (access >= 0)
		H5Pclose(access);
	if (file->id >= 0)
		return 0;
	const int code = h5_fail(err, JOSTLE_EIO, file, "cannot be made in memory");

	h5_close(file);
	return code;
}

int h5_take_image(struct h5_file *file, unsigned char **bytes, size_t *size, struct err *err)
{
	const herr_t closed = H5Fclose(file->id);
	int code = 0;

	*bytes = NULL;
	*size = 0;
	file->id = H5I_INVALID_HID;
	if (closed < 0 || !file->image->closed) {
		code = h5_fail(err, JOSTLE_EIO, file, "cannot be completed in memory");
	} else {
		*bytes = file->image->bytes;
		*size = file->image->size;
		file->image->bytes = NULL;
	}
	h5_close(file);
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
