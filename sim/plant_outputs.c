/*
 * From volts to forces: the monostable, wiring faults, converter, gain and offset, saturation at the edge; drift, slew and cross-talk
 * as the force acts. A force is held over a segment (zero-order hold); a slewing actuator moves at a segment's start.
 */
#include <string.h>

#include "base/random.h"
#include "sim/plant_parts.h"

#define LINE_THRESHOLD_V 1.5 /* between a low and a high level of the heartbeat line, as of TTL */

/**
 * A retriggerable monostable: it holds the supply for its time from each change of the line's level, and none before the
 * first. True when the supply has come or gone.
 */
static bool watch_line(struct plant *plant)
{
	const double timeout_s = plant->config->monostable.timeout_s;
	const bool is_high = plant->out_V[plant->n_out - 1] > LINE_THRESHOLD_V;
	const bool was_cut = plant->supply_is_cut;

	if (timeout_s <= 0.0)
		return false;
	if (is_high != plant->line_is_high) {
		plant->line_is_high = is_high;
		plant->line_has_toggled = true;
		plant->toggled_edge = plant->edge;
	}
	plant->supply_is_cut =
		!plant->line_has_toggled || (double)(plant->edge - plant->toggled_edge) * plant->period_s > timeout_s;
	return plant->supply_is_cut != was_cut;
}

void plant_in_effect(const struct plant *plant, double out_V[])
{
	memcpy(out_V, plant->out_V, plant->n_out * sizeof(*out_V));
	if (plant->supply_is_cut)
		memset(out_V, 0, (plant->n_sites + plant->n_parameters) * sizeof(*out_V));
}

static double wired_V(const struct plant *plant, size_t channel, const struct plant_converter *converter)
{
	const struct plant_wire *wire = &plant->out_wires[channel];

	if (plant->supply_is_cut)
		return plant_convert(converter, 0.0);
	return plant_convert(converter, wire->cut ? wire->value_V : plant->out_V[wire->source]);
}

static double jitter(const struct plant *plant)
{
	double u[4];

	if (plant->config->actuator.jitter_periods <= 0.0)
		return 0.0;
	random_uniforms(plant->seed, RANDOM_JITTER, 0, plant->edge, 0, u);
	return plant->config->actuator.jitter_periods * u[0];
}

/* Parameters seldom move on a feedback bench: they are converted when their volts change. */
void plant_convert_parameters(struct plant *plant)
{
	const struct plant_parameters *parameters = &plant->config->parameters;

	for (size_t k = 0; k < plant->n_parameters; k++)
		plant->latched_theta[k] = plant_list_at(&parameters->theta_per_V, k, 0.0) *
					  wired_V(plant, plant->n_sites + k, &parameters->converter);
}

void plant_latch_outputs(struct plant *plant, const double out_V[])
{
	const struct plant_config *config = plant->config;
	struct plant_latch *latch = &plant->latches[plant->edge % plant->n_latches];
	bool moved = false;

	for (size_t c = 0; c < plant->n_out; c++)
		if (out_V[c] != plant->out_V[c] && isfinite(out_V[c])) {
			plant->out_V[c] = out_V[c];
			moved |= c >= plant->n_sites;
		}
	moved |= watch_line(plant);
	latch->delay = config->actuator.latency_periods + jitter(plant);
	for (size_t i = 0; i < plant->n_sites; i++) {
		const double force = plant->gain[i] * wired_V(plant, i, &config->actuator.converter) + plant->offset[i];

		latch->force[i] = plant_clamp(force, -plant->saturation[i], plant->saturation[i]);
	}
	if (moved)
		plant_convert_parameters(plant);
	if (plant->n_parameters)
		memcpy(latch->theta, plant->latched_theta, plant->n_parameters * sizeof(*latch->theta));
	latch->temperature_V = plant->out_V[plant->n_sites + plant->n_parameters];
}

static void move_actuators(struct plant *plant, const struct plant_latch *latch, double h)
{
	const struct plant_drift *drift = &plant->config->drift;
	const double t_s = (double)plant->edge * plant->period_s;

	for (size_t i = 0; i < plant->n_sites; i++) {
		const double drifted =
			plant_list_at(&drift->force_offset_N_per_s, i, 0.0) / plant->units.force_N * t_s +
			plant->force_walk[i];
		const double step = latch->force[i] + drifted - plant->actuator[i];
		const double reach = plant->slew[i] * h;

		plant->actuator[i] += plant_clamp(step, -reach, reach);
	}
}

/** Each lattice neighbour of a site adds a fraction of its actuator's force. */
static void add_cross_talk(struct plant *plant)
{
	const size_t nx = plant->config->lattice[0], ny = plant->config->lattice[1];
	const double fraction = plant->config->actuator.cross_talk;
	const double *a = plant->actuator;

	for (size_t y = 0; y < ny; y++)
		for (size_t x = 0; x < nx; x++) {
			const size_t i = y * nx + x;

			plant->force[i] += fraction * ((x > 0 ? a[i - 1] : 0.0) + (x + 1 < nx ? a[i + 1] : 0.0) +
						       (y > 0 ? a[i - nx] : 0.0) + (y + 1 < ny ? a[i + nx] : 0.0));
		}
}

static void set_parameters(struct plant *plant, const double theta[])
{
	/* The device's own walls are its end stops: within them the potential is that of the parameters alone. */
	const struct wall wall = {.position = plant->stop, .stiffness = 1.0};

	if (plant->n_parameters == 0 || memcmp(plant->theta, theta, plant->n_parameters * sizeof(*theta)) == 0)
		return;
	memcpy(plant->theta, theta, plant->n_parameters * sizeof(*theta));
	plant->open_parameters = false;
	for (size_t k = 0; k < plant->n_parameters; k++)
		plant->open_parameters |= theta[k] != 0.0;
	plant->kernels->pack(&plant->network, plant->theta, &wall, plant->packed);
}

void plant_apply_latch(struct plant *plant, uint64_t edge, double h)
{
	const struct plant_latch *latch = &plant->latches[edge % plant->n_latches];

	if (edge == plant->applied && !plant->forces_vary)
		return;
	plant->applied = edge;
	plant->temperature_V = latch->temperature_V;
	set_parameters(plant, latch->theta);
	if (plant->forces_vary)
		move_actuators(plant, latch, h);
	else
		memcpy(plant->actuator, latch->force, plant->n_sites * sizeof(*plant->actuator));
	memcpy(plant->force, plant->actuator, plant->n_sites * sizeof(*plant->force));
	if (plant->config->actuator.cross_talk != 0.0)
		add_cross_talk(plant);
}
