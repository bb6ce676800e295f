#include "sim/plant.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/random.h"
#include "sim/plant_parts.h"

size_t plant_n_in(const struct plant_config *config)
{
	return 2 * config->n_sites + 1;
}

size_t plant_n_out(const struct plant_config *config)
{
	return config->n_sites + config->n_parameters + 2;
}

bool plant_has_input(const struct plant_config *config, size_t channel)
{
	if (channel < config->n_sites)
		return config->sensor.gain_V_per_m.n > 0;
	if (channel < 2 * config->n_sites)
		return config->force_readback.gain_V_per_N.n > 0;
	return channel == 2 * config->n_sites && config->temperature_readout.gain_V_per_K != 0.0;
}

bool plant_has_output(const struct plant_config *config, size_t channel)
{
	if (channel < config->n_sites)
		return config->actuator.gain_N_per_V.n > 0;
	if (channel < config->n_sites + config->n_parameters)
		return true;
	if (channel == config->n_sites + config->n_parameters)
		return config->temperature_setting.kelvin_per_V != 0.0;
	return channel == config->n_sites + config->n_parameters + 1 && config->monostable.timeout_s > 0.0;
}

/** Every array of doubles, from one piece of memory. */
static int take_arrays(struct plant *plant, size_t packed_size)
{
	const size_t n = plant->n_sites, padded = (n + 3) / 4 * 4, p = plant->n_parameters;
	const size_t per_latch = n + p;
	struct {
		double **array;
		size_t length;
	} wanted[] = {
		{&plant->x, n},
		{&plant->v, n},
		{&plant->measured, n},
		{&plant->class_stiffness, n},
		{&plant->class_mass, n},
		{&plant->quadratic, n},
		{&plant->cubic, n},
		{&plant->coupling, plant->config->n_couplings},
		{&plant->normals, plant->wide ? 4 * n : padded},
		{&plant->bend, n},
		{&plant->bend_next, n},
		{&plant->x_next, n},
		{&plant->v_next, n},
		{&plant->out_V, plant->n_out},
		{&plant->gain, n},
		{&plant->offset, n},
		{&plant->saturation, n},
		{&plant->slew, n},
		{&plant->actuator, n},
		{&plant->force, n},
		{&plant->theta, p},
		{&plant->latched_theta, p},
		{&plant->packed, packed_size},
		{&plant->integral, n},
		{&plant->sensor_offset_V, n},
		{&plant->sensor_walk_V, n},
		{&plant->force_walk, n},
		{&plant->sensor_normals, 2 * padded + 4},
	};
	const size_t n_wanted = sizeof(wanted) / sizeof(wanted[0]);
	size_t total = plant->n_latches * per_latch;

	for (size_t i = 0; i < n_wanted; i++)
		total += wanted[i].length;
	double *next = plant->arena = calloc(total, sizeof(double));
	if (!next)
		return JOSTLE_ENOMEM;
	for (size_t i = 0; i < n_wanted; i++) {
		*wanted[i].array = next;
		next += wanted[i].length;
	}
	for (size_t i = 0; i < plant->n_latches; i++, next += per_latch)
		plant->latches[i] = (struct plant_latch){.force = next, .theta = next + n};
	return 0;
}

static int take_tables(struct plant *plant)
{
	plant->class_of = calloc(plant->n_sites, sizeof(*plant->class_of));
	plant->latches = calloc(plant->n_latches, sizeof(*plant->latches));
	plant->segments = calloc(plant->max_segments, sizeof(*plant->segments));
	plant->out_wires = calloc(plant->n_out, sizeof(*plant->out_wires));
	plant->in_wires = calloc(plant->n_in, sizeof(*plant->in_wires));
	plant->fault_is_on = calloc(plant->config->n_faults + 1, sizeof(*plant->fault_is_on));
	return plant->class_of && plant->latches && plant->segments && plant->out_wires && plant->in_wires &&
			       plant->fault_is_on
		       ? 0
		       : JOSTLE_ENOMEM;
}

/** Sites of equal stiffness and mass step alike. Natural mass is m kappa / gamma^2. */
static int set_classes(struct plant *plant)
{
	const struct plant_config *config = plant->config;
	const double mass_unit_kg = config->damping_N_s_per_m * config->damping_N_s_per_m / config->stiffness_N_per_m;

	for (size_t i = 0; i < plant->n_sites; i++) {
		const double stiffness = plant_list_at(&config->stiffness_factor, i, 1.0);
		const double mass = plant_list_at(&config->mass_kg, i, 0.0) / mass_unit_kg;
		size_t c = 0;

		while (c < plant->n_classes && (plant->class_stiffness[c] != stiffness || plant->class_mass[c] != mass))
			c++;
		plant->class_stiffness[c] = stiffness;
		plant->class_mass[c] = mass;
		plant->class_of[i] = c;
		if (c == plant->n_classes)
			plant->n_classes++;
	}
	plant->steps = calloc(plant->max_segments * plant->n_classes, sizeof(*plant->steps));
	return plant->steps ? 0 : JOSTLE_ENOMEM;
}

static double unlimited_if_zero(double limit)
{
	return limit > 0.0 ? limit : INFINITY;
}

/** SI to natural units, site by site. */
static void set_constants(struct plant *plant)
{
	const struct plant_config *config = plant->config;
	const struct plant_actuator *actuator = &config->actuator;
	const struct units u = plant->units;
	const double stiffness = u.force_N / u.length_m;

	plant->stop = unlimited_if_zero(config->stop_m / u.length_m);
	for (size_t i = 0; i < plant->n_sites; i++) {
		plant->quadratic[i] = plant_list_at(&config->quadratic_N_per_m2, i, 0.0) * u.length_m / stiffness;
		plant->cubic[i] = plant_list_at(&config->cubic_N_per_m3, i, 0.0) * u.length_m * u.length_m / stiffness;
		plant->bent |= plant->quadratic[i] != 0.0 || plant->cubic[i] != 0.0;
		plant->gain[i] = plant_list_at(&actuator->gain_N_per_V, i, 0.0) / u.force_N;
		plant->offset[i] = plant_list_at(&actuator->offset_N, i, 0.0) / u.force_N;
		plant->saturation[i] = unlimited_if_zero(plant_list_at(&actuator->saturation_N, i, 0.0) / u.force_N);
		plant->slew[i] =
			unlimited_if_zero(plant_list_at(&actuator->slew_N_per_s, i, 0.0) / u.force_N * u.time_s);
		plant->forces_vary |= isfinite(plant->slew[i]);
		plant->noisy_sensor |= plant_list_at(&config->sensor.noise_m, i, 0.0) > 0.0;
		plant->noisy_readback |= plant_list_at(&config->force_readback.noise_N, i, 0.0) > 0.0;
		plant->sensor_offset_V[i] = plant_list_at(&config->sensor.offset_V, i, 0.0);
	}
	for (size_t c = 0; c < config->n_couplings; c++)
		plant->coupling[c] = config->couplings[c].stiffness_N_per_m / stiffness;
	plant->bent |= config->n_couplings > 0;
	plant->drifting = config->drift.sensor_offset_V_per_s.n || config->drift.sensor_offset_walk_V.n ||
			  config->drift.force_offset_N_per_s.n || config->drift.force_offset_walk_N.n;
	plant->forces_vary |= plant->drifting;
	plant->temperature_K = plant->setting_K = config->temperature_K;
}

/** A draw from the passive linear stationary law: variance 1/k, velocity variance 1/m. */
static void draw_rest(struct plant *plant)
{
	double normals[4];

	for (size_t i = 0; i < plant->n_sites; i++) {
		const double stiffness = plant->class_stiffness[plant->class_of[i]];
		const double mass = plant->class_mass[plant->class_of[i]];

		random_normals(plant->seed, RANDOM_PRIOR, 0, 0, (uint32_t)i, normals);
		plant->x[i] = fmin(fmax(normals[0] / sqrt(stiffness), -plant->stop), plant->stop);
		plant->v[i] = mass > 0.0 ? normals[1] / sqrt(mass) : 0.0;
	}
}

static int open_device(struct plant *plant, struct err *err)
{
	const struct plant_config *config = plant->config;

	if (config->parameters.n_terms == 0)
		return 0;
	const int code = network_init(&plant->network, config->lattice[0], config->lattice[1],
				      (const char *const *)config->parameters.terms, config->parameters.n_terms, err);
	if (code == 0)
		plant->kernels = network_kernels_best(); /* and with it a network that plant_fini() ends */
	return code;
}

int plant_init(struct plant *plant, const struct plant_config *config, double period_s, uint64_t seed, struct err *err)
{
	const double longest = config->actuator.latency_periods + config->actuator.jitter_periods;
	int code;

	*plant = (struct plant){
		.config = config,
		.units = units_of(config->stiffness_N_per_m, config->damping_N_s_per_m, config->temperature_K),
		.period_s = period_s,
		.seed = seed,
		.n_sites = config->n_sites,
		.n_parameters = config->n_parameters,
		.n_in = plant_n_in(config),
		.n_out = plant_n_out(config),
		.applied = UINT64_MAX,
		.n_latches = (size_t)ceil(longest) + 2,
		/* at most this many: the sub-steps, the sensor's window, and three late latches within a period */
		.max_segments = config->substeps + (config->sensor.blur > 0.0) + (longest > 0.0 ? 3 : 0),
	};
	if (!(period_s > 0.0 && period_s <= 1e6))
		return err_set(err, JOSTLE_EINVAL, "period: expected seconds above 0, up to 1e6, found %g", period_s);
	plant->period = period_s / plant->units.time_s;
	for (size_t i = 0; i < config->mass_kg.n; i++)
		plant->wide |= config->mass_kg.values[i] > 0.0;
	plant->wide |= config->sensor.blur > 0.0;

	code = open_device(plant, err);
	if (code < 0)
		return code;
	code = take_tables(plant);
	if (code == 0)
		code = take_arrays(plant, plant->kernels ? plant->kernels->packed_size(&plant->network) : 0);
	if (code == 0)
		code = set_classes(plant);
	if (code < 0) {
		plant_fini(plant);
		return err_set(err, code, "no memory for a plant of %zu sites", config->n_sites);
	}
	set_constants(plant);
	plant_update_faults(plant);
	draw_rest(plant);
	plant_convert_parameters(plant);
	plant_write(plant, plant->out_V);
	plant_divide_period(plant);
	return 0;
}

void plant_fini(struct plant *plant)
{
	if (plant->kernels)
		network_fini(&plant->network);
	free(plant->class_of);
	free(plant->latches);
	free(plant->segments);
	free(plant->out_wires);
	free(plant->in_wires);
	free(plant->fault_is_on);
	free(plant->steps);
	free(plant->arena);
	*plant = (struct plant){0};
}

void plant_write(struct plant *plant, const double out_V[])
{
	plant_latch_outputs(plant, out_V);
	plant->applied = UINT64_MAX;
}

void plant_edge(struct plant *plant, const double out_V[], double in_V[])
{
	plant_move(plant);
	plant->edge++;
	if (plant_update_faults(plant))
		plant_convert_parameters(plant);
	plant_drift_on(plant);
	plant_read_inputs(plant, in_V);
	plant_latch_outputs(plant, out_V);
}

void plant_true_x(const struct plant *plant, double x_m[])
{
	for (size_t i = 0; i < plant->n_sites; i++)
		x_m[i] = plant->x[i] * plant->units.length_m;
}

void plant_set_x(struct plant *plant, const double x_m[])
{
	for (size_t i = 0; i < plant->n_sites; i++) {
		plant->x[i] = fmin(fmax(x_m[i] / plant->units.length_m, -plant->stop), plant->stop);
		plant->v[i] = 0.0;
	}
}
