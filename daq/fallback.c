#include "daq/fallback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/find.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "sim/plant.h"
#include "sim/plant_page.h"

/** Drivers that this program may have been built without. Another name that it doesn't know is a mistake in the bench file. */
static bool may_be_left_out(const char *driver)
{
	static const char *const names[] = {"comedi", "serial"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

/** 0 where the hardware is there, 1 where it is not, or why that can't be said. */
static int look(const struct bench *bench, struct err *missing, struct err *err)
{
	static const struct daq_options options = {.paced = true};
	struct daq daq;
	int code = daq_describe(&daq, bench, missing);

	if (code == JOSTLE_ENOENT && may_be_left_out(bench->driver))
		return 1;
	const bool simulated = code == 0 && daq.simulated;

	daq_close(&daq);
	if (simulated)
		return err_set(err, JOSTLE_EINVAL, "bench %s is simulated: there is no hardware to fall back from",
			       bench->name);
	code = code < 0 ? code : daq_open(&daq, bench, &options, missing);
	if (code == JOSTLE_ENODEV)
		return 1;
	if (code < 0 && err)
		*err = *missing;
	daq_close(&daq);
	return code;
}

/** Which of the plant's channels carries a signal: the order is that of sim/plant.h. Returns whether there may be one. */
static bool find_channel(const struct bench_channel *channel, bool input, const struct plant_facts *facts, size_t *at)
{
	switch (channel->role) {
	case DAQ_DISPLACEMENT:
		*at = channel->index;
		return true;
	case DAQ_FORCE:
		*at = input ? facts->n_sites + channel->index : channel->index;
		return true;
	case DAQ_PARAMETER:
		*at = facts->n_sites + channel->index;
		return channel->index < facts->n_parameters;
	case DAQ_TEMPERATURE:
		*at = 2 * (size_t)facts->n_sites;
		return true;
	case DAQ_HEARTBEAT:
		*at = facts->n_out - 1;
		return true;
	default:
		return false;
	}
}

/** The plant's channels for all signals; whether the plant has them is driver sim's to say. */
static int rewire(struct bench *bench, struct bench_channel channels[], size_t n, bool input,
		  const struct plant_facts *facts, struct err *err)
{
	for (size_t c = 0; c < n; c++) {
		if (!find_channel(&channels[c], input, facts, &channels[c].channel))
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				      "fallback: %s has nothing for %s %zu of the %s", facts->name,
				      daq_role_name(channels[c].role), channels[c].index, input ? "inputs" : "outputs");
		channels[c].device = 0;
	}
	return 0;
}

static int read_facts(const struct bench *bench, struct plant_facts *facts, struct err *err)
{
	struct plant_config *config = NULL;
	char path[1024];
	int code = find_file(FIND_PLANT, bench->fallback, path, sizeof(path), err);

	code = code < 0 ? code : plant_load(&config, path, err);
	if (code < 0)
		return code;
	plant_state_facts(facts, config, bench->period_s);
	plant_config_free(config);
	if (facts->n_sites == bench->nx * bench->ny)
		return 0;
	return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "fallback: expected a plant of %zu sites, found %u in %s",
		      bench->nx * bench->ny, facts->n_sites, bench->fallback);
}

/** Make the bench one of driver sim. */
static int take_place(struct bench *bench, struct err *err)
{
	char stands_for[64];
	char *driver = strdup("sim"), *plant = strdup(bench->fallback), *what;

	snprintf(stands_for, sizeof(stands_for), "%.16s %.46s", bench->driver, bench->devices[0]);
	what = strdup(stands_for);
	if (!driver || !plant || !what) {
		free(driver);
		free(plant);
		free(what);
		return err_set(err, JOSTLE_ENOMEM, "no memory for a bench");
	}
	for (size_t i = 0; i < bench->n_devices; i++)
		free(bench->devices[i]);
	free(bench->driver);
	free(bench->stands_for);
	bench->driver = driver;
	bench->devices[0] = plant;
	bench->n_devices = 1;
	bench->stands_for = what;
	/* They belong to the hardware: a plant has a bath of its own, which they would neither set nor see. */
	free(bench->instruments);
	bench->instruments = NULL;
	bench->n_instruments = 0;
	return 0;
}

int fallback_to_plant(struct bench *bench, struct err *missing, struct err *err)
{
	struct plant_facts *facts;
	int code = look(bench, missing, err);

	if (code != 1)
		return code;
	if (!bench->fallback)
		return err_at(err, JOSTLE_ENODEV, bench->path, 0, 0,
			      "%s; and the bench file names no plant in its field fallback", missing->text);
	facts = calloc(1, sizeof(*facts));
	code = facts ? read_facts(bench, facts, err) : err_set(err, JOSTLE_ENOMEM, "no memory for a plant");
	code = code < 0 ? code : rewire(bench, bench->in, bench->n_in, true, facts, err);
	code = code < 0 ? code : rewire(bench, bench->out, bench->n_out, false, facts, err);
	code = code < 0 ? code : take_place(bench, err);
	free(facts);
	return code < 0 ? code : 1;
}
