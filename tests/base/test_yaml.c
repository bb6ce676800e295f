#include "base/scratch.h"

#include <math.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/yaml.h"
#include "base/yaml_place.h"

enum drive { FEEDBACK, PARAMETRIC };

struct sub {
	double a;
	int b;
};

struct document {
	char *title;
	double sigma;
	uint8_t n;
	int16_t shift;
	bool loud;
	enum drive drive;
	struct sub sub;
	double *weights;
	unsigned weights_count;
	double centre[2];
};

static const cyaml_strval_t drives[] = {{"feedback", FEEDBACK}, {"parametric", PARAMETRIC}};
static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(CYAML_FLAG_STRICT, double)};
static const cyaml_schema_field_t sub_fields[] = {
	CYAML_FIELD_FLOAT("a", CYAML_FLAG_STRICT, struct sub, a),
	CYAML_FIELD_INT("b", CYAML_FLAG_OPTIONAL, struct sub, b),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct document, title, 1, 10),
	CYAML_FIELD_FLOAT("sigma", CYAML_FLAG_STRICT, struct document, sigma),
	CYAML_FIELD_UINT("n", CYAML_FLAG_OPTIONAL, struct document, n),
	CYAML_FIELD_INT("shift", CYAML_FLAG_OPTIONAL, struct document, shift),
	CYAML_FIELD_BOOL("loud", CYAML_FLAG_OPTIONAL, struct document, loud),
	CYAML_FIELD_ENUM("drive", CYAML_FLAG_OPTIONAL, struct document, drive, drives, 2),
	CYAML_FIELD_MAPPING("sub", CYAML_FLAG_OPTIONAL, struct document, sub, sub_fields),
	CYAML_FIELD_SEQUENCE("weights", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, weights, &number, 1,
			     3),
	CYAML_FIELD_SEQUENCE_FIXED("centre", CYAML_FLAG_OPTIONAL, struct document, centre, &number, 2),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, fields)};

/* catches: a field that does not arrive, a text that is not the file's */
static void a_good_file_is_loaded_and_given_verbatim(void **state)
{
	const char source[] = "# a comment\n"
			      "title: \"ring\"\nsigma: 4e-1\nn: 255\nshift: -32768\nloud: yes\ndrive: parametric\n"
			      "sub: {a: .5, b: 0}\nweights:\n  - 1\n  - 2\n  - -3.25\ncentre: [7, 8]\n";
	const char *path = scratch_write(*state, "a.yaml", source, strlen(source));
	void *loaded;
	char *text;
	struct err err;

	if (yaml_load(path, &schema, &loaded, &text, &err))
		fail_msg("%s", err.text);
	const struct document *d = loaded;
	assert_string_equal(d->title, "ring");
	assert_true(d->sigma == 0.4 && d->n == 255 && d->shift == -32768 && d->loud && d->drive == PARAMETRIC);
	assert_true(d->sub.a == 0.5 && d->sub.b == 0);
	assert_int_equal(d->weights_count, 3);
	assert_true(d->weights[2] == -3.25 && d->centre[0] == 7.0 && d->centre[1] == 8.0);
	assert_string_equal(text, source);
	free(text);
	yaml_free(&schema, loaded);
	assert_int_equal(yaml_load(path, &schema, &loaded, NULL, &err), 0);
	yaml_free(&schema, loaded);
	yaml_free(&schema, NULL);
}

struct refusal {
	const char *source, *message; /* "line:column: text" */
};

static void assert_refused(struct scratch *scratch, const struct refusal *refusal)
{
	const char *path = scratch_write(scratch, "a.yaml", refusal->source, strlen(refusal->source));
	void *loaded = scratch;
	char *text = scratch->folder, message[1200];
	struct err err = {0};

	if (yaml_load(path, &schema, &loaded, &text, &err) != JOSTLE_ECONFIG)
		fail_msg("not refused: %s", refusal->source);
	assert_null(loaded);
	assert_null(text);
	assert_string_equal(err.file, path);
	err_format(&err, message, sizeof(message));
	const char *from = message + strlen(path) + 1;
	if (strncmp(from, refusal->message, strlen(refusal->message)) != 0)
		fail_msg("expected \"%s\", found \"%s\" for:\n%s", refusal->message, from, refusal->source);
}

#define HEAD "title: x\nsigma: 1\n"

/* catches: a wrong type or range taken, or reported somewhere else or without the field's name */
static void every_wrong_value_is_refused_at_its_place(void **state)
{
	static const struct refusal refusals[] = {
		{"title: x\nsigma: abc\n", "2:8: sigma: expected a finite number, found \"abc\""},
		{"title: x\nsigma: 1 2\n", "2:8: sigma: expected a finite number, found \"1 2\""},
		{"title: x\nsigma: nan\n", "2:8: sigma: expected a finite number"},
		{"title: x\nsigma: .inf\n", "2:8: sigma: expected a finite number"},
		{"title: x\nsigma: 1e999\n", "2:8: sigma: expected a finite number"},
		{"title: x\nsigma: 0x10\n", "2:8: sigma: expected a finite number"},
		{"title: x\nsigma: 1,5\n", "2:8: sigma: expected a finite number"},
		{"title: x\nsigma:\n", "2:7: sigma: expected a finite number, found nothing"},
		{"title: x\nsigma: [1, 2]\n", "2:8: sigma: expected a finite number, found a list"},
		{"title: x\nsigma: {a: 1}\n", "2:8: sigma: expected a finite number, found a mapping"},
		{HEAD "n: -3\n", "3:4: n: expected a whole number from 0 to 255, found \"-3\""},
		{HEAD "n: 256\n", "3:4: n: expected a whole number from 0 to 255"},
		{HEAD "n: 99999999999999999999999\n", "3:4: n: expected a whole number from 0 to 255"},
		{HEAD "n: 2.5\n", "3:4: n: expected a whole number from 0 to 255"},
		{HEAD "n: 010\n", "3:4: n: expected a whole number from 0 to 255"},
		{HEAD "n: ''\n", "3:4: n: expected a whole number from 0 to 255, found nothing"},
		{HEAD "shift: 32768\n", "3:8: shift: expected a whole number from -32768 to 32767, found \"32768\""},
		{HEAD "shift: -32769\n", "3:8: shift: expected a whole number from -32768 to 32767"},
		{HEAD "loud: yup\n", "3:7: loud: expected true or false, found \"yup\""},
		{HEAD "loud: 1\n", "3:7: loud: expected true or false, found \"1\""},
		{HEAD "drive: foo\n", "3:8: drive: expected one of feedback, parametric, found \"foo\""},
		{HEAD "drive: 1\n", "3:8: drive: expected one of feedback, parametric, found \"1\""},
		{"title: ''\nsigma: 1\n", "1:8: title: expected text of 1 to 10 bytes, found nothing"},
		{"title: 12345678901\nsigma: 1\n", "1:8: title: expected text of 1 to 10 bytes"},
		{"title: \"a\\0b\"\nsigma: 1\n", "1:8: title: expected text of 1 to 10 bytes"},
		{HEAD "sub: 4\n", "3:6: sub: expected a mapping, found \"4\""},
		{HEAD "sub:\n  a: 1\n  b: 2.5\n", "5:6: sub.b: expected a whole number from"},
		{HEAD "weights: 3\n", "3:10: weights: expected a list, found \"3\""},
		{HEAD "weights: [1, b]\n", "3:14: weights[1]: expected a finite number, found \"b\""},
		{HEAD "weights: [1, [2]]\n", "3:14: weights[1]: expected a finite number, found a list"},
		{HEAD "weights: []\n", "3:10: weights: expected at least 1 entries, found 0"},
		{HEAD "weights: [1, 2, 3, 4]\n", "3:20: weights: expected at most 3 entries, found more"},
		{HEAD "centre: [1]\n", "3:9: centre: expected at least 2 entries, found 1"},
		{HEAD "centre: [1, 2, 3]\n", "3:16: centre: expected at most 2 entries, found more"},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_refused(*state, &refusals[i]);
}

/* catches: a misspelt setting ignored, a missing one left at 0, the place of the field before named */
static void unknown_missing_and_repeated_fields_are_refused_at_their_place(void **state)
{
	static const struct refusal refusals[] = {
		{"title: x\n\nsigm: 1\nsigma: 1\n",
		 "3:1: expected one of title, sigma, n, shift, loud, drive, sub, weights, centre, found \"sigm\""},
		{HEAD "sub: {a: 1, c: 2}\n", "3:13: sub: expected one of a, b, found \"c\""},
		{"\ntitle: x\n", "2:1: expected a setting sigma, found none"},
		{HEAD "sub: {b: 1}\n", "3:6: sub: expected a setting a, found none"},
		{HEAD "sigma: 2\n", "3:1: sigma is given twice"},
		{HEAD "? [a]\n: 1\n", "3:3: expected the name of a setting, found a list"},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_refused(*state, &refusals[i]);
}

/* catches: a parser's error without a place, an alias bomb, a document that is not there, a second one ignored */
static void what_is_not_one_document_of_settings_is_refused(void **state)
{
	static const struct refusal refusals[] = {
		{"", "1:1: expected settings, found an empty file"},
		{"# nothing\n", "2:1: expected settings, found an empty file"},
		{"- a\n", "1:1: expected a mapping, found a list"},
		{"hello\n", "1:1: expected a mapping, found \"hello\""},
		{HEAD "---\ntitle: y\nsigma: 2\n", "3:1: expected one document, found a second"},
		{"title: x\n\tsigma: 1\n", "2:1: while scanning a plain scalar, found a tab"},
		{"title: x\nsigma: [1\n", "2:8: sigma: expected a finite number, found a list"},
		{HEAD "weights: [1\n", "4:1: weights: while parsing a flow sequence"},
		{HEAD "sub: {a: 1\n", "4:1: sub: while parsing a flow mapping"},
		{"title: &t x\nsigma: *t\n", "2:8: sigma: expected a finite number, found an alias"},
		{"title: \"\xff\xfe\"\nsigma: 1\n", "1:1: invalid leading UTF-8 octet"},
		{"title: \"a\x01\"\nsigma: 1\n", "1:1: control characters are not allowed"},
		{"title: x\nsigma: \"\\x1b[31m\"\n", "2:8: sigma: expected a finite number, found \"?[31m\""},
		{"\"\\e[31m\": 1\n",
		 "1:1: expected one of title, sigma, n, shift, loud, drive, sub, weights, centre, found \"?[31m\""},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_refused(*state, &refusals[i]);
}

/* catches: a crash, a leak or a success at some length of a file cut short */
static void a_file_cut_at_any_length_is_loaded_or_refused(void **state)
{
	const char source[] = "title: \"ring\"\nsigma: 0.4\nsub: {a: 5, b: 1}\nweights: [1, 2, 3]\ncentre: [7, 8]\n";
	void *loaded;
	char *text;
	struct err err;

	for (size_t length = 0; length < strlen(source); length++) {
		const char *path = scratch_write(*state, "a.yaml", source, length);
		const int code = yaml_load(path, &schema, &loaded, &text, &err);

		/* Only where a whole line, or a shorter number, stands at the end is the rest a document. */
		if (code == 0) {
			assert_true(length >= strlen("title: \"ring\"\nsigma: 0"));
			yaml_free(&schema, loaded);
			free(text);
		} else {
			assert_int_equal(code, JOSTLE_ECONFIG);
			assert_true(err.line >= 1 && err.column >= 1 && err.text[0]);
		}
	}
}

/* catches: memory taken without limit, a directory or a pipe read, NUL cutting a file short */
static void files_that_are_no_text_are_refused(void **state)
{
	struct scratch *scratch = *state;
	struct err err;
	void *loaded;
	char *text, *big = malloc(2 << 20);

	assert_int_equal(yaml_load(scratch_path(scratch, "none"), &schema, &loaded, &text, &err), JOSTLE_ENOENT);
	assert_int_equal(yaml_load(scratch->folder, &schema, &loaded, &text, &err), JOSTLE_EIO);
	assert_contains(err.text, "found a directory");
	const char *pipe = scratch_path(scratch, "pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(yaml_load(pipe, &schema, &loaded, &text, &err), JOSTLE_EIO);
	memset(big, ' ', 2 << 20);
	const char *path = scratch_write(scratch, "big", big, (1 << 20) + 1);
	assert_int_equal(yaml_load(path, &schema, &loaded, &text, &err), JOSTLE_ECONFIG);
	assert_int_equal(err.code, JOSTLE_ECONFIG);
	assert_contains(err.text, "expected at most 1048576 bytes, found 1048577");
	assert_int_equal(
		yaml_load(scratch_write(scratch, "nul", "title: x\0\nsigma: 1\n", 19), &schema, &loaded, &text, &err),
		JOSTLE_ECONFIG);
	assert_contains(err.text, "NUL");
	assert_int_equal(read_text_file(scratch_write(scratch, "t", "ab\n", 3), 3, &text, &err), 0);
	assert_string_equal(text, "ab\n");
	free(text);
	assert_int_equal(read_text_file(scratch_path(scratch, "t"), 2, &text, &err), JOSTLE_EFORMAT);
	free(big);
}

static const cyaml_schema_field_t flag_fields[] = {
	CYAML_FIELD_FLAGS("drive", CYAML_FLAG_STRICT, struct document, drive, drives, 2),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t flag_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, flag_fields)};

/* catches: libcyaml's own refusals lost, or printed by itself */
static void what_only_libcyaml_checks_is_told_from_its_log(void **state)
{
	const char *path = scratch_write(*state, "a.yaml", "drive:\n  - feedback\n  - foo\n", 28);
	void *loaded;
	struct err err;

	assert_int_equal(yaml_load(path, &flag_schema, &loaded, NULL, &err), JOSTLE_ECONFIG);
	assert_int_equal(err.line, 2);
	assert_contains(err.text, "drive: ");
	assert_contains(err.text, "foo");
}

/* catches: a value refused after loading that is blamed on another line */
static void a_field_refused_later_is_found_again(void **state)
{
	static const char text[] = "title: x\nsub:\n  a: 1\nweights: [1,\n  2]\n";
	static const struct {
		const char *field;
		int line, column;
	} places[] = {{"title", 1, 1}, {"sub.a", 3, 3}, {"weights[1]", 5, 3}, {"sub.none", 2, 1}, {"weights[9]", 4, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct err err;

		assert_int_equal(yaml_refuse(&err, "a.yaml", text, places[i].field, "expected %d", 3), JOSTLE_ECONFIG);
		assert_int_equal(err.line, places[i].line);
		assert_int_equal(err.column, places[i].column);
		assert_contains(err.text, "expected 3");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_good_file_is_loaded_and_given_verbatim, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(every_wrong_value_is_refused_at_its_place, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(unknown_missing_and_repeated_fields_are_refused_at_their_place,
						scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(what_is_not_one_document_of_settings_is_refused, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(a_file_cut_at_any_length_is_loaded_or_refused, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(files_that_are_no_text_are_refused, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(what_only_libcyaml_checks_is_told_from_its_log, scratch_new,
						scratch_free),
		cmocka_unit_test(a_field_refused_later_is_found_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
