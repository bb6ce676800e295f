#include "daq/bench_file.h"

#include "base/yaml.h"
#include "daq/instruments/setup.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define MAX_LIST 1000000

static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_value_t size = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, size_t)};
static const cyaml_schema_value_t text_line = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 1000)};

#define LIST(key, flags, type, member, entry)                                                                          \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | (flags), struct type, member.values, member.n, entry, 1,  \
				   MAX_LIST)
#define NUMBERS(key, member)             LIST(key, OPTIONAL, bench_group, member, &number)
#define NUMBER(key, flags, type, member) CYAML_FIELD_FLOAT(key, flags, struct type, member)
#define SIZE(key, flags, type, member)   CYAML_FIELD_UINT(key, flags, struct type, member)
#define SIZE_OR_NONE(key, member)        CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | OPTIONAL, struct bench_file, member)

static const cyaml_strval_t roles[] = {{"displacement", DAQ_DISPLACEMENT}, {"force", DAQ_FORCE},
				       {"parameter", DAQ_PARAMETER},       {"temperature", DAQ_TEMPERATURE},
				       {"heartbeat", DAQ_HEARTBEAT},       {"auxiliary", DAQ_AUXILIARY}};
static const cyaml_strval_t drives[] = {{"feedback", DRIVE_FEEDBACK}, {"parametric", DRIVE_PARAMETRIC}};

static const cyaml_strval_t acquisitions[] = {{"single", ACQUISITION_SINGLE}, {"streaming", ACQUISITION_STREAMING}};
static const cyaml_strval_t references[] = {{"ground", REFERENCE_GROUND},
					    {"common", REFERENCE_COMMON},
					    {"differential", REFERENCE_DIFFERENTIAL},
					    {"other", REFERENCE_OTHER}};
static const cyaml_strval_t conversions[] = {
	{"hardware", CONVERSION_HARDWARE}, {"software", CONVERSION_SOFTWARE}, {"nominal", CONVERSION_NOMINAL}};

static const cyaml_schema_field_t group_fields[] = {
	CYAML_FIELD_ENUM("role", CYAML_FLAG_STRICT, struct bench_group, role, roles, CYAML_ARRAY_LEN(roles)),
	LIST("sites", OPTIONAL, bench_group, sites, &text_line),
	LIST("terms", OPTIONAL, bench_group, terms, &text_line),
	SIZE("count", OPTIONAL, bench_group, count),
	SIZE("device", OPTIONAL, bench_group, device),
	SIZE("first_channel", OPTIONAL, bench_group, first_channel),
	LIST("range_V", CYAML_FLAG_DEFAULT, bench_group, range_V, &number),
	NUMBERS("gain_V_per_m", gain_V_per_m),
	NUMBERS("gain_V_per_N", gain_V_per_N),
	NUMBERS("gain_V_per_theta", gain_V_per_theta),
	NUMBERS("gain_V_per_K", gain_V_per_K),
	NUMBERS("offset_V", offset_V),
	CYAML_FIELD_FLOAT_PTR("safe_V", CYAML_FLAG_POINTER | OPTIONAL, struct bench_group, safe_V),
	NUMBERS("limit_V", limit_V),
	NUMBERS("limit_K", limit_K),
	NUMBER("limit_m", OPTIONAL, bench_group, limit_m),
	NUMBER("limit_N", OPTIONAL, bench_group, limit_N),
	NUMBER("limit_theta", OPTIONAL, bench_group, limit_theta),
	NUMBER("slew_V_per_s", OPTIONAL, bench_group, slew_V_per_s),
	CYAML_FIELD_UINT_PTR("subdevice", CYAML_FLAG_POINTER | OPTIONAL, struct bench_group, subdevice),
	CYAML_FIELD_ENUM("reference", CYAML_FLAG_STRICT | OPTIONAL, struct bench_group, reference, references,
			 CYAML_ARRAY_LEN(references)),
	CYAML_FIELD_ENUM("conversion", CYAML_FLAG_STRICT | OPTIONAL, struct bench_group, conversion, conversions,
			 CYAML_ARRAY_LEN(conversions)),
	NUMBERS("skew_s", skew_s),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t group = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct bench_group, group_fields)};

static const cyaml_schema_field_t bench_fields[] = {
	CYAML_FIELD_STRING_PTR("summary", CYAML_FLAG_POINTER, struct bench_file, summary, 1, 400),
	CYAML_FIELD_STRING_PTR("driver", CYAML_FLAG_POINTER, struct bench_file, driver, 1, 60),
	LIST("devices", CYAML_FLAG_DEFAULT, bench_file, devices, &text_line),
	NUMBER("period_s", CYAML_FLAG_DEFAULT, bench_file, period_s),
	CYAML_FIELD_ENUM("drive", CYAML_FLAG_STRICT, struct bench_file, drive, drives, CYAML_ARRAY_LEN(drives)),
	CYAML_FIELD_SEQUENCE_FIXED("lattice", CYAML_FLAG_DEFAULT, struct bench_file, lattice, &size, 2),
	NUMBER("stiffness_N_per_m", CYAML_FLAG_DEFAULT, bench_file, stiffness_N_per_m),
	NUMBER("damping_N_s_per_m", CYAML_FLAG_DEFAULT, bench_file, damping_N_s_per_m),
	NUMBER("temperature_K", CYAML_FLAG_DEFAULT, bench_file, temperature_K),
	CYAML_FIELD_ENUM("acquisition", CYAML_FLAG_STRICT | OPTIONAL, struct bench_file, acquisition, acquisitions,
			 CYAML_ARRAY_LEN(acquisitions)),
	CYAML_FIELD_STRING_PTR("fallback", CYAML_FLAG_POINTER | OPTIONAL, struct bench_file, fallback, 1, 1000),
	SIZE("stale_periods", OPTIONAL, bench_file, stale_periods),
	SIZE_OR_NONE("saturated_periods", saturated_periods),
	SIZE_OR_NONE("rail_periods", rail_periods),
	SIZE_OR_NONE("missed_periods", missed_periods),
	SIZE_OR_NONE("guardian_periods", guardian_periods),
	SIZE_OR_NONE("baud", baud),
	NUMBER("limit_difference_N", OPTIONAL, bench_file, limit_difference_N),
	NUMBER("limit_difference_V", OPTIONAL, bench_file, limit_difference_V),
	NUMBER("limit_drive_W", OPTIONAL, bench_file, limit_drive_W),
	NUMBER("limit_drive_V2", OPTIONAL, bench_file, limit_drive_V2),
	CYAML_FIELD_SEQUENCE_COUNT("inputs", CYAML_FLAG_POINTER, struct bench_file, inputs, n_inputs, &group, 1, 256),
	CYAML_FIELD_SEQUENCE_COUNT("outputs", CYAML_FLAG_POINTER, struct bench_file, outputs, n_outputs, &group, 1,
				   256),
	CYAML_FIELD_SEQUENCE_COUNT("instruments", CYAML_FLAG_POINTER | OPTIONAL, struct bench_file, instruments,
				   n_instruments, &bench_instrument_schema, 1, INSTRUMENTS_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t bench_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct bench_file, bench_fields)};

int bench_file_load(struct bench_file **file, const char *path, char **text, struct err *err)
{
	void *document = NULL;
	const int code = yaml_load(path, &bench_schema, &document, text, err);

	*file = document;
	return code;
}

int bench_file_parse(struct bench_file **file, const char *origin, const char *text, struct err *err)
{
	void *document = NULL;
	const int code = yaml_parse(origin, text, &bench_schema, &document, err);

	*file = document;
	return code;
}

void bench_file_free(struct bench_file *file)
{
	yaml_free(&bench_schema, file);
}
