/*
 * What the faults of a plant file may say: signals that are there, kinds that fit them, times that follow each other.
 */
#include <math.h>
#include <stdio.h>

#include "base/err.h"
#include "base/yaml_place.h"
#include "sim/plant_check.h"
#include "sim/plant_config.h"

#define REFUSE(config, err, ...) yaml_refuse(err, (config)->path, (config)->text, __VA_ARGS__)

static int check_spell(const struct plant_config *config, const struct plant_spell *spell, const char *of,
		       const char *from, struct err *err)
{
	const double times[] = {spell->from_s, spell->until_s};
	const char *const names[] = {from, "until_s"};
	char field[96];

	for (int i = 0; i < 2; i++) {
		snprintf(field, sizeof(field), "%s.%s", of, names[i]);
		if (!(times[i] >= 0.0 && times[i] <= PLANT_MAX_S))
			return REFUSE(config, err, field, "expected a number from 0 to %g, found %g", PLANT_MAX_S,
				      times[i]);
	}
	if (spell->until_s > 0.0 && spell->until_s <= spell->from_s)
		return REFUSE(config, err, field, "expected a time after %s (%g), found %g", from, spell->from_s,
			      spell->until_s);
	snprintf(field, sizeof(field), "%s.on_signal", of);
	if (spell->on_signal && (spell->from_s > 0.0 || spell->until_s > 0.0))
		return REFUSE(config, err, field, "expected either a signal or times, found both");
	return 0;
}

/** The converter that an input ends in; NULL for outputs. */
static const struct plant_converter *converter_of(const struct plant_config *config, enum plant_signal signal)
{
	switch (signal) {
	case PLANT_DISPLACEMENT:
		return &config->sensor.converter;
	case PLANT_FORCE_READBACK:
		return &config->force_readback.converter;
	case PLANT_TEMPERATURE:
		return &config->temperature_readout.converter;
	case PLANT_FORCE:
	case PLANT_PARAMETER:
		break;
	}
	return NULL;
}

static int check_kind(const struct plant_config *config, const struct plant_fault *fault, const char *of,
		      struct err *err)
{
	const struct plant_converter *converter = converter_of(config, fault->signal);
	char field[96];

	snprintf(field, sizeof(field), "%s.kind", of);
	if ((fault->kind == PLANT_NAN || fault->kind == PLANT_SATURATED) && !converter)
		return REFUSE(config, err, field,
			      "expected dead, stuck or swapped for an output, found nan or saturated");
	if (fault->kind == PLANT_SATURATED && converter->range_V <= 0.0)
		return REFUSE(config, err, field,
			      "expected a converter with a range_V for a saturated input, found none");
	return 0;
}

static size_t count_signal(const struct plant_config *config, enum plant_signal signal)
{
	if (signal == PLANT_TEMPERATURE)
		return 1;
	return signal == PLANT_PARAMETER ? config->n_parameters : config->n_sites;
}

static int check_fault(const struct plant_config *config, const struct plant_fault *fault, const char *of,
		       struct err *err)
{
	const size_t n = count_signal(config, fault->signal);
	char field[96];

	snprintf(field, sizeof(field), "%s.index", of);
	if (fault->index >= n)
		return REFUSE(config, err, field, "expected a number below %zu, found %zu", n, fault->index);
	snprintf(field, sizeof(field), "%s.with", of);
	if (fault->kind == PLANT_SWAPPED && (fault->with >= n || fault->with == fault->index))
		return REFUSE(config, err, field, "expected another number below %zu, found %zu", n, fault->with);
	snprintf(field, sizeof(field), "%s.value_V", of);
	if (!isfinite(fault->value_V) || fabs(fault->value_V) > 1e6)
		return REFUSE(config, err, field, "expected a number up to 1e6, found %g", fault->value_V);
	return check_kind(config, fault, of, err);
}

int plant_check_faults(const struct plant_config *config, struct err *err)
{
	char field[40];
	int code = check_spell(config, &config->clock_step.spell, "clock_step", "at_s", err);

	for (size_t i = 0; code == 0 && i < config->n_faults; i++) {
		snprintf(field, sizeof(field), "faults[%zu]", i);
		code = check_fault(config, &config->faults[i], field, err);
		code = code < 0 ? code : check_spell(config, &config->faults[i].spell, field, "from_s", err);
	}
	return code;
}
