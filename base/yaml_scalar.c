/*
 * How a number, a word and a text must be spelled. Only spellings that libcyaml reads as they look: no octal, no
 * hexadecimal, nothing after the number.
 */
#include "base/yaml_scalar.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool whole_number(const char *text)
{
	const char *digits = text + (*text == '-' || *text == '+');
	const size_t n = strspn(digits, "0123456789");

	return n > 0 && digits[n] == '\0' && (n == 1 || digits[0] != '0');
}

static bool fits_int(const char *text, size_t size, char *expected, size_t expected_size)
{
	const int64_t max = INT64_MAX >> (64 - 8 * size);

	snprintf(expected, expected_size, "a whole number from %" PRId64 " to %" PRId64, -max - 1, max);
	if (!whole_number(text))
		return false;
	errno = 0;
	const long long number = strtoll(text, NULL, 10);
	return errno == 0 && number >= -max - 1 && number <= max;
}

static bool fits_uint(const char *text, size_t size, char *expected, size_t expected_size)
{
	const uint64_t max = UINT64_MAX >> (64 - 8 * size);

	snprintf(expected, expected_size, "a whole number from 0 to %" PRIu64, max);
	if (*text == '-' || !whole_number(text))
		return false;
	errno = 0;
	const unsigned long long number = strtoull(text, NULL, 10);
	return errno == 0 && number <= max;
}

static bool fits_float(const char *text, size_t size, char *expected, size_t expected_size)
{
	char *end;

	snprintf(expected, expected_size, "a finite number");
	if (!*text || text[strspn(text, "+-.0123456789eE")] != '\0')
		return false;
	const double number = strtod(text, &end);
	return *end == '\0' && isfinite(number) && (size > sizeof(float) || fabs(number) <= (double)FLT_MAX);
}

static bool one_of(const char *text, const char *const words[], size_t n, char *expected, size_t expected_size)
{
	size_t length = (size_t)snprintf(expected, expected_size, "one of");
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		found = found || strcmp(text, words[i]) == 0;
		if (length < expected_size)
			length += (size_t)snprintf(expected + length, expected_size - length, "%s %s", i ? "," : "",
						   words[i]);
	}
	return found;
}

static bool fits_bool(const char *text, char *expected, size_t expected_size)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
	const bool fits = one_of(text, words, sizeof(words) / sizeof(words[0]), expected, expected_size);

	snprintf(expected, expected_size, "true or false");
	return fits;
}

static bool fits_enum(const char *text, const cyaml_schema_value_t *schema, char *expected, size_t expected_size)
{
	const char *words[64];
	size_t n = 0;

	for (; n < schema->enumeration.count && n < sizeof(words) / sizeof(words[0]); n++)
		words[n] = schema->enumeration.strings[n].str;
	return one_of(text, words, n, expected, expected_size);
}

static bool fits_string(const char *text, size_t length, const cyaml_schema_value_t *schema, char *expected,
			size_t expected_size)
{
	const uint32_t min = schema->string.min, max = schema->string.max;

	if (max == CYAML_UNLIMITED)
		snprintf(expected, expected_size, "text of at least %" PRIu32 " bytes", min);
	else
		snprintf(expected, expected_size, "text of %" PRIu32 " to %" PRIu32 " bytes", min, max);
	return strlen(text) == length && length >= min && length <= max;
}

bool yaml_scalar_fits(const cyaml_schema_value_t *schema, const char *text, size_t length, char *expected,
		      size_t expected_size)
{
	switch (schema->type) {
	case CYAML_INT:
		return fits_int(text, schema->data_size, expected, expected_size);
	case CYAML_UINT:
		return fits_uint(text, schema->data_size, expected, expected_size);
	case CYAML_FLOAT:
		return fits_float(text, schema->data_size, expected, expected_size);
	case CYAML_BOOL:
		return fits_bool(text, expected, expected_size);
	case CYAML_ENUM:
		return fits_enum(text, schema, expected, expected_size);
	case CYAML_STRING:
		return fits_string(text, length, schema, expected, expected_size);
	default:
		snprintf(expected, expected_size, "a schema of known types");
		return false;
	}
}
