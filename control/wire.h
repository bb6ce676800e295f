#ifndef JOSTLE_WIRE_H
#define JOSTLE_WIRE_H
/*
 * msgpack as it goes over the wire: values read one by one out of bytes that nobody vouches for, and written one by one.
 *
 * Reading allocates nothing and goes no deeper than the caller does: a header that announces more than the message can hold
 * is refused where it stands.
 */
#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_kind { WIRE_NIL, WIRE_FLAG, WIRE_WHOLE, WIRE_NEGATIVE, WIRE_REAL, WIRE_TEXT, WIRE_ARRAY, WIRE_MAP };

/** One value. An array or a map is its header alone: its members follow. */
struct wire_value {
	enum wire_kind kind;
	bool flag;
	uint64_t whole;   /* WIRE_WHOLE: 0 or above */
	int64_t negative; /* WIRE_NEGATIVE: below 0 */
	double real;      /* WIRE_REAL: as sent, finite or not; and every number as a double */
	const char *text; /* in the message itself, without a NUL; UTF-8, no control characters but \n */
	size_t n;         /* bytes of a text, members of an array, pairs of a map */
};

struct wire_reader {
	const unsigned char *at, *end;
};

/**
 * Take the next value. Returns false when the bytes end within it, when it is binary or of an extension type, a text that is not
 * UTF-8 or holds other control characters than the end of a line, or an array or map that announces more members than bytes are left. Call from: any.
 */
bool wire_read(struct wire_reader *reader, struct wire_value *value);

/** How many bytes of a text are UTF-8 without control characters but the end of a line, from its beginning. Call from: any. */
size_t wire_plain(const char *text, size_t n);

/** Whether a text is these words. Call from: any. */
bool wire_is(const struct wire_value *value, const char *text);

/** What a value is, in words: "a text". Call from: any. */
const char *wire_kind_name(enum wire_kind kind);

#define WIRE_MAX_DEPTH 6

/** A message in the making. Maps count their own pairs. */
struct wire_writer {
	msgpack_sbuffer bytes;
	msgpack_packer packer;
	size_t depth;
	struct {
		size_t at; /* of the map's header */
		unsigned n;
	} map[WIRE_MAX_DEPTH];
	bool failed; /* no memory, or a map of more than 65535 pairs */
};

/** The caller ends it with wire_fini(). The memory is kept from message to message. Call from: setup. */
void wire_init(struct wire_writer *writer);
void wire_fini(struct wire_writer *writer);

/** Begin another message. Call from: setup. */
void wire_clear(struct wire_writer *writer);

/** A map: keys with a value each, until wire_end(); inside another as the value of a key. Call from: setup. */
void wire_map(struct wire_writer *writer);
void wire_end(struct wire_writer *writer);
void wire_key(struct wire_writer *writer, const char *key);

/** One value. Text that is not UTF-8, as one that was cut short, gets question marks. Call from: setup. */
void wire_nil(struct wire_writer *writer);
void wire_flag(struct wire_writer *writer, bool value);
void wire_whole(struct wire_writer *writer, uint64_t value);
void wire_signed(struct wire_writer *writer, int64_t value);
void wire_real(struct wire_writer *writer, double value);
void wire_text(struct wire_writer *writer, const char *value);
void wire_array(struct wire_writer *writer, size_t n);
void wire_reals(struct wire_writer *writer, const double values[], size_t n);

/** A key and its value. Call from: setup. */
void wire_put_flag(struct wire_writer *writer, const char *key, bool value);
void wire_put_whole(struct wire_writer *writer, const char *key, uint64_t value);
void wire_put_signed(struct wire_writer *writer, const char *key, int64_t value);
void wire_put_real(struct wire_writer *writer, const char *key, double value);
void wire_put_text(struct wire_writer *writer, const char *key, const char *value); /* NULL: nil */
void wire_put_reals(struct wire_writer *writer, const char *key, const double values[], size_t n);

#endif
