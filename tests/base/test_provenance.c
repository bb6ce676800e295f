#include "base/scratch.h"

#include <ctype.h>

#include "base/h5.h"
#include "base/provenance.h"

static void assert_text(const struct h5_file *file, const char *name, const char *expected)
{
	char text[128];

	assert_int_equal(h5_get_text(file, "/", name, text, sizeof(text), NULL), 0);
	assert_string_equal(text, expected);
}

/* catches: an attribute misnamed or left out, one written that is not known, simulated data not marked */
static void all_that_is_known_is_written_and_nothing_else(void **state)
{
	const struct provenance provenance = {
		.command = "sample",
		.backend = "ensemble",
		.simulated = true,
		.seed = 1234567890123456789u,
		.task = "target: ring\n",
		.protocol_checksum = "abcdef",
	};
	const char *path = scratch_path(*state, "a.h5");
	struct h5_file file;
	uint64_t number;
	char text[128];

	assert_int_equal(h5_create(&file, path, NULL), 0);
	assert_int_equal(provenance_write(&file, &provenance, NULL), 0);
	assert_int_equal(h5_commit(&file, NULL), 0);
	assert_int_equal(h5_open(&file, path, NULL), 0);
	assert_text(&file, "version", jostle_version());
	assert_text(&file, "command", "sample");
	assert_text(&file, "backend", "ensemble");
	assert_text(&file, "task", "target: ring\n");
	assert_text(&file, "protocol_checksum", "abcdef");
	assert_int_equal(h5_get_u64(&file, "/", "simulated", &number, NULL), 0);
	assert_int_equal(number, 1);
	assert_int_equal(h5_get_u64(&file, "/", "seed", &number, NULL), 0);
	assert_true(number == 1234567890123456789u);
	assert_int_not_equal(h5_get_text(&file, "/", "bench", text, sizeof(text), NULL), 0);
	assert_int_not_equal(h5_get_text(&file, "/", "plant", text, sizeof(text), NULL), 0);
	assert_int_not_equal(h5_get_text(&file, "/", "calibration_checksum", text, sizeof(text), NULL), 0);
	h5_close(&file);
}

/* catches: measured data marked as simulated */
static void measured_data_are_not_called_simulated(void **state)
{
	const struct provenance provenance = {.version = "other", .command = "run", .backend = "comedi"};
	const char *path = scratch_path(*state, "a.h5");
	struct h5_file file;
	uint64_t number;

	assert_int_equal(h5_create(&file, path, NULL), 0);
	assert_int_equal(provenance_write(&file, &provenance, NULL), 0);
	assert_int_equal(h5_commit(&file, NULL), 0);
	assert_int_equal(h5_open(&file, path, NULL), 0);
	assert_int_equal(h5_get_u64(&file, "/", "simulated", &number, NULL), 0);
	assert_int_equal(number, 0);
	assert_text(&file, "version", "other");
	h5_close(&file);
}

/* catches: an empty version, a failed command's output in it */
static void the_version_is_three_numbers_and_perhaps_a_commit(void **state)
{
	int a, b, c, length = 0;

	(void)state;
	assert_int_equal(sscanf(jostle_version(), "%d.%d.%d%n", &a, &b, &c, &length), 3);
	const char *rest = jostle_version() + length;
	if (*rest) {
		assert_int_equal(*rest++, '+');
		const size_t digits = strspn(rest, "0123456789abcdef");
		assert_true(digits >= 7);
		assert_true(!rest[digits] || strcmp(rest + digits, "-dirty") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_that_is_known_is_written_and_nothing_else, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(measured_data_are_not_called_simulated, scratch_new, scratch_free),
		cmocka_unit_test(the_version_is_three_numbers_and_perhaps_a_commit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
