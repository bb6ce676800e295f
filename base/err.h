#ifndef JOSTLE_ERR_H
#define JOSTLE_ERR_H
/*
 * Errors: a negative code for the program, a sentence for the person.
 *
 * A function that can fail returns 0 or a negative enum jostle_error, and where a person will read about it, fills the
 * caller's struct err. A parser also fills file, line and column. Nothing here allocates.
 */
#include <stddef.h>

enum jostle_error {
	JOSTLE_EINVAL = -1,    /* an argument out of its range */
	JOSTLE_ENOMEM = -2,    /* memory could not be had */
	JOSTLE_EIO = -3,       /* reading or writing failed; for a bench: the outputs are to be taken as unknown */
	JOSTLE_ENOENT = -4,    /* no such file, task, bench or member of a registry */
	JOSTLE_EFORMAT = -5,   /* a file or message that is not what it says it is */
	JOSTLE_EVERSION = -6,  /* a format version this program does not read */
	JOSTLE_ECHECKSUM = -7, /* content and checksum disagree */
	JOSTLE_ECONFIG = -8,   /* a configuration field with a value it cannot have */
	JOSTLE_ENODEV = -9,    /* hardware that is not there */
	JOSTLE_EBUSY = -10,    /* hardware or a file that another process holds */
	JOSTLE_EMISSED = -11,  /* sample edges were missed; the time grid is kept */
	JOSTLE_ETRIP = -12,    /* the supervisor has latched a fault */
	JOSTLE_EINTR = -13,    /* interrupted by the person; what was done is kept */
	JOSTLE_EDIVERGED = -14 /* a computation left the range of numbers it is meant for */
};
#define JOSTLE_ERROR_LAST JOSTLE_EDIVERGED

struct err {
	int code;         /* 0, or an enum jostle_error */
	int line, column; /* 1-based; 0 where they do not apply */
	char file[256];   /* "" where it does not apply */
	char text[768];   /* what was expected and what was found; no final full stop, no control characters */
};

/**
 * Set code and text; control characters in it become question marks. Returns `code`, so that a caller can write
 * `return err_set(…)`. err may be NULL. Call from: setup.
 */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** The same with a place in a file. `line` and `column` may be 0. Call from: setup. */
int err_at(struct err *err, int code, const char *file, int line, int column, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/** Put "context: " before the text. Returns err's code (JOSTLE_EINVAL when err is NULL). Call from: setup. */
int err_context(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Write "file:line:column: text" to `out`, for a person. Call from: setup. */
void err_format(const struct err *err, char *out, size_t size);

/** A constant short name for a code: "no such device". Never NULL. Call from: any. */
const char *err_name(int code);

#endif
