#ifndef JOSTLE_BENCH_INSTRUMENTS_H
#define JOSTLE_BENCH_INSTRUMENTS_H
/*
 * A bench file's instruments, as they are written, and checked. For bench.c and bench_file.c only.
 */
#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

struct bench_loading;

/** A list of two, [min, max]. */
struct bench_range {
	double *values;
	uint32_t n;
};

struct bench_instrument_value {
	char *name, *unit, *line;
	double *gain, *offset, *safe; /* NULL where the file gives none */
	struct bench_range limit;
	bool bath_temperature;
};

struct bench_instrument {
	char *name, *port, *identity;
	size_t *baud;                              /* NULL where the file gives none */
	double *timeout_s, *interval_s, *silent_s; /* the same */
	struct bench_instrument_value *set, *read;
	uint32_t n_set, n_read;
};

/** One of them, for the schema of a bench file. */
extern const cyaml_schema_value_t bench_instrument_schema;

/**
 * Check every field and fill the bench's instruments. The inputs have been taken. Errors: JOSTLE_ECONFIG, JOSTLE_ENOMEM.
 * Call from: setup.
 */
int bench_take_instruments(struct bench_loading *loading);

#endif
