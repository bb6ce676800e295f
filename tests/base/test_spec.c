#include "base/scratch.h"

#include "base/err.h"
#include "base/spec.h"

static struct spec parsed(const char *text)
{
	struct spec spec;
	struct err err;

	if (spec_parse(&spec, text, &err))
		fail_msg("\"%s\" refused: %s", text, err.text);
	return spec;
}

/* catches: a key lost, a value cut at a character of its own, blanks counted as content */
static void a_line_is_taken_apart(void **state)
{
	struct spec spec = parsed("  pair-power exponents=2,1\t range=3  note=a=b ");
	const char *note = NULL;
	size_t exponents[2], range = 0, n = 0;

	(void)state;
	assert_string_equal(spec.name, "pair-power");
	assert_int_equal(spec.n_keys, 3);
	assert_int_equal(spec_sizes(&spec, "exponents", true, 1, 6, 2, exponents, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(exponents[0], 2);
	assert_int_equal(exponents[1], 1);
	assert_int_equal(spec_size(&spec, "range", true, 0, 10, &range, NULL), 0);
	assert_int_equal(range, 3);
	assert_int_equal(spec_text(&spec, "note", true, &note, NULL), 0);
	assert_string_equal(note, "a=b");
	assert_int_equal(spec_finish(&spec, "exponents, range, note", NULL), 0);
}

/* catches: any of these taken, or an error without a word */
static void malformed_lines_are_refused(void **state)
{
	static const char *const lines[] = {"",     "   ",      "=1",        "x y",      "x =1",
					    "x a=", "x a= b=1", "x a=1 a=2", "x \x01=1", "x a",
					    "x,y",  "x\ny",     "x a.b=1",   "ä",        "x \xff=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct spec spec;
		struct err err = {0};

		if (spec_parse(&spec, lines[i], &err) != JOSTLE_ECONFIG)
			fail_msg("\"%s\" was taken", lines[i]);
		assert_contains(err.text, lines[i][0] == 'x' && strstr(lines[i], "a=1 a") ? "twice" : "expected");
	}
}

/* catches: a buffer that overflows at its exact size */
static void lines_at_the_limits_are_taken_and_beyond_refused(void **state)
{
	struct spec spec;
	struct err err;
	char line[2 * SPEC_MAX_TEXT];

	(void)state;
	for (size_t length = 1; length < 2 * SPEC_MAX_TEXT - 1; length++) {
		memset(line, 'x', length);
		line[length] = '\0';
		assert_int_equal(spec_parse(&spec, line, &err), length < sizeof(spec.name) ? 0 : JOSTLE_ECONFIG);
	}
	for (size_t length = 1; length < 900; length++) {
		memcpy(line, "x a=", 4);
		memset(line + 4, 'v', length);
		line[4 + length] = '\0';
		assert_int_equal(spec_parse(&spec, line, &err),
				 length < sizeof(spec.keys[0].value) ? 0 : JOSTLE_ECONFIG);
	}
	for (size_t n = 0; n <= SPEC_MAX_KEYS + 1; n++) {
		size_t at = 1;

		line[0] = 'x';
		line[1] = '\0';
		for (size_t i = 0; i < n; i++)
			at += (size_t)sprintf(line + at, " k%zu=1", i);
		assert_int_equal(spec_parse(&spec, line, &err), n <= SPEC_MAX_KEYS ? 0 : JOSTLE_ECONFIG);
	}
}

/* catches: a span that runs past its array or past the largest number, a sign, blanks or rests taken */
static void whole_numbers_must_be_in_range_and_fit(void **state)
{
	static const struct {
		const char *value;
		size_t n; /* 0: refused */
	} cases[] = {
		{"1", 1},
		{"1-4", 4},
		{"1,3-4", 3},
		{"4-4", 1},
		{"1-5", 0},
		{"0", 0},
		{"10", 0},
		{"4-1", 0},
		{"-1", 0},
		{"+1", 0},
		{"1.5", 0},
		{"1,", 0},
		{",1", 0},
		{"1-", 0},
		{"0x2", 0},
		{"1e0", 0},
		{"1-2-3", 0},
		{"1,2,3,4,5", 0},
		{"18446744073709551616", 0},
		{"1-99999999999999999999", 0},
		{"0-18446744073709551615", 0},
		{"99999999999999999999", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[80];
		size_t values[5] = {0, 0, 0, 0, 77}, n = 0;
		struct err err = {0};

		sprintf(line, "x a=%s", cases[i].value);
		struct spec spec = parsed(line);
		int code = spec_sizes(&spec, "a", true, 1, 9, 4, values, &n, &err);
		if (code != (cases[i].n ? 0 : JOSTLE_ECONFIG))
			fail_msg("%s: %d, %s", cases[i].value, code, err.text);
		if (code)
			assert_contains(err.text, "column 5: a: expected at most 4 whole numbers from 1 to 9");
		else
			assert_int_equal(n, cases[i].n);
		assert_int_equal(values[4], 77);
	}
}

/* catches: a count that never ends because the largest number is never exceeded */
static void the_largest_number_is_read_once(void **state)
{
	struct spec spec = parsed("x a=18446744073709551615");
	size_t value[2] = {0, 5};

	(void)state;
	assert_int_equal(spec_size(&spec, "a", true, 0, SIZE_MAX, value, NULL), 0);
	assert_true(value[0] == SIZE_MAX);
	assert_int_equal(value[1], 5);
}

/* catches: nan or inf let in, a rest after the number, a bound not tested */
static void numbers_must_be_finite_and_in_range(void **state)
{
	static const struct {
		const char *value;
		bool taken;
	} cases[] = {
		{"0.5", true},      {"-1", true},      {"1", true},     {"1e-3", true},
		{"-1.0001", false}, {"1.0001", false}, {"nan", false},  {"inf", false},
		{"-inf", false},    {"1e999", false},  {"0.5x", false}, {"x", false},
		{"0.1,0.2", false}, {"\v0.5", false},  {"--1", false},  {"0.5,", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[80];
		double value = 0.0;

		sprintf(line, "x a=%s", cases[i].value);
		struct spec spec = parsed(line);
		if ((spec_double(&spec, "a", true, -1.0, 1.0, &value, NULL) == 0) != cases[i].taken)
			fail_msg("%s is %s", cases[i].value, cases[i].taken ? "refused" : "taken");
	}
}

/* catches: an absent key that overwrites the default, a required one that is let pass */
static void absent_keys_leave_the_default_or_are_missed(void **state)
{
	struct spec spec = parsed("x b=1");
	struct err err;
	double number = 0.25;
	size_t n = 3;

	(void)state;
	assert_int_equal(spec_double(&spec, "a", false, 0, 1, &number, &err), 0);
	assert_true(number == 0.25);
	assert_int_equal(spec_doubles(&spec, "a", false, 0, 1, 1, &number, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(spec_double(&spec, "a", true, 0, 1, &number, &err), JOSTLE_ECONFIG);
	assert_contains(err.text, "expected a=");
}

/* catches: a misspelt setting silently ignored */
static void a_key_that_nobody_asked_for_is_refused(void **state)
{
	struct spec spec = parsed("ring radius=1 widht=2");
	struct err err;
	double number;

	(void)state;
	assert_int_equal(spec_double(&spec, "radius", true, 0, 9, &number, &err), 0);
	assert_int_equal(spec_finish(&spec, "radius, width", &err), JOSTLE_ECONFIG);
	assert_contains(err.text, "\"widht\"; it takes radius, width");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_taken_apart),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(lines_at_the_limits_are_taken_and_beyond_refused),
		cmocka_unit_test(whole_numbers_must_be_in_range_and_fit),
		cmocka_unit_test(the_largest_number_is_read_once),
		cmocka_unit_test(numbers_must_be_finite_and_in_range),
		cmocka_unit_test(absent_keys_leave_the_default_or_are_missed),
		cmocka_unit_test(a_key_that_nobody_asked_for_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
