#include "daq/comedi/converter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define FARTHEST_OFF                                                                                                   \
	0.05 /* of the range: what a correction may make of a count; uncorrected cards are off by a per cent */
#define SOUND_POINTS 256

static comedi_polynomial_t nominal(const struct converter *converter, bool input)
{
	const double span_V = converter->max_V - converter->min_V;

	if (input)
		return (comedi_polynomial_t){.coefficients = {converter->min_V, span_V / converter->max}, .order = 1};
	return (comedi_polynomial_t){
		.coefficients = {0.0, converter->max / span_V}, .expansion_origin = converter->min_V, .order = 1};
}

/** The file's name says as much, and may be wrong. */
static bool is_of_card(const comedi_calibration_t *calibration, comedi_t *device)
{
	return calibration->driver_name && calibration->board_name &&
	       strcmp(calibration->driver_name, comedi_get_driver_name(device)) == 0 &&
	       strcmp(calibration->board_name, comedi_get_board_name(device)) == 0;
}

/** The card's calibration file, read when it is first asked for. */
static void seek_calibration(struct card *card)
{
	if (card->calibration_path)
		return;
	card->calibration_path = comedi_get_default_calibration_path(card->device);
	if (!card->calibration_path)
		card->calibration_path = calloc(1, 1);
	else if (access(card->calibration_path, R_OK) == 0)
		card->calibration = comedi_parse_calibration_file(card->calibration_path);
	card->has_calibration = card->calibration != NULL;
	if (card->has_calibration && !is_of_card(card->calibration, card->device)) {
		log_warning("%s is of another card than %s", card->calibration_path, card_path(card));
		comedi_cleanup_calibration(card->calibration);
		card->has_calibration = false;
	}
}

static double evaluate(const comedi_polynomial_t *polynomial, double x)
{
	const double y = x - polynomial->expansion_origin;
	double sum = 0.0;

	for (unsigned k = polynomial->order + 1; k-- > 0;)
		sum = sum * y + polynomial->coefficients[k];
	return sum;
}

/**
 * Whether a correction, which a file states, corrects: it rises all the way, and stays near what the converter is by its
 * range. What is further off belongs to another card, or range, or is no calibration; safe_V would go the same way.
 */
static bool is_sound(const struct converter *converter, const comedi_polynomial_t *found, bool input)
{
	const double from = input ? 0.0 : converter->min_V, to = input ? converter->max : converter->max_V;
	const double whole = input ? converter->max_V - converter->min_V : converter->max;
	const comedi_polynomial_t plain = nominal(converter, input);
	double before = -INFINITY;

	if (found->order >= COMEDI_MAX_NUM_POLYNOMIAL_COEFFICIENTS)
		return false;
	for (int k = 0; k <= SOUND_POINTS; k++) {
		const double x = from + (to - from) * k / SOUND_POINTS, y = evaluate(found, x);

		if (!(y > before && fabs(y - evaluate(&plain, x)) <= FARTHEST_OFF * whole)) /* nor NaN */
			return false;
		before = y;
	}
	return true;
}

/** Take a correction where it is one, else remember that it was none. */
static bool take(struct converter *converter, const comedi_polynomial_t *found, bool input, enum bench_conversion whose)
{
	if (!is_sound(converter, found, input)) {
		converter->refused = true;
		return false;
	}
	converter->polynomial = *found;
	converter->used = whose;
	return true;
}

void converter_init(struct converter *converter, struct card *card, unsigned subdevice, unsigned channel,
		    unsigned range, bool input, enum bench_conversion wanted)
{
	const comedi_range *span = comedi_get_range(card->device, subdevice, channel, range);
	const enum comedi_conversion_direction way = input ? COMEDI_TO_PHYSICAL : COMEDI_FROM_PHYSICAL;
	comedi_polynomial_t found;

	*converter = (struct converter){
		.max = comedi_get_maxdata(card->device, subdevice, channel),
		.min_V = span->min,
		.max_V = span->max,
		.used = CONVERSION_NOMINAL,
		.highest = comedi_get_maxdata(card->device, subdevice, channel),
	};
	converter->polynomial = nominal(converter, input);
	if (wanted == CONVERSION_NOMINAL)
		return;
	if (wanted == CONVERSION_HARDWARE &&
	    !(comedi_get_subdevice_flags(card->device, subdevice) & SDF_SOFT_CALIBRATED) &&
	    comedi_get_hardcal_converter(card->device, subdevice, channel, range, way, &found) == 0 &&
	    take(converter, &found, input, CONVERSION_HARDWARE))
		return;
	seek_calibration(card);
	if (card->has_calibration &&
	    comedi_get_softcal_converter(subdevice, channel, range, way, card->calibration, &found) == 0)
		take(converter, &found, input, CONVERSION_SOFTWARE);
}

/** A count that there is. */
static lsampl_t count_of(const struct converter *converter, double count)
{
	return count >= converter->max ? converter->max : count > 0.0 ? (lsampl_t)count : 0;
}

void converter_limit(struct converter *converter, double min_V, double max_V)
{
	/* An end of the range that rounding errors put beside its count is that count. */
	double lowest = ceil(evaluate(&converter->polynomial, min_V) - 1e-6);
	double highest = floor(evaluate(&converter->polynomial, max_V) + 1e-6);

	if (lowest > highest) /* none inside: the nearest */
		lowest = highest = rint(evaluate(&converter->polynomial, 0.5 * (min_V + max_V)));
	converter->lowest = count_of(converter, lowest);
	converter->highest = count_of(converter, highest);
}

void converter_init_line(struct converter *converter, double min_V, double max_V)
{
	*converter =
		(struct converter){.max = 1, .min_V = min_V, .max_V = max_V, .line = true, .used = CONVERSION_NOMINAL};
}

double converter_volts(const struct converter *converter, lsampl_t counts)
{
	if (counts == 0)
		return converter->min_V;
	if (counts >= converter->max)
		return converter->max_V;
	return fmin(fmax(evaluate(&converter->polynomial, counts), converter->min_V), converter->max_V);
}

lsampl_t converter_counts(const struct converter *converter, double volts)
{
	if (converter->line)
		return volts > 0.5 * (converter->min_V + converter->max_V);
	const double wanted_V = fmin(fmax(volts, converter->min_V), converter->max_V);
	const lsampl_t counts = count_of(converter, rint(evaluate(&converter->polynomial, wanted_V)));

	return counts < converter->lowest    ? converter->lowest
	       : counts > converter->highest ? converter->highest
					     : counts;
}
