#include "base/scratch.h"

#include "base/hash.h"

/* catches: another length, key or alphabet; values: BLAKE2b with 32 bytes of digest, RFC 7693's algorithm */
static void known_texts_have_their_known_digests(void **state)
{
	static const struct {
		const char *text, *hex;
	} known[] = {
		{"", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
		{"abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct hash hash;
		char hex[HASH_HEX_SIZE];

		hash_begin(&hash);
		hash_bytes(&hash, known[i].text, strlen(known[i].text));
		hash_end(&hash, hex);
		assert_string_equal(hex, known[i].hex);
	}
}

static void digest_of(const char *a, const char *b, char hex[HASH_HEX_SIZE])
{
	struct hash hash;

	hash_begin(&hash);
	hash_text(&hash, a);
	hash_text(&hash, b);
	hash_end(&hash, hex);
}

/* catches: texts hashed without their end, so that "ab","c" equals "a","bc" */
static void adjacent_texts_do_not_run_together(void **state)
{
	char one[HASH_HEX_SIZE], other[HASH_HEX_SIZE];

	(void)state;
	digest_of("ab", "c", one);
	digest_of("a", "bc", other);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_have_their_known_digests),
		cmocka_unit_test(adjacent_texts_do_not_run_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
