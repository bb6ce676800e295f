/*
 * The simulated bench: a plant inside this process, or a running `jostle plant` over shared memory.
 *
 * In-process, the device is a plant's name or path. Paced, edge n stands at start + n period by CLOCK_MONOTONIC; unpaced,
 * the plant's own time is the clock. Attached, the plant's process keeps the clock.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/find.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "daq/grid.h"
#include "sim/plant.h"
#include "sim/plant_page.h"

#define TIMEOUT_PERIODS 20 /* of an attached plant, and a fifth of a second: a busy machine is not a dead plant */
#define TIMEOUT_NS      200000000

struct sim {
	struct plant_config *config; /* in-process */
	struct plant plant;
	struct plant_page page; /* attached */
	bool attached, paced, started;
	double *device_in_V, *device_out_V; /* every channel of the device */
	struct grid grid;                   /* since start() */
};

static const char *input_noun(size_t channel, size_t n_sites)
{
	return channel < n_sites ? "displacement" : channel < 2 * n_sites ? "force read-back" : "temperature";
}

static const char *output_noun(size_t channel, size_t n_sites, size_t n_parameters)
{
	if (channel < n_sites + n_parameters)
		return channel < n_sites ? "force" : "parameter";
	return channel == n_sites + n_parameters ? "temperature setting" : "monostable, and no heartbeat line";
}

/** Whether the bench's channels are there, so that a wrong number is not read as a quiet signal. */
static int check_channels(const struct bench *bench, const struct plant_facts *facts, struct err *err)
{
	for (size_t c = 0; c < bench->n_in; c++) {
		const size_t channel = bench->in[c].channel;

		if (channel >= facts->n_in)
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				      "inputs: channel %zu: plant %s has %u inputs", channel, facts->name, facts->n_in);
		if (!facts->has_in[channel])
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "inputs: channel %zu: plant %s has no %s",
				      channel, facts->name, input_noun(channel, facts->n_sites));
	}
	for (size_t c = 0; c < bench->n_out; c++) {
		const size_t channel = bench->out[c].channel;

		if (channel >= facts->n_out)
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				      "outputs: channel %zu: plant %s has %u outputs", channel, facts->name,
				      facts->n_out);
		if (!facts->has_out[channel])
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				      "outputs: channel %zu: plant %s has no %s", channel, facts->name,
				      output_noun(channel, facts->n_sites, facts->n_parameters));
		if ((bench->out[c].role == DAQ_HEARTBEAT) != (channel + 1 == facts->n_out))
			return err_at(
				err, JOSTLE_ECONFIG, bench->path, 0, 0,
				"outputs: channel %zu: expected role heartbeat on channel %u alone, found role %s",
				channel, facts->n_out - 1, daq_role_name(bench->out[c].role));
	}
	return 0;
}

static int open_attached(struct sim *sim, const struct bench *bench, const char *name, bool guard, struct err *err)
{
	const int code = guard ? plant_page_guard(&sim->page, name, err) : plant_page_attach(&sim->page, name, err);

	if (code < 0)
		return code;
	sim->attached = true;
	if (fabs(sim->page.facts.period_s / bench->period_s - 1.0) > 1e-9)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "period_s: %g, but plant %s runs at %g",
			      bench->period_s, name, sim->page.facts.period_s);
	return 0;
}

static int open_in_process(struct sim *sim, const struct bench *bench, uint64_t seed, struct err *err)
{
	char path[1024];
	int code = find_file(FIND_PLANT, bench->devices[0], path, sizeof(path), err);

	if (code == JOSTLE_ENOENT) {
		if (err)
			err->code = JOSTLE_ENODEV;
		return JOSTLE_ENODEV;
	}
	code = code < 0 ? code : plant_load(&sim->config, path, err);
	code = code < 0 ? code : plant_init(&sim->plant, sim->config, bench->period_s, seed, err);
	if (code < 0)
		return code;

	plant_state_facts(&sim->page.facts, sim->config, bench->period_s);
	return 0;
}

static void sim_close(struct daq *daq)
{
	struct sim *sim = daq->state;

	if (sim->attached)
		plant_page_close(&sim->page);
	else
		plant_fini(&sim->plant);
	plant_config_free(sim->config);
	free(sim->device_in_V);
	free(sim->device_out_V);
	memset(sim, 0, sizeof(*sim));
}

static int take_channels(struct sim *sim, const struct bench *bench, struct err *err)
{
	const int code = check_channels(bench, &sim->page.facts, err);

	if (code < 0)
		return code;
	sim->device_in_V = calloc(sim->page.facts.n_in, sizeof(double));
	sim->device_out_V = calloc(sim->page.facts.n_out, sizeof(double));
	return sim->device_in_V && sim->device_out_V ? 0
						     : err_set(err, JOSTLE_ENOMEM, "no memory for a plant's channels");
}

static int check_devices(const struct bench *bench, struct err *err)
{
	return bench->n_devices == 1 ? 0
				     : err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
					      "devices: driver sim takes 1, found %zu", bench->n_devices);
}

static bool has_heartbeat(const struct bench *bench)
{
	for (size_t c = 0; c < bench->n_out; c++)
		if (bench->out[c].role == DAQ_HEARTBEAT)
			return true;
	return false;
}

static enum daq_last_resort last_resort(const struct sim *sim, const struct bench *bench)
{
	const struct plant_facts *facts = &sim->page.facts;

	if (!sim->attached)
		return DAQ_ENDS_WITH_PROCESS;
	if (!facts->exclusive)
		return DAQ_SECOND_OPENING;
	return facts->monostable_s > 0.0 && has_heartbeat(bench) ? DAQ_MONOSTABLE : DAQ_NO_LAST_RESORT;
}

static int sim_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	struct sim *sim = daq->state;
	int code = check_devices(bench, err);

	if (code < 0)
		return code;
	sim->paced = options->paced;
	code = options->attach ? open_attached(sim, bench, options->attach, false, err)
			       : open_in_process(sim, bench, options->seed, err);
	code = code < 0 ? code : take_channels(sim, bench, err);
	if (code < 0) {
		sim_close(daq);
		return code;
	}
	daq->period_s = bench->period_s;
	daq->last_resort = last_resort(sim, bench);
	snprintf(daq->backend, sizeof(daq->backend), "sim (%s plant %.63s%s%s)",
		 sim->attached ? "attached" : "in-process", sim->page.facts.name,
		 bench->stands_for ? " in place of " : "", bench->stands_for ? bench->stands_for : "");
	return 0;
}

/** Write the safe volts at once, not at the next exchange. */
static void drive_safe(struct daq *daq)
{
	struct sim *sim = daq->state;

	for (size_t c = 0; c < daq->n_out; c++)
		sim->device_out_V[daq->bench->out[c].channel] = daq->out[c].safe_V;
	if (sim->attached)
		plant_page_write(&sim->page, sim->device_out_V);
	else
		plant_write(&sim->plant, sim->device_out_V);
}

/** How long an attached plant may take for an edge. */
static int64_t wait_ns(const struct sim *sim)
{
	return TIMEOUT_NS + (int64_t)(TIMEOUT_PERIODS * sim->page.facts.period_s * 1e9);
}

static int sim_start(struct daq *daq, struct err *err)
{
	struct sim *sim = daq->state;
	int64_t t_ns;

	drive_safe(daq);
	sim->started = true;
	grid_begin(&sim->grid, sim->paced ? clock_now_ns() : (int64_t)((double)sim->plant.edge * daq->period_s * 1e9),
		   daq->period_s);
	if (sim->attached) {
		/* The plant takes volts at its edges: with the next one the safe ones are in force. */
		plant_page_skip(&sim->page);
		if (plant_page_wait(&sim->page, wait_ns(sim), sim->device_in_V, &t_ns) == JOSTLE_EIO) {
			sim->started = false;
			return err_set(err, JOSTLE_EIO, "plant %s gives no edges", sim->page.facts.name);
		}
		plant_page_skip(&sim->page);
	}
	return 0;
}

/** Sleep to the next edge of the grid; edges that have passed are missed, and the plant lives through them. */
static int wait_for_edge(struct daq *daq, struct sim *sim)
{
	const int64_t late = grid_skip(&sim->grid);

	for (int64_t i = 0; i < late; i++)
		plant_edge(&sim->plant, sim->device_out_V, sim->device_in_V);
	daq->woke_ns = grid_wait(&sim->grid);
	return late > 0 ? JOSTLE_EMISSED : 0;
}

static int sim_exchange(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	struct sim *sim = daq->state;
	const struct bench *bench = daq->bench;
	int code = 0;

	daq->woke_ns = 0;
	if (!sim->started)
		return JOSTLE_EIO;
	if (!sim->attached && sim->paced)
		code = wait_for_edge(daq, sim);
	else if (!sim->attached)
		sim->grid.edge++;
	for (size_t c = 0; c < daq->n_out; c++)
		sim->device_out_V[bench->out[c].channel] = isnan(out_V[c]) ? daq->out[c].safe_V : out_V[c];
	if (sim->attached) {
		plant_page_write(&sim->page, sim->device_out_V);
		code = plant_page_wait(&sim->page, wait_ns(sim), sim->device_in_V, t_ns);
		daq->woke_ns = sim->page.woke_ns;
	} else {
		plant_edge(&sim->plant, sim->device_out_V, sim->device_in_V);
		*t_ns = grid_edge_ns(&sim->grid, sim->grid.edge) + plant_clock_step_ns(&sim->plant);
	}
	for (size_t c = 0; c < daq->n_in; c++)
		in_V[c] = sim->device_in_V[bench->in[c].channel];
	return code;
}

static int sim_stop(struct daq *daq)
{
	struct sim *sim = daq->state;

	if (sim->started)
		drive_safe(daq);
	sim->started = false;
	return 0;
}

static int sim_guard_open(struct daq *daq, const struct bench *bench, const struct daq_options *options,
			  struct err *err)
{
	struct sim *sim = daq->state;
	int code = check_devices(bench, err);

	if (code < 0)
		return code;
	if (!options->attach)
		return err_set(err, JOSTLE_EBUSY, "a plant inside another process can't be opened a second time");
	code = open_attached(sim, bench, options->attach, true, err);
	code = code < 0 ? code : take_channels(sim, bench, err);
	if (code < 0)
		sim_close(daq);
	return code;
}

static int sim_guard_write(struct daq *daq, const double out_V[])
{
	struct sim *sim = daq->state;

	for (size_t c = 0; c < daq->n_out; c++)
		sim->device_out_V[daq->bench->out[c].channel] = isnan(out_V[c]) ? daq->out[c].safe_V : out_V[c];
	return plant_page_seize(&sim->page, sim->device_out_V);
}

static void sim_guard_release(struct daq *daq)
{
	struct sim *sim = daq->state;

	plant_page_let_go(&sim->page);
}

const struct daq_driver driver_sim = {
	.name = "sim",
	.summary = "a simulated bench: a plant in this process, or a running jostle plant",
	.example = "sim-2",
	.absent_device = "no-such-plant",
	.simulated = true,
	.state_size = sizeof(struct sim),
	.open = sim_open,
	.start = sim_start,
	.exchange = sim_exchange,
	.stop = sim_stop,
	.close = sim_close,
	.guard_open = sim_guard_open,
	.guard_write = sim_guard_write,
	.guard_release = sim_guard_release,
	.guard_close = sim_close,
};
