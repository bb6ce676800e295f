/*
 * libcyaml 1.3.1 takes "1 2" for the number 1, "2.5" for the whole number 2, any word for true, an empty file for no
 * document and a second document for nothing; it logs an unknown or missing field at the place of the one before. So
 * the document is first walked here, event by event, beside the same schema; libcyaml then loads what is known to fit.
 */
#include "base/yaml_check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "base/yaml_scalar.h"

#define MAX_DEPTH  16
#define MAX_FIELDS 64

struct walk {
	yaml_parser_t parser;
	yaml_event_t event;
	const char *path;
	char field[200]; /* where the walk is: "plant.sites[2].gain" */
	int depth;
	struct err *err;
};

static int refuse(struct walk *walk, yaml_mark_t mark, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int refuse(struct walk *walk, yaml_mark_t mark, const char *format, ...)
{
	char text[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return err_at(walk->err, JOSTLE_ECONFIG, walk->path, (int)mark.line + 1, (int)mark.column + 1, "%s%s%s",
		      walk->field, walk->field[0] ? ": " : "", text);
}

static int next(struct walk *walk)
{
	yaml_event_delete(&walk->event);
	if (yaml_parser_parse(&walk->parser, &walk->event))
		return 0;
	const yaml_parser_t *parser = &walk->parser;
	walk->event = (yaml_event_t){0};
	return refuse(walk, parser->problem_mark, "%s%s%s", parser->context ? parser->context : "",
		      parser->context ? ", " : "", parser->problem ? parser->problem : "not YAML");
}

/** The present event in words; control characters do not reach a terminal. */
static const char *found(const struct walk *walk, char *out, size_t size)
{
	switch (walk->event.type) {
	case YAML_MAPPING_START_EVENT:
		return "a mapping";
	case YAML_SEQUENCE_START_EVENT:
		return "a list";
	case YAML_ALIAS_EVENT:
		return "an alias";
	case YAML_SCALAR_EVENT:
		if (walk->event.data.scalar.length == 0)
			return "nothing";
		snprintf(out, size, "\"%.60s\"", (const char *)walk->event.data.scalar.value);
		for (char *c = out; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
		return out;
	default:
		return "nothing";
	}
}

static int expected(struct walk *walk, const char *what)
{
	char text[80];

	return refuse(walk, walk->event.start_mark, "expected %s, found %s", what, found(walk, text, sizeof(text)));
}

static int check_value(struct walk *walk, const cyaml_schema_value_t *schema);

/** Pass over a value that is not checked here. */
static int skip_value(struct walk *walk)
{
	int code = 0;

	for (size_t depth = 0; !code; code = next(walk)) {
		switch (walk->event.type) {
		case YAML_MAPPING_START_EVENT:
		case YAML_SEQUENCE_START_EVENT:
			depth++;
			break;
		case YAML_MAPPING_END_EVENT:
		case YAML_SEQUENCE_END_EVENT:
			depth--;
			break;
		case YAML_ALIAS_EVENT:
			return expected(walk, "a value");
		default:
			break;
		}
		if (depth == 0)
			return 0;
	}
	return code;
}

/** Check a value one level down, with `suffix` added to the field's name while there. */
static int check_below(struct walk *walk, const cyaml_schema_value_t *schema, const char *suffix)
{
	const size_t length = strlen(walk->field);

	if (walk->depth == MAX_DEPTH)
		return refuse(walk, walk->event.start_mark, "expected at most %d levels", MAX_DEPTH);
	snprintf(walk->field + length, sizeof(walk->field) - length, "%s%s", length && suffix[0] != '[' ? "." : "",
		 suffix);
	walk->depth++;
	const int code = check_value(walk, schema);
	walk->depth--;
	walk->field[length] = '\0';
	return code;
}

static void list_fields(const cyaml_schema_field_t *fields, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; fields[i].key && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", fields[i].key);
}

/** The present event is a key: find its field and check its value. */
static int check_field(struct walk *walk, const cyaml_schema_field_t *fields, uint64_t *seen)
{
	char known[400], what[420];
	size_t i = 0;

	if (walk->event.type != YAML_SCALAR_EVENT)
		return expected(walk, "the name of a setting");
	const char *key = (const char *)walk->event.data.scalar.value;
	while (fields[i].key && strcmp(fields[i].key, key) != 0)
		i++;
	if (!fields[i].key) {
		list_fields(fields, known, sizeof(known));
		snprintf(what, sizeof(what), "one of %s", known);
		return expected(walk, what);
	}
	if (*seen >> i & 1)
		return refuse(walk, walk->event.start_mark, "%s is given twice", fields[i].key);
	*seen |= (uint64_t)1 << i;
	const int code = next(walk);
	return code ? code : check_below(walk, &fields[i].value, fields[i].key);
}

static int check_mapping(struct walk *walk, const cyaml_schema_field_t *fields)
{
	const yaml_mark_t start = walk->event.start_mark;
	uint64_t seen = 0;
	size_t n = 0;
	int code;

	while (fields[n].key)
		n++;
	if (n > MAX_FIELDS)
		return refuse(walk, start, "expected a schema of at most %d fields, found %zu", MAX_FIELDS, n);
	if (walk->event.type != YAML_MAPPING_START_EVENT)
		return expected(walk, "a mapping");
	while (!(code = next(walk)) && walk->event.type != YAML_MAPPING_END_EVENT)
		if ((code = check_field(walk, fields, &seen)))
			return code;
	for (size_t i = 0; i < n && !code; i++)
		if (!(seen >> i & 1) && !(fields[i].value.flags & CYAML_FLAG_OPTIONAL))
			return refuse(walk, start, "expected a setting %s, found none", fields[i].key);
	return code;
}

static int check_sequence(struct walk *walk, const cyaml_schema_value_t *schema)
{
	const yaml_mark_t start = walk->event.start_mark;
	const uint32_t min = schema->sequence.min, max = schema->sequence.max;
	uint32_t n = 0;

	if (walk->event.type != YAML_SEQUENCE_START_EVENT)
		return expected(walk, "a list");
	for (;; n++) {
		char suffix[24];
		int code;

		if ((code = next(walk)))
			return code;
		if (walk->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (n == max)
			return refuse(walk, walk->event.start_mark, "expected at most %u entries, found more", max);
		snprintf(suffix, sizeof(suffix), "[%u]", n);
		if ((code = check_below(walk, schema->sequence.entry, suffix)))
			return code;
	}
	if (n < min)
		return refuse(walk, start, "expected at least %u entries, found %u", min, n);
	return 0;
}

static bool null_allowed(const cyaml_schema_value_t *schema, const char *text)
{
	const unsigned flags = schema->flags;

	if ((flags & CYAML_FLAG_POINTER_NULL) != CYAML_FLAG_POINTER_NULL)
		return false;
	return !*text || ((flags & CYAML_FLAG_POINTER_NULL_STR) == CYAML_FLAG_POINTER_NULL_STR &&
			  (strcmp(text, "~") == 0 || strcmp(text, "null") == 0));
}

/** The present event begins a value; on success it is the value's last. */
static int check_value(struct walk *walk, const cyaml_schema_value_t *schema)
{
	char what[400];

	if (walk->event.type == YAML_SCALAR_EVENT && null_allowed(schema, (const char *)walk->event.data.scalar.value))
		return 0;
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_mapping(walk, schema->mapping.fields);
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return check_sequence(walk, schema);
	case CYAML_FLAGS:
	case CYAML_BITFIELD:
	case CYAML_IGNORE:
		return skip_value(walk);
	default:
		break;
	}
	const bool scalar = walk->event.type == YAML_SCALAR_EVENT;
	if (!yaml_scalar_fits(schema, scalar ? (const char *)walk->event.data.scalar.value : "",
			      scalar ? walk->event.data.scalar.length : 0, what, sizeof(what)) ||
	    !scalar)
		return expected(walk, what);
	return 0;
}

int yaml_check(const char *path, const char *text, const cyaml_schema_value_t *schema, struct err *err)
{
	struct walk walk = {.path = path, .err = err};

	if (!yaml_parser_initialize(&walk.parser))
		return err_set(err, JOSTLE_ENOMEM, "no memory for a YAML parser");
	yaml_parser_set_input_string(&walk.parser, (const unsigned char *)text, strlen(text));

	int code = next(&walk); /* the stream begins */
	if (!code)
		code = next(&walk);
	if (!code && walk.event.type == YAML_STREAM_END_EVENT)
		code = refuse(&walk, walk.event.start_mark, "expected settings, found an empty file");
	if (!code)
		code = next(&walk);
	if (!code)
		code = check_value(&walk, schema);
	if (!code)
		code = next(&walk); /* the document ends */
	if (!code)
		code = next(&walk);
	if (!code && walk.event.type != YAML_STREAM_END_EVENT)
		code = refuse(&walk, walk.event.start_mark, "expected one document, found a second");
	yaml_event_delete(&walk.event);
	yaml_parser_delete(&walk.parser);
	return code;
}
