/*
 * The bench file and its channel map: what is accepted obeys every range that docs/file-formats.md gives, what is refused
 * is refused in one line that names a place in the file.
 */
#include <math.h>
#include <stdbool.h>

#include "base/err.h"
#include "daq/bench.h"
#include "daq/instruments/setup.h"
#include "protocols/network.h"
#include "fuzz/target.h"

#define ORIGIN  "a.yaml"
#define LARGEST 8192

static bool is_within(double value, double min, double max)
{
	return value >= min && value <= max; /* NaN is not */
}

static size_t count(const struct bench_channel *channels, size_t n, enum daq_role role)
{
	size_t found = 0;

	for (size_t c = 0; c < n; c++)
		found += channels[c].role == role;
	return found;
}

static void check_head(const struct bench *bench, const char *text)
{
	REQUIRE(strcmp(bench->text, text) == 0 && strcmp(bench->path, ORIGIN) == 0 && strcmp(bench->name, "a") == 0);
	REQUIRE(bench->summary[0] && bench->driver[0] && (!bench->fallback || bench->fallback[0]));
	REQUIRE(bench->n_devices >= 1 && bench->n_devices <= BENCH_MAX_DEVICES);
	for (size_t d = 0; d < bench->n_devices; d++)
		REQUIRE(bench->devices[d][0]);
	REQUIRE(is_within(bench->period_s, 5e-5, 0.1));
	REQUIRE(bench->nx >= 1 && bench->nx <= NETWORK_MAX_SIDE && bench->ny >= 1 && bench->ny <= NETWORK_MAX_SIDE);
	REQUIRE(bench->stiffness_N_per_m > 0.0 && isfinite(bench->stiffness_N_per_m));
	REQUIRE(bench->damping_N_s_per_m > 0.0 && isfinite(bench->damping_N_s_per_m));
	REQUIRE(bench->temperature_K > 0.0 && isfinite(bench->temperature_K));
	REQUIRE(bench->drive == DRIVE_FEEDBACK || bench->drive == DRIVE_PARAMETRIC);
	REQUIRE(bench->acquisition == ACQUISITION_SINGLE || bench->acquisition == ACQUISITION_STREAMING);
	REQUIRE(bench->stale_periods >= 2 && bench->missed_periods < BENCH_MISSED_WINDOW);
	REQUIRE(bench->guardian_periods >= 4 && bench->guardian_periods <= 100000);
	REQUIRE(bench->baud >= 300 && bench->baud <= 12000000);
	REQUIRE(is_within(bench->limit_difference_N, 0.0, HUGE_VAL) && is_within(bench->limit_drive_W, 0.0, HUGE_VAL));
	REQUIRE(is_within(bench->limit_difference_V, 0.0, HUGE_VAL) && is_within(bench->limit_drive_V2, 0.0, HUGE_VAL));
}

/** A signal that may be there, on the side where it may be. */
static void check_signal(const struct bench *bench, const struct bench_channel *c, bool input)
{
	switch (c->role) {
	case DAQ_DISPLACEMENT:
		REQUIRE(input && c->index < bench->nx * bench->ny);
		return;
	case DAQ_FORCE:
		REQUIRE(c->index < bench->nx * bench->ny);
		return;
	case DAQ_PARAMETER:
		REQUIRE(!input && c->index < bench->n_parameters);
		return;
	case DAQ_TEMPERATURE:
		REQUIRE(input && c->index == 0);
		return;
	case DAQ_HEARTBEAT:
		REQUIRE(!input && c->index == 0 && c->safe_V < c->limit_max_V && c->slew_V_per_s == 0.0);
		return;
	case DAQ_AUXILIARY:
		REQUIRE(c->index < (input ? bench->n_in : bench->n_out) && c->limit == 0.0 && c->gain == 1.0);
		return;
	}
	REQUIRE(!"a role");
}

static void check_channel(const struct bench *bench, const struct bench_channel *c, bool input)
{
	check_signal(bench, c, input);
	REQUIRE(c->device < bench->n_devices && c->channel <= BENCH_MAX_CHANNEL);
	REQUIRE(c->subdevice >= BENCH_ANY_SUBDEVICE && c->subdevice <= BENCH_MAX_SUBDEVICE);
	REQUIRE(is_within(c->min_V, -1e6, 1e6) && is_within(c->max_V, -1e6, 1e6) && c->min_V < c->max_V);
	REQUIRE(is_within(c->limit_min_V, c->min_V, c->max_V) && is_within(c->limit_max_V, c->min_V, c->max_V));
	REQUIRE(c->limit_min_V < c->limit_max_V);
	REQUIRE(c->gain != 0.0 && is_within(c->gain, -1e30, 1e30));
	REQUIRE(fabs(c->offset_V) <= fmax(fabs(c->min_V), fabs(c->max_V)));
	REQUIRE(is_within(c->limit, 0.0, HUGE_VAL) && isfinite(c->limit));
	REQUIRE(is_within(c->slew_V_per_s, 0.0, HUGE_VAL) && isfinite(c->slew_V_per_s));
	REQUIRE(c->reference >= REFERENCE_GROUND && c->reference <= REFERENCE_OTHER);
	REQUIRE(c->conversion >= CONVERSION_HARDWARE && c->conversion <= CONVERSION_NOMINAL);
	REQUIRE(isnan(c->skew_s) || (c->skew_s >= 0.0 && c->skew_s < bench->period_s));
	if (c->limit_min_K != 0.0 || c->limit_max_K != 0.0)
		REQUIRE(c->role == DAQ_TEMPERATURE && is_within(c->limit_min_K, 0.0, c->limit_max_K) &&
			isfinite(c->limit_max_K) && c->limit_min_K < c->limit_max_K);
	if (input) {
		REQUIRE(c->safe_V == 0.0 && c->slew_V_per_s == 0.0);
		return;
	}
	REQUIRE(is_within(c->safe_V, c->limit_min_V, c->limit_max_V));
	REQUIRE(c->limit == 0.0 || fabs((c->safe_V - c->offset_V) / c->gain) <= c->limit * (1.0 + 1e-8));
}

/** No place and no signal twice. */
static void check_apart(const struct bench_channel *channels, size_t n)
{
	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < a; b++) {
			REQUIRE(channels[a].device != channels[b].device ||
				channels[a].subdevice != channels[b].subdevice ||
				channels[a].channel != channels[b].channel);
			REQUIRE(channels[a].role != channels[b].role || channels[a].index != channels[b].index);
		}
}

static void check_value(const struct instrument_value *value, bool set)
{
	const char *number = strstr(value->line, INSTRUMENT_NUMBER);

	REQUIRE(value->name[0] && !value->name[strspn(value->name, "abcdefghijklmnopqrstuvwxyz0123456789-_")]);
	REQUIRE(set ? number && !strstr(number + 2, INSTRUMENT_NUMBER) && !strchr(value->line, '?')
		    : !number && strchr(value->line, '?'));
	for (const char *at = value->line; *at; at++)
		REQUIRE(*at >= ' ' && *at <= '~');
	REQUIRE(is_within(fabs(value->gain), 1e-15, 1e15) && is_within(value->offset, -1e15, 1e15));
	REQUIRE(value->min <= value->max);
	REQUIRE(!set || (value->min >= -1e15 && value->max <= 1e15));
	REQUIRE(isnan(value->safe) || (set && is_within(value->safe, value->min, value->max)));
	REQUIRE(!value->bath_temperature || (!set && strcmp(value->unit, "K") == 0));
}

static void check_instruments(const struct bench *bench)
{
	size_t thermometers = count(bench->in, bench->n_in, DAQ_TEMPERATURE);

	REQUIRE(bench->n_instruments <= INSTRUMENTS_MAX);
	for (size_t i = 0; i < bench->n_instruments; i++) {
		const struct instrument_setup *setup = &bench->instruments[i];

		REQUIRE(setup->n_sets <= INSTRUMENT_MAX_VALUES && setup->n_reads <= INSTRUMENT_MAX_VALUES);
		REQUIRE(setup->n_sets + setup->n_reads > 0 && setup->port[0] && setup->identity[0]);
		REQUIRE(setup->baud >= 50 && setup->baud <= 4000000);
		REQUIRE(is_within(setup->timeout_s, 0.01, 10.0) && is_within(setup->interval_s, 0.05, 3600.0));
		REQUIRE(is_within(setup->silent_s, setup->interval_s, 1e5));
		for (size_t k = 0; k < setup->n_sets; k++)
			check_value(&setup->set[k], true);
		for (size_t k = 0; k < setup->n_reads; k++) {
			check_value(&setup->read[k], false);
			thermometers += setup->read[k].bath_temperature;
		}
		for (size_t k = 0; k < i; k++)
			REQUIRE(strcmp(setup->name, bench->instruments[k].name) != 0 &&
				strcmp(setup->port, bench->instruments[k].port) != 0);
	}
	REQUIRE(thermometers <= 1);
}

static void check_accepted(struct bench *bench, const char *text)
{
	const size_t n_sites = bench->nx * bench->ny;
	struct err err = {0};

	check_head(bench, text);
	REQUIRE(bench->n_in <= BENCH_MAX_CHANNELS && bench->n_out <= BENCH_MAX_CHANNELS);
	for (size_t c = 0; c < bench->n_in; c++)
		check_channel(bench, &bench->in[c], true);
	for (size_t c = 0; c < bench->n_out; c++)
		check_channel(bench, &bench->out[c], false);
	check_apart(bench->in, bench->n_in);
	check_apart(bench->out, bench->n_out);
	check_instruments(bench);
	REQUIRE(count(bench->in, bench->n_in, DAQ_DISPLACEMENT) == n_sites);
	REQUIRE(count(bench->out, bench->n_out, DAQ_PARAMETER) == bench->n_parameters);
	REQUIRE(bench->n_parameter_terms <= NETWORK_MAX_TERMS);
	for (size_t t = 0; t < bench->n_parameter_terms; t++)
		REQUIRE(bench->parameter_terms[t][0]);
	REQUIRE(bench_step(bench) > 0.0 && isfinite(bench_step(bench)));

	const bool forces = count(bench->out, bench->n_out, DAQ_FORCE) == n_sites, parameters = bench->n_parameters > 0;
	REQUIRE(bench->drive == DRIVE_FEEDBACK ? forces : parameters);
	REQUIRE((bench_set_drive(bench, DRIVE_FEEDBACK, &err) == 0) == forces);
	REQUIRE((bench_set_drive(bench, DRIVE_PARAMETRIC, &err) == 0) == parameters);
	const int code = bench_check_limits(bench, &err);
	REQUIRE(code == 0 || (code == JOSTLE_ECONFIG && err.text[0]));
}

static void check_refused(int code, const struct err *err, size_t n)
{
	REQUIRE(code == JOSTLE_ECONFIG && err->code == code);
	REQUIRE(strcmp(err->file, ORIGIN) == 0 && err->line >= 0 && err->column >= 0);
	REQUIRE((size_t)err->line <= n + 1); /* YAML ends lines with more than one character */
	REQUIRE(err->text[0]);
	for (const char *at = err->text; *at; at++)
		REQUIRE((unsigned char)*at >= 0x20 &&
			*at != 0x7f); /* nothing that would reach a terminal as a command */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct bench bench;
	struct err err = {0};
	char *text;
	int code;

	if (n > LARGEST || memchr(bytes, 0, n))
		return 0;
	text = malloc(n + 1);
	REQUIRE(text != NULL);
	memcpy(text, bytes, n);
	text[n] = '\0';
	code = bench_parse(&bench, "a", ORIGIN, text, &err);
	if (code == 0)
		check_accepted(&bench, text);
	else
		check_refused(code, &err, n);
	bench_free(&bench);
	free(text);
	return 0;
}
