/*
 * Displacement x = (V - offset) / (gain length), force f = (V - offset) / (gain force), with length and force the
 * natural units of the record; a parameter of the potential is natural on both sides, so that its gain alone counts.
 */
#include "control/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"

/*
 * A measured stiffness, damping or temperature differs from the stated one by tens of percent: they set the natural
 * units, in which a factor of two is a wall at 1.4 times the distance or a period of twice the relaxation times. Beyond it
 * the record is of another device, or the bench file needs a person's eye.
 */
#define LARGEST_FACTOR 2.0

static int check_oscillators(const struct bench *bench, const struct calibration_record *record, struct err *err)
{
	const struct {
		const char *field;
		double measured, stated;
	} pairs[] = {
		{"stiffness_N_per_m", record->stiffness_N_per_m, bench->stiffness_N_per_m},
		{"damping_N_s_per_m", record->damping_N_s_per_m, bench->damping_N_s_per_m},
		{"temperature_K", record->temperature_K, bench->temperature_K},
	};

	for (size_t i = 0; i < 3; i++)
		if (!(pairs[i].measured <= LARGEST_FACTOR * pairs[i].stated) ||
		    !(pairs[i].measured * LARGEST_FACTOR >= pairs[i].stated))
			return err_set(
				err, JOSTLE_ECONFIG,
				"calibration of bench %s, %s: expected %g as the bench file states, give or take a "
				"factor of %g, found %g",
				record->bench, pairs[i].field, pairs[i].stated, LARGEST_FACTOR, pairs[i].measured);
	return 0;
}

static int check(const struct bench *bench, const struct calibration_record *record, double period_s, struct err *err)
{
	const size_t n_sites = bench->nx * bench->ny;

	if (strcmp(record->bench, bench->name) != 0)
		return err_set(err, JOSTLE_ECONFIG, "calibration: expected one of bench %s, found one of bench %s",
			       bench->name, record->bench);
	if (record->n_in != bench->n_in || record->n_out != bench->n_out || record->n_sites != n_sites)
		return err_set(err, JOSTLE_ECONFIG,
			       "calibration of bench %s: expected %zu inputs, %zu outputs, %zu sites as bench %s has, "
			       "found %zu, %zu, %zu",
			       record->bench, bench->n_in, bench->n_out, n_sites, bench->name, record->n_in,
			       record->n_out, record->n_sites);
	if (!(period_s > 0) || !isfinite(period_s))
		return err_set(err, JOSTLE_ECONFIG, "period of bench %s: expected a positive time, found %g s",
			       bench->name, period_s);
	const int code = calibration_record_check(record, err);

	if (code)
		return code;
	if (record->latency_periods > CALIBRATION_MAX_LATENCY)
		return err_set(err, JOSTLE_ECONFIG,
			       "calibration of bench %s, latency_periods: expected at most %g, found %g", record->bench,
			       CALIBRATION_MAX_LATENCY, record->latency_periods);
	return check_oscillators(bench, record, err);
}

static struct input_conversion convert_input(const struct bench_channel *channel, const struct channel_calibration *c,
					     const struct units *units)
{
	const double unit = channel->role == DAQ_DISPLACEMENT ? units->length_m
			    : channel->role == DAQ_FORCE      ? units->force_N
							      : 1;

	return (struct input_conversion){
		.role = channel->role,
		.site = channel->index,
		.offset_V = c->offset_V,
		.scale = 1 / (c->gain * unit),
		.unit = unit,
	};
}

/** Move a bound whose voltage misses the limits by a rounding inwards: the supervisor then has nothing to change there. */
static double settle(double bound, double inner, const struct output_conversion *out, double min_V, double max_V)
{
	for (int n = 0; n < 8; n++) {
		const double V = out->offset_V + out->scale * bound;

		if (V >= min_V && V <= max_V)
			break;
		bound = nextafter(bound, inner);
	}
	return bound;
}

/** The natural range that the limits in volts leave of the physical one: beyond it an actuator has nothing to give. */
static void lay_out_range(struct output_conversion *out, const struct bench_channel *channel)
{
	const double min_V = channel->limit_min_V, max_V = channel->limit_max_V;
	const double a = (min_V - out->offset_V) / out->scale, b = (max_V - out->offset_V) / out->scale;
	const double min = fmax(fmin(a, b), -out->limit), max = fmin(fmax(a, b), out->limit);

	out->min = settle(min, max, out, min_V, max_V);
	out->max = settle(max, min, out, min_V, max_V);
}

static struct output_conversion convert_output(const struct bench_channel *channel, const struct channel_calibration *c,
					       const struct units *units)
{
	const double unit = channel->role == DAQ_FORCE ? units->force_N : 1;

	struct output_conversion out = {
		.offset_V = c->offset_V,
		.scale = c->gain * unit,
		.unit = unit,
		.limit = channel->limit > 0 ? channel->limit / unit : INFINITY,
	};

	if (channel->role != DAQ_FORCE && channel->role != DAQ_PARAMETER)
		return (struct output_conversion){
			.offset_V = channel->safe_V, .unit = 1, .limit = INFINITY, .min = -INFINITY, .max = INFINITY};
	lay_out_range(&out, channel);
	return out;
}

/** Every site is seen by a displacement input, and no input speaks of a site that is not there. */
static int check_sites(const struct calibration *calibration, const struct bench *bench, struct err *err)
{
	for (size_t k = 0; k < calibration->n_in; k++)
		if ((calibration->in[k].role == DAQ_DISPLACEMENT || calibration->in[k].role == DAQ_FORCE) &&
		    calibration->in[k].site >= calibration->n_sites)
			return err_set(err, JOSTLE_ECONFIG, "bench %s, input %zu: expected a site below %zu, found %zu",
				       bench->name, k, calibration->n_sites, calibration->in[k].site);
	for (size_t i = 0; i < calibration->n_sites; i++) {
		size_t k = 0;

		while (k < calibration->n_in &&
		       !(calibration->in[k].role == DAQ_DISPLACEMENT && calibration->in[k].site == i))
			k++;
		if (k == calibration->n_in)
			return err_set(err, JOSTLE_ECONFIG, "bench %s: site %zu has no displacement input", bench->name,
				       i);
	}
	return 0;
}

int calibration_init(struct calibration *calibration, const struct bench *bench,
		     const struct calibration_record *record, double period_s, struct err *err)
{
	int code = check(bench, record, period_s, err);

	if (code)
		return code;
	const struct units units =
		units_of(record->stiffness_N_per_m, record->damping_N_s_per_m, record->temperature_K);
	*calibration = (struct calibration){
		.n_in = bench->n_in,
		.n_out = bench->n_out,
		.n_sites = bench->nx * bench->ny,
		.damping_N_s_per_m = record->damping_N_s_per_m,
		.in = calloc(bench->n_in ? bench->n_in : 1, sizeof(*calibration->in)),
		.out = calloc(bench->n_out ? bench->n_out : 1, sizeof(*calibration->out)),
		.period = period_s / units.time_s,
		.latency = record->latency_periods,
	};
	if (!calibration->in || !calibration->out) {
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the calibration of bench %s", bench->name);
		goto fail;
	}
	for (size_t k = 0; k < bench->n_in; k++)
		calibration->in[k] = convert_input(&bench->in[k], &record->in[k], &units);
	for (size_t k = 0; k < bench->n_out; k++)
		calibration->out[k] = convert_output(&bench->out[k], &record->out[k], &units);
	code = check_sites(calibration, bench, err);
	if (code)
		goto fail;
	return 0;
fail:
	calibration_fini(calibration);
	return code;
}

void calibration_fini(struct calibration *calibration)
{
	free(calibration->in);
	free(calibration->out);
	*calibration = (struct calibration){0};
}

bool calibration_to_state(const struct calibration *calibration, const double in_V[], struct state *state)
{
	bool finite = true;

	state->temperature_K = NAN;
	for (size_t k = 0; k < calibration->n_in; k++) {
		const struct input_conversion *c = &calibration->in[k];
		const double value = (in_V[k] - c->offset_V) * c->scale;

		finite &= isfinite(value) != 0;
		if (c->role == DAQ_DISPLACEMENT)
			state->x[c->site] = value;
		else if (c->role == DAQ_FORCE)
			state->force[c->site] = value;
		else if (c->role == DAQ_TEMPERATURE)
			state->temperature_K = value;
	}
	return finite;
}

bool calibration_to_volts(const struct calibration *calibration, const struct command *command, double out_V[])
{
	bool finite = true;

	for (size_t k = 0; k < calibration->n_out; k++) {
		out_V[k] = calibration_output_V(calibration, k, command->value[k]);
		finite &= isfinite(out_V[k]) != 0;
	}
	return finite;
}

int64_t calibration_expires_ns(const struct calibration_record *record, int64_t now_ns, int64_t now_unix_ns)
{
	int64_t expires_ns;

	if (record->expires_unix_s == 0 || record->expires_unix_s > INT64_MAX / 1000000000 ||
	    __builtin_sub_overflow((int64_t)record->expires_unix_s * 1000000000, now_unix_ns, &expires_ns) ||
	    __builtin_add_overflow(expires_ns, now_ns, &expires_ns))
		return INT64_MAX;
	return expires_ns > 1 ? expires_ns : 1;
}
