#ifndef JOSTLE_COMEDI_CONVERTER_H
#define JOSTLE_COMEDI_CONVERTER_H
/*
 * Counts of a card's converter to volts and back. For driver comedi only.
 *
 * Who corrects the converter is the bench file's `conversion`: the card (hardware), libcomedi with the card's calibration
 * file (software), or nobody (nominal: the range's ends are the ends of the counts). What can't be had falls back, hardware
 * to software to nominal, and `used` says so. A correction that falls, or leaves the range's own line by more than a few per
 * cent of it, is none.
 */
#include <stdbool.h>

#include "base/rt.h"
#include "daq/bench.h"
#include "daq/comedi/card.h"

struct converter {
	comedi_polynomial_t polynomial; /* inputs: to volts; outputs: to counts */
	lsampl_t max;                   /* the largest count */
	double min_V, max_V;            /* the range */
	lsampl_t lowest, highest;       /* outputs: the counts within the limits */
	bool line;                      /* a digital output: high above the middle of the range */
	bool refused;                   /* a correction was found, and was none: falling, or far from the range */
	enum bench_conversion used;
};

/** Of one channel of a card, in a range of its. Call from: setup. */
void converter_init(struct converter *converter, struct card *card, unsigned subdevice, unsigned channel,
		    unsigned range, bool input, enum bench_conversion wanted);

/** Keep an output's counts to those whose volts, as corrected, are within limits. Call from: setup, after converter_init(). */
void converter_limit(struct converter *converter, double min_V, double max_V);

/** Of a digital output whose levels stand for min_V and max_V. Call from: setup. */
void converter_init_line(struct converter *converter, double min_V, double max_V);

/**
 * Volts within the range. A converter at an end of its counts says no more than "at least this", so the end of the range is
 * what it gives, whatever its correction. RT_SAFE. Call from: loop.
 */
RT_SAFE double converter_volts(const struct converter *converter, lsampl_t counts);

/**
 * The nearest counts within the range and the limits: rounding never goes beyond them. Volts are a number.
 * RT_SAFE. Call from: loop.
 */
RT_SAFE lsampl_t converter_counts(const struct converter *converter, double volts);

#endif
