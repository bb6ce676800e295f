/* Files made by somebody else: everything here must be refused with a sentence and without taking much memory. */
#include "base/scratch.h"

#include <math.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/h5.h"

#include "support/hdf5_leaks.h"

struct fixture {
	struct scratch *scratch;
	hid_t id; /* a file under construction, by HDF5's own functions */
	struct h5_file file;
	struct err err;
};

static int fixture_new(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	void *scratch;

	if (scratch_new(&scratch))
		return -1;
	fx->scratch = scratch;
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	fx->id = H5Fcreate(scratch_path(fx->scratch, "a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	*state = fx;
	return fx->id < 0;
}

static int fixture_free(void **state)
{
	struct fixture *fx = *state;
	void *scratch = fx->scratch;

	h5_close(&fx->file);
	if (fx->id > 0)
		H5Fclose(fx->id);
	free(fx);
	return scratch_free(&scratch);
}

/** Close what was built and open it as the program would. */
static void reopen(struct fixture *fx)
{
	H5Fclose(fx->id);
	fx->id = 0;
	if (h5_open(&fx->file, scratch_path(fx->scratch, "a.h5"), &fx->err))
		fail_msg("%s", fx->err.text);
}

/** A dataset by HDF5's own functions; `creation` and `values` may be 0. */
static void add_dataset(struct fixture *fx, const char *name, hid_t type, int rank, const hsize_t dims[],
			hid_t creation, hid_t memory, const void *values)
{
	const hid_t space = rank < 0 ? H5Screate(H5S_NULL) : H5Screate_simple(rank, dims, NULL);
	const hid_t dataset = H5Dcreate2(fx->id, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);

	assert_true(dataset >= 0);
	if (values)
		assert_true(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	H5Dclose(dataset);
	H5Sclose(space);
}

static void add_attribute(struct fixture *fx, const char *name, hid_t type, hsize_t n, hid_t memory, const void *value)
{
	const hid_t space = H5Screate_simple(1, &n, NULL);
	const hid_t attribute = H5Acreate2(fx->id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);

	assert_true(attribute >= 0);
	assert_true(H5Awrite(attribute, memory, value) >= 0);
	H5Aclose(attribute);
	H5Sclose(space);
}

static void refuses_doubles(struct fixture *fx, const char *name, size_t rank, const size_t expected[],
			    size_t max_values, const char *because)
{
	double *values = (double *)1;
	size_t dims[H5_MAX_RANK] = {0};

	memcpy(dims, expected, rank * sizeof(*dims));
	fx->err = (struct err){0};
	assert_int_equal(h5_read_doubles(&fx->file, name, rank, dims, max_values, &values, &fx->err), JOSTLE_EFORMAT);
	assert_null(values);
	assert_contains(fx->err.text, name);
	assert_contains(fx->err.text, because);
	assert_contains(fx->err.file, "a.h5");
}

/* catches: numbers converted silently from another class */
static void datasets_of_another_class_are_refused(void **state)
{
	struct fixture *fx = *state;
	const hsize_t two = 2;
	const int whole[2] = {1, -2};
	const hid_t text = H5Tcopy(H5T_C_S1), compound = H5Tcreate(H5T_COMPOUND, 8);
	uint64_t *u64s;

	H5Tinsert(compound, "x", 0, H5T_IEEE_F64LE);
	add_dataset(fx, "signed", H5T_STD_I32LE, 1, &two, H5P_DEFAULT, H5T_NATIVE_INT, whole);
	add_dataset(fx, "text", text, 1, &two, H5P_DEFAULT, text, "ab");
	add_dataset(fx, "compound", compound, 1, &two, H5P_DEFAULT, 0, NULL);
	add_dataset(fx, "float", H5T_IEEE_F64LE, 1, &two, H5P_DEFAULT, H5T_NATIVE_INT, whole);
	H5Gclose(H5Gcreate2(fx->id, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
	H5Tclose(text);
	H5Tclose(compound);
	reopen(fx);
	refuses_doubles(fx, "signed", 1, (const size_t[]){2}, 9, "expected floating-point numbers, found signed whole");
	refuses_doubles(fx, "text", 1, (const size_t[]){2}, 9, "found text");
	refuses_doubles(fx, "compound", 1, (const size_t[]){2}, 9, "found compound");
	refuses_doubles(fx, "group", 1, (const size_t[]){2}, 9, "expected a dataset");
	refuses_doubles(fx, "missing", 1, (const size_t[]){2}, 9, "found none");
	refuses_doubles(fx, "group/missing", 1, (const size_t[]){2}, 9, "found none");
	/* A negative number would be read as 0. */
	assert_int_equal(h5_read_u64s(&fx->file, "signed", 1, (size_t[]){2}, 9, &u64s, &fx->err), JOSTLE_EFORMAT);
	assert_int_equal(h5_read_u64s(&fx->file, "float", 1, (size_t[]){2}, 9, &u64s, &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "expected unsigned whole numbers, found floating-point");
}

/* catches: a rank or length not compared, more read than the caller has room for */
static void datasets_of_another_shape_are_refused(void **state)
{
	struct fixture *fx = *state;
	const hsize_t dims[] = {2, 3, 1, 1, 1};
	const double values[6] = {0};

	add_dataset(fx, "x", H5T_IEEE_F64LE, 2, dims, H5P_DEFAULT, H5T_NATIVE_DOUBLE, values);
	add_dataset(fx, "five", H5T_IEEE_F64LE, 5, dims, H5P_DEFAULT, H5T_NATIVE_DOUBLE, values);
	add_dataset(fx, "scalar", H5T_IEEE_F64LE, 0, dims, H5P_DEFAULT, H5T_NATIVE_DOUBLE, values);
	add_dataset(fx, "null", H5T_IEEE_F64LE, -1, dims, H5P_DEFAULT, 0, NULL);
	reopen(fx);
	refuses_doubles(fx, "x", 2, (const size_t[]){3, 2}, 9, "expected shape [3 x 2], found [2 x 3]");
	refuses_doubles(fx, "x", 2, (const size_t[]){0, 4}, 9, "expected shape [any x 4], found [2 x 3]");
	refuses_doubles(fx, "x", 1, (const size_t[]){6}, 9, "expected shape [6], found [2 x 3]");
	refuses_doubles(fx, "x", 3, (const size_t[]){2, 3, 1}, 9, "found [2 x 3]");
	refuses_doubles(fx, "x", 2, (const size_t[]){0, 0}, 5, "expected at most 5 values, found shape [2 x 3]");
	refuses_doubles(fx, "five", 4, (const size_t[]){0, 0, 0, 0}, 9, "found [2 x 3 x 1 x 1 x 1]");
	refuses_doubles(fx, "scalar", 1, (const size_t[]){0}, 9, "found []");
	refuses_doubles(fx, "null", 1, (const size_t[]){0}, 9, "no shape");
}

/* catches: a product of lengths that overflows, memory taken for what the file only claims to hold */
static void datasets_that_claim_a_huge_size_are_refused(void **state)
{
	struct fixture *fx = *state;
	const hsize_t overflowing[] = {(hsize_t)1 << 31, (hsize_t)1 << 29}, large = (hsize_t)1 << 40;

	add_dataset(fx, "overflow", H5T_IEEE_F64LE, 2, overflowing, H5P_DEFAULT, 0, NULL);
	add_dataset(fx, "unwritten", H5T_IEEE_F64LE, 1, &large, H5P_DEFAULT, 0, NULL);
	reopen(fx);
	refuses_doubles(fx, "overflow", 2, (const size_t[]){0, 0}, 1000, "expected at most 1000 values");
	refuses_doubles(fx, "overflow", 2, (const size_t[]){0, 0}, SIZE_MAX, "bytes of values, found fewer");
	refuses_doubles(fx, "unwritten", 1, (const size_t[]){0}, SIZE_MAX, "bytes of values, found fewer");
}

/* catches: memory taken for values said to lie behind the end of the file (whose stored end was patched to fit) */
static void datasets_beyond_the_end_of_the_file_are_refused(void **state)
{
	struct fixture *fx = *state;
	const hsize_t n = 1 << 20;
	const hid_t early = H5Pcreate(H5P_DATASET_CREATE);
	const char *path = scratch_path(fx->scratch, "a.h5");
	const uint64_t end = 4096;

	H5Pset_alloc_time(early, H5D_ALLOC_TIME_EARLY);
	H5Pset_fill_time(early, H5D_FILL_TIME_NEVER);
	add_dataset(fx, "x", H5T_IEEE_F64LE, 1, &n, early, 0, NULL);
	H5Pclose(early);
	H5Fclose(fx->id);
	fx->id = H5I_INVALID_HID;
	assert_int_equal(truncate(path, (off_t)end), 0);
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	fseek(file, 40, SEEK_SET); /* the end of file address in a superblock of version 0 */
	assert_int_equal(fwrite(&end, sizeof(end), 1, file), 1);
	fclose(file);
	assert_int_equal(h5_open(&fx->file, path, &fx->err), 0);
	refuses_doubles(fx, "x", 1, (const size_t[]){0}, SIZE_MAX, "expected 8388608 bytes of values, found fewer");
}

/* catches: bytes read from another file, chunks of any size unpacked */
static void datasets_stored_elsewhere_or_in_chunks_are_refused(void **state)
{
	struct fixture *fx = *state;
	const hsize_t four = 4;
	const double values[4] = {0};
	const hid_t external = H5Pcreate(H5P_DATASET_CREATE), chunked = H5Pcreate(H5P_DATASET_CREATE);

	scratch_write(fx->scratch, "secret", values, sizeof(values));
	H5Pset_external(external, scratch_path(fx->scratch, "secret"), 0, sizeof(values));
	H5Pset_chunk(chunked, 1, &four);
	add_dataset(fx, "external", H5T_IEEE_F64LE, 1, &four, external, 0, NULL);
	add_dataset(fx, "chunked", H5T_IEEE_F64LE, 1, &four, chunked, H5T_NATIVE_DOUBLE, values);
	H5Lcreate_external("secret.h5", "/x", fx->id, "link", H5P_DEFAULT, H5P_DEFAULT);
	H5Lcreate_soft("/chunked", fx->id, "soft", H5P_DEFAULT, H5P_DEFAULT);
	H5Pclose(external);
	H5Pclose(chunked);
	reopen(fx);
	refuses_doubles(fx, "external", 1, (const size_t[]){4}, 9,
			"expected contiguous storage in this file, found another");
	refuses_doubles(fx, "chunked", 1, (const size_t[]){4}, 9, "found chunks");
	refuses_doubles(fx, "link", 1, (const size_t[]){4}, 9, "found none");
	refuses_doubles(fx, "soft", 1, (const size_t[]){4}, 9, "found none");
	assert_false(h5_has(&fx->file, "link"));
	assert_false(h5_has(&fx->file, "soft"));
}

/* catches: a NaN let into a protocol, a double beyond float's range read as infinity */
static void numbers_that_are_not_finite_are_refused(void **state)
{
	struct fixture *fx = *state;
	const hsize_t three = 3;
	const double bad[3] = {0.0, 1.0, NAN}, infinite[3] = {0.0, -INFINITY, 1.0}, huge[3] = {1e300, 0.0, 0.0};
	float *floats;

	add_dataset(fx, "nan", H5T_IEEE_F64LE, 1, &three, H5P_DEFAULT, H5T_NATIVE_DOUBLE, bad);
	add_dataset(fx, "infinite", H5T_IEEE_F64LE, 1, &three, H5P_DEFAULT, H5T_NATIVE_DOUBLE, infinite);
	add_dataset(fx, "huge", H5T_IEEE_F64LE, 1, &three, H5P_DEFAULT, H5T_NATIVE_DOUBLE, huge);
	add_attribute(fx, "nan", H5T_IEEE_F64LE, 1, H5T_NATIVE_DOUBLE, &bad[2]);
	reopen(fx);
	refuses_doubles(fx, "nan", 1, (const size_t[]){0}, 9, "expected finite numbers, found nan as value 2");
	refuses_doubles(fx, "infinite", 1, (const size_t[]){0}, 9, "found -inf as value 1");
	assert_int_equal(h5_read_floats(&fx->file, "huge", 1, (size_t[]){0}, 9, &floats, &fx->err), JOSTLE_EFORMAT);
	assert_null(floats);
	double value = 7.0;
	assert_int_equal(h5_get_double(&fx->file, "/", "nan", &value, &fx->err), JOSTLE_EFORMAT);
	assert_true(value == 7.0);
}

/* catches: a reader that only takes what this program wrote, byte for byte */
static void the_plain_types_of_other_writers_are_read(void **state)
{
	struct fixture *fx = *state;
	const hsize_t two = 2;
	const double values[2] = {0.5, -2.0};
	const uint64_t whole[2] = {3, 65535};
	double *doubles;
	uint64_t *numbers;

	add_dataset(fx, "be", H5T_IEEE_F32BE, 1, &two, H5P_DEFAULT, H5T_NATIVE_DOUBLE, values);
	add_dataset(fx, "u16", H5T_STD_U16BE, 1, &two, H5P_DEFAULT, H5T_NATIVE_UINT64, whole);
	reopen(fx);
	assert_int_equal(h5_read_doubles(&fx->file, "be", 1, (size_t[]){2}, 2, &doubles, &fx->err), 0);
	assert_true(doubles[0] == 0.5 && doubles[1] == -2.0);
	assert_int_equal(h5_read_u64s(&fx->file, "u16", 1, (size_t[]){2}, 2, &numbers, &fx->err), 0);
	assert_true(numbers[0] == 3 && numbers[1] == 65535);
	free(doubles);
	free(numbers);
}

/* catches: an attribute of another type, number or length taken; a text without its end printed past the buffer */
static void attributes_of_another_kind_are_refused(void **state)
{
	struct fixture *fx = *state;
	const double numbers[2] = {1.0, 2.0};
	const int negative = -1;
	const hid_t four = H5Tcopy(H5T_C_S1), variable = H5Tcopy(H5T_C_S1);
	const char *text = "any length";
	char out[8];
	double number;
	uint64_t whole;

	H5Tset_size(four, 4);
	H5Tset_strpad(four, H5T_STR_NULLPAD);
	H5Tset_size(variable, H5T_VARIABLE);
	add_attribute(fx, "two", H5T_IEEE_F64LE, 2, H5T_NATIVE_DOUBLE, numbers);
	add_attribute(fx, "negative", H5T_STD_I32LE, 1, H5T_NATIVE_INT, &negative);
	add_attribute(fx, "unended", four, 1, four, "abcd");
	add_attribute(fx, "variable", variable, 1, variable, &text);
	H5Tclose(four);
	H5Tclose(variable);
	reopen(fx);
	assert_int_equal(h5_get_double(&fx->file, "/", "two", &number, &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "attribute two: expected one value, found 2");
	assert_int_equal(h5_get_double(&fx->file, "/", "negative", &number, &fx->err), JOSTLE_EFORMAT);
	assert_int_equal(h5_get_u64(&fx->file, "/", "negative", &whole, &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "expected an unsigned whole number, found signed whole numbers");
	assert_int_equal(h5_get_text(&fx->file, "/", "negative", out, sizeof(out), &fx->err), JOSTLE_EFORMAT);
	assert_int_equal(h5_get_text(&fx->file, "/", "unended", out, sizeof(out), &fx->err), 0);
	assert_string_equal(out, "abcd");
	assert_int_equal(h5_get_text(&fx->file, "/", "unended", out, 4, &fx->err), JOSTLE_EFORMAT);
	assert_int_equal(h5_get_text(&fx->file, "/", "variable", out, sizeof(out), &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "variable length");
	assert_int_equal(h5_get_u64(&fx->file, "/", "missing", &whole, &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "expected an attribute missing, found none");
	assert_int_equal(h5_get_u64(&fx->file, "nowhere", "missing", &whole, &fx->err), JOSTLE_EFORMAT);
}

/* catches: a directory or a text opened for an HDF5 file, an error without the system's reason */
static void what_is_no_hdf5_file_is_refused(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(h5_open(&fx->file, scratch_path(fx->scratch, "none.h5"), &fx->err), JOSTLE_ENOENT);
	assert_contains(fx->err.text, "No such file");
	assert_int_equal(h5_open(&fx->file, fx->scratch->folder, &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "found a directory");
	assert_int_equal(h5_open(&fx->file, scratch_write(fx->scratch, "t", "text\n", 5), &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "expected a whole HDF5 file");
	assert_int_equal(h5_open(&fx->file, scratch_write(fx->scratch, "e", "", 0), &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "an empty one");
	const char *pipe = scratch_path(fx->scratch, "pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(h5_open(&fx->file, pipe, &fx->err), JOSTLE_EFORMAT);
	assert_contains(fx->err.text, "found a pipe");
}

/** A file as the program writes it, as bytes. */
static size_t written_file(struct fixture *fx, unsigned char bytes[], size_t capacity)
{
	const char *path = scratch_path(fx->scratch, "whole.h5");
	struct h5_file file;
	double values[64];

	for (int i = 0; i < 64; i++)
		values[i] = i;
	assert_int_equal(h5_create(&file, path, NULL), 0);
	assert_int_equal(h5_make_group(&file, "group", NULL), 0);
	assert_int_equal(h5_set_text(&file, "/", "text", "some text", NULL), 0);
	assert_int_equal(h5_write_doubles(&file, "group/x", 1, (const size_t[]){64}, values,
					  (struct h5_label){"V", "a ramp"}, NULL),
			 0);
	assert_int_equal(h5_commit(&file, NULL), 0);
	FILE *stream = fopen(path, "r");
	const size_t size = fread(bytes, 1, capacity, stream);
	fclose(stream);
	assert_true(size > 512 && size < capacity);
	return size;
}

static void read_anything(const struct h5_file *file)
{
	double *values;
	char text[32];

	if (h5_read_doubles(file, "group/x", 1, (size_t[]){64}, 64, &values, NULL) == 0)
		for (int i = 0; i < 64; i++)
			assert_true(isfinite(values[i]));
	free(values);
	if (h5_get_text(file, "/", "text", text, sizeof(text), NULL) == 0)
		assert_true(strlen(text) < sizeof(text));
}

/* catches: a truncated file read as if it were whole */
static void a_file_truncated_at_any_length_is_refused(void **state)
{
	struct fixture *fx = *state;
	unsigned char bytes[16384];
	const size_t size = written_file(fx, bytes, sizeof(bytes));

	for (size_t length = 0; length < size; length += length < 128 ? 1 : 13) {
		const char *path = scratch_write(fx->scratch, "cut.h5", bytes, length);

		if (h5_open(&fx->file, path, &fx->err) != JOSTLE_EFORMAT)
			fail_msg("%zu of %zu bytes were taken for a file", length, size);
	}
	assert_int_equal(h5_open(&fx->file, scratch_write(fx->scratch, "cut.h5", bytes, size), &fx->err), 0);
}

/* catches: a crash or a runaway size from one damaged byte, whichever it is */
static void a_damaged_byte_is_refused_or_harmless(void **state)
{
	struct fixture *fx = *state;
	unsigned char bytes[16384];
	const size_t size = written_file(fx, bytes, sizeof(bytes));

	for (size_t i = 0; i < size; i += i < 1024 ? 1 : 5) {
		bytes[i] ^= 0xff;
		if (h5_open(&fx->file, scratch_write(fx->scratch, "bad.h5", bytes, size), NULL) == 0)
			read_anything(&fx->file);
		h5_close(&fx->file);
		bytes[i] ^= 0xff;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(datasets_of_another_class_are_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(datasets_of_another_shape_are_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(datasets_that_claim_a_huge_size_are_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(datasets_beyond_the_end_of_the_file_are_refused, fixture_new,
						fixture_free),
		cmocka_unit_test_setup_teardown(datasets_stored_elsewhere_or_in_chunks_are_refused, fixture_new,
						fixture_free),
		cmocka_unit_test_setup_teardown(numbers_that_are_not_finite_are_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(the_plain_types_of_other_writers_are_read, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(attributes_of_another_kind_are_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(what_is_no_hdf5_file_is_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(a_file_truncated_at_any_length_is_refused, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(a_damaged_byte_is_refused_or_harmless, fixture_new, fixture_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
