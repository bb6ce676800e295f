/*
 * The last word on every voltage. First each output's own limits, then those that several share, by drawing all outputs
 * towards safe_V together, then the slew. Reasons and proof: ADR 8.
 */
#include <math.h>
#include <string.h>

#include "control/state.h"
#include "control/supervisor_parts.h"

static double clamp(double v, double min, double max)
{
	return v < min ? min : v > max ? max : v;
}

static double clamp_to_window(const struct output_guard *guard, double v)
{
	return clamp(clamp(v, guard->physical_min_V, guard->physical_max_V), guard->limit_min_V, guard->limit_max_V);
}

/** One output within its own limits, or a trip. */
static double limit_alone(const struct output_guard *guard, size_t k, double command, double v, struct trip *found)
{
	if (!isfinite(command) || !isfinite(v)) {
		supervisor_find(found, TRIP_COMMAND, k, command, 0);
		return guard->safe_V;
	}
	v = clamp(v, guard->physical_min_V, guard->physical_max_V);
	if (v < guard->min_V || v > guard->max_V)
		supervisor_find(found, TRIP_SPAN, k, v, v < guard->min_V ? guard->min_V : guard->max_V);
	return clamp(v, guard->limit_min_V, guard->limit_max_V);
}

/** Draw all outputs towards safe_V, by the same share of the way, until they keep the limits that they share. */
static void limit_together(struct supervisor *supervisor, double target_V[])
{
	const double s = shared_limits_scale(&supervisor->shared, target_V);

	if (s >= 1)
		return;
	supervisor->n_drawn_in++;
	for (size_t k = 0; k < supervisor->n_out; k++) {
		const struct output_guard *guard = &supervisor->out[k];

		target_V[k] = clamp_to_window(guard, guard->safe_V + s * (target_V[k] - guard->safe_V));
	}
}

/** Each output as far towards its target as its slew lets it. */
static void slew_alone(const struct supervisor *supervisor, const double target_V[], double out_V[])
{
	for (size_t k = 0; k < supervisor->n_out; k++) {
		const double last_V = supervisor->last_out_V[k], slew_V = supervisor->out[k].slew_V;

		out_V[k] = clamp(target_V[k], last_V - slew_V, last_V + slew_V);
	}
}

/** All outputs by the same share of their ways, the largest that every slew allows. */
static void slew_together(const struct supervisor *supervisor, const double target_V[], double out_V[])
{
	double share = 1;

	for (size_t k = 0; k < supervisor->n_out; k++) {
		const double way_V = fabs(target_V[k] - supervisor->last_out_V[k]);

		if (way_V > supervisor->out[k].slew_V)
			share = fmin(share, supervisor->out[k].slew_V / way_V);
	}
	for (size_t k = 0; k < supervisor->n_out; k++) {
		const double last_V = supervisor->last_out_V[k], slew_V = supervisor->out[k].slew_V;
		const double v = clamp_to_window(&supervisor->out[k], last_V + share * (target_V[k] - last_V));

		out_V[k] = clamp(v, last_V - slew_V, last_V + slew_V);
	}
}

/**
 * Ways of single outputs may leave the shared limits though both their ends keep them; the straight line doesn't. What a
 * rounding could still make of it is settled by standing still: the last voltages have passed this very test.
 */
static void slew(const struct supervisor *supervisor, const double target_V[], double out_V[])
{
	slew_alone(supervisor, target_V, out_V);
	if (shared_limits_hold(&supervisor->shared, out_V))
		return;
	slew_together(supervisor, target_V, out_V);
	if (!shared_limits_hold(&supervisor->shared, out_V))
		memcpy(out_V, supervisor->last_out_V, supervisor->n_out * sizeof(*out_V));
}

static void limit_outputs(struct supervisor *supervisor, const struct command *command, double out_V[],
			  struct trip *found)
{
	double *wanted_V = supervisor->wanted_V, *target_V = supervisor->target_V;

	/* The line is no command's to set: beat() does. */
	if (supervisor->heartbeat < supervisor->n_out)
		out_V[supervisor->heartbeat] = supervisor->out[supervisor->heartbeat].safe_V;
	memcpy(wanted_V, out_V, supervisor->n_out * sizeof(*wanted_V));
	for (size_t k = 0; k < supervisor->n_out; k++)
		target_V[k] = limit_alone(&supervisor->out[k], k, command->value[k], wanted_V[k], found);
	if (found->cause != TRIP_NONE)
		return;
	limit_together(supervisor, target_V);
	slew(supervisor, target_V, out_V);
	for (size_t k = 0; k < supervisor->n_out; k++) {
		supervisor->n_slewed[k] += out_V[k] != target_V[k];
		supervisor->n_limited[k] += out_V[k] != wanted_V[k];
	}
}

/** The monostable's line: it changes with every tick, and rests low in FAULT. */
static void beat(struct supervisor *supervisor, double out_V[])
{
	const size_t k = supervisor->heartbeat;

	supervisor->high = !supervisor->high && supervisor->state != SUPERVISOR_FAULT;
	if (k < supervisor->n_out)
		out_V[k] = supervisor->high ? supervisor->out[k].limit_max_V : supervisor->out[k].safe_V;
}

void supervisor_limit(struct supervisor *supervisor, int exchange, const double in_V[], const struct state *state,
		      const struct command *command, double out_V[])
{
	struct trip found = {.cause = TRIP_NONE};

	supervisor_judge(supervisor, exchange, in_V, state, command, &found);
	if (supervisor_running(supervisor) && found.cause == TRIP_NONE)
		limit_outputs(supervisor, command, out_V, &found);

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
	beat(supervisor, out_V);
}

/**
 * The last voltages, moved towards safe_V all together until output k is within its new window: so they still keep the
 * shared limits, which that output alone would not.
 */
static void draw_last_in(struct supervisor *supervisor, size_t k)
{
	double *last_V = supervisor->last_out_V;
	const double safe_V = supervisor->out[k].safe_V;
	const double within_V = clamp_to_window(&supervisor->out[k], last_V[k]);

	if (within_V == last_V[k])
		return;
	const double s = (within_V - safe_V) / (last_V[k] - safe_V);

	for (size_t j = 0; j < supervisor->n_out; j++) {
		const struct output_guard *guard = &supervisor->out[j];

		last_V[j] = clamp_to_window(guard, guard->safe_V + s * (last_V[j] - guard->safe_V));
	}
	if (shared_limits_hold(&supervisor->shared, last_V))
		return;
	for (size_t j = 0; j < supervisor->n_out; j++)
		last_V[j] = supervisor->out[j].safe_V;
}

bool supervisor_narrow(struct supervisor *supervisor, size_t output, double min_V, double max_V, double slew_V_per_s)
{
	if (output >= supervisor->n_out || output == supervisor->heartbeat)
		return false;
	struct output_guard *guard = &supervisor->out[output];
	const double slew_V = slew_V_per_s == 0 ? guard->slew_V : slew_V_per_s * supervisor->period_s;

	/* Written so that NaN in any of them is refused. */
	if (!(min_V >= guard->limit_min_V) || !(max_V <= guard->limit_max_V) || !(min_V <= guard->safe_V) ||
	    !(max_V >= guard->safe_V) || !(slew_V > 0) || !(slew_V <= guard->slew_V))
		return false;
	guard->limit_min_V = min_V;
	guard->limit_max_V = max_V;
	guard->slew_V = slew_V;
	draw_last_in(supervisor, output);
	return true;
}
