/*
 * The IDX reader on files that are what they say, and on all kinds that are not.
 */
#include "learning/assertions.h"

#include <unistd.h>
#include <zlib.h>

#include "learning/idx.h"

#define FILE_NAME "test_idx.tmp"

/* Two images of 3 × 4. */
#define HEADER 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4
static const uint8_t whole[40] = {HEADER, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255, 254};

static void write_plain(const uint8_t bytes[], size_t n)
{
	FILE *out = fopen(FILE_NAME, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
}

/** Compress into memory, the caller's to free. */
static uint8_t *compressed(const uint8_t bytes[], size_t n, size_t *size)
{
	z_stream stream = {0};
	const size_t room = n + 1000;
	uint8_t *out = malloc(room);

	assert_non_null(out);
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (uint8_t *)(uintptr_t)bytes;
	stream.avail_in = (uInt)n;
	stream.next_out = out;
	stream.avail_out = (uInt)room;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	*size = room - stream.avail_out;
	deflateEnd(&stream);
	return out;
}

static int load(struct idx *idx, size_t rank, struct err *err)
{
	*err = (struct err){0};
	return idx_load(idx, FILE_NAME, rank, err);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(FILE_NAME);
	return 0;
}

static void assert_is_whole(void)
{
	struct idx idx;
	struct err err;

	assert_ok(load(&idx, 3, &err), err);
	assert_int_equal(idx.rank, 3);
	assert_int_equal(idx.dims[0], 2);
	assert_int_equal(idx.dims[1], 3);
	assert_int_equal(idx.dims[2], 4);
	assert_memory_equal(idx.values, whole + 16, 24);
	idx_fini(&idx);
}

/* catches: dimensions in the wrong byte order or sequence, values that begin at the wrong byte */
static void a_plain_file_and_its_gzip_hold_the_same(void **state)
{
	size_t size;
	uint8_t *gzip = compressed(whole, sizeof(whole), &size);

	(void)state;
	write_plain(whole, sizeof(whole));
	assert_is_whole();
	write_plain(gzip, size);
	assert_is_whole();
	free(gzip);
}

/* catches: a short read taken for a whole one; memory lost on the way out (with ASan) */
static void a_file_cut_anywhere_is_refused(void **state)
{
	size_t size;
	uint8_t *gzip = compressed(whole, sizeof(whole), &size);
	struct idx idx;
	struct err err;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		write_plain(whole, n);
		assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
		assert_string_equal(err.file, FILE_NAME);
		assert_contains(err.text, n < 4 ? "magic" : n < 16 ? "dimensions" : "values");
		assert_null(idx.values);
	}
	for (size_t n = 0; n < size; n++) {
		write_plain(gzip, n);
		assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
	}
	free(gzip);
}

/* catches: bytes after the values, or after the gzip member, that pass unseen */
static void a_file_that_goes_on_is_refused(void **state)
{
	uint8_t longer[sizeof(whole) + 1] = {0}, *gzip;
	struct idx idx;
	struct err err;
	size_t size;

	(void)state;
	memcpy(longer, whole, sizeof(whole));
	write_plain(longer, sizeof(longer));
	assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
	assert_contains(err.text, "end of the file");
	gzip = compressed(longer, sizeof(longer), &size);
	write_plain(gzip, size);
	assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
	free(gzip);
	gzip = compressed(whole, sizeof(whole), &size);
	gzip[size] = 0x1f; /* there is room: compressed() takes more than it needs */
	write_plain(gzip, size + 1);
	assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
	free(gzip);
}

/* catches: a type, rank or size that is not looked at before memory is taken for it */
static void headers_that_say_something_else_are_refused(void **state)
{
	const struct {
		uint8_t header[16];
		const char *says;
	} cases[] = {
		{{1, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, "magic number: expected 0000"},
		{{0, 0, 9, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, "type: expected 8"},
		{{0, 0, 13, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, "type: expected 8"},
		{{0, 0, 8, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, "rank: expected 3, found 1"},
		{{0, 0, 8, 255, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4}, "rank"},
		{{0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4}, "dimension 1"},
		{{0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, "dimension 1"},
		{{0, 0, 8, 3, 0, 0, 255, 255, 0, 1, 0, 1, 0, 1, 0, 1}, "dimension 2"},
		{{0, 0, 8, 3, 0, 1, 0, 0, 0, 0, 255, 255, 0, 1, 0, 0}, "dimension"},
		{{0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0}, "values: expected 67108864 bytes, found 24"},
	};
	uint8_t bytes[sizeof(whole)];
	struct idx idx;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bytes, whole, sizeof(whole));
		memcpy(bytes, cases[i].header, 16);
		write_plain(bytes, sizeof(bytes));
		assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
		assert_contains(err.text, cases[i].says);
		assert_string_equal(err.file, FILE_NAME);
	}
	assert_int_equal(load(&idx, 0, &err), JOSTLE_EINVAL);
	assert_int_equal(load(&idx, IDX_MAX_RANK + 1, &err), JOSTLE_EINVAL);
}

/* catches: a checksum that is not compared, garbage behind gzip's magic taken for an end */
static void damaged_gzip_is_refused(void **state)
{
	size_t size;
	uint8_t *gzip = compressed(whole, sizeof(whole), &size);
	struct idx idx;
	struct err err;

	(void)state;
	/* Not bytes 4 to 9: a time, a note of the compressor and a system, which mean nothing here. */
	for (size_t n = 0; n < size; n += n == 3 ? 7 : 1) {
		gzip[n] ^= 0xff;
		write_plain(gzip, size);
		assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
		gzip[n] ^= 0xff;
	}
	memset(gzip + 2, 0xa5, size - 2);
	write_plain(gzip, size);
	assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
	assert_contains(err.text, "gzip");
	free(gzip);
}

/* catches: a small file that decompresses into all memory there is: 64 MiB here, of which 24 bytes are called for */
static void a_bomb_is_decompressed_no_further_than_its_header_says(void **state)
{
	const size_t n = (size_t)64 << 20;
	uint8_t *bytes = calloc(n, 1), *gzip;
	struct idx idx;
	struct err err;
	size_t size;

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, whole, 16);
	gzip = compressed(bytes, n, &size);
	free(bytes);
	assert_true(size < n / 500);
	write_plain(gzip, size);
	free(gzip);
	assert_int_equal(load(&idx, 3, &err), JOSTLE_EFORMAT);
	assert_contains(err.text, "end of the file");
}

/* catches: an error without the file's name, a folder read as a file */
static void what_is_not_there_is_an_error(void **state)
{
	struct idx idx;
	struct err err = {0};

	(void)state;
	assert_int_equal(idx_load(&idx, "no-such-file", 3, &err), JOSTLE_ENOENT);
	assert_string_equal(err.file, "no-such-file");
	assert_int_equal(idx_load(&idx, "/", 3, &err), JOSTLE_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_plain_file_and_its_gzip_hold_the_same, remove_file),
		cmocka_unit_test_teardown(a_file_cut_anywhere_is_refused, remove_file),
		cmocka_unit_test_teardown(a_file_that_goes_on_is_refused, remove_file),
		cmocka_unit_test_teardown(headers_that_say_something_else_are_refused, remove_file),
		cmocka_unit_test_teardown(damaged_gzip_is_refused, remove_file),
		cmocka_unit_test_teardown(a_bomb_is_decompressed_no_further_than_its_header_says, remove_file),
		cmocka_unit_test(what_is_not_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
