#include "base/spec.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static bool name_character(int c)
{
	return isalnum(c) || c == '-' || c == '_';
}

/** Copy a run of name characters; returns its length, 0 when there is none or it does not fit. */
static size_t take_name(const char *from, char *to, size_t size)
{
	size_t length = 0;

	while (name_character((unsigned char)from[length]))
		length++;
	if (length == 0 || length >= size)
		return 0;
	memcpy(to, from, length);
	to[length] = '\0';
	return length;
}

int spec_parse(struct spec *spec, const char *text, struct err *err)
{
	*spec = (struct spec){0};
	if (strlen(text) >= sizeof(spec->text))
		return err_set(err, JOSTLE_ECONFIG, "expected at most %zu characters, found %zu",
			       sizeof(spec->text) - 1, strlen(text));
	memcpy(spec->text, text, strlen(text) + 1);

	const char *at = spec->text + strspn(spec->text, " \t");
	size_t length = take_name(at, spec->name, sizeof(spec->name));
	if (length == 0)
		return err_set(err, JOSTLE_ECONFIG, "\"%.100s\", column %d: expected a name", text,
			       (int)(at - spec->text) + 1);
	at += length;

	while (*(at += strspn(at, " \t"))) {
		const int column = (int)(at - spec->text) + 1;

		if (spec->n_keys == SPEC_MAX_KEYS)
			return err_set(err, JOSTLE_ECONFIG, "\"%.100s\", column %d: expected at most %d settings", text,
				       column, SPEC_MAX_KEYS);
		struct spec_key *key = &spec->keys[spec->n_keys];
		length = take_name(at, key->key, sizeof(key->key));
		if (length == 0 || at[length] != '=')
			return err_set(err, JOSTLE_ECONFIG, "\"%.100s\", column %d: expected key=value", text, column);
		at += length + 1;
		key->column = (int)(at - spec->text) + 1;
		length = strcspn(at, " \t");
		if (length == 0 || length >= sizeof(key->value))
			return err_set(err, JOSTLE_ECONFIG,
				       "\"%.100s\", column %d: expected a value of 1 to %zu characters", text,
				       key->column, sizeof(key->value) - 1);
		memcpy(key->value, at, length);
		at += length;
		for (size_t i = 0; i < spec->n_keys; i++)
			if (strcmp(spec->keys[i].key, key->key) == 0)
				return err_set(err, JOSTLE_ECONFIG, "\"%.100s\", column %d: %s is given twice", text,
					       column, key->key);
		spec->n_keys++;
	}
	return 0;
}

static struct spec_key *find(struct spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_keys; i++)
		if (strcmp(spec->keys[i].key, key) == 0) {
			spec->keys[i].used = true;
			return &spec->keys[i];
		}
	return NULL;
}

static int missing(const struct spec *spec, const char *key, struct err *err)
{
	return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": expected %s=…, found nothing", spec->text, key);
}

static int unfit(const struct spec *spec, const struct spec_key *key, const char *expected, struct err *err)
{
	return err_set(err, JOSTLE_ECONFIG, "\"%.100s\", column %d: %s: expected %s, found \"%.60s\"", spec->text,
		       key->column, key->key, expected, key->value);
}

int spec_text(struct spec *spec, const char *key, bool required, const char **value, struct err *err)
{
	struct spec_key *entry = find(spec, key);

	if (!entry)
		return required ? missing(spec, key, err) : 0;
	*value = entry->value;
	return 0;
}

int spec_sizes(struct spec *spec, const char *key, bool required, size_t min, size_t max, size_t capacity,
	       size_t values[], size_t *n, struct err *err)
{
	struct spec_key *entry = find(spec, key);
	char expected[96];

	if (!entry)
		return required ? missing(spec, key, err) : 0;
	snprintf(expected, sizeof(expected), "at most %zu whole numbers from %zu to %zu, as 1,2 or 1-4", capacity, min,
		 max);
	*n = 0;
	for (const char *at = entry->value;;) {
		char *end;
		unsigned long long first, last;

		if (!isdigit((unsigned char)*at))
			return unfit(spec, entry, expected, err);
		errno = 0;
		first = last = strtoull(at, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoull(end + 1, &end, 10);
		if (errno || first < min || last > max || last < first || last - first >= capacity - *n)
			return unfit(spec, entry, expected, err);
		/* Counted, as first <= last always holds when last is the largest number there is. */
		for (unsigned long long i = 0; i <= last - first; i++)
			values[(*n)++] = (size_t)(first + i);
		if (!*end)
			return 0;
		if (*end != ',' || *n == capacity)
			return unfit(spec, entry, expected, err);
		at = end + 1;
	}
}

int spec_size(struct spec *spec, const char *key, bool required, size_t min, size_t max, size_t *value, struct err *err)
{
	size_t n = 0;

	return spec_sizes(spec, key, required, min, max, 1, value, &n, err);
}

int spec_doubles(struct spec *spec, const char *key, bool required, double min, double max, size_t capacity,
		 double values[], size_t *n, struct err *err)
{
	struct spec_key *entry = find(spec, key);
	char expected[96];

	if (!entry)
		return required ? missing(spec, key, err) : 0;
	snprintf(expected, sizeof(expected), "at most %zu numbers from %g to %g", capacity, min, max);
	*n = 0;
	for (const char *at = entry->value;;) {
		char *end;
		double number = strtod(at, &end);

		if (end == at || isspace((unsigned char)*at) || !isfinite(number) || number < min || number > max ||
		    *n == capacity)
			return unfit(spec, entry, expected, err);
		values[(*n)++] = number;
		if (!*end)
			return 0;
		if (*end != ',')
			return unfit(spec, entry, expected, err);
		at = end + 1;
	}
}

int spec_double(struct spec *spec, const char *key, bool required, double min, double max, double *value,
		struct err *err)
{
	size_t n = 0;

	return spec_doubles(spec, key, required, min, max, 1, value, &n, err);
}

int spec_finish(const struct spec *spec, const char *known_keys, struct err *err)
{
	for (size_t i = 0; i < spec->n_keys; i++)
		if (!spec->keys[i].used)
			return err_set(err, JOSTLE_ECONFIG, "\"%.100s\": %s has no setting \"%s\"; it takes %s",
				       spec->text, spec->name, spec->keys[i].key,
				       known_keys && known_keys[0] ? known_keys : "none");
	return 0;
}
