/* Files in memory. */
#include "base/h5_image.h"

#include <stdarg.h>

#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/scratch.h"
#include "support/hdf5_leaks.h"

static void make_image(unsigned char **bytes, size_t *size)
{
	const double values[] = {1.5, -2.5, 3.5};
	const size_t n = 3;
	struct h5_file file;
	struct err err = {0};

	assert_int_equal(h5_create_image(&file, "in memory", &err), 0);
	assert_int_equal(h5_set_u64(&file, "/", "number", 42, &err), 0);
	assert_int_equal(
		h5_write_doubles(&file, "values", 1, &n, values, (struct h5_label){"1", "three numbers"}, &err), 0);
	assert_int_equal(h5_take_image(&file, bytes, size, &err), 0);
}

static void check_content(const struct h5_file *file)
{
	struct err err = {0};
	uint64_t number;
	double *values;
	size_t n = 3;

	assert_int_equal(h5_get_u64(file, "/", "number", &number, &err), 0);
	assert_int_equal(number, 42);
	assert_int_equal(h5_read_doubles(file, "values", 1, &n, 3, &values, &err), 0);
	assert_true(values[0] == 1.5 && values[1] == -2.5 && values[2] == 3.5);
	free(values);
}

/* catches: bytes that were taken before the library had finished with them (a wrong checksum over the superblock) */
static void an_image_opens_in_memory_and_on_a_disk(void **state)
{
	struct scratch *scratch = *state;
	unsigned char *bytes;
	struct h5_file file;
	struct err err = {0};
	size_t size;

	make_image(&bytes, &size);
	assert_int_equal(h5_open_image(&file, "in memory", bytes, size, &err), 0);
	check_content(&file);
	h5_close(&file);
	assert_int_equal(h5_open(&file, scratch_write(scratch, "image.h5", bytes, size), &err), 0);
	check_content(&file);
	h5_close(&file);
	free(bytes);
}

/* catches: a reader that uses the caller's bytes after h5_open_image(), or writes into them */
static void an_open_image_needs_its_bytes_no_more(void **state)
{
	unsigned char *bytes;
	struct h5_file file;
	struct err err = {0};
	size_t size;

	(void)state;
	make_image(&bytes, &size);
	assert_int_equal(h5_open_image(&file, "in memory", bytes, size, &err), 0);
	memset(bytes, 0, size);
	free(bytes);
	check_content(&file);
	h5_close(&file);
}

/* catches: an error that does not say where it comes from, bytes of any kind taken for a file */
static void what_is_no_file_is_refused(void **state)
{
	unsigned char *bytes;
	struct h5_file file;
	struct err err = {0};
	size_t size;

	(void)state;
	assert_int_equal(h5_open_image(&file, "nothing", NULL, 0, &err), JOSTLE_EFORMAT);
	assert_int_equal(h5_open_image(&file, "words", (const unsigned char *)"some words", 10, &err), JOSTLE_EFORMAT);
	assert_string_equal(err.file, "words");
	make_image(&bytes, &size);
	assert_int_equal(h5_open_image(&file, "half", bytes, size / 2, &err), JOSTLE_EFORMAT);
	bytes[20] ^= 1;
	assert_int_equal(h5_open_image(&file, "damaged", bytes, size, &err), JOSTLE_EFORMAT);
	free(bytes);
}

/* catches: memory that stays when a file is given up */
static void an_image_may_be_given_up(void **state)
{
	struct h5_file file;
	struct err err = {0};

	(void)state;
	assert_int_equal(h5_create_image(&file, "in memory", &err), 0);
	assert_int_equal(h5_set_u64(&file, "/", "number", 42, &err), 0);
	h5_close(&file);
	h5_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_image_opens_in_memory_and_on_a_disk, scratch_new, scratch_free),
		cmocka_unit_test(an_open_image_needs_its_bytes_no_more),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(an_image_may_be_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
