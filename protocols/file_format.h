#ifndef JOSTLE_FILE_FORMAT_H
#define JOSTLE_FILE_FORMAT_H
/*
 * How a file says what it is: attributes "format" and "format_version" of "/", the same in every file of this project.
 */
#include <stdint.h>

struct err;
struct h5_file;

/** Call from: setup. */
int file_format_write(const struct h5_file *file, const char *format, uint64_t version, struct err *err);

/** Errors: JOSTLE_EFORMAT (another format, or none), JOSTLE_EVERSION. Call from: setup. */
int file_format_check(const struct h5_file *file, const char *format, uint64_t version, struct err *err);

/** The same for a reader that knows the versions 1 to `newest`; *version is the file's. */
int file_format_find(const struct h5_file *file, const char *format, uint64_t newest, uint64_t *version,
		     struct err *err);

/** Compare the attribute "checksum" of "/" with the one computed from the content. Errors: JOSTLE_ECHECKSUM. */
int file_checksum_check(const struct h5_file *file, const char *computed, struct err *err);

#endif
