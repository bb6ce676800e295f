#ifndef JOSTLE_H5_ERROR_H
#define JOSTLE_H5_ERROR_H
/*
 * Shared by the files of h5 only: errors, and objects looked up with care.
 */
#include <hdf5.h>
#include <stdbool.h>

struct err;
struct h5_file;
struct h5_image;

/**
 * Set err to "text: what HDF5 says", from the innermost entry of its error stack, with the file's name; clears the
 * stack. Returns code. Call from: setup.
 */
int h5_fail(struct err *err, int code, const struct h5_file *file, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * Whether "name" can be reached from "/" by hard links alone. Soft and external links are as good as absent: a file
 * must not lead into another one. Call from: setup.
 */
bool h5_reaches(const struct h5_file *file, const char *name);

enum h5_number { H5_NUMBER_FLOAT, H5_NUMBER_UNSIGNED };

/** Whether a stored type is one of the plain ones of its class: IEEE float or double, unsigned of 8 to 64 bits. */
bool h5_type_is(hid_t type, enum h5_number number);

/** A stored type in words, for an error text. */
const char *h5_type_name(hid_t type);

/** The first call of whoever opens a file. */
void h5_enter(void);

/** Free the bytes of a file in memory, which the library has closed. */
void h5_image_free(struct h5_image *image);

#endif
