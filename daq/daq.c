#include "daq/daq.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daq/bench.h"

const char *daq_role_name(enum daq_role role)
{
	static const char *const names[] = {
		[DAQ_DISPLACEMENT] = "displacement", [DAQ_FORCE] = "force",         [DAQ_PARAMETER] = "parameter",
		[DAQ_TEMPERATURE] = "temperature",   [DAQ_HEARTBEAT] = "heartbeat", [DAQ_AUXILIARY] = "auxiliary",
	};

	return (unsigned)role < sizeof(names) / sizeof(names[0]) ? names[role] : "unknown role";
}

static const struct daq_driver *find_driver(const char *name)
{
	for (size_t i = 0; driver_registry[i]; i++)
		if (strcmp(driver_registry[i]->name, name) == 0)
			return driver_registry[i];
	return NULL;
}

static int no_such_driver(const struct bench *bench, struct err *err)
{
	char names[400] = "";
	size_t length = 0;

	for (size_t i = 0; driver_registry[i] && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
					   driver_registry[i]->name);
	return err_at(err, JOSTLE_ENOENT, bench->path, 0, 0, "driver: expected one of %s, found \"%s\"", names,
		      bench->driver);
}

static struct daq_channel *take_channels(const struct bench_channel from[], size_t n)
{
	struct daq_channel *channels = calloc(n ? n : 1, sizeof(*channels));

	for (size_t c = 0; channels && c < n; c++)
		channels[c] = (struct daq_channel){
			.role = from[c].role,
			.index = from[c].index,
			.min_V = from[c].min_V,
			.max_V = from[c].max_V,
			.safe_V = from[c].safe_V,
			.skew_s = isfinite(from[c].skew_s) ? from[c].skew_s : 0.0,
		};
	return channels;
}

static void give_back(struct daq *daq)
{
	free(daq->state);
	free(daq->in);
	free(daq->out);
	*daq = (struct daq){0};
}

int daq_describe(struct daq *daq, const struct bench *bench, struct err *err)
{
	const struct daq_driver *driver = find_driver(bench->driver);

	*daq = (struct daq){0};
	if (!driver)
		return no_such_driver(bench, err);
	*daq = (struct daq){
		.driver = driver,
		.bench = bench,
		.n_in = bench->n_in,
		.n_out = bench->n_out,
		.in = take_channels(bench->in, bench->n_in),
		.out = take_channels(bench->out, bench->n_out),
		.period_s = bench->period_s,
		.simulated = driver->simulated,
	};
	if (daq->in && daq->out)
		return 0;
	give_back(daq);
	return err_set(err, JOSTLE_ENOMEM, "no memory for a bench");
}

/** Describe the bench, give its driver its state, and let it open. */
static int open_with(struct daq *daq, const struct bench *bench, const struct daq_options *options, bool guard,
		     struct err *err)
{
	int code = daq_describe(daq, bench, err);

	if (code < 0)
		return code;
	const struct daq_driver *driver = daq->driver;
	if (guard && !driver->guard_open) {
		give_back(daq);
		return err_set(err, JOSTLE_EBUSY, "driver %s can't open a bench a second time", driver->name);
	}
	daq->state = calloc(1, driver->state_size);
	code = daq->state ? (guard ? driver->guard_open : driver->open)(daq, bench, options, err)
			  : err_set(err, JOSTLE_ENOMEM, "no memory for a bench");
	if (code < 0)
		give_back(daq);
	return code;
}

int daq_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	return open_with(daq, bench, options, false, err);
}

void daq_close(struct daq *daq)
{
	if (daq->driver && daq->state) {
		daq->driver->stop(daq);
		daq->driver->close(daq);
	}
	give_back(daq);
}

int daq_guard_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	return open_with(daq, bench, options, true, err);
}

void daq_guard_close(struct daq *daq)
{
	if (daq->driver && daq->state)
		daq->driver->guard_close(daq);
	give_back(daq);
}
