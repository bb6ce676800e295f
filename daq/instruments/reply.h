#ifndef JOSTLE_INSTRUMENTS_REPLY_H
#define JOSTLE_INSTRUMENTS_REPLY_H
/*
 * What instruments answer, taken apart: bytes to lines, lines to numbers and errors. Nobody vouches for any of it. Nothing
 * here does input or output, or allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_MAX_LINE  512 /* with its NUL: the longest that SCPI's error queue has is 255 and a number */
#define REPLY_MAX_WORDS 256 /* of an error, with its NUL */

/** A line in the making. All zero at the beginning. */
struct reply_line {
	size_t n;
	bool spoiled; /* longer than it may be, or holds what no text does */
	char text[REPLY_MAX_LINE];
};

enum reply_taken {
	REPLY_MORE,   /* the line goes on */
	REPLY_LINE,   /* line->text is whole, without its ends; the next byte begins another */
	REPLY_GARBAGE /* a line has ended that was spoiled */
};

/**
 * Take one byte. Lines end with LF; CR, blanks at both ends, and lines of nothing else are passed over. Bytes other than
 * printable ASCII and blanks spoil their line. Call from: any.
 */
enum reply_taken reply_take(struct reply_line *line, uint8_t byte);

/**
 * A line that is one decimal number (IEEE 488.2 NR1, NR2 or NR3): sign, digits, point, exponent, and nothing else. Refused: what
 * is not finite as a double, and the numbers beyond ±9.9e36 by which SCPI says "not a number", "overrange". Returns whether it is
 * one. Call from: any.
 */
bool reply_number(const char *text, double *value);

/** A line that is one of the numbers by which SCPI says that it has none: right, and no value. Call from: any. */
bool reply_no_number(const char *text);

/** An entry of the error queue. */
struct reply_error {
	int code; /* -32768 to 32767; 0: the queue is empty */
	char words[REPLY_MAX_WORDS];
};

/** A line that is an entry of SCPI's error queue, `-113,"Undefined header"`. Returns whether it is one. Call from: any. */
bool reply_error(const char *text, struct reply_error *error);

#endif
