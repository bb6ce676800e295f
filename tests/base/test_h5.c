#include "base/scratch.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/h5.h"

static const struct h5_label plain = {"natural", "numbers for a test"};

static struct err why;

#define assert_ok(call)                                                                                                \
	do {                                                                                                           \
		why = (struct err){0};                                                                                 \
		if (call)                                                                                              \
			fail_msg("%s: %s", #call, why.text);                                                           \
	} while (0)

/** One of everything. */
static void write_example(const char *path)
{
	static const double doubles[6] = {0.0, -1.5, M_PI, 1e-300, 1e300, -0.0};
	static const float floats[24] = {1.0f, 2.0f, [23] = -3.25f};
	static const uint64_t numbers[2] = {0, UINT64_MAX};
	struct h5_file file;

	assert_ok(h5_create(&file, path, &why));
	assert_ok(h5_make_group(&file, "group", &why));
	assert_ok(h5_write_doubles(&file, "doubles", 2, (const size_t[]){2, 3}, doubles, plain, &why));
	assert_ok(h5_write_floats(&file, "group/floats", 4, (const size_t[]){1, 2, 3, 4}, floats, plain, &why));
	assert_ok(h5_write_u64s(&file, "group/numbers", 1, (const size_t[]){2}, numbers, plain, &why));
	assert_ok(h5_write_doubles(&file, "none", 2, (const size_t[]){0, 5}, doubles, plain, &why));
	assert_ok(h5_set_text(&file, "/", "text", "θ in µm", &why));
	assert_ok(h5_set_text(&file, "group", "empty", "", &why));
	assert_ok(h5_set_double(&file, "doubles", "number", -2.5, &why));
	assert_ok(h5_set_u64(&file, "/", "whole", UINT64_MAX, &why));
	assert_ok(h5_commit(&file, &why));
}

/* catches: an order of dimensions, a width or an attribute that does not come back */
static void what_is_written_is_read_back(void **state)
{
	const char *path = scratch_path(*state, "a.h5");
	struct h5_file file;
	double *doubles, number;
	float *floats;
	uint64_t *numbers, whole;
	char text[32];

	write_example(path);
	assert_ok(h5_open(&file, path, &why));
	assert_true(h5_has(&file, "/") && h5_has(&file, "group") && h5_has(&file, "group/floats"));
	assert_false(h5_has(&file, "floats") || h5_has(&file, "nowhere/floats") || h5_has(&file, ""));
	size_t dims[4] = {2, 3};
	assert_ok(h5_read_doubles(&file, "doubles", 2, dims, 6, &doubles, &why));
	assert_true(doubles[1] == -1.5 && doubles[2] == M_PI && doubles[3] == 1e-300 && signbit(doubles[5]));
	size_t any[4] = {0};
	assert_ok(h5_read_floats(&file, "group/floats", 4, any, 24, &floats, &why));
	assert_true(any[0] == 1 && any[1] == 2 && any[2] == 3 && any[3] == 4);
	assert_true(floats[1] == 2.0f && floats[23] == -3.25f);
	size_t one[1] = {0};
	assert_ok(h5_read_u64s(&file, "/group/numbers", 1, one, 2, &numbers, &why));
	assert_true(one[0] == 2 && numbers[0] == 0 && numbers[1] == UINT64_MAX);
	assert_ok(h5_get_text(&file, "/", "text", text, sizeof(text), &why));
	assert_string_equal(text, "θ in µm");
	assert_ok(h5_get_text(&file, "group", "empty", text, sizeof(text), &why));
	assert_string_equal(text, "");
	assert_ok(h5_get_text(&file, "doubles", "units", text, sizeof(text), &why));
	assert_string_equal(text, "natural");
	assert_ok(h5_get_text(&file, "group/numbers", "long_name", text, sizeof(text), &why));
	assert_string_equal(text, "numbers for a test");
	assert_ok(h5_get_double(&file, "doubles", "number", &number, &why));
	assert_true(number == -2.5);
	assert_ok(h5_get_u64(&file, "/", "whole", &whole, &why));
	assert_true(whole == UINT64_MAX);
	h5_close(&file);
	free(doubles);
	free(floats);
	free(numbers);
}

/* catches: an empty dataset that crashes, or gives no memory to free */
static void an_empty_dataset_is_read_as_empty(void **state)
{
	const char *path = scratch_path(*state, "a.h5");
	struct h5_file file;
	double *values;
	size_t dims[2] = {0, 5};

	write_example(path);
	assert_ok(h5_open(&file, path, &why));
	assert_ok(h5_read_doubles(&file, "none", 2, dims, 100, &values, &why));
	assert_non_null(values);
	assert_true(dims[0] == 0 && dims[1] == 5);
	free(values);
	h5_close(&file);
}

/* catches: an attribute of more than 64 KiB refused: a configuration file is stored whole */
static void a_long_text_is_stored_whole(void **state)
{
	const char *path = scratch_path(*state, "a.h5");
	const size_t length = 1000000;
	char *text = malloc(length + 1), *back;
	struct h5_file file;
	struct err err;

	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 23);
	text[length] = '\0';
	assert_ok(h5_create(&file, path, &why));
	assert_ok(h5_set_text(&file, "/", "task", text, &why));
	assert_ok(h5_commit(&file, &why));
	assert_ok(h5_open(&file, path, &why));
	assert_ok(h5_get_long_text(&file, "/", "task", length + 1, &back, &why));
	assert_string_equal(back, text);
	free(back);
	assert_int_equal(h5_get_long_text(&file, "/", "task", length, &back, &err), JOSTLE_EFORMAT);
	assert_null(back);
	assert_contains(err.text, "attribute task: expected at most 1000000 bytes");
	h5_close(&file);
	free(text);
}

static size_t read_all(const char *path, unsigned char **bytes)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	const size_t size = (size_t)ftell(file);
	rewind(file);
	*bytes = malloc(size);
	assert_int_equal(fread(*bytes, 1, size, file), size);
	fclose(file);
	return size;
}

/* catches: time stamps or stray memory in the file */
static void equal_content_gives_equal_bytes(void **state)
{
	const char *a = scratch_path(*state, "a.h5"), *b = scratch_path(*state, "b.h5");
	unsigned char *bytes_a, *bytes_b;

	write_example(a);
	sleep(1); /* HDF5's time stamps are in whole seconds */
	write_example(b);
	const size_t size = read_all(a, &bytes_a);
	assert_int_equal(size, read_all(b, &bytes_b));
	assert_memory_equal(bytes_a, bytes_b, size);
	free(bytes_a);
	free(bytes_b);
}

/* catches: an old file harmed before the new one is whole, a half-written file under the final name */
static void the_final_name_appears_with_the_commit(void **state)
{
	const char *path = scratch_path(*state, "a.h5"), *partial = scratch_path(*state, "a.h5.partial");
	struct h5_file file;
	double *values;
	size_t dims[1] = {0};

	for (int i = 0; i < 3; i++) {
		struct h5_file old;
		double value = i;

		assert_ok(h5_create(&file, path, &why));
		assert_int_equal(access(partial, F_OK), 0);
		assert_ok(h5_write_doubles(&file, "x", 1, (const size_t[]){1}, &value, plain, &why));
		assert_int_equal(access(path, F_OK), i ? 0 : -1);
		if (i) {
			assert_ok(h5_open(&old, path, &why));
			h5_close(&old);
		}
		assert_ok(h5_commit(&file, &why));
		assert_int_equal(access(partial, F_OK), -1);
	}
	assert_ok(h5_open(&file, path, &why));
	assert_ok(h5_read_doubles(&file, "x", 1, dims, 1, &values, &why));
	assert_true(values[0] == 2.0);
	free(values);
	h5_close(&file);
}

/* catches: an abandoned file that takes the final name, a left-over one that is in the way */
static void an_abandoned_file_stays_partial_and_is_replaced(void **state)
{
	const char *path = scratch_path(*state, "a.h5"), *partial = scratch_path(*state, "a.h5.partial");
	struct h5_file file;
	struct err err;

	scratch_write(*state, "a.h5.partial", "left behind by a crash", 22);
	assert_ok(h5_create(&file, path, &why));
	h5_close(&file);
	h5_close(&file);
	assert_int_equal(access(partial, F_OK), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(h5_commit(&file, &err), JOSTLE_EINVAL);
	assert_int_equal(access(path, F_OK), -1);
	write_example(path);
	assert_int_equal(access(partial, F_OK), -1);
}

/* catches: hours of work lost at the end because the name was no good at the beginning */
static void a_path_that_cannot_be_written_is_refused_at_once(void **state)
{
	const char *folder = scratch_path(*state, "folder.h5");
	char longest[3000];
	struct h5_file file;
	struct err err;

	mkdir(folder, 0777);
	assert_int_equal(h5_create(&file, folder, &err), JOSTLE_EIO);
	assert_contains(err.text, "found a directory");
	assert_int_equal(h5_create(&file, scratch_path(*state, "nowhere/a.h5"), &err), JOSTLE_EIO);
	assert_contains(err.text, "No such file or directory");
	assert_int_equal(h5_create(&file, "", &err), JOSTLE_EIO);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(h5_create(&file, longest, &err), JOSTLE_EIO);
	h5_close(&file);
}

/* catches: an object written twice silently, a group made out of nothing */
static void what_cannot_be_written_names_the_object(void **state)
{
	struct h5_file file;
	struct err err;
	const double value = 1.0;
	const size_t one[5] = {1, 1, 1, 1, 1};

	assert_ok(h5_create(&file, scratch_path(*state, "a.h5"), &why));
	assert_ok(h5_write_doubles(&file, "x", 1, one, &value, plain, &why));
	assert_int_equal(h5_write_doubles(&file, "x", 1, one, &value, plain, &err), JOSTLE_EIO);
	assert_contains(err.text, "x: cannot be written: ");
	assert_int_equal(h5_make_group(&file, "no/group", &err), JOSTLE_EIO);
	assert_contains(err.text, "no/group");
	assert_int_equal(h5_set_u64(&file, "nothing", "a", 1, &err), JOSTLE_EIO);
	assert_contains(err.text, "nothing: attribute a");
	assert_int_equal(h5_write_doubles(&file, "y", 5, one, &value, plain, &err), JOSTLE_EINVAL);
	assert_int_equal(h5_write_doubles(&file, "y", 0, one, &value, plain, &err), JOSTLE_EINVAL);
	h5_close(&file);
}

/*
 * A limit on the size of a file stands in for a full disk: the write fails in the same place.
 *
 * catches: HDF5's own text, with the time of day, an address and a count of 2^64 - 1 bytes, in place of the reason
 */
static void a_write_that_the_system_refuses_gives_its_reason_alone(void **state)
{
	enum { N = 1 << 16 };
	const char *path = scratch_path(*state, "a.h5");
	double *values = calloc(N, sizeof(*values));
	struct rlimit limit, lower;
	struct h5_file file;
	struct err err = {0};

	assert_non_null(values);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	lower = (struct rlimit){.rlim_cur = 4096, .rlim_max = limit.rlim_max};
	assert_ok(h5_create(&file, path, &why));
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &lower);
	const int code = h5_write_doubles(&file, "x", 1, (const size_t[]){N}, values, plain, &err);
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, before);
	assert_int_equal(code, JOSTLE_EIO);
	assert_string_equal(err.text, "x: cannot be written: File too large");
	h5_close(&file);
	free(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(an_empty_dataset_is_read_as_empty, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_long_text_is_stored_whole, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(equal_content_gives_equal_bytes, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(the_final_name_appears_with_the_commit, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(an_abandoned_file_stays_partial_and_is_replaced, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(a_path_that_cannot_be_written_is_refused_at_once, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_names_the_object, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_write_that_the_system_refuses_gives_its_reason_alone, scratch_new,
						scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
