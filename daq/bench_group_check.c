/*
 * The numbers of a bench file's group: every check that the types of its fields can't make.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "daq/bench_expansion.h"

int bench_expansion_refuse(const struct bench_loading *loading, const struct bench_expansion *e, const char *member,
			   const char *format, ...)
{
	char field[96], what[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	snprintf(field, sizeof(field), "%s.%s", e->field, member);
	return BENCH_REFUSE(loading, field, "%s", what);
}

static int check_pair(const struct bench_loading *loading, const struct bench_expansion *e, const char *member,
		      const struct bench_numbers *pair, double min, double max)
{
	if (pair->n != 2)
		return bench_expansion_refuse(loading, e, member, "expected two numbers, [min, max], found %u",
					      pair->n);
	if (!isfinite(pair->values[0]) || !isfinite(pair->values[1]) || pair->values[0] >= pair->values[1] ||
	    pair->values[0] < min || pair->values[1] > max)
		return bench_expansion_refuse(loading, e, member,
					      "expected min below max, both from %g to %g, found %g and %g", min, max,
					      pair->values[0], pair->values[1]);
	return 0;
}

static int check_list(const struct bench_loading *loading, const struct bench_expansion *e, const char *member,
		      const struct bench_numbers *list, bool nonzero, double max)
{
	char entry[64];

	if (list->n > 1 && list->n != e->n)
		return bench_expansion_refuse(loading, e, member, "expected 1 or %zu numbers, found %u", e->n, list->n);
	for (uint32_t i = 0; i < list->n; i++) {
		const double value = list->values[i];

		snprintf(entry, sizeof(entry), "%s[%u]", member, i);
		if (!isfinite(value) || fabs(value) > max || (nonzero && value == 0.0))
			return bench_expansion_refuse(loading, e, entry,
						      "expected a number%s of magnitude up to %g, found %g",
						      nonzero ? " other than 0" : "", max, value);
	}
	return 0;
}

double bench_list_at(const struct bench_numbers *list, size_t i, double absent)
{
	return !list || list->n == 0 ? absent : list->values[list->n == 1 ? 0 : i];
}

/** The file's, or where the quantity is zero: 0 V is anything on a channel with an offset. */
double bench_expansion_safe_V(const struct bench_expansion *e, size_t i)
{
	return e->group->safe_V ? *e->group->safe_V : bench_list_at(&e->group->offset_V, i, 0.0);
}

/** A heartbeat goes up and down as a line for a monostable must: between safe_V and the upper end of its limits. */
static int check_heartbeat(const struct bench_loading *loading, const struct bench_expansion *e, double max_V)
{
	const struct bench_group *g = e->group;

	if (g->role != DAQ_HEARTBEAT)
		return 0;
	if (g->slew_V_per_s != 0.0)
		return bench_expansion_refuse(loading, e, "slew_V_per_s", "does not belong to this role");
	if (!(bench_expansion_safe_V(e, 0) < max_V))
		return bench_expansion_refuse(loading, e, g->safe_V ? "safe_V" : "offset_V",
					      "expected the line's low level, below %g V, found %g", max_V,
					      bench_expansion_safe_V(e, 0));
	return 0;
}

/** Safe is within the limits of volts and of the quantity. */
static int check_safe(const struct bench_loading *loading, const struct bench_expansion *e, double min_V, double max_V)
{
	const struct bench_group *g = e->group;

	if (e->input && g->safe_V)
		return bench_expansion_refuse(loading, e, "safe_V", "does not belong to an input");
	for (size_t i = 0; i < e->n && !e->input; i++) {
		const double safe_V = bench_expansion_safe_V(e, i);
		const double quantity = (safe_V - bench_list_at(&g->offset_V, i, 0.0)) / bench_list_at(e->gain, i, 1.0);

		if (!isfinite(safe_V) || safe_V < min_V || safe_V > max_V)
			return bench_expansion_refuse(
				loading, e, g->safe_V ? "safe_V" : "offset_V", "expected %s from %g to %g V, found %g",
				g->safe_V ? "volts" : "a safe_V, or an offset", min_V, max_V, safe_V);
		if (e->limit > 0.0 && fabs(quantity) > e->limit * (1.0 + 1e-9))
			return bench_expansion_refuse(
				loading, e, "safe_V",
				"expected a quantity of at most %g, found %g V, which stand for %g", e->limit, safe_V,
				quantity);
	}
	return 0;
}

/** A channel is converted after the edge, and before the next. */
static int check_skew(const struct bench_loading *loading, const struct bench_expansion *e)
{
	const struct bench_numbers *skew_s = &e->group->skew_s;
	char entry[64];

	if (check_list(loading, e, "skew_s", skew_s, false, loading->file->period_s) < 0)
		return JOSTLE_ECONFIG;
	for (uint32_t i = 0; i < skew_s->n; i++) {
		snprintf(entry, sizeof(entry), "skew_s[%u]", i);
		if (skew_s->values[i] < 0.0 || skew_s->values[i] >= loading->file->period_s)
			return bench_expansion_refuse(loading, e, entry, "expected a number from 0, below %g, found %g",
						      loading->file->period_s, skew_s->values[i]);
	}
	return 0;
}

int bench_expansion_check(const struct bench_loading *loading, const struct bench_expansion *e)
{
	const struct bench_group *g = e->group;

	if (check_pair(loading, e, "range_V", &g->range_V, -1e6, 1e6) < 0)
		return JOSTLE_ECONFIG;
	const double min = g->range_V.values[0], max = g->range_V.values[1];
	if (g->limit_K.n && check_pair(loading, e, "limit_K", &g->limit_K, 0.0, 1e9) < 0)
		return JOSTLE_ECONFIG;
	if (g->limit_V.n && check_pair(loading, e, "limit_V", &g->limit_V, min, max) < 0)
		return JOSTLE_ECONFIG;
	if (e->gain && check_list(loading, e, e->gain_name, e->gain, true, 1e30) < 0)
		return JOSTLE_ECONFIG;
	if (check_list(loading, e, "offset_V", &g->offset_V, false, fmax(fabs(min), fabs(max))) < 0)
		return JOSTLE_ECONFIG;
	if (check_safe(loading, e, g->limit_V.n ? g->limit_V.values[0] : min,
		       g->limit_V.n ? g->limit_V.values[1] : max) < 0)
		return JOSTLE_ECONFIG;
	if (check_heartbeat(loading, e, g->limit_V.n ? g->limit_V.values[1] : max) < 0)
		return JOSTLE_ECONFIG;
	if (e->input && g->slew_V_per_s != 0.0)
		return bench_expansion_refuse(loading, e, "slew_V_per_s", "does not belong to an input");
	if (!isfinite(g->slew_V_per_s) || g->slew_V_per_s < 0.0)
		return bench_expansion_refuse(loading, e, "slew_V_per_s", "expected a number from 0, found %g",
					      g->slew_V_per_s);
	if (g->device >= loading->file->devices.n)
		return bench_expansion_refuse(loading, e, "device", "expected a number below %u, found %zu",
					      loading->file->devices.n, g->device);
	if (g->subdevice && *g->subdevice > BENCH_MAX_SUBDEVICE)
		return bench_expansion_refuse(loading, e, "subdevice", "expected a number up to %d, found %zu",
					      BENCH_MAX_SUBDEVICE, *g->subdevice);
	if (check_skew(loading, e) < 0)
		return JOSTLE_ECONFIG;
	if (g->first_channel > BENCH_MAX_CHANNEL - e->n)
		return bench_expansion_refuse(loading, e, "first_channel", "expected channels up to %d",
					      BENCH_MAX_CHANNEL);
	return 0;
}
