/*
 * The bench file's groups, expanded to channels.
 */
#include "daq/bench_groups.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daq/bench_expansion.h"
#include "protocols/network.h"

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

static int list_sites(const struct bench_loading *loading, struct bench_expansion *e)
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
			return bench_expansion_refuse(
				loading, e, member, "expected all, a site or a span as 4-7, below %zu, found \"%.60s\"",
				n_sites, text);
		if (last - first >= BENCH_MAX_CHANNELS - e->n)
			return bench_expansion_refuse(loading, e, member, "expected at most %d channels",
						      BENCH_MAX_CHANNELS);
		while (first <= last)
			e->index[e->n++] = first++;
	}
	return 0;
}

/** Indices that run on from `first`: parameters, auxiliary signals. */
static int list_running(const struct bench_loading *loading, struct bench_expansion *e, size_t first, size_t n)
{
	e->index = calloc(n, sizeof(*e->index));
	if (!e->index)
		return err_set(loading->err, JOSTLE_ENOMEM, "no memory for channels");
	for (e->n = 0; e->n < n; e->n++)
		e->index[e->n] = first + e->n;
	return 0;
}

static int list_parameters(struct bench_loading *loading, struct bench_expansion *e)
{
	struct bench *bench = loading->bench;
	const struct bench_texts *terms = &e->group->terms;
	struct network network;
	struct err why = {0};

	if (terms->n == 0)
		return bench_expansion_refuse(loading, e, "terms",
					      "expected the terms whose parameters these outputs are");
	if (terms->n > NETWORK_MAX_TERMS - bench->n_parameter_terms)
		return bench_expansion_refuse(loading, e, "terms", "expected at most %d on a bench", NETWORK_MAX_TERMS);
	if (network_init(&network, bench->nx, bench->ny, (const char *const *)terms->values, terms->n, &why) < 0)
		return bench_expansion_refuse(loading, e, "terms", "%s", why.text);
	const size_t n = network.n_parameters;
	network_fini(&network);
	if (n < 1 || n > BENCH_MAX_CHANNELS)
		return bench_expansion_refuse(loading, e, "terms", "expected terms with 1 to %d parameters, found %zu",
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

static int list_auxiliary(const struct bench_loading *loading, struct bench_expansion *e)
{
	const struct bench *bench = loading->bench;
	const size_t n = e->group->count ? e->group->count : 1;

	if (n > BENCH_MAX_CHANNELS)
		return bench_expansion_refuse(loading, e, "count", "expected at most %d, found %zu", BENCH_MAX_CHANNELS,
					      n);
	return list_running(loading, e,
			    e->input ? bench_count_role(bench->in, bench->n_in, DAQ_AUXILIARY)
				     : bench_count_role(bench->out, bench->n_out, DAQ_AUXILIARY),
			    n);
}

/** Which indices a group has, which gain and limit belong to its role; fields of other roles are refused. */
static int list_channels(struct bench_loading *loading, struct bench_expansion *e)
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
		{"gain_V_per_theta", "limit_theta", &g->gain_V_per_theta, g->limit_theta, g->role == DAQ_PARAMETER},
		{"gain_V_per_K", "limit_K", &g->gain_V_per_K, 0.0, g->role == DAQ_TEMPERATURE}};
	const bool other_way = e->input ? g->role == DAQ_PARAMETER || g->role == DAQ_HEARTBEAT
					: g->role == DAQ_DISPLACEMENT || g->role == DAQ_TEMPERATURE;

	if (other_way)
		return bench_expansion_refuse(loading, e, "role", "expected %s",
					      e->input ? "displacement, force, temperature or auxiliary"
						       : "force, parameter, heartbeat or auxiliary");
	for (int i = 0; i < 4; i++) {
		if (!kinds[i].fits && kinds[i].gain->n)
			return bench_expansion_refuse(loading, e, kinds[i].gain_name, "does not belong to this role");
		if (!kinds[i].fits && kinds[i].limit != 0.0)
			return bench_expansion_refuse(loading, e, kinds[i].limit_name, "does not belong to this role");
		if (!kinds[i].fits)
			continue;
		if (kinds[i].gain->n == 0)
			return bench_expansion_refuse(loading, e, kinds[i].gain_name, "expected a gain, found none");
		if (!isfinite(kinds[i].limit) || kinds[i].limit < 0.0)
			return bench_expansion_refuse(loading, e, kinds[i].limit_name,
						      "expected a number from 0, found %g", kinds[i].limit);
		e->gain = kinds[i].gain;
		e->gain_name = kinds[i].gain_name;
		e->limit = kinds[i].limit;
	}
	if (g->role != DAQ_TEMPERATURE && g->limit_K.n)
		return bench_expansion_refuse(loading, e, "limit_K", "does not belong to this role");
	if (g->role != DAQ_PARAMETER && g->terms.n)
		return bench_expansion_refuse(loading, e, "terms", "does not belong to this role");
	if (g->role != DAQ_DISPLACEMENT && g->role != DAQ_FORCE && g->sites.n)
		return bench_expansion_refuse(loading, e, "sites", "does not belong to this role");
	if (g->role != DAQ_AUXILIARY && g->count)
		return bench_expansion_refuse(loading, e, "count", "does not belong to this role");
	switch (g->role) {
	case DAQ_PARAMETER:
		return list_parameters(loading, e);
	case DAQ_AUXILIARY:
		return list_auxiliary(loading, e);
	case DAQ_TEMPERATURE:
	case DAQ_HEARTBEAT:
		return list_running(loading, e, 0, 1); /* one on a bench */
	default:
		return list_sites(loading, e);
	}
}

static int append(const struct bench_loading *loading, const struct bench_expansion *e, struct bench_channel channels[],
		  size_t *n)
{
	const struct bench_group *g = e->group;

	if (e->n > BENCH_MAX_CHANNELS - *n)
		return bench_expansion_refuse(loading, e, "role", "expected at most %d channels on a bench",
					      BENCH_MAX_CHANNELS);
	for (size_t i = 0; i < e->n; i++) {
		const struct bench_channel channel = {
			.role = g->role,
			.index = e->index[i],
			.device = g->device,
			.channel = g->first_channel + i,
			.min_V = g->range_V.values[0],
			.max_V = g->range_V.values[1],
			.gain = bench_list_at(e->gain, i, 1.0),
			.offset_V = bench_list_at(&g->offset_V, i, 0.0),
			.safe_V = e->input ? 0.0 : bench_expansion_safe_V(e, i),
			.limit_min_V = g->limit_V.n ? g->limit_V.values[0] : g->range_V.values[0],
			.limit_max_V = g->limit_V.n ? g->limit_V.values[1] : g->range_V.values[1],
			.limit = e->limit,
			.limit_min_K = g->limit_K.n ? g->limit_K.values[0] : 0.0,
			.limit_max_K = g->limit_K.n ? g->limit_K.values[1] : 0.0,
			.slew_V_per_s = g->slew_V_per_s,
			.subdevice = g->subdevice ? (int)*g->subdevice : BENCH_ANY_SUBDEVICE,
			.reference = g->reference,
			.conversion = g->conversion,
			.skew_s = bench_list_at(&g->skew_s, i, NAN),
		};
		for (size_t c = 0; c < *n; c++) {
			if (channels[c].device == channel.device && channels[c].subdevice == channel.subdevice &&
			    channels[c].channel == channel.channel)
				return bench_expansion_refuse(loading, e, "first_channel",
							      "channel %zu of device %zu is taken twice",
							      channel.channel, channel.device);
			if (channels[c].role == channel.role && channels[c].index == channel.index)
				return bench_expansion_refuse(loading, e, "role", "%s %zu has a second channel",
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
		struct bench_expansion e = {.group = &groups[i], .input = input};

		snprintf(e.field, sizeof(e.field), "%s[%u]", input ? "inputs" : "outputs", i);
		int code = list_channels(loading, &e);
		code = code < 0 ? code : bench_expansion_check(loading, &e);
		code = code < 0 ? code : append(loading, &e, channels, input ? &bench->n_in : &bench->n_out);
		free(e.index);
		if (code < 0)
			return code;
	}
	return 0;
}
