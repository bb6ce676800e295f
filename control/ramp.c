#include "control/ramp.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "daq/bench.h"

int ramp_init(struct ramp *ramp, const struct bench *bench, int64_t step_ns, struct err *err)
{
	*ramp = (struct ramp){.bench = bench, .step_ns = step_ns, .safe = true};
	ramp->out_V = calloc(bench->n_out ? bench->n_out : 1, sizeof(*ramp->out_V));
	if (!ramp->out_V)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu outputs", bench->n_out);
	for (size_t c = 0; c < bench->n_out; c++)
		ramp->out_V[c] = bench->out[c].safe_V;
	return 0;
}

void ramp_fini(struct ramp *ramp)
{
	free(ramp->out_V);
	ramp->out_V = NULL;
}

void ramp_begin(struct ramp *ramp, const double from_V[], int64_t arrive_ns)
{
	const struct bench *bench = ramp->bench;

	for (size_t c = 0; c < bench->n_out; c++) {
		const struct bench_channel *out = &bench->out[c];
		const bool moves = out->role != DAQ_HEARTBEAT && isfinite(from_V[c]);

		ramp->out_V[c] = moves ? fmin(fmax(from_V[c], out->limit_min_V), out->limit_max_V) : out->safe_V;
	}
	ramp->arrive_ns = arrive_ns;
	ramp->safe = false;
}

/** The largest part of the way that one step may go within every slew limit. */
static double by_slew(const struct ramp *ramp)
{
	double part = 1.0;

	for (size_t c = 0; c < ramp->bench->n_out; c++) {
		const struct bench_channel *out = &ramp->bench->out[c];
		const double way_V = fabs(ramp->out_V[c] - out->safe_V);
		/* Half of it: steps and the device's edges keep their own time, and two steps may fall between two edges. */
		const double step_V = 0.5 * out->slew_V_per_s * (double)ramp->step_ns * 1e-9;

		if (out->slew_V_per_s > 0.0 && part * way_V > step_V)
			part = step_V / way_V;
	}
	return part;
}

void ramp_step(struct ramp *ramp, int64_t now_ns)
{
	const struct bench *bench = ramp->bench;
	const int64_t left_ns = ramp->arrive_ns - now_ns;
	const double in_time = left_ns > ramp->step_ns ? (double)ramp->step_ns / (double)left_ns : 1.0;
	const double part = fmax(by_slew(ramp), in_time);

	ramp->safe = part >= 1.0;
	for (size_t c = 0; c < bench->n_out; c++) {
		const double safe_V = bench->out[c].safe_V;

		ramp->out_V[c] = ramp->safe ? safe_V : ramp->out_V[c] + part * (safe_V - ramp->out_V[c]);
	}
}
