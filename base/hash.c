#include "base/hash.h"

#include <string.h>

#define DIGEST_SIZE ((HASH_HEX_SIZE - 1) / 2)

void hash_begin(struct hash *hash)
{
	/* Picks the fastest code for this machine; should it fail, the portable code gives the same digest. */
	const int ready = sodium_init();

	(void)ready;
	crypto_generichash_init(&hash->state, NULL, 0, DIGEST_SIZE);
}

void hash_bytes(struct hash *hash, const void *bytes, size_t size)
{
	crypto_generichash_update(&hash->state, bytes, size);
}

void hash_text(struct hash *hash, const char *text)
{
	hash_bytes(hash, text, strlen(text) + 1);
}

void hash_end(struct hash *hash, char hex[HASH_HEX_SIZE])
{
	unsigned char digest[DIGEST_SIZE];

	crypto_generichash_final(&hash->state, digest, sizeof(digest));
	sodium_bin2hex(hex, HASH_HEX_SIZE, digest, sizeof(digest));
}
