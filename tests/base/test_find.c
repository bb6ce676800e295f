#include "base/scratch.h"

#include <sys/stat.h>

#include "base/err.h"
#include "base/find.h"

/** Two share folders on JOSTLE_PATH: a/ has alpha and shared, b/ has shared and zeta. */
static int folders_new(void **state)
{
	static const char *const folders[] = {"a",     "a/tasks", "b", "b/tasks", "b/benches", "b/tasks/folder.yaml",
					      "b/data"};
	char both[300];

	if (scratch_new(state))
		return -1;
	struct scratch *scratch = *state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		mkdir(scratch_path(scratch, folders[i]), 0777);
	scratch_write(scratch, "a/tasks/test-alpha.yaml", "", 0);
	scratch_write(scratch, "a/tasks/test-shared.yaml", "", 0);
	scratch_write(scratch, "a/tasks/notes.txt", "", 0);
	scratch_write(scratch, "b/tasks/test-shared.yaml", "", 0);
	scratch_write(scratch, "b/tasks/test-zeta.yaml", "", 0);
	scratch_write(scratch, "b/benches/test-bench.yaml", "", 0);
	scratch_write(scratch, "b/data/test-images.gz", "", 0);
	snprintf(both, sizeof(both), "%s/a::%s/b", scratch->folder, scratch->folder);
	return setenv("JOSTLE_PATH", both, 1);
}

/* catches: folders searched in the wrong order, the wrong folder for a kind */
static void a_name_is_found_in_the_first_folder_that_has_it(void **state)
{
	struct scratch *scratch = *state;
	char path[512];

	assert_int_equal(find_file(FIND_TASK, "test-shared", path, sizeof(path), NULL), 0);
	assert_string_equal(path, scratch_path(scratch, "a/tasks/test-shared.yaml"));
	assert_int_equal(find_file(FIND_TASK, "test-zeta", path, sizeof(path), NULL), 0);
	assert_string_equal(path, scratch_path(scratch, "b/tasks/test-zeta.yaml"));
	assert_int_equal(find_file(FIND_BENCH, "test-bench", path, sizeof(path), NULL), 0);
	assert_int_equal(find_file(FIND_PLANT, "test-bench", path, sizeof(path), NULL), JOSTLE_ENOENT);
}

/* catches: a path looked up as a name, a directory taken for a file */
static void a_path_is_taken_as_it_is(void **state)
{
	struct scratch *scratch = *state;
	const char *given = scratch_path(scratch, "b/tasks/test-zeta.yaml");
	char path[512];
	struct err err;

	assert_int_equal(find_file(FIND_BENCH, given, path, sizeof(path), &err), 0);
	assert_string_equal(path, given);
	assert_int_equal(find_file(FIND_TASK, scratch_path(scratch, "b/tasks"), path, sizeof(path), &err),
			 JOSTLE_ENOENT);
	assert_int_equal(find_file(FIND_TASK, "none.yaml", path, sizeof(path), &err), JOSTLE_ENOENT);
	assert_string_equal(err.file, "none.yaml");
	assert_int_equal(find_file(FIND_TASK, "folder", path, sizeof(path), &err), JOSTLE_ENOENT);
}

/* catches: an error that leaves the person to guess */
static void a_name_that_is_nowhere_gets_the_places_and_the_names(void **state)
{
	struct scratch *scratch = *state;
	char path[512];
	struct err err;

	assert_int_equal(find_file(FIND_TASK, "test-beta", path, sizeof(path), &err), JOSTLE_ENOENT);
	assert_contains(err.text, "no task \"test-beta\" in");
	assert_contains(err.text, scratch_path(scratch, "a/tasks"));
	assert_contains(err.text, "test-alpha");
	assert_contains(err.text, "test-zeta");
	assert_int_equal(find_file(FIND_TASK, "", path, sizeof(path), &err), JOSTLE_ENOENT);
}

/* catches: a buffer overrun by a long path */
static void a_path_that_does_not_fit_is_an_error(void **state)
{
	struct scratch *scratch = *state;
	char path[40];
	struct err err;

	assert_int_equal(find_file(FIND_TASK, "test-zeta", path, sizeof(path), &err), JOSTLE_ENOENT);
	assert_contains(err.text, "longer than 39");
	assert_int_equal(
		find_file(FIND_TASK, scratch_path(scratch, "b/tasks/test-zeta.yaml"), path, sizeof(path), &err),
		JOSTLE_ENOENT);
}

/* catches: a suffix put behind a data file's name, or a name that is cut of its own */
static void a_data_file_is_found_by_its_whole_name(void **state)
{
	struct scratch *scratch = *state;
	char path[512];
	struct err err;

	assert_int_equal(find_file(FIND_DATA, "test-images.gz", path, sizeof(path), NULL), 0);
	assert_string_equal(path, scratch_path(scratch, "b/data/test-images.gz"));
	assert_int_equal(find_file(FIND_DATA, scratch_path(scratch, "b/data/test-images.gz"), path, sizeof(path), NULL),
			 0);
	assert_int_equal(find_file(FIND_DATA, "..", path, sizeof(path), &err), JOSTLE_ENOENT);
	assert_int_equal(find_file(FIND_DATA, "test-images", path, sizeof(path), &err), JOSTLE_ENOENT);
	assert_contains(err.text, "no data file \"test-images\" in");
	assert_contains(err.text, "test-images.gz");
}

struct names {
	char text[4096];
	size_t length;
};

static void take_name(const char *name, const char *path, void *context)
{
	struct names *names = context;

	if (strncmp(name, "test-", 5) == 0)
		names->length +=
			(size_t)sprintf(names->text + names->length, "%s %s;", name, strstr(path, "/a/") ? "a" : "b");
}

/* catches: a name listed twice, the hidden one of two listed, folders and other files listed, no order */
static void each_lists_every_name_once_in_order(void **state)
{
	struct names names = {0};

	(void)state;
	find_each(FIND_TASK, take_name, &names);
	assert_string_equal(names.text, "test-alpha a;test-shared a;test-zeta b;");
}

/* catches: a listing that runs past the error's text */
static void a_long_list_of_names_is_cut(void **state)
{
	struct scratch *scratch = *state;
	char path[512], name[128];
	struct err err;

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "a/tasks/test-a-rather-long-name-number-%02d.yaml", i);
		scratch_write(scratch, name, "", 0);
	}
	assert_int_equal(find_file(FIND_TASK, "x", path, sizeof(path), &err), JOSTLE_ENOENT);
	assert_contains(err.text, "number-00");
	assert_contains(err.text, "…");
	assert_null(strstr(err.text, "number-39"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_is_found_in_the_first_folder_that_has_it, folders_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(a_path_is_taken_as_it_is, folders_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_name_that_is_nowhere_gets_the_places_and_the_names, folders_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(a_data_file_is_found_by_its_whole_name, folders_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_path_that_does_not_fit_is_an_error, folders_new, scratch_free),
		cmocka_unit_test_setup_teardown(each_lists_every_name_once_in_order, folders_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_long_list_of_names_is_cut, folders_new, scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
