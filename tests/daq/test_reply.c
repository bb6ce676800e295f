/* What instruments answer: lines, numbers, errors; and whatever else comes over a wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/random.h"
#include "daq/instruments/reply.h"

/** Feed bytes; how the last of them was taken. */
static enum reply_taken feed(struct reply_line *line, const char *bytes, size_t n)
{
	enum reply_taken taken = REPLY_MORE;

	for (size_t i = 0; i < n; i++)
		taken = reply_take(line, (uint8_t)bytes[i]);
	return taken;
}

#define FEED(line, bytes) feed(line, bytes, sizeof(bytes) - 1)

/* catches: a CR that stays, blanks that stay, an empty line taken for an answer, a line that begins with the last one's rest */
static void lines_end_with_lf_and_lose_their_blanks(void **state)
{
	struct reply_line line = {0};

	(void)state;
	assert_int_equal(FEED(&line, "293.15"), REPLY_MORE);
	assert_int_equal(FEED(&line, "\r\n"), REPLY_LINE);
	assert_string_equal(line.text, "293.15");
	assert_int_equal(FEED(&line, "\n\r\n  \t\n"), REPLY_MORE);
	assert_int_equal(FEED(&line, "  1 2\t \n"), REPLY_LINE);
	assert_string_equal(line.text, "1 2");
	assert_int_equal(FEED(&line, "7\n"), REPLY_LINE);
	assert_string_equal(line.text, "7");
}

/* catches: bytes of noise left out so that what remains reads as a number, a line written beyond its end, a spoiled line that spoils the next */
static void noise_and_overlong_lines_are_garbage_and_the_next_line_is_not(void **state)
{
	static const char *const noise[] = {"2\x80\n",
					    "\x01"
					    "3\n",
					    "4\x7f\n"};
	struct reply_line line = {0};
	char longest[REPLY_MAX_LINE + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		assert_int_equal(feed(&line, noise[i], strlen(noise[i])), REPLY_GARBAGE);
		assert_int_equal(FEED(&line, "5\n"), REPLY_LINE);
		assert_string_equal(line.text, "5");
	}
	assert_int_equal(FEED(&line, "6\0\n"), REPLY_GARBAGE);
	memset(longest, '1', sizeof(longest));
	longest[REPLY_MAX_LINE - 1] = '\n';
	assert_int_equal(feed(&line, longest, REPLY_MAX_LINE), REPLY_LINE);
	assert_int_equal(strlen(line.text), REPLY_MAX_LINE - 1);
	longest[REPLY_MAX_LINE - 1] = '1';
	longest[REPLY_MAX_LINE] = '\n';
	assert_int_equal(feed(&line, longest, REPLY_MAX_LINE + 1), REPLY_GARBAGE);
	assert_int_equal(FEED(&line, "5\n"), REPLY_LINE);
}

/* catches: a number cut short at what follows it, hexadecimal, "nan" and "inf" as strtod() has them, SCPI's own words for no number */
static void numbers_are_whole_decimal_and_finite(void **state)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {{"293.15", 293.15}, {"+2.9315E+02", 293.15}, {"-1", -1},    {".5", 0.5},
		    {"5.", 5},          {"1e-3", 1e-3},          {"0", 0},      {"-0.0E0", 0},
		    {"9.8E36", 9.8e36}, {"1E-400", 0},           {"000012", 12}};
	static const char *const bad[] = {"",
					  "+",
					  ".",
					  "1e",
					  "1e+",
					  "e5",
					  "1 2",
					  "1,2",
					  "293.1K",
					  "0x10",
					  "nan",
					  "inf",
					  "-INF",
					  "infinity",
					  "9.91E37",
					  "9.9E37",
					  "-9.9E37",
					  "1e400",
					  "--1",
					  "1.2.3",
					  "0,\"No error\"",
					  " 1",
					  "1 ",
					  "\"1\"",
					  "11111111111111111111111111111111111111111111111111111111111111111"};
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!reply_number(good[i].text, &value))
			fail_msg("\"%s\" was refused", good[i].text);
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reply_number(bad[i], &value))
			fail_msg("\"%s\" was taken for %g", bad[i], value);
}

/* catches: a bare number taken for an error's, a quotation mark within that ends the words, words beyond their room, a code that overflows */
static void errors_are_a_code_and_words_in_quotation_marks(void **state)
{
	static const char *const bad[] = {"",
					  "0",
					  "0,",
					  "-113,Undefined",
					  "-113 \"a\"",
					  "a,\"b\"",
					  "1,\"b",
					  "1,\"b\"c",
					  "99999999999,\"b\"",
					  "-32769,\"b\"",
					  "32768,\"b\"",
					  "293.15",
					  "ACME,NG-1,7,1.0",
					  "1,\"b\"\""};
	struct reply_error error;
	char longest[REPLY_MAX_LINE];

	(void)state;
	assert_true(reply_error("0,\"No error\"", &error));
	assert_int_equal(error.code, 0);
	assert_string_equal(error.words, "No error");
	assert_true(reply_error("-113 , \"Undefined header\"", &error));
	assert_int_equal(error.code, -113);
	assert_string_equal(error.words, "Undefined header");
	assert_true(reply_error("+201,\"say \"\"what\"\"; now\"", &error));
	assert_int_equal(error.code, 201);
	assert_string_equal(error.words, "say \"what\"; now");
	assert_true(reply_error("-32768,\"\"", &error));
	assert_int_equal(error.code, -32768);
	assert_true(reply_error("32767,\"\"", &error));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "5,\"", 3);
	memcpy(longest + sizeof(longest) - 2, "\"", 2);
	assert_true(reply_error(longest, &error));
	assert_int_equal(strlen(error.words), REPLY_MAX_WORDS - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reply_error(bad[i], &error))
			fail_msg("\"%s\" was taken for an error", bad[i]);
}

/* catches: a byte of any kind, anywhere, that is read or written where it should not be (under a sanitizer); a number that is none */
static void whatever_comes_is_taken_apart_or_refused(void **state)
{
	static const char alphabet[] = "0123456789+-.,eE\"\n\n\r \tKx\x80";
	struct reply_line line = {0};
	struct reply_error error;
	size_t n_lines = 0, n_numbers = 0, n_errors = 0;

	(void)state;
	for (size_t i = 0; i < 1000000; i++) {
		uint32_t words[4];
		double value;

		random_words(11, RANDOM_DATA, 0, i, 0, words);
		if (reply_take(&line, (uint8_t)alphabet[words[0] % sizeof(alphabet)]) != REPLY_LINE)
			continue;
		n_lines++;
		assert_true(strlen(line.text) > 0 && strlen(line.text) < REPLY_MAX_LINE);
		if (reply_number(line.text, &value)) {
			assert_true(isfinite(value));
			n_numbers++;
		}
		n_errors += reply_error(line.text, &error);
	}
	assert_true(n_lines > 10000 && n_numbers > 1000);
	assert_true(n_errors < n_numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_lf_and_lose_their_blanks),
		cmocka_unit_test(noise_and_overlong_lines_are_garbage_and_the_next_line_is_not),
		cmocka_unit_test(numbers_are_whole_decimal_and_finite),
		cmocka_unit_test(errors_are_a_code_and_words_in_quotation_marks),
		cmocka_unit_test(whatever_comes_is_taken_apart_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
