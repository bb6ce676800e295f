#include "control/messages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define MAX_ARGUMENTS 4
#define MAX_SHOWN     32 /* characters of a name that is not ours, in an error */

enum field_kind { FIELD_WHOLE, FIELD_REAL, FIELD_REAL_OR_NIL, FIELD_TEXT, FIELD_FLAG };

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	size_t offset; /* into struct message */
	double min, max;
};

struct message_type {
	const char *name;
	struct field fields[MAX_ARGUMENTS]; /* ended by a name of NULL, where there are fewer */
};

#define FIELD(name, kind, required, min, max)                                                                          \
	{                                                                                                              \
#name, kind, required, offsetof(struct message, name), min, max                                        \
	}
#define MAX_OUTPUT   65535
#define MAX_V        1e6
#define MAX_SLEW     1e12
#define MAX_QUANTITY 1e15

static const struct message_type types[] = {
	[MESSAGE_PING] = {"ping", {{0}}},
	[MESSAGE_STATUS] = {"status", {{0}}},
	[MESSAGE_SNAPSHOT] = {"snapshot", {{0}}},
	[MESSAGE_RESET] = {"reset", {{0}}},
	[MESSAGE_ARM] = {"arm", {{0}}},
	[MESSAGE_RUN] = {"run", {{0}}},
	[MESSAGE_STOP] = {"stop", {{0}}},
	[MESSAGE_LOAD_PROTOCOL] = {"load-protocol", {FIELD(path, FIELD_TEXT, true, 1, MESSAGE_MAX_PATH - 1)}},
	[MESSAGE_SAMPLE] = {"sample",
			    {FIELD(n, FIELD_WHOLE, true, 1, MESSAGE_MAX_SAMPLES),
			     FIELD(relax, FIELD_REAL, false, MESSAGE_RELAX, 1e6),
			     FIELD(t_final, FIELD_REAL, false, 1e-6, 1e3)}},
	[MESSAGE_STOP_SAMPLING] = {"stop-sampling", {{0}}},
	[MESSAGE_MANUAL] = {"manual",
			    {FIELD(output, FIELD_WHOLE, true, 0, MAX_OUTPUT),
			     FIELD(volts, FIELD_REAL_OR_NIL, true, -MAX_V, MAX_V)}},
	[MESSAGE_LIMITS] = {"limits",
			    {FIELD(output, FIELD_WHOLE, true, 0, MAX_OUTPUT),
			     FIELD(min_V, FIELD_REAL, true, -MAX_V, MAX_V),
			     FIELD(max_V, FIELD_REAL, true, -MAX_V, MAX_V),
			     FIELD(slew_V_per_s, FIELD_REAL, false, 1e-9, MAX_SLEW)}},
	[MESSAGE_RECORD] = {"record", {FIELD(on, FIELD_FLAG, true, 0, 1)}},
	[MESSAGE_DOCTOR] = {"doctor", {{0}}},
	[MESSAGE_INSTRUMENT] = {"instrument",
				{FIELD(name, FIELD_TEXT, true, 1, MESSAGE_MAX_NAME - 1),
				 FIELD(set, FIELD_TEXT, true, 1, MESSAGE_MAX_NAME - 1),
				 FIELD(value, FIELD_REAL, true, -MAX_QUANTITY, MAX_QUANTITY)}},
	[MESSAGE_SHUTDOWN] = {"shutdown", {{0}}},
};
_Static_assert(sizeof(types) / sizeof(types[0]) == MESSAGE_N_KINDS, "a command without a row");

/** The pairs of a message, as they came. */
struct pairs {
	size_t n;
	struct {
		struct wire_value key, value;
		bool used;
	} pair[MESSAGE_MAX_FIELDS];
};

static const char *const expected[] = {
	[FIELD_WHOLE] = "a whole number", [FIELD_REAL] = "a number",      [FIELD_REAL_OR_NIL] = "a number or nil",
	[FIELD_TEXT] = "a text",          [FIELD_FLAG] = "true or false",
};

static int split(struct pairs *pairs, const void *bytes, size_t size, struct err *err)
{
	struct wire_reader reader = {bytes, (const unsigned char *)bytes + size};
	struct wire_value map;

	if (size > MESSAGE_MAX_BYTES)
		return err_set(err, JOSTLE_EFORMAT, "expected a command of at most %d bytes, found %zu",
			       MESSAGE_MAX_BYTES, size);
	if (!wire_read(&reader, &map) || map.kind != WIRE_MAP)
		return err_set(err, JOSTLE_EFORMAT, "expected a command as a msgpack map, found something else");
	if (map.n > MESSAGE_MAX_FIELDS)
		return err_set(err, JOSTLE_EFORMAT, "expected a map of at most %d fields, found %zu",
			       MESSAGE_MAX_FIELDS, map.n);
	for (pairs->n = 0; pairs->n < map.n; pairs->n++) {
		struct wire_value *key = &pairs->pair[pairs->n].key, *value = &pairs->pair[pairs->n].value;

		if (!wire_read(&reader, key) || key->kind != WIRE_TEXT || !wire_read(&reader, value) ||
		    value->kind == WIRE_ARRAY || value->kind == WIRE_MAP)
			return err_set(
				err, JOSTLE_EFORMAT,
				"expected a name and a plain value as field %zu of the map, found something else",
				pairs->n);
	}
	return reader.at == reader.end ? 0
				       : err_set(err, JOSTLE_EFORMAT, "expected nothing after the map, found %zu bytes",
						 (size_t)(reader.end - reader.at));
}

/** Find a field, or NULL: `used` tells what nobody asks for. Of one that comes twice the second stays unused. */
static const struct wire_value *take(struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (wire_is(&pairs->pair[i].key, name)) {
			pairs->pair[i].used = true;
			return &pairs->pair[i].value;
		}
	return NULL;
}

static bool is_number(const struct wire_value *value)
{
	return value->kind == WIRE_WHOLE || value->kind == WIRE_NEGATIVE || value->kind == WIRE_REAL;
}

static int refuse_type(const struct field *field, const struct wire_value *value, struct err *err)
{
	return err_set(err, JOSTLE_EINVAL, "%s: expected %s, found %s", field->name, expected[field->kind],
		       value ? wire_kind_name(value->kind) : "no such field");
}

/** NaN is within no range. */
static int check_range(const struct field *field, double number, struct err *err)
{
	if (number >= field->min && number <= field->max)
		return 0;
	return err_set(err, JOSTLE_EINVAL, "%s: expected %s from %.10g to %.10g, found %.10g", field->name,
		       expected[field->kind], field->min, field->max, number);
}

static int take_text(const struct field *field, const struct wire_value *value, char *to, struct err *err)
{
	if (value->kind != WIRE_TEXT)
		return refuse_type(field, value, err);
	if (value->n < (size_t)field->min || value->n > (size_t)field->max || memchr(value->text, '\n', value->n))
		return err_set(err, JOSTLE_EINVAL, "%s: expected %s of %.0f to %.0f bytes on one line, found %zu bytes",
			       field->name, expected[field->kind], field->min, field->max, value->n);
	memcpy(to, value->text, value->n);
	to[value->n] = '\0';
	return 0;
}

static int take_field(struct message *message, const struct field *field, struct pairs *pairs, struct err *err)
{
	const struct wire_value *value = take(pairs, field->name);
	unsigned char *to = (unsigned char *)message + field->offset;
	double number = NAN;

	if (!value)
		return field->required ? refuse_type(field, value, err) : 0;
	switch (field->kind) {
	case FIELD_TEXT:
		return take_text(field, value, (char *)to, err);
	case FIELD_FLAG:
		if (value->kind != WIRE_FLAG)
			return refuse_type(field, value, err);
		memcpy(to, &value->flag, sizeof(value->flag));
		return 0;
	case FIELD_WHOLE:
		if (value->kind != WIRE_WHOLE)
			return refuse_type(field, value, err);
		memcpy(to, &value->whole, sizeof(value->whole));
		return check_range(field, value->real, err);
	case FIELD_REAL_OR_NIL:
	case FIELD_REAL:
		if (field->kind == FIELD_REAL_OR_NIL && value->kind == WIRE_NIL) {
			memcpy(to, &number, sizeof(number));
			return 0;
		}
		if (!is_number(value))
			return refuse_type(field, value, err);
		memcpy(to, &value->real, sizeof(value->real));
		return check_range(field, value->real, err);
	}
	return 0;
}

static int take_kind(struct message *message, struct pairs *pairs, struct err *err)
{
	const struct wire_value *name = take(pairs, "command");

	if (!name || name->kind != WIRE_TEXT)
		return err_set(err, JOSTLE_EINVAL, "command: expected a text, found %s",
			       name ? wire_kind_name(name->kind) : "no such field");
	for (size_t i = 0; i < MESSAGE_N_KINDS; i++)
		if (wire_is(name, types[i].name)) {
			message->kind = (enum message_kind)i;
			return 0;
		}
	return err_set(err, JOSTLE_EINVAL, "command: there is none of this name, \"%.*s\"",
		       (int)(name->n < MAX_SHOWN ? name->n : MAX_SHOWN), name->text);
}

static int take_version(struct pairs *pairs, struct err *err)
{
	const struct wire_value *version = take(pairs, "v");

	if (!version || version->kind != WIRE_WHOLE)
		return err_set(err, JOSTLE_EINVAL, "v: expected a whole number, found %s",
			       version ? wire_kind_name(version->kind) : "no such field");
	return version->whole == MESSAGE_VERSION ? 0
						 : err_set(err, JOSTLE_EVERSION, "v: expected version %d, found %llu",
							   MESSAGE_VERSION, (unsigned long long)version->whole);
}

static int take_id(struct message *message, struct pairs *pairs, struct err *err)
{
	const struct wire_value *id = take(pairs, "id");

	if (!id || id->kind != WIRE_WHOLE)
		return err_set(err, JOSTLE_EINVAL, "id: expected a whole number, found %s",
			       id ? wire_kind_name(id->kind) : "no such field");
	message->has_id = true;
	message->id = id->whole;
	return 0;
}

/** What is between fields of one command. */
static int check_together(const struct message *message, struct err *err)
{
	if (message->kind == MESSAGE_LIMITS && !(message->min_V <= message->max_V))
		return err_set(err, JOSTLE_EINVAL, "min_V: expected at most max_V, %.10g, found %.10g", message->max_V,
			       message->min_V);
	return 0;
}

int message_decode(struct message *message, const void *bytes, size_t size, struct err *err)
{
	struct pairs pairs = {0};
	int code;

	*message = (struct message){.relax = MESSAGE_RELAX, .t_final = NAN};
	if ((code = split(&pairs, bytes, size, err)) || (code = take_id(message, &pairs, err)) ||
	    (code = take_version(&pairs, err)) || (code = take_kind(message, &pairs, err)))
		return code;
	const struct message_type *type = &types[message->kind];

	for (size_t i = 0; i < MAX_ARGUMENTS && type->fields[i].name && !code; i++)
		code = take_field(message, &type->fields[i], &pairs, err);
	for (size_t i = 0; i < pairs.n && !code; i++)
		if (!pairs.pair[i].used)
			code = err_set(err, JOSTLE_EINVAL, "%.*s: %s has no such field, or has it twice",
				       (int)(pairs.pair[i].key.n < MAX_SHOWN ? pairs.pair[i].key.n : MAX_SHOWN),
				       pairs.pair[i].key.text, type->name);
	return code ? code : check_together(message, err);
}

static void format_field(const struct field *field, const unsigned char *from, char *text, size_t size)
{
	uint64_t whole;
	double number;
	bool flag;

	switch (field->kind) {
	case FIELD_TEXT:
		snprintf(text, size, " %s=%s", field->name, (const char *)from);
		return;
	case FIELD_FLAG:
		memcpy(&flag, from, sizeof(flag));
		snprintf(text, size, " %s=%s", field->name, flag ? "true" : "false");
		return;
	case FIELD_WHOLE:
		memcpy(&whole, from, sizeof(whole));
		snprintf(text, size, " %s=%llu", field->name, (unsigned long long)whole);
		return;
	case FIELD_REAL:
	case FIELD_REAL_OR_NIL:
		memcpy(&number, from, sizeof(number));
		snprintf(text, size, " %s=%.17g", field->name, number);
		return;
	}
}

void message_format(const struct message *message, char *text, size_t size)
{
	const struct message_type *type = &types[message->kind];

	snprintf(text, size, "%s", type->name);
	for (size_t i = 0; i < MAX_ARGUMENTS && type->fields[i].name; i++) {
		const size_t done = strlen(text);

		format_field(&type->fields[i], (const unsigned char *)message + type->fields[i].offset, text + done,
			     size - done);
	}
}

const char *message_name(enum message_kind kind)
{
	return types[kind].name;
}
