#ifndef JOSTLE_INSTRUMENTS_SETUP_H
#define JOSTLE_INSTRUMENTS_SETUP_H
/*
 * What a bench file states of an instrument: a device for the slow parts of a bench, spoken to in lines of SCPI, beside the
 * loop and never by it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTRUMENTS_MAX       8  /* of a bench */
#define INSTRUMENT_MAX_VALUES 16 /* that one has to be set, and as many to be read */
#define INSTRUMENT_NAME_SIZE  32 /* with its NUL: a-z, 0-9, - and _ */
#define INSTRUMENT_UNIT_SIZE  16
#define INSTRUMENT_LINE_SIZE  128
#define INSTRUMENT_NUMBER     "{}" /* in a command: where its number goes */

/** A quantity that an instrument can be set to, or asked for. Its own number is offset + gain * quantity. */
struct instrument_value {
	char name[INSTRUMENT_NAME_SIZE];
	char unit[INSTRUMENT_UNIT_SIZE]; /* of the quantity */
	char line[INSTRUMENT_LINE_SIZE]; /* the query; or the command, with INSTRUMENT_NUMBER in it */
	double gain, offset;
	double min, max;       /* quantity. Of a reading: both infinite where it has no limits */
	double safe;           /* to be set: what it is set to when the run ends; NaN to leave it as it is */
	bool bath_temperature; /* a reading, in K */
};

struct instrument_setup {
	char name[INSTRUMENT_NAME_SIZE];
	char port[256];
	int baud;
	char identity[INSTRUMENT_LINE_SIZE]; /* what its answer to *IDN? begins with */
	double timeout_s;                    /* for an answer */
	double interval_s;                   /* from one round of readings to the next */
	double silent_s;                     /* a reading older than this is none */
	size_t n_sets, n_reads;
	struct instrument_value set[INSTRUMENT_MAX_VALUES], read[INSTRUMENT_MAX_VALUES];
};

/** Whether a reading has limits: outside them, or when it is silent, nothing runs. Call from: any. */
static inline bool instrument_guards(const struct instrument_value *reading)
{
	return reading->min > -1e300 || reading->max < 1e300;
}

#endif
