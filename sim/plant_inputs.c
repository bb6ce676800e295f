/*
 * From motion to volts: noise, gain, offset with its drift, line interference, wiring faults, converter.
 */
#include "base/random.h"
#include "sim/plant_parts.h"

/** Normals of the sensors: displacement, force read-back, temperature, each from a block of its own on. */
static size_t readback_normals(const struct plant *plant)
{
	return (plant->n_sites + 3) / 4 * 4;
}

static void draw(struct plant *plant, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i += 4)
		random_normals(plant->seed, RANDOM_SENSOR, 0, plant->edge, (uint32_t)(i / 4),
			       plant->sensor_normals + i);
}

static double displacement_V(const struct plant *plant, size_t i, double line)
{
	const struct plant_sensor *sensor = &plant->config->sensor;
	double x_m = plant->measured[i] * plant->units.length_m;

	if (plant->noisy_sensor)
		x_m += plant_list_at(&sensor->noise_m, i, 0.0) * plant->sensor_normals[i];
	return plant_list_at(&sensor->gain_V_per_m, i, 0.0) * x_m + plant->sensor_offset_V[i] +
	       plant_list_at(&sensor->line_amplitude_V, i, 0.0) * line;
}

static void read_displacements(struct plant *plant, double in_V[])
{
	const struct plant_sensor *sensor = &plant->config->sensor;
	double line = 0.0;

	if (plant->noisy_sensor)
		draw(plant, 0, plant->n_sites);
	if (sensor->line_amplitude_V.n) {
		const double turns = sensor->line_frequency_Hz * (double)plant->edge * plant->period_s;

		line = sin(2.0 * M_PI * (turns - floor(turns)));
	}
	for (size_t i = 0; i < plant->n_sites; i++) {
		const struct plant_wire *wire = &plant->in_wires[i];
		const double value_V = wire->cut ? wire->value_V : displacement_V(plant, wire->source, line);

		in_V[i] = plant_convert(&sensor->converter, value_V);
	}
}

static double readback_V(const struct plant *plant, size_t i, const double normals[])
{
	const struct plant_force_readback *readback = &plant->config->force_readback;
	double force_N = plant->force[i] * plant->units.force_N;

	if (plant->open_parameters)
		force_N += plant->bend_next[i] * plant->units.force_N;
	if (plant->noisy_readback)
		force_N += plant_list_at(&readback->noise_N, i, 0.0) * normals[i];
	return plant_list_at(&readback->gain_V_per_N, i, 0.0) * force_N + plant_list_at(&readback->offset_V, i, 0.0);
}

static void read_forces(struct plant *plant, double in_V[])
{
	const double *normals = plant->sensor_normals + readback_normals(plant);

	if (plant->noisy_readback)
		draw(plant, readback_normals(plant), plant->n_sites);
	if (plant->open_parameters)
		plant->kernels->force(&plant->network, plant->packed, plant->x, plant->bend_next);
	for (size_t i = 0; i < plant->n_sites; i++) {
		const struct plant_wire *wire = &plant->in_wires[plant->n_sites + i];
		const double value_V = wire->cut ? wire->value_V : readback_V(plant, wire->source, normals);

		in_V[i] = plant_convert(&plant->config->force_readback.converter, value_V);
	}
}

static double read_temperature(struct plant *plant)
{
	const struct plant_temperature_readout *readout = &plant->config->temperature_readout;
	const size_t at = 2 * readback_normals(plant);
	double noise_K = 0.0;

	const struct plant_wire *wire = &plant->in_wires[2 * plant->n_sites];

	if (readout->gain_V_per_K == 0.0)
		return 0.0;
	if (wire->cut)
		return plant_convert(&readout->converter, wire->value_V);
	if (readout->noise_K > 0.0) {
		draw(plant, at, 1);
		noise_K = readout->noise_K * plant->sensor_normals[at];
	}
	return plant_convert(&readout->converter,
			     readout->offset_V + readout->gain_V_per_K * (plant->temperature_K + noise_K));
}

void plant_read_inputs(struct plant *plant, double in_V[])
{
	const size_t n = plant->n_sites;

	read_displacements(plant, in_V);
	if (plant->config->force_readback.gain_V_per_N.n)
		read_forces(plant, in_V + n);
	else
		for (size_t i = 0; i < n; i++)
			in_V[n + i] = 0.0;
	in_V[2 * n] = read_temperature(plant);
}

static void drift_offsets(struct plant *plant)
{
	const struct plant_drift *drift = &plant->config->drift;
	const double root_s = sqrt(plant->period_s), t_s = (double)plant->edge * plant->period_s;
	double normals[4];

	for (size_t i = 0; i < plant->n_sites; i++) {
		random_normals(plant->seed, RANDOM_DRIFT, 0, plant->edge, (uint32_t)i + 1, normals);
		plant->sensor_walk_V[i] += plant_list_at(&drift->sensor_offset_walk_V, i, 0.0) * root_s * normals[0];
		plant->force_walk[i] +=
			plant_list_at(&drift->force_offset_walk_N, i, 0.0) / plant->units.force_N * root_s * normals[1];
		plant->sensor_offset_V[i] = plant_list_at(&plant->config->sensor.offset_V, i, 0.0) +
					    plant_list_at(&drift->sensor_offset_V_per_s, i, 0.0) * t_s +
					    plant->sensor_walk_V[i];
	}
}

static void drift_temperature(struct plant *plant)
{
	const struct plant_temperature_setting *setting = &plant->config->temperature_setting;
	const struct plant_drift *drift = &plant->config->drift;
	const double t_s = (double)plant->edge * plant->period_s;
	double normals[4], wanted_K = plant->config->temperature_K;

	if (setting->kelvin_per_V != 0.0)
		wanted_K = fmin(fmax(wanted_K + setting->kelvin_per_V * plant->temperature_V, setting->min_K),
				setting->max_K);
	if (setting->time_constant_s > 0.0)
		plant->setting_K += (wanted_K - plant->setting_K) * -expm1(-plant->period_s / setting->time_constant_s);
	else
		plant->setting_K = wanted_K;
	if (drift->temperature_walk_K > 0.0) {
		random_normals(plant->seed, RANDOM_DRIFT, 0, plant->edge, 0, normals);
		plant->temperature_walk_K += drift->temperature_walk_K * sqrt(plant->period_s) * normals[0];
	}
	plant->temperature_K =
		fmax(plant->setting_K + drift->temperature_K_per_s * t_s + plant->temperature_walk_K, 0.0);
}

void plant_drift_on(struct plant *plant)
{
	if (plant->drifting)
		drift_offsets(plant);
	drift_temperature(plant);
}
