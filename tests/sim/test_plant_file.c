/* Plant files: those that ship load; every field that can't be is refused with its place. */
#include "sim/plant_fixture.h"

#include "base/find.h"

struct hostile {
	const char *yaml;  /* after the head, which has 5 lines */
	const char *field; /* at the start of the text */
	int line;
};

#define LATTICE(text) "summary: a\nlattice: " text "\nstiffness_N_per_m: 1\ndamping_N_s_per_m: 1\ntemperature_K: 300\n"

static const struct hostile whole[] = {
	{LATTICE("[0, 1]"), "lattice[0]", 2},
	{LATTICE("[1, 65]"), "lattice[1]", 2},
	{"summary: a\nlattice: [1, 1]\nstiffness_N_per_m: 0\ndamping_N_s_per_m: 1\ntemperature_K: 300\n",
	 "stiffness_N_per_m", 3},
	{"summary: a\nlattice: [1, 1]\nstiffness_N_per_m: 1\ndamping_N_s_per_m: -1\ntemperature_K: 300\n",
	 "damping_N_s_per_m", 4},
	{"summary: a\nlattice: [1, 1]\nstiffness_N_per_m: 1\ndamping_N_s_per_m: 1\ntemperature_K: 1e40\n",
	 "temperature_K", 5},
};

static const struct hostile fields[] = {
	{"stop_m: -1\n", "stop_m", 6},
	{"substeps: 65\n", "substeps", 6},
	{"mass_kg: [1, 2, 3]\n", "mass_kg", 6},
	{"mass_kg: [1, -2]\n", "mass_kg[1]", 6},
	{"stiffness_factor: [0]\n", "stiffness_factor[0]", 6},
	{"cubic_N_per_m3: [-1]\n", "stop_m", 0},
	{"quadratic_N_per_m2: [1]\n", "stop_m", 0},
	{"sensor: {gain_V_per_m: [0]}\n", "sensor.gain_V_per_m[0]", 6},
	{"sensor:\n  noise_m: [1e-9,\n    -1]\n", "sensor.noise_m[1]", 8},
	{"sensor: {blur: 1.5}\n", "sensor.blur", 6},
	{"sensor: {bits: 33, range_V: 1}\n", "sensor.bits", 6},
	{"sensor: {bits: 12}\n", "sensor", 6},
	{"sensor: {range_V: -1}\n", "sensor.range_V", 6},
	{"actuator: {latency_periods: 65}\n", "actuator.latency_periods", 6},
	{"actuator: {jitter_periods: 1.1}\n", "actuator.jitter_periods", 6},
	{"actuator: {cross_talk: 2}\n", "actuator.cross_talk", 6},
	{"actuator: {saturation_N: [-1]}\n", "actuator.saturation_N[0]", 6},
	{"actuator: {slew_N_per_s: [-1]}\n", "actuator.slew_N_per_s[0]", 6},
	{"force_readback: {gain_V_per_N: [0, 1]}\n", "force_readback.gain_V_per_N[0]", 6},
	{"stop_m: 1\nparameters: {terms: [monomials degree=4]}\n", "parameters.theta_per_V", 7},
	{"stop_m: 1\nparameters: {terms: [no-such-term], theta_per_V: [1]}\n", "parameters.terms", 7},
	{"stop_m: 1\nparameters: {terms: [monomials degree=4], theta_per_V: [1, 2]}\n", "parameters.theta_per_V", 7},
	{"parameters: {terms: [monomials degree=4], theta_per_V: [1]}\n", "stop_m", 0},
	{"couplings: [{from: 0, to: 2, stiffness_N_per_m: 1}]\n", "couplings[0]", 6},
	{"couplings: [{from: 1, to: 1, stiffness_N_per_m: 1}]\n", "couplings[0]", 6},
	{"couplings: [{from: 0, to: 1, stiffness_N_per_m: -1}]\n", "stop_m", 0},
	{"temperature_setting: {kelvin_per_V: 1, min_K: 301, max_K: 400}\n", "temperature_setting", 6},
	{"temperature_readout: {gain_V_per_K: 1, noise_K: -1}\n", "temperature_readout.noise_K", 6},
	{"drift: {temperature_walk_K: -1}\n", "drift.temperature_walk_K", 6},
	{"drift: {sensor_offset_walk_V: [-1]}\n", "drift.sensor_offset_walk_V[0]", 6},
	{"faults: [{kind: dead, signal: force, index: 2}]\n", "faults[0].index", 6},
	{"faults: [{kind: swapped, signal: force, index: 1, with: 1}]\n", "faults[0].with", 6},
	{"faults: [{kind: dead, signal: parameter, index: 0}]\n", "faults[0].index", 6},
	{"faults: [{kind: dead, signal: temperature, index: 1}]\n", "faults[0].index", 6},
	{"faults: [{kind: nan, signal: force, index: 0}]\n", "faults[0].kind", 6},
	{"faults: [{kind: saturated, signal: parameter, index: 0}]\n", "faults[0].index", 6},
	{"faults: [{kind: saturated, signal: displacement, index: 0}]\n", "faults[0].kind", 6},
	{"faults: [{kind: dead, signal: force, index: 0, from_s: -1}]\n", "faults[0].from_s", 6},
	{"faults: [{kind: dead, signal: force, index: 0, from_s: 2, until_s: 2}]\n", "faults[0].until_s", 6},
	{"faults: [{kind: dead, signal: force, index: 0, from_s: 2, on_signal: true}]\n", "faults[0].on_signal", 6},
	{"faults:\n  - {kind: dead, signal: force, index: 0}\n  - {kind: nan, signal: force, index: 0}\n",
	 "faults[1].kind", 8},
	{"clock_step: {by_s: 1e10}\n", "clock_step.by_s", 6},
	{"clock_step: {by_s: 1, at_s: -1}\n", "clock_step.at_s", 6},
	{"clock_step: {by_s: 1, at_s: 1, on_signal: true}\n", "clock_step.on_signal", 6},
	{"monostable: {timeout_s: -1}\n", "monostable.timeout_s", 6},
};

static void assert_refused(const struct hostile *hostile, const char *yaml)
{
	struct plant_config *config;
	struct err err = {0};

	assert_int_equal(rig_load(&config, yaml, &err), JOSTLE_ECONFIG);
	assert_null(config);
	if (strncmp(err.text, hostile->field, strlen(hostile->field)) != 0 || !strstr(err.file, "jostle-plant-") ||
	    (hostile->line && err.line != hostile->line))
		fail_msg("expected %s in line %d, found %s:%d: %s", hostile->field, hostile->line, err.file, err.line,
			 err.text);
}

/* catches: a check that was forgotten, or that names another field or line */
static void every_field_that_can_not_be_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_refused(&whole[i], whole[i].yaml);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char yaml[2000];

		snprintf(yaml, sizeof(yaml), "%s%s", LATTICE("[2, 1]"), fields[i].yaml);
		assert_refused(&fields[i], yaml);
	}
}

/* catches: NaN and infinity slipping through comparisons */
static void numbers_that_are_none_are_refused(void **state)
{
	static const char *const lines[] = {"stop_m: %s\n",
					    "mass_kg: [%s]\n",
					    "sensor: {offset_V: [%s]}\n",
					    "sensor: {blur: %s}\n",
					    "drift: {temperature_K_per_s: %s}\n",
					    "faults: [{kind: stuck, signal: displacement, index: 0, value_V: %s}]\n",
					    "faults: [{kind: dead, signal: force, index: 0, from_s: %s}]\n",
					    "faults: [{kind: dead, signal: force, index: 0, until_s: %s}]\n",
					    "clock_step: {by_s: %s}\n",
					    "monostable: {timeout_s: %s}\n",
					    "couplings: [{from: 0, to: 1, stiffness_N_per_m: %s}]\n"};
	static const char *const numbers[] = {"nan", "inf", "-inf", "1e999"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (size_t j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++) {
			struct plant_config *config;
			struct err err = {0};
			char yaml[2000];
			size_t length = (size_t)snprintf(yaml, sizeof(yaml), "%s", LATTICE("[2, 1]"));
			const char *hole = strstr(lines[i], "%s");

			snprintf(yaml + length, sizeof(yaml) - length, "%.*s%s%s", (int)(hole - lines[i]), lines[i],
				 numbers[j], hole + 2);
			assert_int_equal(rig_load(&config, yaml, &err), JOSTLE_ECONFIG);
			assert_int_equal(err.line, 6);
		}
}

/* catches: a parser that takes half a file, another type, or a field that it does not know */
static void truncated_and_foreign_files_are_refused(void **state)
{
	static const char *const yaml[] = {
		"",
		"summary: a\n",
		"[1, 2]\n",
		"summary: {a: 1}\n",
		"\xff\xfe",
		LATTICE("[1, 1]") "no_such_field: 1\n",
		LATTICE("[1, 1]") "sensor: {no_such_field: 1}\n",
		LATTICE("[1, 1]") "sensor: {gain_V_per_m: 1e9}\n",
		LATTICE("[1, 1]") "sensor: {gain_V_per_m: [\n",
		LATTICE("[1, 1]") "faults: [{kind: odd, signal: force, index: 0}]\n",
		LATTICE("[1]"),
		LATTICE("[1, -1]"),
		LATTICE("[1, 1, 1]"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yaml) / sizeof(yaml[0]); i++) {
		struct plant_config *config;
		struct err err = {0};

		if (rig_load(&config, yaml[i], &err) != JOSTLE_ECONFIG)
			fail_msg("file %zu: found %d: %s", i, err.code, err.text);
	}
}

static void load_shipped(const char *name, const char *path, void *context)
{
	struct plant_config *config;
	struct plant plant;
	struct err err = {0};

	if (plant_load(&config, path, &err) < 0 || plant_init(&plant, config, 1e-3, 1, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	plant_fini(&plant);
	plant_config_free(config);
	*(int *)context += 1;
}

/* catches: a shipped file that its own program refuses */
static void the_shipped_plants_load(void **state)
{
	int n = 0;

	(void)state;
	find_each(FIND_PLANT, load_shipped, &n);
	assert_true(n >= 3);
}

/* catches: a period that makes no steps, or endless ones */
static void a_period_that_can_not_be_is_refused(void **state)
{
	const double periods[] = {0.0, -1.0, NAN, INFINITY};
	struct plant_config *config;
	struct plant plant;
	struct err err = {0};

	(void)state;
	assert_int_equal(rig_load(&config, LATTICE("[1, 1]"), &err), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(plant_init(&plant, config, periods[i], 1, &err), JOSTLE_EINVAL);
	plant_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_that_can_not_be_is_refused_with_its_place),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(truncated_and_foreign_files_are_refused),
		cmocka_unit_test(the_shipped_plants_load),
		cmocka_unit_test(a_period_that_can_not_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
