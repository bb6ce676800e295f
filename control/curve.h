#ifndef JOSTLE_CURVE_H
#define JOSTLE_CURVE_H
/*
 * Who may speak to a bench over a network: CURVE keys in files, and the list of clients that are allowed.
 *
 * A key is 32 bytes in Z85, 40 characters. A public key stands on a line "NAME  KEY", so that a list of clients is such lines
 * one after another; empty lines and those that begin with # are passed over. A secret key stands in a file of its own, on a line
 * "NAME  secret  KEY", that only its owner may read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define CURVE_KEY_BYTES   32
#define CURVE_KEY_TEXT    41 /* with its NUL */
#define CURVE_MAX_NAME    64 /* with its NUL */
#define CURVE_MAX_CLIENTS 1024

struct curve_client {
	char name[CURVE_MAX_NAME];
	uint8_t key[CURVE_KEY_BYTES];
};

struct curve_list {
	size_t n;
	struct curve_client *client; /* [n] */
};

/** A pair of keys made anew, into PREFIX.pub and PREFIX.key under `name`; both must not exist yet. Errors: JOSTLE_EINVAL (name), JOSTLE_EIO
 * (also for a file that is there), JOSTLE_ENODEV (a libzmq without CURVE). Call from: setup. */
int curve_make(const char *name, const char *prefix, struct err *err);

/** Read a secret key; the caller wipes it. Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT with the line, JOSTLE_EINVAL (others
 * may read the file). Call from: setup. */
int curve_load_secret(uint8_t key[CURVE_KEY_BYTES], const char *path, struct err *err);

/** Read a list of clients; the caller ends it with curve_list_fini(). Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT with the line
 * (also for a name or key that comes twice, and a secret key among them), JOSTLE_ENOMEM. Call from: setup. */
int curve_list_load(struct curve_list *list, const char *path, struct err *err);
void curve_list_fini(struct curve_list *list);

/** The name of the client with this public key, or NULL when it is not on the list. Call from: any. */
const char *curve_list_find(const struct curve_list *list, const void *key, size_t size);

#endif
