/*
 * A reader of msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md), one value at a time. The library's own
 * takes memory for as many members as an array's header claims, before it has seen one of them.
 */
#include <string.h>

#include "control/wire.h"

/** A big-endian number of n bytes. */
static bool take(struct wire_reader *reader, size_t n, uint64_t *number)
{
	if ((size_t)(reader->end - reader->at) < n)
		return false;
	*number = 0;
	for (size_t i = 0; i < n; i++)
		*number = *number << 8 | *reader->at++;
	return true;
}

/** Bytes of the UTF-8 character at `at`; 0 when it is none, is written longer than need be, or is a surrogate. */
static size_t character(const unsigned char *at, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const size_t n = at[0] < 0x80             ? 1
			 : (at[0] & 0xe0) == 0xc0 ? 2
			 : (at[0] & 0xf0) == 0xe0 ? 3
			 : (at[0] & 0xf8) == 0xf0 ? 4
						  : 0;
	uint32_t code = n < 2 ? at[0] : at[0] & (0x7fU >> n);

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : n;
}

size_t wire_plain(const char *text, size_t n)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t done = 0, step;

	while (done < n && (at[done] >= 0x20 || at[done] == '\n') && at[done] != 0x7f &&
	       (step = character(at + done, n - done)) > 0)
		done += step;
	return done;
}

static bool take_text(struct wire_reader *reader, size_t n, struct wire_value *value)
{
	if ((size_t)(reader->end - reader->at) < n)
		return false;
	value->kind = WIRE_TEXT;
	value->text = (const char *)reader->at;
	value->n = n;
	reader->at += n;
	return wire_plain(value->text, n) == n;
}

/** Every member takes at least a byte. */
static bool take_group(struct wire_reader *reader, enum wire_kind kind, uint64_t n, struct wire_value *value)
{
	value->kind = kind;
	value->n = (size_t)n;
	return n <= (size_t)(reader->end - reader->at) / (kind == WIRE_MAP ? 2 : 1);
}

static bool take_whole(uint64_t number, struct wire_value *value)
{
	value->kind = WIRE_WHOLE;
	value->whole = number;
	value->real = (double)number;
	return true;
}

static bool take_signed(int64_t number, struct wire_value *value)
{
	if (number >= 0)
		return take_whole((uint64_t)number, value);
	value->kind = WIRE_NEGATIVE;
	value->negative = number;
	value->real = (double)number;
	return true;
}

static bool take_real(uint64_t bits, bool single, struct wire_value *value)
{
	const uint32_t narrow = (uint32_t)bits;
	float number;

	value->kind = WIRE_REAL;
	if (single) {
		memcpy(&number, &narrow, sizeof(number));
		value->real = (double)number;
	} else {
		memcpy(&value->real, &bits, sizeof(value->real));
	}
	return true;
}

/** The types whose first byte says no more than the width of what follows: 0xc0 to 0xdf. */
static bool take_wide(struct wire_reader *reader, unsigned type, struct wire_value *value)
{
	static const unsigned char width[32] = {
		[0x0a] = 4, [0x0b] = 8, [0x0c] = 1, [0x0d] = 2, [0x0e] = 4, [0x0f] = 8,
		[0x10] = 1, [0x11] = 2, [0x12] = 4, [0x13] = 8, [0x19] = 1, [0x1a] = 2,
		[0x1b] = 4, [0x1c] = 2, [0x1d] = 4, [0x1e] = 2, [0x1f] = 4,
	};
	const size_t n = width[type & 0x1f];
	uint64_t number = 0;

	if (!take(reader, n, &number))
		return false;
	switch (type) {
	case 0xc0:
		value->kind = WIRE_NIL;
		return true;
	case 0xc2:
	case 0xc3:
		value->kind = WIRE_FLAG;
		value->flag = type == 0xc3;
		return true;
	case 0xca:
	case 0xcb:
		return take_real(number, type == 0xca, value);
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		return take_whole(number, value);
	case 0xd0:
		return take_signed((int8_t)number, value);
	case 0xd1:
		return take_signed((int16_t)number, value);
	case 0xd2:
		return take_signed((int32_t)number, value);
	case 0xd3:
		return take_signed((int64_t)number, value);
	case 0xd9:
	case 0xda:
	case 0xdb:
		return take_text(reader, (size_t)number, value);
	case 0xdc:
	case 0xdd:
		return take_group(reader, WIRE_ARRAY, number, value);
	case 0xde:
	case 0xdf:
		return take_group(reader, WIRE_MAP, number, value);
	default: /* binary, extensions, and the one type that is never used */
		return false;
	}
}

bool wire_read(struct wire_reader *reader, struct wire_value *value)
{
	uint64_t type;

	*value = (struct wire_value){.kind = WIRE_NIL};
	if (!take(reader, 1, &type))
		return false;
	if (type < 0x80)
		return take_whole(type, value);
	if (type < 0x90)
		return take_group(reader, WIRE_MAP, type & 0x0f, value);
	if (type < 0xa0)
		return take_group(reader, WIRE_ARRAY, type & 0x0f, value);
	if (type < 0xc0)
		return take_text(reader, type & 0x1f, value);
	if (type < 0xe0)
		return take_wide(reader, (unsigned)type, value);
	return take_signed((int8_t)type, value);
}

bool wire_is(const struct wire_value *value, const char *text)
{
	return value->kind == WIRE_TEXT && value->n == strlen(text) && memcmp(value->text, text, value->n) == 0;
}

const char *wire_kind_name(enum wire_kind kind)
{
	static const char *const names[] = {
		[WIRE_NIL] = "nil",
		[WIRE_FLAG] = "true or false",
		[WIRE_WHOLE] = "a whole number",
		[WIRE_NEGATIVE] = "a negative number",
		[WIRE_REAL] = "a real number",
		[WIRE_TEXT] = "a text",
		[WIRE_ARRAY] = "an array",
		[WIRE_MAP] = "a map",
	};

	return names[kind];
}
