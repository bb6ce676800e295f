#ifndef JOSTLE_SERIAL_FIT_H
#define JOSTLE_SERIAL_FIT_H
/*
 * A bench on a serial device: whether the device has what the file states, how its codes convert, how fast it could be.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rt.h"
#include "daq/serial/framing.h"
#include "daq/serial/link.h"

struct bench;
struct daq_budget;
struct err;

#define SERIAL_CODES          65536.0
#define SERIAL_ANSWER_PERIODS 0.875 /* the rest of a period is the loop's, so that one lost answer costs one slot */

/**
 * Code c of a channel stands for min_V + c * step_V; the last that the converter has, for max_V: there it is at its end.
 * Codes are multiples of `unit`; an output's lie between `least` and `most`.
 */
struct serial_converter {
	double min_V, max_V, step_V;
	uint16_t top, unit, least, most;
};

struct serial_fit {
	struct serial_description device;
	struct serial_converter in[FRAMING_MAX_CHANNELS];  /* of the device's inputs, those that the bench uses */
	struct serial_converter out[FRAMING_MAX_CHANNELS]; /* of all its outputs */
	uint32_t watchdog_us;
};

/**
 * Ask the device what it is and check the bench against it. Errors: those of serial_link_describe() and _range();
 * JOSTLE_ECONFIG, naming the field: a channel that isn't there, another range_V, a period that device or line can't keep.
 * Call from: setup.
 */
int serial_fit(struct serial_fit *fit, struct serial_link *link, const struct bench *bench, struct err *err);

/** How fast the bench could run: the line by its baud, the turn-round by measure. Errors: JOSTLE_EIO. Call from: setup. */
int serial_fit_budget(const struct serial_fit *fit, struct serial_link *link, const struct bench *bench,
		      struct daq_budget *budget, struct err *err);

/** Fill it from what a device says; all its codes may be driven. Call from: any. */
static inline struct serial_converter serial_converter_make(const struct serial_range *range)
{
	const unsigned unit = 1u << (16 - range->bits), top = 65536u - unit;

	return (struct serial_converter){
		.min_V = range->min_V,
		.max_V = range->max_V,
		.step_V = (range->max_V - range->min_V) / SERIAL_CODES,
		.top = (uint16_t)top,
		.unit = (uint16_t)unit,
		.least = 0,
		.most = (uint16_t)top,
	};
}

/**
 * Let an output drive nothing outside [min_V, max_V]. Returns false, and changes nothing, where it has no code within.
 * Call from: any.
 */
bool serial_converter_limit(struct serial_converter *converter, double min_V, double max_V);

/** The permitted code nearest to `volts`, which are a number. RT_SAFE. Call from: any. */
RT_SAFE static inline uint16_t serial_converter_code(const struct serial_converter *converter, double volts)
{
	const double units = round((volts - converter->min_V) / (converter->step_V * converter->unit));

	return (uint16_t)fmin(fmax(units * converter->unit, converter->least), converter->most);
}

/** What a code of an input stands for. RT_SAFE. Call from: any. */
RT_SAFE static inline double serial_converter_volts(const struct serial_converter *converter, uint16_t code)
{
	return code >= converter->top ? converter->max_V : converter->min_V + converter->step_V * code;
}

#endif
