#include "daq/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daq/bench_groups.h"
#include "protocols/network.h"

#define DEFAULT_STALE_PERIODS 100
/* In relaxation times: a tenth of the usual largest force would have brought a site home from anywhere by then. */
#define DEFAULT_SATURATION 0.25
#define LEAST_SATURATION   20 /* periods, on a bench of long ones */

#define DEFAULT_RAIL_PERIODS     3
#define DEFAULT_MISSED_PERIODS   100
#define DEFAULT_GUARDIAN_PERIODS 50

#define DEFAULT_BAUD 115200
#define MIN_BAUD     300
#define MAX_BAUD     12000000

static int check_range(const struct bench_loading *loading, const char *field, double value, double above, double max)
{
	if (isfinite(value) && value > above && value <= max)
		return 0;
	return BENCH_REFUSE(loading, field, "expected a number above %g, up to %g, found %g", above, max, value);
}

static size_t default_saturation(const struct bench *bench)
{
	const double periods = ceil(DEFAULT_SATURATION / bench_step(bench));

	return (size_t)fmin(fmax(periods, LEAST_SATURATION), 1e9);
}

/** A whole number of periods, or the default where the file gives none. */
static int take_periods(const struct bench_loading *loading, const char *field, const size_t *found, size_t absent,
			size_t min, size_t max, size_t *periods)
{
	*periods = found ? *found : absent;
	if (*periods >= min && *periods <= max)
		return 0;
	return BENCH_REFUSE(loading, field, "expected a whole number from %zu to %zu, found %zu", min, max, *periods);
}

static int take_all_periods(const struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	const struct bench_file *file = loading->file;
	const size_t *stale = file->stale_periods ? &file->stale_periods : NULL;
	int code;

	if ((code = take_periods(loading, "stale_periods", stale, DEFAULT_STALE_PERIODS, 2, 1000000000,
				 &bench->stale_periods)) ||
	    (code = take_periods(loading, "saturated_periods", file->saturated_periods, default_saturation(bench), 0,
				 1000000000, &bench->saturated_periods)) ||
	    (code = take_periods(loading, "rail_periods", file->rail_periods, DEFAULT_RAIL_PERIODS, 0, 1000000000,
				 &bench->rail_periods)) ||
	    (code = take_periods(loading, "missed_periods", file->missed_periods, DEFAULT_MISSED_PERIODS, 0,
				 BENCH_MISSED_WINDOW - 1, &bench->missed_periods)))
		return code;
	return take_periods(loading, "guardian_periods", file->guardian_periods, DEFAULT_GUARDIAN_PERIODS, 4, 100000,
			    &bench->guardian_periods);
}

/** The limits that several outputs share. */
static int take_shared_limits(const struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	const struct bench_file *file = loading->file;
	const struct {
		const char *field;
		double from, *to;
		bool forces; /* speaks of force outputs alone */
	} limits[] = {
		{"limit_difference_N", file->limit_difference_N, &bench->limit_difference_N, true},
		{"limit_difference_V", file->limit_difference_V, &bench->limit_difference_V, true},
		{"limit_drive_W", file->limit_drive_W, &bench->limit_drive_W, true},
		{"limit_drive_V2", file->limit_drive_V2, &bench->limit_drive_V2, false},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!isfinite(limits[i].from) || limits[i].from < 0.0)
			return BENCH_REFUSE(loading, limits[i].field, "expected a number from 0, found %g",
					    limits[i].from);
		if (limits[i].from > 0.0 && limits[i].forces && !bench_count_role(bench->out, bench->n_out, DAQ_FORCE))
			return BENCH_REFUSE(loading, limits[i].field, "expected force outputs to limit, found none");
		*limits[i].to = limits[i].from;
	}
	return 0;
}

/** The fields of the whole bench. */
static int take_head(struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	const struct bench_file *file = loading->file;

	for (int i = 0; i < 2; i++)
		if (file->lattice[i] < 1 || file->lattice[i] > NETWORK_MAX_SIDE)
			return BENCH_REFUSE(loading, i ? "lattice[1]" : "lattice[0]",
					    "expected a whole number from 1 to %d, found %zu", NETWORK_MAX_SIDE,
					    file->lattice[i]);
	if (!(file->period_s >= BENCH_MIN_PERIOD_S) || !(file->period_s <= BENCH_MAX_PERIOD_S))
		return BENCH_REFUSE(loading, "period_s", "expected a number from %g to %g, found %g",
				    BENCH_MIN_PERIOD_S, BENCH_MAX_PERIOD_S, file->period_s);
	if (check_range(loading, "stiffness_N_per_m", file->stiffness_N_per_m, 0.0, 1e12) < 0 ||
	    check_range(loading, "damping_N_s_per_m", file->damping_N_s_per_m, 0.0, 1e12) < 0 ||
	    check_range(loading, "temperature_K", file->temperature_K, 0.0, 1e9) < 0)
		return JOSTLE_ECONFIG;
	if (file->devices.n > BENCH_MAX_DEVICES)
		return BENCH_REFUSE(loading, "devices", "expected at most %d, found %u", BENCH_MAX_DEVICES,
				    file->devices.n);
	bench->period_s = file->period_s;
	bench->drive = file->drive;
	bench->nx = file->lattice[0];
	bench->ny = file->lattice[1];
	bench->stiffness_N_per_m = file->stiffness_N_per_m;
	bench->damping_N_s_per_m = file->damping_N_s_per_m;
	bench->temperature_K = file->temperature_K;
	bench->acquisition = file->acquisition;
	bench->baud = file->baud ? *file->baud : DEFAULT_BAUD;
	if (bench->baud < MIN_BAUD || bench->baud > MAX_BAUD)
		return BENCH_REFUSE(loading, "baud", "expected a whole number from %d to %d, found %zu", MIN_BAUD,
				    MAX_BAUD, bench->baud);
	if (!isfinite(bench_step(bench)) || bench_step(bench) == 0.0)
		return BENCH_REFUSE(
			loading, "damping_N_s_per_m",
			"expected a relaxation time, damping over stiffness, that a number can hold, found %g",
			bench->damping_N_s_per_m);
	return take_all_periods(loading);
}

static int take_texts(struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	const struct bench_file *file = loading->file;

	bench->summary = strdup(file->summary);
	bench->driver = strdup(file->driver);
	bench->devices = calloc(file->devices.n, sizeof(*bench->devices));
	bench->parameter_terms = calloc(NETWORK_MAX_TERMS, sizeof(*bench->parameter_terms));
	bench->in = calloc(BENCH_MAX_CHANNELS, sizeof(*bench->in));
	bench->out = calloc(BENCH_MAX_CHANNELS, sizeof(*bench->out));
	if (!bench->summary || !bench->driver || !bench->devices || !bench->parameter_terms || !bench->in ||
	    !bench->out || (file->fallback && !(bench->fallback = strdup(file->fallback))))
		return err_set(loading->err, JOSTLE_ENOMEM, "no memory for a bench");
	for (uint32_t i = 0; i < file->devices.n; i++) {
		bench->devices[i] = strdup(file->devices.values[i]);
		if (!bench->devices[i])
			return err_set(loading->err, JOSTLE_ENOMEM, "no memory for a bench");
		bench->n_devices++;
	}
	return 0;
}

/** "sim-2" from ".../sim-2.yaml". */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);

	if (length > 5 && strcmp(base + length - 5, ".yaml") == 0)
		length -= 5;
	return strndup(base, length);
}

static int check_complete(const struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	const size_t n_sites = bench->nx * bench->ny;
	struct err why = {0};

	if (bench_count_role(bench->in, bench->n_in, DAQ_DISPLACEMENT) < n_sites)
		return BENCH_REFUSE(loading, "inputs", "expected a displacement of each of %zu sites, found %zu",
				    n_sites, bench_count_role(bench->in, bench->n_in, DAQ_DISPLACEMENT));
	if (bench_set_drive(bench, bench->drive, &why) < 0)
		return BENCH_REFUSE(loading, "drive", "%s", why.text);
	return 0;
}

/** Everything from a file that has been read: bench->path, name and text are set. */
static int take(struct bench_loading *loading)
{
	struct bench *bench = loading->bench;
	int code = bench->name && bench->text ? take_texts(loading)
					      : err_set(loading->err, JOSTLE_ENOMEM, "no memory for a bench");

	code = code < 0 ? code : take_head(loading);
	code = code < 0 ? code : bench_take_groups(loading, true);
	code = code < 0 ? code : bench_take_groups(loading, false);
	code = code < 0 ? code : take_shared_limits(loading);
	code = code < 0 ? code : bench_take_instruments(loading);
	code = code < 0 ? code : check_complete(loading);
	bench_file_free(loading->file);
	if (code < 0)
		bench_free(bench);
	return code;
}

int bench_load(struct bench *bench, const char *path, struct err *err)
{
	struct bench_loading loading = {.bench = bench, .err = err};
	int code;

	*bench = (struct bench){0};
	snprintf(bench->path, sizeof(bench->path), "%s", path);
	code = bench_file_load(&loading.file, path, &bench->text, err);
	if (code < 0)
		return code;
	bench->name = name_of(path);
	return take(&loading);
}

int bench_parse(struct bench *bench, const char *name, const char *origin, const char *text, struct err *err)
{
	struct bench_loading loading = {.bench = bench, .err = err};
	int code;

	*bench = (struct bench){0};
	snprintf(bench->path, sizeof(bench->path), "%s", origin);
	code = bench_file_parse(&loading.file, origin, text, err);
	if (code < 0)
		return code;
	bench->name = strdup(name);
	bench->text = strdup(text);
	return take(&loading);
}

void bench_free(struct bench *bench)
{
	for (size_t i = 0; i < bench->n_devices; i++)
		free(bench->devices[i]);
	for (size_t i = 0; i < bench->n_parameter_terms; i++)
		free(bench->parameter_terms[i]);
	free(bench->devices);
	free(bench->parameter_terms);
	free(bench->name);
	free(bench->summary);
	free(bench->driver);
	free(bench->fallback);
	free(bench->stands_for);
	free(bench->text);
	free(bench->in);
	free(bench->out);
	free(bench->instruments);
	*bench = (struct bench){0};
}

int bench_set_drive(struct bench *bench, enum drive drive, struct err *err)
{
	const size_t n_sites = bench->nx * bench->ny;
	const size_t n_forces = bench_count_role(bench->out, bench->n_out, DAQ_FORCE);

	if (drive == DRIVE_FEEDBACK && n_forces < n_sites)
		return err_set(err, JOSTLE_ECONFIG,
			       "drive feedback: expected a force output for each of %zu sites, found %zu", n_sites,
			       n_forces);
	if (drive == DRIVE_PARAMETRIC && bench->n_parameters == 0)
		return err_set(err, JOSTLE_ECONFIG, "drive parametric: expected parameter outputs, found none");
	bench->drive = drive;
	return 0;
}

static int require(const struct bench *bench, const struct bench_channel *channel, const char *group, const char *field,
		   double value, struct err *err)
{
	return value > 0.0 ? 0
			   : err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				    "%s, %s %zu: expected %s, without which no hardware is driven, found none", group,
				    daq_role_name(channel->role), channel->index, field);
}

int bench_check_limits(const struct bench *bench, struct err *err)
{
	const enum daq_role driven = bench->drive == DRIVE_FEEDBACK ? DAQ_FORCE : DAQ_PARAMETER;
	int code = 0;

	for (size_t c = 0; c < bench->n_in && code == 0; c++)
		if (bench->in[c].role == DAQ_DISPLACEMENT)
			code = require(bench, &bench->in[c], "inputs", "limit_m", bench->in[c].limit, err);
	for (size_t c = 0; c < bench->n_out && code == 0; c++) {
		const struct bench_channel *channel = &bench->out[c];

		if (channel->role != driven)
			continue;
		code = require(bench, channel, "outputs", driven == DAQ_FORCE ? "limit_N" : "limit_theta",
			       channel->limit, err);
		code = code < 0 ? code : require(bench, channel, "outputs", "slew_V_per_s", channel->slew_V_per_s, err);
	}
	return code;
}

const char *bench_drive_name(enum drive drive)
{
	return drive == DRIVE_FEEDBACK ? "feedback" : "parametric";
}

double bench_step(const struct bench *bench)
{
	return bench->period_s * bench->stiffness_N_per_m / bench->damping_N_s_per_m;
}

void bench_name_fallback(const struct bench *bench, char out[], size_t size)
{
	snprintf(out, size, "--fallback sim runs this bench on the simulated plant %s",
		 bench->fallback ? bench->fallback : "that its field fallback names");
}
