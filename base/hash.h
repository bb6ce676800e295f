#ifndef JOSTLE_HASH_H
#define JOSTLE_HASH_H
/*
 * Checksums of content: BLAKE2b, 256 bits, from libsodium, in lower-case hexadecimal.
 */
#include <sodium.h>
#include <stddef.h>

#define HASH_HEX_SIZE 65 /* 64 digits and the terminating NUL */

struct hash {
	crypto_generichash_state state;
};

/** Call from: setup. */
void hash_begin(struct hash *hash);
void hash_bytes(struct hash *hash, const void *bytes, size_t size);
/** The text and its terminating NUL, so that adjacent texts can't run together. */
void hash_text(struct hash *hash, const char *text);
void hash_end(struct hash *hash, char hex[HASH_HEX_SIZE]);

#endif
