#include "daq/instruments/reply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER 64     /* characters */
#define NO_NUMBER  9.9e36 /* SCPI-99, 7.2.1.4: 9.91E37 is not a number, ±9.9E37 beyond the range */
#define MAX_CODE   32768

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/** Cut the blanks at both ends off. */
static void trim(struct reply_line *line)
{
	size_t first = 0, n = line->n;

	while (n > 0 && is_blank(line->text[n - 1]))
		n--;
	while (first < n && is_blank(line->text[first]))
		first++;
	memmove(line->text, line->text + first, n - first);
	line->text[n - first] = '\0';
}

enum reply_taken reply_take(struct reply_line *line, uint8_t byte)
{
	const bool plain = (byte >= ' ' && byte < 0x7f) || byte == '\t';

	if (byte == '\n') {
		const bool spoiled = line->spoiled;

		trim(line);
		line->n = 0;
		line->spoiled = false;
		return spoiled ? REPLY_GARBAGE : line->text[0] ? REPLY_LINE : REPLY_MORE;
	}
	if (byte == '\r')
		return REPLY_MORE;
	if (plain && line->n < sizeof(line->text) - 1)
		line->text[line->n++] = (char)byte;
	else
		line->spoiled = true;
	return REPLY_MORE;
}

static const char *pass_digits(const char *at)
{
	while (is_digit(*at))
		at++;
	return at;
}

/** Where a number by the standard's grammar ends; `text` where there is none. */
static const char *pass_number(const char *text)
{
	const char *at = text + (*text == '+' || *text == '-'), *digits = at, *power;
	size_t n;

	at = pass_digits(at);
	n = (size_t)(at - digits);
	if (*at == '.') {
		digits = ++at;
		at = pass_digits(at);
		n += (size_t)(at - digits);
	}
	if (n == 0)
		return text;
	if (*at != 'E' && *at != 'e')
		return at;
	power = at + 1 + (at[1] == '+' || at[1] == '-');
	return is_digit(*power) ? pass_digits(power) : text;
}

static bool is_number(const char *text)
{
	const char *end = pass_number(text);

	return end != text && !*end && end - text <= MAX_NUMBER;
}

bool reply_number(const char *text, double *value)
{
	if (!is_number(text))
		return false;
	*value = strtod(text, NULL);
	return fabs(*value) < NO_NUMBER;
}

bool reply_no_number(const char *text)
{
	return is_number(text) && !(fabs(strtod(text, NULL)) < NO_NUMBER);
}

/** A whole number within ±MAX_CODE; where it ends, or NULL. */
static const char *read_code(const char *text, int *code)
{
	const bool negative = *text == '-';
	const char *at = text + (*text == '+' || *text == '-'), *digits = at;

	for (*code = 0; is_digit(*at) && *code <= MAX_CODE; at++)
		*code = 10 * *code + (*at - '0');
	if (at == digits || *code > MAX_CODE - !negative)
		return NULL;
	*code = negative ? -*code : *code;
	return at;
}

bool reply_error(const char *text, struct reply_error *error)
{
	const char *at = read_code(text, &error->code);
	size_t n = 0;

	if (!at)
		return false;
	while (is_blank(*at))
		at++;
	if (*at++ != ',')
		return false;
	while (is_blank(*at))
		at++;
	if (*at++ != '"')
		return false;
	/* A quotation mark within is written twice. */
	for (; *at && (*at != '"' || at[1] == '"'); at++) {
		if (*at == '"')
			at++;
		if (n < sizeof(error->words) - 1)
			error->words[n++] = *at;
	}
	error->words[n] = '\0';
	return *at == '"' && at[1] == '\0';
}
