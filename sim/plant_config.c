#include "sim/plant_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/yaml.h"
#include "sim/plant_check.h"

static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_value_t size = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, size_t)};
static const cyaml_schema_value_t spec = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 1000)};

#define OPTIONAL                         CYAML_FLAG_OPTIONAL
#define NUMBER(key, flags, type, member) CYAML_FIELD_FLOAT(key, flags, struct type, member)
#define LIST(key, type, member)                                                                                        \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | OPTIONAL, struct type, member.values, member.n, &number,  \
				   1, PLANT_MAX_SITES)
#define CONVERTER(type)                                                                                                \
	CYAML_FIELD_UINT("bits", OPTIONAL, struct type, converter.bits),                                               \
		NUMBER("range_V", OPTIONAL, type, converter.range_V)
#define SECTION(key, member, fields) CYAML_FIELD_MAPPING(key, OPTIONAL, struct plant_config, member, fields)

static const cyaml_schema_field_t sensor_fields[] = {
	LIST("gain_V_per_m", plant_sensor, gain_V_per_m),
	LIST("offset_V", plant_sensor, offset_V),
	LIST("noise_m", plant_sensor, noise_m),
	NUMBER("blur", OPTIONAL, plant_sensor, blur),
	LIST("line_amplitude_V", plant_sensor, line_amplitude_V),
	NUMBER("line_frequency_Hz", OPTIONAL, plant_sensor, line_frequency_Hz),
	CONVERTER(plant_sensor),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t actuator_fields[] = {
	LIST("gain_N_per_V", plant_actuator, gain_N_per_V),
	LIST("offset_N", plant_actuator, offset_N),
	LIST("saturation_N", plant_actuator, saturation_N),
	LIST("slew_N_per_s", plant_actuator, slew_N_per_s),
	NUMBER("latency_periods", OPTIONAL, plant_actuator, latency_periods),
	NUMBER("jitter_periods", OPTIONAL, plant_actuator, jitter_periods),
	NUMBER("cross_talk", OPTIONAL, plant_actuator, cross_talk),
	CONVERTER(plant_actuator),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t force_readback_fields[] = {
	LIST("gain_V_per_N", plant_force_readback, gain_V_per_N),
	LIST("offset_V", plant_force_readback, offset_V),
	LIST("noise_N", plant_force_readback, noise_N),
	CONVERTER(plant_force_readback),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t parameters_fields[] = {
	CYAML_FIELD_SEQUENCE_COUNT("terms", CYAML_FLAG_POINTER, struct plant_parameters, terms, n_terms, &spec, 1, 32),
	LIST("theta_per_V", plant_parameters, theta_per_V),
	CONVERTER(plant_parameters),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t temperature_setting_fields[] = {
	NUMBER("kelvin_per_V", CYAML_FLAG_DEFAULT, plant_temperature_setting, kelvin_per_V),
	NUMBER("min_K", CYAML_FLAG_DEFAULT, plant_temperature_setting, min_K),
	NUMBER("max_K", CYAML_FLAG_DEFAULT, plant_temperature_setting, max_K),
	NUMBER("time_constant_s", OPTIONAL, plant_temperature_setting, time_constant_s),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t temperature_readout_fields[] = {
	NUMBER("gain_V_per_K", CYAML_FLAG_DEFAULT, plant_temperature_readout, gain_V_per_K),
	NUMBER("offset_V", OPTIONAL, plant_temperature_readout, offset_V),
	NUMBER("noise_K", OPTIONAL, plant_temperature_readout, noise_K),
	CONVERTER(plant_temperature_readout),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t drift_fields[] = {
	LIST("sensor_offset_V_per_s", plant_drift, sensor_offset_V_per_s),
	LIST("sensor_offset_walk_V", plant_drift, sensor_offset_walk_V),
	LIST("force_offset_N_per_s", plant_drift, force_offset_N_per_s),
	LIST("force_offset_walk_N", plant_drift, force_offset_walk_N),
	NUMBER("temperature_K_per_s", OPTIONAL, plant_drift, temperature_K_per_s),
	NUMBER("temperature_walk_K", OPTIONAL, plant_drift, temperature_walk_K),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t coupling_fields[] = {
	CYAML_FIELD_UINT("from", CYAML_FLAG_DEFAULT, struct plant_coupling, from),
	CYAML_FIELD_UINT("to", CYAML_FLAG_DEFAULT, struct plant_coupling, to),
	NUMBER("stiffness_N_per_m", CYAML_FLAG_DEFAULT, plant_coupling, stiffness_N_per_m),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t coupling = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plant_coupling, coupling_fields)};

static const cyaml_strval_t fault_kinds[] = {{"dead", PLANT_DEAD},
					     {"stuck", PLANT_STUCK},
					     {"swapped", PLANT_SWAPPED},
					     {"nan", PLANT_NAN},
					     {"saturated", PLANT_SATURATED}};
static const cyaml_strval_t signals[] = {{"displacement", PLANT_DISPLACEMENT},
					 {"force", PLANT_FORCE},
					 {"force-readback", PLANT_FORCE_READBACK},
					 {"parameter", PLANT_PARAMETER},
					 {"temperature", PLANT_TEMPERATURE}};

#define SPELL(from, type)                                                                                              \
	NUMBER(from, OPTIONAL, type, spell.from_s), NUMBER("until_s", OPTIONAL, type, spell.until_s),                  \
		CYAML_FIELD_BOOL("on_signal", OPTIONAL, struct type, spell.on_signal)

static const cyaml_schema_field_t fault_fields[] = {
	CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct plant_fault, kind, fault_kinds,
			 CYAML_ARRAY_LEN(fault_kinds)),
	CYAML_FIELD_ENUM("signal", CYAML_FLAG_STRICT, struct plant_fault, signal, signals, CYAML_ARRAY_LEN(signals)),
	CYAML_FIELD_UINT("index", CYAML_FLAG_DEFAULT, struct plant_fault, index),
	CYAML_FIELD_UINT("with", OPTIONAL, struct plant_fault, with),
	NUMBER("value_V", OPTIONAL, plant_fault, value_V),
	SPELL("from_s", plant_fault),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t fault = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plant_fault, fault_fields)};

static const cyaml_schema_field_t clock_step_fields[] = {
	NUMBER("by_s", CYAML_FLAG_DEFAULT, plant_clock_step, by_s),
	SPELL("at_s", plant_clock_step),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t monostable_fields[] = {
	NUMBER("timeout_s", CYAML_FLAG_DEFAULT, plant_monostable, timeout_s),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t plant_fields[] = {
	CYAML_FIELD_STRING_PTR("summary", CYAML_FLAG_POINTER, struct plant_config, summary, 1, 400),
	CYAML_FIELD_SEQUENCE_FIXED("lattice", CYAML_FLAG_DEFAULT, struct plant_config, lattice, &size, 2),
	NUMBER("stiffness_N_per_m", CYAML_FLAG_DEFAULT, plant_config, stiffness_N_per_m),
	NUMBER("damping_N_s_per_m", CYAML_FLAG_DEFAULT, plant_config, damping_N_s_per_m),
	NUMBER("temperature_K", CYAML_FLAG_DEFAULT, plant_config, temperature_K),
	CYAML_FIELD_UINT("substeps", OPTIONAL, struct plant_config, substeps),
	NUMBER("stop_m", OPTIONAL, plant_config, stop_m),
	LIST("mass_kg", plant_config, mass_kg),
	LIST("stiffness_factor", plant_config, stiffness_factor),
	LIST("quadratic_N_per_m2", plant_config, quadratic_N_per_m2),
	LIST("cubic_N_per_m3", plant_config, cubic_N_per_m3),
	CYAML_FIELD_SEQUENCE_COUNT("couplings", CYAML_FLAG_POINTER | OPTIONAL, struct plant_config, couplings,
				   n_couplings, &coupling, 1, 65536),
	SECTION("sensor", sensor, sensor_fields),
	SECTION("actuator", actuator, actuator_fields),
	SECTION("force_readback", force_readback, force_readback_fields),
	SECTION("parameters", parameters, parameters_fields),
	SECTION("temperature_setting", temperature_setting, temperature_setting_fields),
	SECTION("temperature_readout", temperature_readout, temperature_readout_fields),
	SECTION("drift", drift, drift_fields),
	CYAML_FIELD_SEQUENCE_COUNT("faults", CYAML_FLAG_POINTER | OPTIONAL, struct plant_config, faults, n_faults,
				   &fault, 1, 1024),
	SECTION("clock_step", clock_step, clock_step_fields),
	SECTION("monostable", monostable, monostable_fields),
	CYAML_FIELD_BOOL("exclusive", OPTIONAL, struct plant_config, exclusive),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t plant_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct plant_config, plant_fields)};

/** "two-oscillators" from ".../two-oscillators.yaml". */
static void take_name(struct plant_config *config, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);

	if (length > 5 && strcmp(base + length - 5, ".yaml") == 0)
		length -= 5;
	snprintf(config->path, sizeof(config->path), "%s", path);
	snprintf(config->name, sizeof(config->name), "%.*s", (int)length, base);
}

int plant_load(struct plant_config **config, const char *path, struct err *err)
{
	void *document = NULL;
	char *text = NULL;
	int code = yaml_load(path, &plant_schema, &document, &text, err);

	*config = NULL;
	if (code < 0)
		return code;
	struct plant_config *loaded = document;
	loaded->text = text;
	take_name(loaded, path);
	code = plant_check(loaded, err);
	if (code < 0) {
		plant_config_free(loaded);
		return code;
	}
	*config = loaded;
	return 0;
}

void plant_config_free(struct plant_config *config)
{
	if (!config)
		return;
	free(config->text);
	yaml_free(&plant_schema, config);
}
