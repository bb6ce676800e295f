/*
 * Along the way from safe_V a difference is linear and a sum of squares a parabola in s, each within its limit at s = 0:
 * the largest s is where the first of them leaves.
 */
#include "control/shared_limits.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "control/calibration.h"
#include "daq/bench.h"

/* Of each limit: far above the rounding of a sum over all outputs, far below anything that an actuator resolves. */
#define MARGIN 1e-9

static double or_none(double limit)
{
	return limit > 0.0 ? limit : INFINITY;
}

static size_t output_of_site(const struct bench *bench, size_t site)
{
	size_t k = 0;

	while (k < bench->n_out && !(bench->out[k].role == DAQ_FORCE && bench->out[k].index == site))
		k++;
	return k;
}

static void list_pair(struct shared_limits *limits, const struct bench *bench, size_t site, size_t other)
{
	const struct output_pair pair = {output_of_site(bench, site), output_of_site(bench, other)};

	if (pair.a < bench->n_out && pair.b < bench->n_out)
		limits->pairs[limits->n_pairs++] = pair;
}

static void list_pairs(struct shared_limits *limits, const struct bench *bench)
{
	for (size_t i = 0; i < bench->nx * bench->ny; i++) {
		if ((i + 1) % bench->nx)
			list_pair(limits, bench, i, i + 1);
		if (i + bench->nx < bench->nx * bench->ny)
			list_pair(limits, bench, i, i + bench->nx);
	}
}

static double force_N(const struct shared_limits *limits, size_t k, double V)
{
	return (V - limits->offset_V[k]) * limits->N_per_V[k];
}

/** Which limit these voltages break, as the bench file names it, or NULL. */
RT_SAFE static const char *broken(const struct shared_limits *limits, const double out_V[])
{
	double sum_N2 = 0, sum_V2 = 0;

	for (size_t k = 0; k < limits->n_out; k++) {
		const double f_N = force_N(limits, k, out_V[k]), d_V = out_V[k] - limits->safe_V[k];

		sum_N2 += f_N * f_N;
		sum_V2 += d_V * d_V;
	}
	/* Written so that NaN breaks them. */
	if (!(sum_N2 <= limits->sum_N2))
		return "limit_drive_W";
	if (!(sum_V2 <= limits->sum_V2))
		return "limit_drive_V2";
	for (size_t p = 0; p < limits->n_pairs; p++) {
		const size_t a = limits->pairs[p].a, b = limits->pairs[p].b;

		if (!(fabs(out_V[a] - out_V[b]) <= limits->difference_V))
			return "limit_difference_V";
		if (!(fabs(force_N(limits, a, out_V[a]) - force_N(limits, b, out_V[b])) <= limits->difference_N))
			return "limit_difference_N";
	}
	return NULL;
}

bool shared_limits_hold(const struct shared_limits *limits, const double out_V[])
{
	return !limits->any || !broken(limits, out_V);
}

int shared_limits_init(struct shared_limits *limits, const struct bench *bench, const struct calibration *calibration,
		       struct err *err)
{
	const size_t n_out = bench->n_out ? bench->n_out : 1;
	const char *field;

	*limits = (struct shared_limits){
		.any = bench->limit_difference_V > 0 || bench->limit_difference_N > 0 || bench->limit_drive_W > 0 ||
		       bench->limit_drive_V2 > 0,
		.n_out = bench->n_out,
		.pairs = calloc(2 * bench->nx * bench->ny, sizeof(*limits->pairs)),
		.safe_V = calloc(n_out, sizeof(*limits->safe_V)),
		.N_per_V = calloc(n_out, sizeof(*limits->N_per_V)),
		.offset_V = calloc(n_out, sizeof(*limits->offset_V)),
		.difference_V = or_none(bench->limit_difference_V),
		.difference_N = or_none(bench->limit_difference_N),
		.sum_N2 = or_none(bench->limit_drive_W) * calibration->damping_N_s_per_m,
		.sum_V2 = or_none(bench->limit_drive_V2),
	};
	if (!limits->pairs || !limits->safe_V || !limits->N_per_V || !limits->offset_V) {
		shared_limits_fini(limits);
		return err_set(err, JOSTLE_ENOMEM, "no memory for the limits of bench %s", bench->name);
	}
	for (size_t k = 0; k < bench->n_out; k++) {
		const struct output_conversion *out = &calibration->out[k];

		limits->safe_V[k] = bench->out[k].safe_V;
		limits->offset_V[k] = out->offset_V;
		limits->N_per_V[k] = bench->out[k].role == DAQ_FORCE ? out->unit / out->scale : 0.0;
	}
	if (limits->any)
		list_pairs(limits, bench);
	field = limits->any ? broken(limits, limits->safe_V) : NULL;
	if (field) {
		shared_limits_fini(limits);
		return err_set(err, JOSTLE_ECONFIG, "bench %s, %s: expected a limit that safe_V of all outputs keeps",
			       bench->name, field);
	}
	return 0;
}

void shared_limits_fini(struct shared_limits *limits)
{
	free(limits->pairs);
	free(limits->safe_V);
	free(limits->N_per_V);
	free(limits->offset_V);
	*limits = (struct shared_limits){0};
}

/** The largest s with |from + s by| <= limit. */
RT_SAFE static double scale_difference(double from, double by, double limit)
{
	const double room = by > 0 ? limit - from : limit + from;

	return fabs(from + by) <= limit ? 1.0 : fmax(room, 0.0) / fabs(by);
}

/** The largest s with a s^2 + 2 b s + c <= 0, where c is at most 0 but for a rounding. */
RT_SAFE static double scale_sum(double a, double b, double c)
{
	if (!(a > 0) || a + 2 * b + c <= 0)
		return 1.0;
	c = fmin(c, 0.0);

	const double root = sqrt(b * b - a * c);

	/* The form without a difference of nearly equal numbers. */
	return b > 0 ? -c / (b + root) : (root - b) / a;
}

double shared_limits_scale(const struct shared_limits *limits, const double out_V[])
{
	double a_N = 0, b_N = 0, c_N = 0, a_V = 0, s = 1;

	if (!limits->any)
		return 1.0;
	for (size_t k = 0; k < limits->n_out; k++) {
		const double d_V = out_V[k] - limits->safe_V[k];
		const double f_N = force_N(limits, k, limits->safe_V[k]), d_N = d_V * limits->N_per_V[k];

		a_N += d_N * d_N;
		b_N += f_N * d_N;
		c_N += f_N * f_N;
		a_V += d_V * d_V;
	}
	if (isfinite(limits->sum_N2))
		s = fmin(s, scale_sum(a_N, b_N, c_N - limits->sum_N2 * (1 - MARGIN)));
	if (isfinite(limits->sum_V2))
		s = fmin(s, scale_sum(a_V, 0, -limits->sum_V2 * (1 - MARGIN)));
	for (size_t p = 0; p < limits->n_pairs; p++) {
		const size_t i = limits->pairs[p].a, j = limits->pairs[p].b;
		const double from_V = limits->safe_V[i] - limits->safe_V[j];
		const double from_N = force_N(limits, i, limits->safe_V[i]) - force_N(limits, j, limits->safe_V[j]);
		const double to_N = force_N(limits, i, out_V[i]) - force_N(limits, j, out_V[j]);

		s = fmin(s,
			 scale_difference(from_V, out_V[i] - out_V[j] - from_V, limits->difference_V * (1 - MARGIN)));
		s = fmin(s, scale_difference(from_N, to_N - from_N, limits->difference_N * (1 - MARGIN)));
	}
	return fmax(s, 0.0);
}
