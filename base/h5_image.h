#ifndef JOSTLE_H5_IMAGE_H
#define JOSTLE_H5_IMAGE_H
/*
 * HDF5 files that live in memory: a file inside another one, byte for byte what it would be on a disk.
 */
#include <stddef.h>

#include "base/h5.h"

/** Begin a file in memory; `name` is for error texts. The caller ends it with h5_take_image() or h5_close(). Errors:
 * JOSTLE_EIO. Call from: setup. */
int h5_create_image(struct h5_file *file, const char *name, struct err *err);

/** Close it and hand over its bytes, the caller's to free(). On error it is closed all the same. Errors: JOSTLE_ENOMEM,
 * JOSTLE_EIO. Call from: setup. */
int h5_take_image(struct h5_file *file, unsigned char **bytes, size_t *size, struct err *err);

/** Open bytes as a file for reading; they are copied. The caller ends it with h5_close(). Errors: JOSTLE_EFORMAT. Call
 * from: setup. */
int h5_open_image(struct h5_file *file, const char *name, const unsigned char *bytes, size_t size, struct err *err);

#endif
