/*
 * The supervisor's limits as they are laid out once. A window that the physical limit gives is computed with the very
 * arithmetic of the calibration, so that a command at its limit does not meet a window one rounding smaller.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "control/calibration.h"
#include "control/supervisor.h"
#include "daq/bench.h"

/* A converter's last code is short of its span's end by one step; one of 12 bits is the coarsest that is in use. */
#define RAIL_SHARE (1.0 / 4096)

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
	const double margin_V = RAIL_SHARE * (channel->max_V - channel->min_V);

	return (struct input_guard){
		.role = channel->role,
		.must_move = channel->role == DAQ_DISPLACEMENT,
		.has_rails = channel->role == DAQ_DISPLACEMENT || channel->role == DAQ_FORCE,
		.site = channel->index,
		.limit = channel->limit > 0 ? channel->limit / unit : INFINITY,
		.unit = unit,
		.min_V = channel->limit_min_V,
		.max_V = channel->limit_max_V,
		.rail_min_V = channel->min_V + margin_V,
		.rail_max_V = channel->max_V - margin_V,
		.min_K = channel->limit_max_K > 0 ? channel->limit_min_K : -INFINITY,
		.max_K = channel->limit_max_K > 0 ? channel->limit_max_K : INFINITY,
	};
}

/** Which output is the line for a monostable, or n_out. */
static size_t find_heartbeat(const struct bench *bench)
{
	size_t k = 0;

	while (k < bench->n_out && bench->out[k].role != DAQ_HEARTBEAT)
		k++;
	return k;
}

static int take_memory(struct supervisor *supervisor, const struct bench *bench, struct err *err)
{
	const size_t n_in = bench->n_in ? bench->n_in : 1, n_out = bench->n_out ? bench->n_out : 1;

	supervisor->in = calloc(n_in, sizeof(*supervisor->in));
	supervisor->out = calloc(n_out, sizeof(*supervisor->out));
	supervisor->n_identical = calloc(n_in, sizeof(*supervisor->n_identical));
	supervisor->n_railed = calloc(n_in, sizeof(*supervisor->n_railed));
	supervisor->last_in_V = calloc(n_in, sizeof(*supervisor->last_in_V));
	supervisor->last_out_V = calloc(n_out, sizeof(*supervisor->last_out_V));
	supervisor->wanted_V = calloc(n_out, sizeof(*supervisor->wanted_V));
	supervisor->target_V = calloc(n_out, sizeof(*supervisor->target_V));
	supervisor->n_saturated = calloc(n_out, sizeof(*supervisor->n_saturated));
	supervisor->n_slewed = calloc(n_out, sizeof(*supervisor->n_slewed));
	supervisor->n_limited = calloc(n_out, sizeof(*supervisor->n_limited));
	supervisor->slot_missed = calloc(BENCH_MISSED_WINDOW, sizeof(*supervisor->slot_missed));
	if (supervisor->in && supervisor->out && supervisor->n_identical && supervisor->n_railed &&
	    supervisor->last_in_V && supervisor->last_out_V && supervisor->wanted_V && supervisor->target_V &&
	    supervisor->n_saturated && supervisor->n_slewed && supervisor->n_limited && supervisor->slot_missed)
		return 0;
	return err_set(err, JOSTLE_ENOMEM, "no memory for the supervisor of bench %s", bench->name);
}

int supervisor_init(struct supervisor *supervisor, const struct bench *bench, const struct calibration *calibration,
		    double period_s, bool arming_allowed, struct err *err)
{
	int code;

	*supervisor = (struct supervisor){
		.state = SUPERVISOR_FAULT,
		.trip = {.cause = TRIP_START},
		.condition = TRIP_START,
		.arming_allowed = arming_allowed,
		.n_in = bench->n_in,
		.n_out = bench->n_out,
		.stale_periods = bench->stale_periods,
		.saturated_periods = bench->saturated_periods,
		.rail_periods = bench->rail_periods,
		.missed_periods = bench->missed_periods,
		.guardian_periods = bench->guardian_periods,
		.period_s = period_s,
		.heartbeat = find_heartbeat(bench),
	};
	code = take_memory(supervisor, bench, err);
	for (size_t k = 0; !code && k < bench->n_in; k++)
		supervisor->in[k] = lay_out_input(&bench->in[k], calibration->in[k].unit);
	for (size_t k = 0; !code && k < bench->n_out; k++) {
		code = lay_out_output(&supervisor->out[k], bench, calibration, k, period_s, err);
		supervisor->last_out_V[k] = bench->out[k].safe_V;
	}
	code = code < 0 ? code : shared_limits_init(&supervisor->shared, bench, calibration, err);
	if (code)
		supervisor_fini(supervisor);
	return code;
}

void supervisor_continue(struct supervisor *supervisor, enum supervisor_state state, const struct trip *trip,
			 int64_t t_ns, const double in_V[], const double out_V[])
{
	const size_t k = supervisor->heartbeat;

	supervisor->state = state;
	supervisor->trip = state == SUPERVISOR_FAULT ? *trip : (struct trip){.cause = TRIP_NONE};
	supervisor->condition = supervisor->trip.cause;
	supervisor->seen = true;
	supervisor->last_t_ns = t_ns;
	for (size_t i = 0; i < supervisor->n_in; i++) {
		supervisor->last_in_V[i] = in_V[i];
		supervisor->n_identical[i] = 1;
	}
	supervisor->high = k < supervisor->n_out && out_V[k] != supervisor->out[k].safe_V;
}

void supervisor_fini(struct supervisor *supervisor)
{
	free(supervisor->in);
	free(supervisor->out);
	free(supervisor->n_identical);
	free(supervisor->n_railed);
	free(supervisor->wanted_V);
	free(supervisor->target_V);
	free(supervisor->slot_missed);
	shared_limits_fini(&supervisor->shared);
	free(supervisor->last_in_V);
	free(supervisor->last_out_V);
	free(supervisor->n_saturated);
	free(supervisor->n_slewed);
	free(supervisor->n_limited);
	*supervisor = (struct supervisor){.state = SUPERVISOR_FAULT};
}
