/* msgpack over the wire: what is written is read, and no bytes whatever lead the reader astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "control/wire.h"

static struct wire_reader reader_of(const struct wire_writer *writer)
{
	const unsigned char *bytes = (const unsigned char *)writer->bytes.data;

	return (struct wire_reader){bytes, bytes + writer->bytes.size};
}

static struct wire_value next(struct wire_reader *reader, enum wire_kind kind)
{
	struct wire_value value;

	assert_true(wire_read(reader, &value));
	assert_int_equal(value.kind, kind);
	return value;
}

/* catches: a width, a sign or a byte order taken wrong, at the values where the wire changes its type */
static void numbers_are_read_as_they_were_written(void **state)
{
	static const int64_t whole[] = {0,
					127,
					128,
					255,
					256,
					65535,
					65536,
					4294967295,
					4294967296,
					INT64_MAX,
					-1,
					-32,
					-33,
					-128,
					-129,
					-32768,
					-32769,
					INT32_MIN,
					(int64_t)INT32_MIN - 1,
					INT64_MIN};
	static const double real[] = {0, -0.0, 1.5, -1e-300, 1e300, INFINITY};
	const size_t n_whole = sizeof(whole) / sizeof(whole[0]), n_real = sizeof(real) / sizeof(real[0]);
	struct wire_writer writer;
	struct wire_value value;

	(void)state;
	wire_init(&writer);
	for (size_t i = 0; i < n_whole; i++)
		wire_signed(&writer, whole[i]);
	wire_whole(&writer, UINT64_MAX);
	wire_reals(&writer, real, n_real);
	wire_real(&writer, NAN);
	struct wire_reader reader = reader_of(&writer);

	for (size_t i = 0; i < n_whole; i++) {
		value = next(&reader, whole[i] < 0 ? WIRE_NEGATIVE : WIRE_WHOLE);
		assert_true(whole[i] < 0 ? value.negative == whole[i] : value.whole == (uint64_t)whole[i]);
		assert_true(value.real == (double)whole[i]);
	}
	assert_true(next(&reader, WIRE_WHOLE).whole == UINT64_MAX);
	assert_int_equal(next(&reader, WIRE_ARRAY).n, n_real);
	for (size_t i = 0; i < n_real; i++) {
		value = next(&reader, WIRE_REAL);
		assert_memory_equal(&value.real, &real[i], sizeof(double));
	}
	assert_true(isnan(next(&reader, WIRE_REAL).real));
	assert_true(reader.at == reader.end);
	assert_false(wire_read(&reader, &value));
	wire_fini(&writer);
}

/* catches: single precision read as double */
static void single_precision_is_read(void **state)
{
	const unsigned char bytes[] = {0xca, 0xc0, 0x20, 0x00, 0x00};
	struct wire_reader reader = {bytes, bytes + sizeof(bytes)};

	(void)state;
	assert_true(next(&reader, WIRE_REAL).real == -2.5);
}

/* catches: a count patched into another map's header, or pairs counted into the outer map */
static void maps_within_maps_count_their_own_pairs(void **state)
{
	struct wire_writer writer;

	(void)state;
	wire_init(&writer);
	wire_map(&writer);
	wire_put_flag(&writer, "a", true);
	wire_key(&writer, "b");
	wire_map(&writer);
	for (int i = 0; i < 300; i++)
		wire_put_whole(&writer, "x", 1);
	wire_end(&writer);
	wire_put_text(&writer, "c", NULL);
	wire_end(&writer);
	assert_false(writer.failed);
	struct wire_reader reader = reader_of(&writer);

	assert_int_equal(next(&reader, WIRE_MAP).n, 3);
	next(&reader, WIRE_TEXT);
	assert_true(next(&reader, WIRE_FLAG).flag);
	next(&reader, WIRE_TEXT);
	assert_int_equal(next(&reader, WIRE_MAP).n, 300);
	for (int i = 0; i < 600; i++)
		next(&reader, i % 2 ? WIRE_WHOLE : WIRE_TEXT);
	const struct wire_value c = next(&reader, WIRE_TEXT);

	assert_true(wire_is(&c, "c"));
	next(&reader, WIRE_NIL);
	assert_true(reader.at == reader.end);
	/* One deeper than there is room for is a failure, not a write beyond the end. */
	wire_clear(&writer);
	for (int i = 0; i <= WIRE_MAX_DEPTH; i++)
		wire_map(&writer);
	assert_true(writer.failed);
	wire_fini(&writer);
}

/* catches: memory taken, or members promised, for an array or map larger than the message: a few bytes that claim gigabytes */
static void a_header_that_claims_more_than_there_is_is_refused(void **state)
{
	static const struct {
		unsigned char bytes[9];
		size_t size;
	} bombs[] = {
		{{0xdd, 0xff, 0xff, 0xff, 0xff, 0x00}, 6},
		{{0xdf, 0xff, 0xff, 0xff, 0xff, 0x00}, 6},
		{{0xdb, 0xff, 0xff, 0xff, 0xff, 'x'}, 6},
		{{0x92, 0x00}, 2},
		{{0x81, 0x00}, 2},
		{{0xa2, 'x'}, 2},
		{{0xdc, 0x00, 0x02, 0x00}, 4},
		{{0xda, 0x00}, 2},
		{{0xcf, 0, 0, 0, 0, 0, 0, 0}, 8},
		{{0}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		struct wire_reader reader = {bombs[i].bytes, bombs[i].bytes + bombs[i].size};
		struct wire_value value;

		assert_false(wire_read(&reader, &value));
	}
}

/* catches: overlong forms, surrogates and codes beyond the last taken for UTF-8; control characters passed on to a terminal */
static void text_is_utf8_without_control_characters(void **state)
{
	static const char *const good[] = {"", "plain", "two\nlines", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82"};
	static const char *const bad[] = {"\x80",
					  "\xc3",
					  "\xc0\xaf",
					  "\xe0\x80\xaf",
					  "\xed\xa0\x80",
					  "\xf4\x90\x80\x80",
					  "\xf8\x88\x80\x80\x80",
					  "\x1b[2J",
					  "\x7f",
					  "\xe2\x82",
					  "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(wire_plain(good[i], strlen(good[i])), strlen(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned char bytes[16] = {(unsigned char)(0xa0 + strlen(bad[i]))};
		struct wire_reader reader = {bytes, bytes + 1 + strlen(bad[i])};
		struct wire_value value;

		memcpy(bytes + 1, bad[i], strlen(bad[i]));
		assert_false(wire_read(&reader, &value));
	}
	assert_int_equal(wire_plain("a\0b", 3), 1);
}

/* catches: a text cut short in the middle of a character, sent on as it is, which other languages refuse to read */
static void text_that_is_not_utf8_is_mended_when_written(void **state)
{
	struct wire_writer writer;

	(void)state;
	wire_init(&writer);
	wire_text(&writer, "k\xc3\xa9y \xe2\x82 \x1b end");
	struct wire_reader reader = reader_of(&writer);
	const struct wire_value value = next(&reader, WIRE_TEXT);

	assert_true(wire_is(&value, "k\xc3\xa9y ?? ? end"));
	wire_fini(&writer);
}

/* catches: a read beyond the end (under the address sanitizer), or a reader that stands still */
static void any_bytes_at_all_end_the_reader_within_them(void **state)
{
	uint32_t words[4];
	uint64_t n_values = 0;

	(void)state;
	for (uint64_t round = 0; round < 20000; round++) {
		const size_t size = round % 40;
		unsigned char *bytes = malloc(size ? size : 1);
		struct wire_reader reader = {bytes, bytes + size};
		struct wire_value value;

		for (size_t i = 0; i < size; i += 16) {
			random_words(7, RANDOM_DATA, 0, round, (uint32_t)i, words);
			memcpy(bytes + i, words, size - i < 16 ? size - i : 16);
		}
		for (const unsigned char *before = reader.at; wire_read(&reader, &value); before = reader.at) {
			assert_true(reader.at > before && reader.at <= reader.end);
			assert_true(value.kind != WIRE_TEXT ||
				    (const unsigned char *)value.text + value.n <= reader.end);
			n_values++;
		}
		assert_true(reader.at <= reader.end);
		free(bytes);
	}
	assert_true(n_values > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_as_they_were_written),
		cmocka_unit_test(single_precision_is_read),
		cmocka_unit_test(maps_within_maps_count_their_own_pairs),
		cmocka_unit_test(a_header_that_claims_more_than_there_is_is_refused),
		cmocka_unit_test(text_is_utf8_without_control_characters),
		cmocka_unit_test(text_that_is_not_utf8_is_mended_when_written),
		cmocka_unit_test(any_bytes_at_all_end_the_reader_within_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
