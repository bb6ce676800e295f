#include "daq/bench_instruments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daq/bench_groups.h"
#include "daq/instruments/setup.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL

#define DEFAULT_BAUD       9600
#define DEFAULT_TIMEOUT_S  1.0
#define DEFAULT_INTERVAL_S 1.0
#define MAX_BAUD           4000000
#define MAX_QUANTITY       1e15

static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};

#define TEXT(key, flags, type, member, size)                                                                           \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), struct type, member, 1, (size)-1)
#define NUMBER_OR_NONE(key, type, member) CYAML_FIELD_FLOAT_PTR(key, CYAML_FLAG_POINTER | OPTIONAL, struct type, member)
#define VALUE_FIELDS(key, limited)                                                                                     \
	TEXT("name", 0, bench_instrument_value, name, INSTRUMENT_NAME_SIZE),                                           \
		TEXT("unit", 0, bench_instrument_value, unit, INSTRUMENT_UNIT_SIZE),                                   \
		TEXT(key, 0, bench_instrument_value, line, INSTRUMENT_LINE_SIZE),                                      \
		NUMBER_OR_NONE("gain", bench_instrument_value, gain),                                                  \
		NUMBER_OR_NONE("offset", bench_instrument_value, offset),                                              \
		CYAML_FIELD_SEQUENCE_COUNT("limit", CYAML_FLAG_POINTER | (limited), struct bench_instrument_value,     \
					   limit.values, limit.n, &number, 2, 2)

static const cyaml_schema_field_t set_fields[] = {
	VALUE_FIELDS("command", 0),
	NUMBER_OR_NONE("safe", bench_instrument_value, safe),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t read_fields[] = {
	VALUE_FIELDS("query", OPTIONAL),
	CYAML_FIELD_BOOL("bath_temperature", OPTIONAL, struct bench_instrument_value, bath_temperature),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t set_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct bench_instrument_value, set_fields)};
static const cyaml_schema_value_t read_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct bench_instrument_value, read_fields)};

static const cyaml_schema_field_t instrument_fields[] = {
	TEXT("name", 0, bench_instrument, name, INSTRUMENT_NAME_SIZE),
	TEXT("port", 0, bench_instrument, port, sizeof(((struct instrument_setup *)0)->port)),
	CYAML_FIELD_UINT_PTR("baud", CYAML_FLAG_POINTER | OPTIONAL, struct bench_instrument, baud),
	TEXT("identity", 0, bench_instrument, identity, INSTRUMENT_LINE_SIZE),
	NUMBER_OR_NONE("timeout_s", bench_instrument, timeout_s),
	NUMBER_OR_NONE("interval_s", bench_instrument, interval_s),
	NUMBER_OR_NONE("silent_s", bench_instrument, silent_s),
	CYAML_FIELD_SEQUENCE_COUNT("set", CYAML_FLAG_POINTER | OPTIONAL, struct bench_instrument, set, n_set,
				   &set_value, 1, INSTRUMENT_MAX_VALUES),
	CYAML_FIELD_SEQUENCE_COUNT("read", CYAML_FLAG_POINTER | OPTIONAL, struct bench_instrument, read, n_read,
				   &read_value, 1, INSTRUMENT_MAX_VALUES),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t bench_instrument_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct bench_instrument, instrument_fields)};

/** Where in the file: "instruments[0].set[1].limit". */
struct place {
	char field[64];
};

static const char *at(struct place *place, const char *where, const char *member)
{
	snprintf(place->field, sizeof(place->field), "%s.%s", where, member);
	return place->field;
}

/** A name that messages, telemetry and files can carry as it is. */
static int take_name(const struct bench_loading *loading, const char *where, const char *from,
		     char to[INSTRUMENT_NAME_SIZE])
{
	struct place place;

	if (from[strspn(from, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
		return BENCH_REFUSE(loading, at(&place, where, "name"), "expected a-z, 0-9, - and _, found \"%s\"",
				    from);
	snprintf(to, INSTRUMENT_NAME_SIZE, "%s", from);
	return 0;
}

/** Printable ASCII: what goes over the wire, or comes. */
static int take_text(const struct bench_loading *loading, const char *where, const char *member, const char *from,
		     char *to, size_t size)
{
	struct place place;

	for (const char *c = from; *c; c++)
		if (*c < ' ' || *c > '~')
			return BENCH_REFUSE(loading, at(&place, where, member),
					    "expected printable ASCII, found \"%s\"", from);
	snprintf(to, size, "%s", from);
	return 0;
}

static int take_number(const struct bench_loading *loading, const char *where, const char *member, const double *from,
		       double absent, double min, double max, double *to)
{
	struct place place;

	*to = from ? *from : absent;
	if (*to >= min && *to <= max)
		return 0;
	return BENCH_REFUSE(loading, at(&place, where, member), "expected a number from %g to %g, found %g", min, max,
			    *to);
}

static int take_limit(const struct bench_loading *loading, const char *where, const struct bench_range *from,
		      struct instrument_value *to)
{
	struct place place;

	to->min = from->values ? from->values[0] : -INFINITY;
	to->max = from->values ? from->values[1] : INFINITY;
	if (to->min <= to->max && (!from->values || (to->min >= -MAX_QUANTITY && to->max <= MAX_QUANTITY)))
		return 0;
	return BENCH_REFUSE(loading, at(&place, where, "limit"), "expected [min, max] within ±%g, found [%g, %g]",
			    MAX_QUANTITY, to->min, to->max);
}

/** A command has one place for its number and asks nothing; a query asks, and has none. */
static int check_line(const struct bench_loading *loading, const char *where, bool set, const char *line)
{
	const char *number_at = strstr(line, INSTRUMENT_NUMBER);
	const bool asks = strchr(line, '?') != NULL;
	struct place place;

	if (set && (!number_at || strstr(number_at + 1, INSTRUMENT_NUMBER) || asks))
		return BENCH_REFUSE(loading, at(&place, where, "command"),
				    "expected a command with one " INSTRUMENT_NUMBER " for its number, found \"%s\"",
				    line);
	if (!set && (number_at || !asks))
		return BENCH_REFUSE(loading, at(&place, where, "query"), "expected a query, found \"%s\"", line);
	return 0;
}

static int take_value(const struct bench_loading *loading, const char *where, bool set,
		      const struct bench_instrument_value *from, struct instrument_value *to)
{
	struct place place;
	int code;

	if ((code = take_name(loading, where, from->name, to->name)) ||
	    (code = take_text(loading, where, "unit", from->unit, to->unit, sizeof(to->unit))) ||
	    (code = take_text(loading, where, set ? "command" : "query", from->line, to->line, sizeof(to->line))) ||
	    (code = check_line(loading, where, set, to->line)) ||
	    (code = take_number(loading, where, "gain", from->gain, 1, -MAX_QUANTITY, MAX_QUANTITY, &to->gain)) ||
	    (code = take_number(loading, where, "offset", from->offset, 0, -MAX_QUANTITY, MAX_QUANTITY, &to->offset)) ||
	    (code = take_limit(loading, where, &from->limit, to)))
		return code;
	if (fabs(to->gain) < 1 / MAX_QUANTITY)
		return BENCH_REFUSE(loading, at(&place, where, "gain"), "expected a number that is not 0, found %g",
				    to->gain);
	to->safe = NAN;
	if (from->safe && (code = take_number(loading, where, "safe", from->safe, 0, to->min, to->max, &to->safe)))
		return code;
	to->bath_temperature = from->bath_temperature;
	return 0;
}

static int take_values(const struct bench_loading *loading, const char *where, bool set,
		       const struct bench_instrument_value *from, size_t n, struct instrument_value to[])
{
	char here[48];

	for (size_t i = 0; i < n; i++) {
		struct place place;

		snprintf(here, sizeof(here), "%s.%s[%zu]", where, set ? "set" : "read", i);
		const int code = take_value(loading, here, set, &from[i], &to[i]);

		if (code)
			return code;
		for (size_t k = 0; k < i; k++)
			if (strcmp(to[i].name, to[k].name) == 0)
				return BENCH_REFUSE(loading, at(&place, here, "name"),
						    "expected names that differ, found \"%s\" twice", to[i].name);
	}
	return 0;
}

/** The bath has one thermometer: an input of the loop, or an instrument. */
static int check_bath(const struct bench_loading *loading, const char *where, const struct instrument_setup *setup,
		      size_t *n_baths)
{
	char here[48];

	for (size_t i = 0; i < setup->n_reads; i++) {
		struct place place;

		if (!setup->read[i].bath_temperature)
			continue;
		snprintf(here, sizeof(here), "%s.read[%zu]", where, i);
		if (strcmp(setup->read[i].unit, "K") != 0)
			return BENCH_REFUSE(loading, at(&place, here, "unit"),
					    "expected K for the temperature of the bath, found %s",
					    setup->read[i].unit);
		if ((*n_baths)++ > 0 || bench_count_role(loading->bench->in, loading->bench->n_in, DAQ_TEMPERATURE) > 0)
			return BENCH_REFUSE(loading, at(&place, here, "bath_temperature"),
					    "expected one thermometer of the bath, found another");
	}
	return 0;
}

static int take_instrument(const struct bench_loading *loading, const char *where, const struct bench_instrument *from,
			   struct instrument_setup *to)
{
	const size_t baud = from->baud ? *from->baud : DEFAULT_BAUD;
	struct place place;
	int code;

	if ((code = take_name(loading, where, from->name, to->name)) ||
	    (code = take_text(loading, where, "port", from->port, to->port, sizeof(to->port))) ||
	    (code = take_text(loading, where, "identity", from->identity, to->identity, sizeof(to->identity))) ||
	    (code = take_number(loading, where, "timeout_s", from->timeout_s, DEFAULT_TIMEOUT_S, 0.01, 10,
				&to->timeout_s)) ||
	    (code = take_number(loading, where, "interval_s", from->interval_s, DEFAULT_INTERVAL_S, 0.05, 3600,
				&to->interval_s)) ||
	    (code = take_number(loading, where, "silent_s", from->silent_s, 3 * to->interval_s + 5 * to->timeout_s,
				to->interval_s, 1e5, &to->silent_s)))
		return code;
	if (baud < 50 || baud > MAX_BAUD)
		return BENCH_REFUSE(loading, at(&place, where, "baud"),
				    "expected a whole number from 50 to %d, found %zu", MAX_BAUD, baud);
	if (from->n_set + from->n_read == 0)
		return BENCH_REFUSE(loading, where, "expected something to set or to read, found nothing");
	to->baud = (int)baud;
	to->n_sets = from->n_set;
	to->n_reads = from->n_read;
	code = take_values(loading, where, true, from->set, from->n_set, to->set);
	return code ? code : take_values(loading, where, false, from->read, from->n_read, to->read);
}

int bench_take_instruments(struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	const struct bench_file *file = loading->file;
	size_t n_baths = 0;
	int code = 0;

	if (file->n_instruments == 0)
		return 0;
	bench->instruments = calloc(file->n_instruments, sizeof(*bench->instruments));
	if (!bench->instruments)
		return err_set(loading->err, JOSTLE_ENOMEM, "no memory for a bench");
	bench->n_instruments = file->n_instruments;
	for (size_t i = 0; i < file->n_instruments && !code; i++) {
		struct instrument_setup *setup = &bench->instruments[i];
		struct place place;
		char where[24];

		snprintf(where, sizeof(where), "instruments[%zu]", i);
		code = take_instrument(loading, where, &file->instruments[i], setup);
		if (!code)
			code = check_bath(loading, where, setup, &n_baths);
		for (size_t k = 0; k < i && !code; k++) {
			const struct instrument_setup *other = &bench->instruments[k];

			if (strcmp(setup->name, other->name) == 0)
				code = BENCH_REFUSE(loading, at(&place, where, "name"),
						    "expected names that differ, found \"%s\" twice", setup->name);
			else if (strcmp(setup->port, other->port) == 0)
				code = BENCH_REFUSE(loading, at(&place, where, "port"),
						    "expected ports that differ, found %s twice", setup->port);
		}
	}
	return code;
}
