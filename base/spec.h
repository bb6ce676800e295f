#ifndef JOSTLE_SPEC_H
#define JOSTLE_SPEC_H
/*
 * A member of a registry with its settings, on one line: "pair-power exponents=2,1 range=3".
 *
 * One spelling serves configuration files, the command line and the provenance inside output files. Every key must be
 * asked for by the member it is meant for: spec_finish() refuses the others.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SPEC_MAX_TEXT 1024
#define SPEC_MAX_KEYS 16

struct spec {
	char text[SPEC_MAX_TEXT]; /* as given */
	char name[64];
	size_t n_keys;
	struct spec_key {
		char key[32], value[512];
		int column; /* of the value, 1-based */
		bool used;
	} keys[SPEC_MAX_KEYS];
};

/** Take a line apart. Errors: JOSTLE_ECONFIG, with the column. Call from: setup. */
int spec_parse(struct spec *spec, const char *text, struct err *err);

/**
 * Read one value, or leave *value as it is when the key is absent and not required.
 * Numbers must be finite and within [min, max]. Errors: JOSTLE_ECONFIG, with column, expected and found.
 * Call from: setup.
 */
int spec_size(struct spec *spec, const char *key, bool required, size_t min, size_t max, size_t *value,
	      struct err *err);
int spec_double(struct spec *spec, const char *key, bool required, double min, double max, double *value,
		struct err *err);
int spec_text(struct spec *spec, const char *key, bool required, const char **value, struct err *err);

/**
 * Read a list of numbers "1,2.5,3" or, for whole numbers, a span "1-4". At most `capacity`; *n is how many there were.
 * Errors: as above. Call from: setup.
 */
int spec_doubles(struct spec *spec, const char *key, bool required, double min, double max, size_t capacity,
		 double values[], size_t *n, struct err *err);
int spec_sizes(struct spec *spec, const char *key, bool required, size_t min, size_t max, size_t capacity,
	       size_t values[], size_t *n, struct err *err);

/** Refuse keys nobody asked for. Errors: JOSTLE_ECONFIG, naming the key and those that are known. Call from: setup. */
int spec_finish(const struct spec *spec, const char *known_keys, struct err *err);

#endif
