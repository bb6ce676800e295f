/*
 * What an instrument answers: bytes become lines, lines numbers and errors, and nothing becomes what it isn't.
 */
#include <math.h>
#include <stdbool.h>

#include "daq/instruments/reply.h"
#include "fuzz/target.h"

#define LARGEST 4096

/** A number that is taken consists of a number's characters alone, is one to the C library, and is neither endless nor a flag. */
static void take_number(const char *text)
{
	double value = NAN;
	char *end;

	if (!reply_number(text, &value))
		return;
	REQUIRE(strspn(text, "+-.0123456789eE") == strlen(text) && strlen(text) <= 64);
	REQUIRE(isfinite(value) && fabs(value) < 9.9e36);
	REQUIRE(strtod(text, &end) == value && *end == '\0');
}

/** An error's code is in its range; written out again it is the same error. */
static void take_error(const char *text)
{
	struct reply_error error, again;
	char line[2 * REPLY_MAX_WORDS + 16];
	int n;

	if (!reply_error(text, &error))
		return;
	REQUIRE(error.code >= -32768 && error.code <= 32767);
	REQUIRE(strtol(text, NULL, 10) == error.code);
	REQUIRE(strnlen(error.words, sizeof(error.words)) < sizeof(error.words));
	n = snprintf(line, sizeof(line), "%d,\"", error.code);
	for (const char *at = error.words; *at; at++) {
		if (*at == '"')
			line[n++] = '"';
		line[n++] = *at;
	}
	line[n] = '"';
	line[n + 1] = '\0';
	REQUIRE(reply_error(line, &again));
	REQUIRE(again.code == error.code && strcmp(again.words, error.words) == 0);
}

static void check_line(const struct reply_line *line)
{
	const size_t n = strnlen(line->text, sizeof(line->text));

	REQUIRE(n > 0 && n < sizeof(line->text));
	for (size_t i = 0; i < n; i++)
		REQUIRE(line->text[i] == '\t' || (line->text[i] >= ' ' && line->text[i] < 0x7f));
	REQUIRE(!strchr(" \t", line->text[0]) && !strchr(" \t", line->text[n - 1]));
	take_number(line->text);
	take_error(line->text);
}

/** What is expected of the n bytes before a line's end, by looking at all of them at once. */
static enum reply_taken judge(const uint8_t *bytes, size_t n)
{
	size_t length = 0, dark = 0;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\r')
			continue;
		if (bytes[i] != '\t' && (bytes[i] < ' ' || bytes[i] > '~'))
			return REPLY_GARBAGE;
		length++;
		dark += bytes[i] != ' ' && bytes[i] != '\t';
	}
	return length >= REPLY_MAX_LINE ? REPLY_GARBAGE : dark ? REPLY_LINE : REPLY_MORE;
}

static void feed_good_line(struct reply_line *line)
{
	double value;

	for (const char *at = " +2.5E1\r"; *at; at++)
		REQUIRE(reply_take(line, (uint8_t)*at) == REPLY_MORE);
	REQUIRE(reply_take(line, '\n') == REPLY_LINE);
	REQUIRE(strcmp(line->text, "+2.5E1") == 0 && reply_number(line->text, &value) && value == 25.0);
}

/** The bytes as they come over a line; whatever they were, the line after them is understood. */
static void take_stream(const uint8_t *bytes, size_t n)
{
	struct reply_line *line = calloc(1, sizeof(*line));
	size_t start = 0;

	REQUIRE(line != NULL);
	for (size_t i = 0; i <= n; i++) {
		const uint8_t byte = i < n ? bytes[i] : '\n';
		const enum reply_taken taken = reply_take(line, byte);

		REQUIRE(taken == (byte == '\n' ? judge(bytes + start, i - start) : REPLY_MORE));
		if (taken == REPLY_LINE)
			check_line(line);
		if (byte == '\n')
			start = i + 1;
	}
	feed_good_line(line);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *text;

	if (n > LARGEST)
		return 0;
	take_stream(bytes, n);
	text = malloc(n + 1);
	REQUIRE(text != NULL);
	if (n)
		memcpy(text, bytes, n);
	text[n] = '\0';
	take_number(text);
	take_error(text);
	free(text);
	return 0;
}
