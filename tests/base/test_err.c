#include "base/scratch.h"

#include "base/err.h"

/* catches: a code added without a name, or names out of step with the codes */
static void every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = JOSTLE_ERROR_LAST; a <= 0; a++) {
		assert_non_null(err_name(a));
		assert_string_not_equal(err_name(a), "unknown error");
		for (int b = JOSTLE_ERROR_LAST; b < a; b++)
			assert_string_not_equal(err_name(a), err_name(b));
	}
	assert_string_equal(err_name(JOSTLE_ENOENT), "not found");
	assert_string_equal(err_name(JOSTLE_EDIVERGED), "diverged");
}

/* catches: reading past the table of names */
static void codes_that_are_none_are_called_unknown(void **state)
{
	(void)state;
	assert_string_equal(err_name(1), "unknown error");
	assert_string_equal(err_name(JOSTLE_ERROR_LAST - 1), "unknown error");
}

/* catches: line and column left from an earlier error, a place printed as 0 */
static void the_place_is_printed_as_far_as_it_is_known(void **state)
{
	struct err err;
	char text[64];

	(void)state;
	assert_int_equal(err_at(&err, JOSTLE_ECONFIG, "a.yaml", 7, 3, "expected %d", 2), JOSTLE_ECONFIG);
	err_format(&err, text, sizeof(text));
	assert_string_equal(text, "a.yaml:7:3: expected 2");
	err_at(&err, JOSTLE_ECONFIG, "a.yaml", 7, 0, "x");
	err_format(&err, text, sizeof(text));
	assert_string_equal(text, "a.yaml:7: x");
	err_at(&err, JOSTLE_EIO, "a.h5", 0, 0, "x");
	err_format(&err, text, sizeof(text));
	assert_string_equal(text, "a.h5: x");
	err_set(&err, JOSTLE_EIO, "x");
	err_format(&err, text, sizeof(text));
	assert_string_equal(text, "x");
	err_set(&err, JOSTLE_EIO, "%s", "");
	err_format(&err, text, sizeof(text));
	assert_string_equal(text, err_name(JOSTLE_EIO));
}

/* catches: a file's or a client's text that gives orders to the terminal on which the error is read; letters taken for such */
static void control_characters_are_not_passed_on(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, JOSTLE_ECONFIG, "found \"%s\"",
		"a\x1b[2J\nb\x7f\xc2\x9b"
		"c\xc2\xa0\xc3\xbc\xc2");
	assert_string_equal(err.text, "found \"a?[2J?b???c\xc2\xa0\xc3\xbc\xc2\"");
	err_context(&err, "%s", "\r");
	assert_int_equal(err.text[0], '?');
}

/* catches: context put behind, or the code lost */
static void context_goes_before_the_text(void **state)
{
	struct err err;

	(void)state;
	err_at(&err, JOSTLE_ECONFIG, "a.yaml", 7, 3, "expected 2");
	assert_int_equal(err_context(&err, "site %d", 4), JOSTLE_ECONFIG);
	assert_string_equal(err.text, "site 4: expected 2");
	assert_int_equal(err.line, 7);
}

/* catches: writing past the end of the text or of the file's name */
static void what_is_too_long_is_cut(void **state)
{
	struct err err;
	char text[2000], small[8];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_at(&err, JOSTLE_EIO, text, 1, 1, "%s", text);
	assert_int_equal(strlen(err.file), sizeof(err.file) - 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_context(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_set(&err, JOSTLE_EIO, "%s", text);
	err_context(&err, "where");
	assert_int_equal(strncmp(err.text, "where: xxx", 10), 0);
	err_format(&err, small, sizeof(small));
	assert_int_equal(strlen(small), sizeof(small) - 1);
}

/* catches: a NULL err dereferenced */
static void a_caller_without_interest_gives_null(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, JOSTLE_EIO, "x"), JOSTLE_EIO);
	assert_int_equal(err_at(NULL, JOSTLE_EIO, NULL, 0, 0, "x"), JOSTLE_EIO);
	assert_int_equal(err_context(NULL, "x"), JOSTLE_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_of_its_own),
		cmocka_unit_test(codes_that_are_none_are_called_unknown),
		cmocka_unit_test(the_place_is_printed_as_far_as_it_is_known),
		cmocka_unit_test(control_characters_are_not_passed_on),
		cmocka_unit_test(context_goes_before_the_text),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(a_caller_without_interest_gives_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
