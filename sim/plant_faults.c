/*
 * What is wrong with the device, and when: wires that are dead, stuck, swapped, that deliver no number or stand at the end
 * of their converter, and a clock that is set.
 */
#include "sim/plant_parts.h"

/** Whether something that begins and ends is there at this edge. */
static bool is_on(const struct plant *plant, const struct plant_spell *spell)
{
	const double t_s = (double)plant->edge * plant->period_s;

	if (spell->on_signal)
		return plant->signalled;
	return t_s >= spell->from_s && (spell->until_s <= 0.0 || t_s < spell->until_s);
}

static double standing_V(const struct plant_fault *fault)
{
	switch (fault->kind) {
	case PLANT_STUCK:
		return fault->value_V;
	case PLANT_NAN:
		return NAN;
	case PLANT_SATURATED:
		return copysign(INFINITY, fault->value_V); /* the converter brings it to its end */
	case PLANT_DEAD:
	case PLANT_SWAPPED:
		break;
	}
	return 0.0;
}

/** Where a signal's wires begin. */
static struct plant_wire *wires_of(const struct plant *plant, enum plant_signal signal)
{
	switch (signal) {
	case PLANT_FORCE_READBACK:
		return plant->in_wires + plant->n_sites;
	case PLANT_TEMPERATURE:
		return plant->in_wires + 2 * plant->n_sites;
	case PLANT_FORCE:
		return plant->out_wires;
	case PLANT_PARAMETER:
		return plant->out_wires + plant->n_sites;
	case PLANT_DISPLACEMENT:
		break;
	}
	return plant->in_wires;
}

/** Wire the device anew, fault by fault in the file's order. */
static void wire(struct plant *plant)
{
	for (size_t c = 0; c < plant->n_in; c++)
		plant->in_wires[c] = (struct plant_wire){.source = c % plant->n_sites};
	for (size_t c = 0; c < plant->n_out; c++)
		plant->out_wires[c] = (struct plant_wire){.source = c};
	for (size_t i = 0; i < plant->config->n_faults; i++) {
		const struct plant_fault *fault = &plant->config->faults[i];
		struct plant_wire *wires = wires_of(plant, fault->signal);

		if (!plant->fault_is_on[i])
			continue;
		if (fault->kind == PLANT_SWAPPED) {
			const struct plant_wire other = wires[fault->with];

			wires[fault->with] = wires[fault->index];
			wires[fault->index] = other;
		} else {
			wires[fault->index].cut = true;
			wires[fault->index].value_V = standing_V(fault);
		}
	}
}

bool plant_update_faults(struct plant *plant)
{
	bool changed = !plant->wired;

	for (size_t i = 0; i < plant->config->n_faults; i++) {
		const bool on = is_on(plant, &plant->config->faults[i].spell);

		changed |= on != plant->fault_is_on[i];
		plant->fault_is_on[i] = on;
	}
	plant->wired = true;
	if (changed)
		wire(plant);
	return changed;
}

void plant_signal(struct plant *plant, bool on)
{
	plant->signalled = on;
}

int64_t plant_clock_step_ns(const struct plant *plant)
{
	const struct plant_clock_step *step = &plant->config->clock_step;

	return is_on(plant, &step->spell) ? (int64_t)(step->by_s * 1e9) : 0;
}
