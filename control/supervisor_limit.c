/*
 * The supervisor's checks and limits. A window that the physical limit gives is computed with the very arithmetic of
 * the calibration, so that a command at its limit does not meet a window one rounding smaller.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "control/calibration.h"
#include "control/supervisor.h"
#include "daq/bench.h"

static double clamp(double v, double min, double max)
{
	return v < min ? min : v > max ? max : v;
}

static int lay_out_output(struct output_guard *guard, const struct bench *bench, const struct calibration *calibration,
			  size_t k, double period_s, struct err *err)
{
	const struct bench_channel *channel = &bench->out[k];
	const double limit = calibration->out[k].limit;

	*guard = (struct output_guard){
		.min_V = channel->min_V,
		.max_V = channel->max_V,
		.physical_min_V = -DBL_MAX,
		.physical_max_V = DBL_MAX,
		.limit_min_V = channel->limit_min_V,
		.limit_max_V = channel->limit_max_V,
		.slew_V = channel->slew_V_per_s > 0 ? channel->slew_V_per_s * period_s : INFINITY,
		.safe_V = channel->safe_V,
	};
	if (isfinite(limit)) {
		const double a = calibration_output_V(calibration, k, -limit);
		const double b = calibration_output_V(calibration, k, limit);

		guard->physical_min_V = a < b ? a : b;
		guard->physical_max_V = a < b ? b : a;
	}
	const double min_V = fmax(fmax(guard->physical_min_V, guard->limit_min_V), guard->min_V);
	const double max_V = fmin(fmin(guard->physical_max_V, guard->limit_max_V), guard->max_V);

	/* Written so that NaN in any of them fails. */
	if (!(guard->min_V < guard->max_V) || !(guard->limit_min_V >= guard->min_V) ||
	    !(guard->limit_max_V <= guard->max_V) || !(guard->safe_V >= min_V) || !(guard->safe_V <= max_V))
		return err_set(err, JOSTLE_ECONFIG,
			       "bench %s, output %zu: expected safe_V within the limits and these within the span, "
			       "found safe %g V, limits %g to %g V (force or parameter: %g to %g V), span %g to %g V",
			       bench->name, k, guard->safe_V, guard->limit_min_V, guard->limit_max_V,
			       guard->physical_min_V, guard->physical_max_V, guard->min_V, guard->max_V);
	return 0;
}

static struct input_guard lay_out_input(const struct bench_channel *channel, double unit)
{
	return (struct input_guard){
		.role = channel->role,
		.must_move = channel->role == DAQ_DISPLACEMENT,
		.site = channel->index,
		.limit = channel->limit > 0 ? channel->limit / unit : INFINITY,
		.unit = unit,
		.min_V = channel->limit_min_V,
		.max_V = channel->limit_max_V,
	};
}

int supervisor_init(struct supervisor *supervisor, const struct bench *bench, const struct calibration *calibration,
		    double period_s, bool arming_allowed, struct err *err)
{
	const size_t n_in = bench->n_in ? bench->n_in : 1, n_out = bench->n_out ? bench->n_out : 1;
	int code = 0;

	*supervisor = (struct supervisor){
		.state = SUPERVISOR_FAULT,
		.trip = {.cause = TRIP_START},
		.condition = TRIP_START,
		.arming_allowed = arming_allowed,
		.n_in = bench->n_in,
		.n_out = bench->n_out,
		.stale_periods = bench->stale_periods,
		.saturated_periods = bench->saturated_periods,
		.in = calloc(n_in, sizeof(*supervisor->in)),
		.out = calloc(n_out, sizeof(*supervisor->out)),
		.n_identical = calloc(n_in, sizeof(*supervisor->n_identical)),
		.last_in_V = calloc(n_in, sizeof(*supervisor->last_in_V)),
		.last_out_V = calloc(n_out, sizeof(*supervisor->last_out_V)),
		.n_saturated = calloc(n_out, sizeof(*supervisor->n_saturated)),
		.n_slewed = calloc(n_out, sizeof(*supervisor->n_slewed)),
		.n_limited = calloc(n_out, sizeof(*supervisor->n_limited)),
	};
	if (!supervisor->in || !supervisor->out || !supervisor->n_identical || !supervisor->last_in_V ||
	    !supervisor->last_out_V || !supervisor->n_saturated || !supervisor->n_slewed || !supervisor->n_limited)
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the supervisor of bench %s", bench->name);
	for (size_t k = 0; !code && k < bench->n_in; k++)
		supervisor->in[k] = lay_out_input(&bench->in[k], calibration->in[k].unit);
	for (size_t k = 0; !code && k < bench->n_out; k++) {
		code = lay_out_output(&supervisor->out[k], bench, calibration, k, period_s, err);
		supervisor->last_out_V[k] = bench->out[k].safe_V;
	}
	if (code)
		supervisor_fini(supervisor);
	return code;
}

void supervisor_fini(struct supervisor *supervisor)
{
	free(supervisor->in);
	free(supervisor->out);
	free(supervisor->n_identical);
	free(supervisor->last_in_V);
	free(supervisor->last_out_V);
	free(supervisor->n_saturated);
	free(supervisor->n_slewed);
	free(supervisor->n_limited);
	*supervisor = (struct supervisor){.state = SUPERVISOR_FAULT};
}

/** Keep the first thing that was found: what follows from it is not news. */
static void find(struct trip *found, enum trip_cause cause, size_t channel, double value, double limit)
{
	if (found->cause == TRIP_NONE)
		*found = (struct trip){.cause = cause, .channel = channel, .value = value, .limit = limit};
}

/**
 * Clock at a stand: the sample is an old one. One displacement at a stand: that sensor is blind, and the feedback would
 * push its site about unseen; a frozen bench shows in each of them. Other inputs may rest: a force that nobody drives, a
 * monitor.
 */
static void check_fresh(struct supervisor *supervisor, const double in_V[], const struct state *state,
			struct trip *found)
{
	if (supervisor->seen && state->t_ns <= supervisor->last_t_ns)
		find(found, TRIP_STALE_CLOCK, 0, (double)(state->t_ns - supervisor->last_t_ns), 0);
	for (size_t k = 0; k < supervisor->n_in; k++) {
		const bool same = supervisor->seen && memcmp(&in_V[k], &supervisor->last_in_V[k], sizeof(in_V[k])) == 0;

		supervisor->n_identical[k] = same ? supervisor->n_identical[k] + 1 : 1;
		if (supervisor->in[k].must_move && supervisor->stale_periods &&
		    supervisor->n_identical[k] >= supervisor->stale_periods)
			find(found, TRIP_STALE_INPUT, k, (double)supervisor->n_identical[k],
			     (double)supervisor->stale_periods);
		supervisor->last_in_V[k] = in_V[k];
	}
	supervisor->seen = true;
	supervisor->last_t_ns = state->t_ns;
}

static void check_inputs(const struct supervisor *supervisor, const double in_V[], const struct state *state,
			 struct trip *found)
{
	for (size_t k = 0; k < supervisor->n_in; k++) {
		const struct input_guard *guard = &supervisor->in[k];
		const double quantity = guard->role == DAQ_DISPLACEMENT ? state->x[guard->site]
					: guard->role == DAQ_FORCE      ? state->force[guard->site]
									: 0;

		/* Not ">": a quantity that is not a number is beyond every limit. */
		if (!isfinite(in_V[k]))
			find(found, TRIP_INPUT, k, in_V[k], 0);
		else if (!(fabs(quantity) <= guard->limit))
			find(found, guard->role == DAQ_FORCE ? TRIP_FORCE : TRIP_DIVERGENCE, k, quantity * guard->unit,
			     guard->limit * guard->unit);
		else if (in_V[k] < guard->min_V || in_V[k] > guard->max_V)
			find(found, TRIP_VOLTS, k, in_V[k], in_V[k] < guard->min_V ? guard->min_V : guard->max_V);
	}
}

/** A moment at the end of the range is a thermal tail; one that lasts means that the force wanted is not there (ADR 6). */
static void check_saturation(struct supervisor *supervisor, const struct command *command, struct trip *found)
{
	for (size_t k = 0; k < supervisor->n_out; k++) {
		supervisor->n_saturated[k] = command->saturated[k] ? supervisor->n_saturated[k] + 1 : 0;
		if (supervisor->saturated_periods && supervisor->n_saturated[k] > supervisor->saturated_periods)
			find(found, TRIP_SATURATION, k, (double)supervisor->n_saturated[k],
			     (double)supervisor->saturated_periods);
	}
}

static void limit_output(struct supervisor *supervisor, size_t k, double command, double out_V[], struct trip *found)
{
	const struct output_guard *guard = &supervisor->out[k];
	const double last_V = supervisor->last_out_V[k];

	if (!isfinite(command) || !isfinite(out_V[k])) {
		find(found, TRIP_COMMAND, k, command, 0);
		return;
	}
	double v = clamp(out_V[k], guard->physical_min_V, guard->physical_max_V);

	if (v < guard->min_V || v > guard->max_V) {
		find(found, TRIP_SPAN, k, v, v < guard->min_V ? guard->min_V : guard->max_V);
		return;
	}
	v = clamp(v, guard->limit_min_V, guard->limit_max_V);
	const double wanted_V = v;

	v = clamp(v, last_V - guard->slew_V, last_V + guard->slew_V);
	supervisor->n_slewed[k] += v != wanted_V;
	if (v != out_V[k])
		supervisor->n_limited[k]++;
	out_V[k] = v;
}

void supervisor_limit(struct supervisor *supervisor, int exchange, const double in_V[], const struct state *state,
		      const struct command *command, double out_V[])
{
	struct trip found = {.cause = TRIP_NONE};

	if (exchange && exchange != JOSTLE_EMISSED) {
		find(&found, TRIP_EXCHANGE, 0, exchange, 0);
	} else {
		check_fresh(supervisor, in_V, state, &found);
		check_inputs(supervisor, in_V, state, &found);
	}
	if (supervisor_running(supervisor))
		check_saturation(supervisor, command, &found);
	if (supervisor_running(supervisor) && found.cause == TRIP_NONE)
		for (size_t k = 0; k < supervisor->n_out; k++)
			limit_output(supervisor, k, command->value[k], out_V, &found);

	supervisor->condition = found.cause;
	if (found.cause == TRIP_NONE) {
		supervisor_event(supervisor, SUPERVISOR_WHOLE);
	} else {
		found.t_ns = state->t_ns;
		found.tick = state->tick;
		supervisor_trip(supervisor, &found);
	}
	for (size_t k = 0; k < supervisor->n_out; k++) {
		if (!supervisor_running(supervisor))
			out_V[k] = supervisor->out[k].safe_V;
		supervisor->last_out_V[k] = out_V[k];
	}
}
