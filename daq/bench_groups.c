/*
 * The bench file's groups, expanded to channels, and every check that the types of its fields can't make.
 */
#include "daq/bench_groups.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "protocols/network.h"

/** One group on its way to channels. */
struct expansion {
	const struct bench_group *group;
	bool input;
	char field[32]; /* "inputs[0]" */
	size_t n;       /* channels */
	size_t *index;  /* [n] */
	double limit;
	const struct bench_numbers *gain; /* NULL: 1 */
	const char *gain_name;
};

static int refuse_in(const struct bench_loading *loading, const struct expansion *e, const char *member,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

static int refuse_in(const struct bench_loading *loading, const struct expansion *e, const char *member,
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

size_t bench_count_role(const struct bench_channel channels[], size_t n, enum daq_role role)
{
	size_t count = 0;

	for (size_t c = 0; c < n; c++)
		count += channels[c].role == role;
	return count;
}

/** "3" or "4-7" or "all" to a span. */
static bool parse_span(const char *text, size_t n_sites, size_t *first, size_t *last)
{
	char *end;

	*first = 0;
	*last = n_sites - 1;
	if (strcmp(text, "all") == 0)
		return true;
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*first = *last = strtoul(text, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		*last = strtoul(end + 1, &end, 10);
	return !errno && !*end && *first <= *last && *last < n_sites;
}

static int list_sites(const struct bench_loading *loading, struct expansion *e)
{
	const size_t n_sites = loading->bench->nx * loading->bench->ny;
	char member[32];

	e->index = calloc(BENCH_MAX_CHANNELS, sizeof(*e->index));
	if (!e->index)
		return err_set(loading->err, JOSTLE_ENOMEM, "no memory for channels");
	for (uint32_t i = 0; i < (e->group->sites.n ? e->group->sites.n : 1); i++) {
		const char *text = e->group->sites.n ? e->group->sites.values[i] : "all";
		size_t first, last;

		snprintf(member, sizeof(member), "sites[%u]", i);
		if (!parse_span(text, n_sites, &first, &last))
			return refuse_in(loading, e, member,
					 "expected all, a site or a span as 4-7, below %zu, found \"%.60s\"", n_sites,
					 text);
		if (last - first >= BENCH_MAX_CHANNELS - e->n)
			return refuse_in(loading, e, member, "expected at most %d channels", BENCH_MAX_CHANNELS);
		while (first <= last)
			e->index[e->n++] = first++;
	}
	return 0;
}

/** Indices that run on from `first`: parameters, auxiliary signals. */
static int list_running(const struct bench_loading *loading, struct expansion *e, size_t first, size_t n)
{
	e->index = calloc(n, sizeof(*e->index));
	if (!e->index)
		return err_set(loading->err, JOSTLE_ENOMEM, "no memory for channels");
	for (e->n = 0; e->n < n; e->n++)
		e->index[e->n] = first + e->n;
	return 0;
}

static int list_parameters(struct bench_loading *loading, struct expansion *e)
{
	struct bench *bench = loading->bench;
	const struct bench_texts *terms = &e->group->terms;
	struct network network;
	struct err why = {0};

	if (terms->n == 0)
		return refuse_in(loading, e, "terms", "expected the terms whose parameters these outputs are");
	if (terms->n > NETWORK_MAX_TERMS - bench->n_parameter_terms)
		return refuse_in(loading, e, "terms", "expected at most %d on a bench", NETWORK_MAX_TERMS);
	if (network_init(&network, bench->nx, bench->ny, (const char *const *)terms->values, terms->n, &why) < 0)
		return refuse_in(loading, e, "terms", "%s", why.text);
	const size_t n = network.n_parameters;
	network_fini(&network);
	if (n < 1 || n > BENCH_MAX_CHANNELS)
		return refuse_in(loading, e, "terms", "expected terms with 1 to %d parameters, found %zu",
				 BENCH_MAX_CHANNELS, n);
	for (uint32_t i = 0; i < terms->n; i++) {
		bench->parameter_terms[bench->n_parameter_terms] = strdup(terms->values[i]);
		if (!bench->parameter_terms[bench->n_parameter_terms++])
			return err_set(loading->err, JOSTLE_ENOMEM, "no memory for a term");
	}
	const int code = list_running(loading, e, bench->n_parameters, n);
	bench->n_parameters += n;
	return code;
}

static int list_auxiliary(const struct bench_loading *loading, struct expansion *e)
{
	const struct bench *bench = loading->bench;
	const size_t n = e->group->count ? e->group->count : 1;

	if (n > BENCH_MAX_CHANNELS)
		return refuse_in(loading, e, "count", "expected at most %d, found %zu", BENCH_MAX_CHANNELS, n);
	return list_running(loading, e,
			    e->input ? bench_count_role(bench->in, bench->n_in, DAQ_AUXILIARY)
				     : bench_count_role(bench->out, bench->n_out, DAQ_AUXILIARY),
			    n);
}

/** Which indices a group has, which gain and limit belong to its role; fields of other roles are refused. */
static int list_channels(struct bench_loading *loading, struct expansion *e)
{
	const struct bench_group *g = e->group;
	const struct {
		const char *gain_name, *limit_name;
		const struct bench_numbers *gain;
		double limit;
		bool fits;
	} kinds[] = {
		{"gain_V_per_m", "limit_m", &g->gain_V_per_m, g->limit_m, g->role == DAQ_DISPLACEMENT},
		{"gain_V_per_N", "limit_N", &g->gain_V_per_N, g->limit_N, g->role == DAQ_FORCE},
		{"gain_V_per_theta", "limit_theta", &g->gain_V_per_theta, g->limit_theta, g->role == DAQ_PARAMETER}};

	if (e->input ? g->role == DAQ_PARAMETER : g->role == DAQ_DISPLACEMENT)
		return refuse_in(loading, e, "role", "expected %s",
				 e->input ? "displacement, force or auxiliary" : "force, parameter or auxiliary");
	for (int i = 0; i < 3; i++) {
		if (!kinds[i].fits && kinds[i].gain->n)
			return refuse_in(loading, e, kinds[i].gain_name, "does not belong to this role");
		if (!kinds[i].fits && kinds[i].limit != 0.0)
			return refuse_in(loading, e, kinds[i].limit_name, "does not belong to this role");
		if (!kinds[i].fits)
			continue;
		if (kinds[i].gain->n == 0)
			return refuse_in(loading, e, kinds[i].gain_name, "expected a gain, found none");
		if (!isfinite(kinds[i].limit) || kinds[i].limit < 0.0)
			return refuse_in(loading, e, kinds[i].limit_name, "expected a number from 0, found %g",
					 kinds[i].limit);
		e->gain = kinds[i].gain;
		e->gain_name = kinds[i].gain_name;
		e->limit = kinds[i].limit;
	}
	if (g->role != DAQ_PARAMETER && g->terms.n)
		return refuse_in(loading, e, "terms", "does not belong to this role");
	if (g->role != DAQ_DISPLACEMENT && g->role != DAQ_FORCE && g->sites.n)
		return refuse_in(loading, e, "sites", "does not belong to this role");
	if (g->role != DAQ_AUXILIARY && g->count)
		return refuse_in(loading, e, "count", "does not belong to this role");
	return g->role == DAQ_PARAMETER   ? list_parameters(loading, e)
	       : g->role == DAQ_AUXILIARY ? list_auxiliary(loading, e)
					  : list_sites(loading, e);
}

static int check_pair(const struct bench_loading *loading, const struct expansion *e, const char *member,
		      const struct bench_numbers *pair, double min, double max)
{
	if (pair->n != 2)
		return refuse_in(loading, e, member, "expected two numbers, [min, max], found %u", pair->n);
	if (!isfinite(pair->values[0]) || !isfinite(pair->values[1]) || pair->values[0] >= pair->values[1] ||
	    pair->values[0] < min || pair->values[1] > max)
		return refuse_in(loading, e, member, "expected min below max, both from %g to %g, found %g and %g", min,
				 max, pair->values[0], pair->values[1]);
	return 0;
}

static int check_list(const struct bench_loading *loading, const struct expansion *e, const char *member,
		      const struct bench_numbers *list, bool nonzero, double max)
{
	char entry[64];

	if (list->n > 1 && list->n != e->n)
		return refuse_in(loading, e, member, "expected 1 or %zu numbers, found %u", e->n, list->n);
	for (uint32_t i = 0; i < list->n; i++) {
		const double value = list->values[i];

		snprintf(entry, sizeof(entry), "%s[%u]", member, i);
		if (!isfinite(value) || fabs(value) > max || (nonzero && value == 0.0))
			return refuse_in(loading, e, entry, "expected a number%s of magnitude up to %g, found %g",
					 nonzero ? " other than 0" : "", max, value);
	}
	return 0;
}

static double list_at(const struct bench_numbers *list, size_t i, double absent)
{
	return !list || list->n == 0 ? absent : list->values[list->n == 1 ? 0 : i];
}

/** The file's, or where the quantity is zero: 0 V is anything on a channel with an offset. */
static double safe_V_of(const struct expansion *e, size_t i)
{
	return e->group->safe_V ? *e->group->safe_V : list_at(&e->group->offset_V, i, 0.0);
}

/** Safe is within the limits of volts and of the quantity. */
static int check_safe(const struct bench_loading *loading, const struct expansion *e, double min_V, double max_V)
{
	const struct bench_group *g = e->group;

	if (e->input && g->safe_V)
		return refuse_in(loading, e, "safe_V", "does not belong to an input");
	for (size_t i = 0; i < e->n && !e->input; i++) {
		const double safe_V = safe_V_of(e, i);
		const double quantity = (safe_V - list_at(&g->offset_V, i, 0.0)) / list_at(e->gain, i, 1.0);

		if (!isfinite(safe_V) || safe_V < min_V || safe_V > max_V)
			return refuse_in(loading, e, g->safe_V ? "safe_V" : "offset_V",
					 "expected %s from %g to %g V, found %g",
					 g->safe_V ? "volts" : "a safe_V, or an offset", min_V, max_V, safe_V);
		if (e->limit > 0.0 && fabs(quantity) > e->limit * (1.0 + 1e-9))
			return refuse_in(loading, e, "safe_V",
					 "expected a quantity of at most %g, found %g V, which stand for %g", e->limit,
					 safe_V, quantity);
	}
	return 0;
}

static int check_group(const struct bench_loading *loading, const struct expansion *e)
{
	const struct bench_group *g = e->group;

	if (check_pair(loading, e, "range_V", &g->range_V, -1e6, 1e6) < 0)
		return JOSTLE_ECONFIG;
	const double min = g->range_V.values[0], max = g->range_V.values[1];
	if (g->limit_V.n && check_pair(loading, e, "limit_V", &g->limit_V, min, max) < 0)
		return JOSTLE_ECONFIG;
	if (e->gain && check_list(loading, e, e->gain_name, e->gain, true, 1e30) < 0)
		return JOSTLE_ECONFIG;
	if (check_list(loading, e, "offset_V", &g->offset_V, false, fmax(fabs(min), fabs(max))) < 0)
		return JOSTLE_ECONFIG;
	if (check_safe(loading, e, g->limit_V.n ? g->limit_V.values[0] : min,
		       g->limit_V.n ? g->limit_V.values[1] : max) < 0)
		return JOSTLE_ECONFIG;
	if (e->input && g->slew_V_per_s != 0.0)
		return refuse_in(loading, e, "slew_V_per_s", "does not belong to an input");
	if (!isfinite(g->slew_V_per_s) || g->slew_V_per_s < 0.0)
		return refuse_in(loading, e, "slew_V_per_s", "expected a number from 0, found %g", g->slew_V_per_s);
	if (g->device >= loading->file->devices.n)
		return refuse_in(loading, e, "device", "expected a number below %u, found %zu",
				 loading->file->devices.n, g->device);
	if (g->first_channel > BENCH_MAX_CHANNEL - e->n)
		return refuse_in(loading, e, "first_channel", "expected channels up to %d", BENCH_MAX_CHANNEL);
	return 0;
}

static int append(const struct bench_loading *loading, const struct expansion *e, struct bench_channel channels[],
		  size_t *n)
{
	const struct bench_group *g = e->group;

	if (e->n > BENCH_MAX_CHANNELS - *n)
		return refuse_in(loading, e, "role", "expected at most %d channels on a bench", BENCH_MAX_CHANNELS);
	for (size_t i = 0; i < e->n; i++) {
		const struct bench_channel channel = {
			.role = g->role,
			.index = e->index[i],
			.device = g->device,
			.channel = g->first_channel + i,
			.min_V = g->range_V.values[0],
			.max_V = g->range_V.values[1],
			.gain = list_at(e->gain, i, 1.0),
			.offset_V = list_at(&g->offset_V, i, 0.0),
			.safe_V = e->input ? 0.0 : safe_V_of(e, i),
			.limit_min_V = g->limit_V.n ? g->limit_V.values[0] : g->range_V.values[0],
			.limit_max_V = g->limit_V.n ? g->limit_V.values[1] : g->range_V.values[1],
			.limit = e->limit,
			.slew_V_per_s = g->slew_V_per_s,
		};
		for (size_t c = 0; c < *n; c++) {
			if (channels[c].device == channel.device && channels[c].channel == channel.channel)
				return refuse_in(loading, e, "first_channel",
						 "channel %zu of device %zu is taken twice", channel.channel,
						 channel.device);
			if (channels[c].role == channel.role && channels[c].index == channel.index)
				return refuse_in(loading, e, "role", "%s %zu has a second channel",
						 daq_role_name(channel.role), channel.index);
		}
		channels[(*n)++] = channel;
	}
	return 0;
}

int bench_take_groups(struct bench_loading *loading, bool input)
{
	struct bench *bench = loading->bench;
	const struct bench_group *groups = input ? loading->file->inputs : loading->file->outputs;
	const uint32_t n_groups = input ? loading->file->n_inputs : loading->file->n_outputs;
	struct bench_channel *channels = input ? bench->in : bench->out;

	for (uint32_t i = 0; i < n_groups; i++) {
		struct expansion e = {.group = &groups[i], .input = input};

		snprintf(e.field, sizeof(e.field), "%s[%u]", input ? "inputs" : "outputs", i);
		int code = list_channels(loading, &e);
		code = code < 0 ? code : check_group(loading, &e);
		code = code < 0 ? code : append(loading, &e, channels, input ? &bench->n_in : &bench->n_out);
		free(e.index);
		if (code < 0)
			return code;
	}
	return 0;
}
