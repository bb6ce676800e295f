#include "sim/plant_check.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/yaml_place.h"
#include "protocols/network.h"
#include "sim/plant_config.h"

#define HUGE_SI  1e30 /* beyond anything a bench has, well inside what doubles multiply without overflow */
#define MAX_BITS 32

enum sign { ANY, NOT_NEGATIVE, POSITIVE, NOT_ZERO };

static const char *const sign_text[] = {"a number", "a number from 0", "a number above 0", "a number other than 0"};

struct rule {
	const char *field;
	size_t offset;
	enum sign sign;
	double max; /* of the magnitude; 0 stands for HUGE_SI */
};

#define AT(member) offsetof(struct plant_config, member)

static const struct rule number_rules[] = {
	{"stiffness_N_per_m", AT(stiffness_N_per_m), POSITIVE, 0},
	{"damping_N_s_per_m", AT(damping_N_s_per_m), POSITIVE, 0},
	{"temperature_K", AT(temperature_K), POSITIVE, 1e9},
	{"stop_m", AT(stop_m), NOT_NEGATIVE, 0},
	{"sensor.blur", AT(sensor.blur), NOT_NEGATIVE, 1},
	{"sensor.line_frequency_Hz", AT(sensor.line_frequency_Hz), NOT_NEGATIVE, 1e9},
	{"sensor.range_V", AT(sensor.converter.range_V), NOT_NEGATIVE, 1e6},
	{"actuator.latency_periods", AT(actuator.latency_periods), NOT_NEGATIVE, PLANT_MAX_LATENCY},
	{"actuator.jitter_periods", AT(actuator.jitter_periods), NOT_NEGATIVE, 1},
	{"actuator.cross_talk", AT(actuator.cross_talk), ANY, 1},
	{"actuator.range_V", AT(actuator.converter.range_V), NOT_NEGATIVE, 1e6},
	{"force_readback.range_V", AT(force_readback.converter.range_V), NOT_NEGATIVE, 1e6},
	{"parameters.range_V", AT(parameters.converter.range_V), NOT_NEGATIVE, 1e6},
	{"temperature_setting.kelvin_per_V", AT(temperature_setting.kelvin_per_V), ANY, 1e9},
	{"temperature_setting.min_K", AT(temperature_setting.min_K), NOT_NEGATIVE, 1e9},
	{"temperature_setting.max_K", AT(temperature_setting.max_K), NOT_NEGATIVE, 1e9},
	{"temperature_setting.time_constant_s", AT(temperature_setting.time_constant_s), NOT_NEGATIVE, 0},
	{"temperature_readout.gain_V_per_K", AT(temperature_readout.gain_V_per_K), ANY, 0},
	{"temperature_readout.offset_V", AT(temperature_readout.offset_V), ANY, 1e6},
	{"temperature_readout.noise_K", AT(temperature_readout.noise_K), NOT_NEGATIVE, 1e9},
	{"temperature_readout.range_V", AT(temperature_readout.converter.range_V), NOT_NEGATIVE, 1e6},
	{"drift.temperature_K_per_s", AT(drift.temperature_K_per_s), ANY, 1e9},
	{"drift.temperature_walk_K", AT(drift.temperature_walk_K), NOT_NEGATIVE, 1e9},
	{"clock_step.by_s", AT(clock_step.by_s), ANY, PLANT_MAX_S},
	{"monostable.timeout_s", AT(monostable.timeout_s), NOT_NEGATIVE, PLANT_MAX_S},
};

static const struct rule list_rules[] = {
	{"mass_kg", AT(mass_kg), NOT_NEGATIVE, 0},
	{"stiffness_factor", AT(stiffness_factor), POSITIVE, 1e6},
	{"quadratic_N_per_m2", AT(quadratic_N_per_m2), ANY, 0},
	{"cubic_N_per_m3", AT(cubic_N_per_m3), ANY, 0},
	{"sensor.gain_V_per_m", AT(sensor.gain_V_per_m), NOT_ZERO, 0},
	{"sensor.offset_V", AT(sensor.offset_V), ANY, 1e6},
	{"sensor.noise_m", AT(sensor.noise_m), NOT_NEGATIVE, 0},
	{"sensor.line_amplitude_V", AT(sensor.line_amplitude_V), NOT_NEGATIVE, 1e6},
	{"actuator.gain_N_per_V", AT(actuator.gain_N_per_V), NOT_ZERO, 0},
	{"actuator.offset_N", AT(actuator.offset_N), ANY, 0},
	{"actuator.saturation_N", AT(actuator.saturation_N), NOT_NEGATIVE, 0},
	{"actuator.slew_N_per_s", AT(actuator.slew_N_per_s), NOT_NEGATIVE, 0},
	{"force_readback.gain_V_per_N", AT(force_readback.gain_V_per_N), NOT_ZERO, 0},
	{"force_readback.offset_V", AT(force_readback.offset_V), ANY, 1e6},
	{"force_readback.noise_N", AT(force_readback.noise_N), NOT_NEGATIVE, 0},
	{"drift.sensor_offset_V_per_s", AT(drift.sensor_offset_V_per_s), ANY, 1e6},
	{"drift.sensor_offset_walk_V", AT(drift.sensor_offset_walk_V), NOT_NEGATIVE, 1e6},
	{"drift.force_offset_N_per_s", AT(drift.force_offset_N_per_s), ANY, 0},
	{"drift.force_offset_walk_N", AT(drift.force_offset_walk_N), NOT_NEGATIVE, 0},
};

static const struct rule bits_rules[] = {
	{"sensor.bits", AT(sensor.converter.bits), NOT_NEGATIVE, MAX_BITS},
	{"actuator.bits", AT(actuator.converter.bits), NOT_NEGATIVE, MAX_BITS},
	{"force_readback.bits", AT(force_readback.converter.bits), NOT_NEGATIVE, MAX_BITS},
	{"parameters.bits", AT(parameters.converter.bits), NOT_NEGATIVE, MAX_BITS},
	{"temperature_readout.bits", AT(temperature_readout.converter.bits), NOT_NEGATIVE, MAX_BITS},
	{"substeps", AT(substeps), POSITIVE, PLANT_MAX_SUBSTEPS},
};

#define REFUSE(config, err, ...) yaml_refuse(err, (config)->path, (config)->text, __VA_ARGS__)

static int check_number(const struct plant_config *config, const struct rule *rule, const char *field, double value,
			struct err *err)
{
	const double max = rule->max > 0.0 ? rule->max : HUGE_SI;
	const bool fits = isfinite(value) && fabs(value) <= max && !(rule->sign == NOT_NEGATIVE && value < 0.0) &&
			  !(rule->sign == POSITIVE && value <= 0.0) && !(rule->sign == NOT_ZERO && value == 0.0);

	if (fits)
		return 0;
	return REFUSE(config, err, field, "expected %s, of magnitude up to %g, found %g", sign_text[rule->sign], max,
		      value);
}

static int check_list(const struct plant_config *config, const struct rule *rule, size_t n, struct err *err)
{
	const struct plant_list *list = (const void *)((const char *)config + rule->offset);
	char field[96];

	if (list->n > 1 && list->n != n)
		return REFUSE(config, err, rule->field, "expected 1 or %zu numbers, found %u", n, list->n);
	for (size_t i = 0; i < list->n; i++) {
		snprintf(field, sizeof(field), "%s[%zu]", rule->field, i);
		if (check_number(config, rule, field, list->values[i], err) < 0)
			return JOSTLE_ECONFIG;
	}
	return 0;
}

static int check_numbers(const struct plant_config *config, struct err *err)
{
	for (size_t i = 0; i < sizeof(number_rules) / sizeof(number_rules[0]); i++) {
		const struct rule *rule = &number_rules[i];
		const double value = *(const double *)(const void *)((const char *)config + rule->offset);

		if (check_number(config, rule, rule->field, value, err) < 0)
			return JOSTLE_ECONFIG;
	}
	for (size_t i = 0; i < sizeof(bits_rules) / sizeof(bits_rules[0]); i++) {
		const struct rule *rule = &bits_rules[i];
		const unsigned value = *(const unsigned *)(const void *)((const char *)config + rule->offset);

		if (check_number(config, rule, rule->field, value, err) < 0)
			return JOSTLE_ECONFIG;
	}
	for (size_t i = 0; i < sizeof(list_rules) / sizeof(list_rules[0]); i++)
		if (check_list(config, &list_rules[i], config->n_sites, err) < 0)
			return JOSTLE_ECONFIG;
	return 0;
}

static int check_converter(const struct plant_config *config, const struct plant_converter *converter,
			   const char *field, struct err *err)
{
	if (converter->bits && converter->range_V <= 0.0)
		return REFUSE(config, err, field, "expected range_V beside bits, found none");
	return 0;
}

static int check_converters(const struct plant_config *config, struct err *err)
{
	const struct {
		const struct plant_converter *converter;
		const char *field;
	} all[] = {{&config->sensor.converter, "sensor"},
		   {&config->actuator.converter, "actuator"},
		   {&config->force_readback.converter, "force_readback"},
		   {&config->parameters.converter, "parameters"},
		   {&config->temperature_readout.converter, "temperature_readout"}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (check_converter(config, all[i].converter, all[i].field, err) < 0)
			return JOSTLE_ECONFIG;
	return 0;
}

static int check_lattice(struct plant_config *config, struct err *err)
{
	for (int i = 0; i < 2; i++)
		if (config->lattice[i] < 1 || config->lattice[i] > NETWORK_MAX_SIDE)
			return REFUSE(config, err, i ? "lattice[1]" : "lattice[0]",
				      "expected a whole number from 1 to %d, found %zu", NETWORK_MAX_SIDE,
				      config->lattice[i]);
	config->n_sites = config->lattice[0] * config->lattice[1];
	return 0;
}

/** Count the parameters by building the network once; the plant builds its own. */
static int check_parameters(struct plant_config *config, struct err *err)
{
	static const struct rule theta = {"parameters.theta_per_V", AT(parameters.theta_per_V), NOT_ZERO, 1e12};
	struct network network;
	struct err why = {0};

	if (config->parameters.n_terms == 0)
		return 0;
	if (config->parameters.theta_per_V.n == 0)
		return REFUSE(config, err, "parameters.theta_per_V", "expected a number, or one for each parameter");
	if (network_init(&network, config->lattice[0], config->lattice[1],
			 (const char *const *)config->parameters.terms, config->parameters.n_terms, &why) < 0)
		return REFUSE(config, err, "parameters.terms", "%s", why.text);
	config->n_parameters = network.n_parameters;
	network_fini(&network);
	if (config->n_parameters > PLANT_MAX_PARAMETERS)
		return REFUSE(config, err, "parameters.terms", "expected terms with at most %d parameters, found %zu",
			      PLANT_MAX_PARAMETERS, config->n_parameters);
	return check_list(config, &theta, config->n_parameters, err);
}

static int check_couplings(const struct plant_config *config, struct err *err)
{
	char field[96];

	for (size_t i = 0; i < config->n_couplings; i++) {
		const struct plant_coupling *coupling = &config->couplings[i];

		snprintf(field, sizeof(field), "couplings[%zu]", i);
		if (coupling->from >= config->n_sites || coupling->to >= config->n_sites ||
		    coupling->from == coupling->to)
			return REFUSE(config, err, field, "expected two different sites below %zu, found %zu and %zu",
				      config->n_sites, coupling->from, coupling->to);
		if (!isfinite(coupling->stiffness_N_per_m) || fabs(coupling->stiffness_N_per_m) > HUGE_SI)
			return REFUSE(config, err, field, "stiffness_N_per_m: expected a number up to %g, found %g",
				      HUGE_SI, coupling->stiffness_N_per_m);
	}
	return 0;
}

static int check_temperature(const struct plant_config *config, struct err *err)
{
	const struct plant_temperature_setting *setting = &config->temperature_setting;

	if (setting->kelvin_per_V != 0.0 &&
	    (setting->min_K > config->temperature_K || setting->max_K < config->temperature_K))
		return REFUSE(config, err, "temperature_setting",
			      "expected temperature_K (%g) within min_K and max_K, "
			      "found %g and %g",
			      config->temperature_K, setting->min_K, setting->max_K);
	return 0;
}

/** Net stiffness of a site less what its neighbours can take from it: by Gershgorin, above 0 everywhere is stable. */
static bool couplings_confine(const struct plant_config *config)
{
	bool confine = true;
	double *margin = calloc(config->n_sites, sizeof(*margin));

	if (!margin)
		return false;
	for (size_t i = 0; i < config->n_sites; i++)
		margin[i] = config->stiffness_N_per_m * plant_list_at(&config->stiffness_factor, i, 1.0);
	for (size_t i = 0; i < config->n_couplings; i++) {
		const double stiffness = config->couplings[i].stiffness_N_per_m;

		margin[config->couplings[i].to] += stiffness - fabs(stiffness);
	}
	for (size_t i = 0; i < config->n_sites; i++)
		confine &= margin[i] > 0.0;
	free(margin);
	return confine;
}

/** Whatever could run away to infinity must meet an end stop: a real device does. */
static int check_confinement(const struct plant_config *config, struct err *err)
{
	if (config->stop_m > 0.0)
		return 0;
	if (config->n_parameters)
		return REFUSE(config, err, "stop_m", "expected end stops, since the parameters can open the potential");
	for (size_t i = 0; i < config->n_sites; i++) {
		const double quadratic = plant_list_at(&config->quadratic_N_per_m2, i, 0.0);
		const double cubic = plant_list_at(&config->cubic_N_per_m3, i, 0.0);

		if (cubic < 0.0 || (quadratic != 0.0 && cubic == 0.0))
			return REFUSE(config, err, "stop_m",
				      "expected end stops, since the potential of site %zu is open", i);
	}
	if (!couplings_confine(config))
		return REFUSE(config, err, "stop_m",
			      "expected end stops, since the couplings can outweigh the stiffness");
	return 0;
}

int plant_check(struct plant_config *config, struct err *err)
{
	int code = check_lattice(config, err);

	if (config->substeps == 0)
		config->substeps = 1;
	code = code < 0 ? code : check_numbers(config, err);
	code = code < 0 ? code : check_converters(config, err);
	code = code < 0 ? code : check_parameters(config, err);
	code = code < 0 ? code : check_couplings(config, err);
	code = code < 0 ? code : plant_check_faults(config, err);
	code = code < 0 ? code : check_temperature(config, err);
	return code < 0 ? code : check_confinement(config, err);
}
