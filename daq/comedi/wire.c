#include "daq/comedi/wire.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

void wire_name(const struct wire *wire, char *out, size_t size)
{
	snprintf(out, size, "%s %zu (channel %zu of %s)", daq_role_name(wire->channel->role), wire->channel->index,
		 wire->channel->channel, card_path(wire->card));
}

static bool same(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b));
}

/** The card's range that is the bench's span exactly: a wider one would hide a wrong bench file, or a wrong card. */
static int find_range(const struct wire *wire, const char *name, unsigned *range, struct err *err)
{
	const struct bench_channel *channel = wire->channel;
	const unsigned number = (unsigned)channel->channel;
	const int n = comedi_get_n_ranges(wire->card->device, wire->subdevice, number);
	char offered[300] = "";
	size_t length = 0;

	for (int r = 0; r < n; r++) {
		const comedi_range *found = comedi_get_range(wire->card->device, wire->subdevice, number, (unsigned)r);

		if (!found || found->unit != UNIT_volt)
			continue;
		if (same(found->min, channel->min_V) && same(found->max, channel->max_V)) {
			*range = (unsigned)r;
			return 0;
		}
		if (length < sizeof(offered))
			length += (size_t)snprintf(offered + length, sizeof(offered) - length, "%s[%g, %g]",
						   length ? ", " : "", found->min, found->max);
	}
	return err_at(err, JOSTLE_ECONFIG, wire->card->bench->path, 0, 0,
		      "%s: range_V: expected a range of this card, %s, found [%g, %g]", name,
		      offered[0] ? offered : "which has none in volts", channel->min_V, channel->max_V);
}

static int check_reference(const struct wire *wire, const char *name, unsigned *reference, struct err *err)
{
	static const struct {
		const char *name;
		int flag;
		unsigned reference;
	} references[] = {
		[REFERENCE_GROUND] = {"ground", SDF_GROUND, AREF_GROUND},
		[REFERENCE_COMMON] = {"common", SDF_COMMON, AREF_COMMON},
		[REFERENCE_DIFFERENTIAL] = {"differential", SDF_DIFF, AREF_DIFF},
		[REFERENCE_OTHER] = {"other", SDF_OTHER, AREF_OTHER},
	};
	const int flags = comedi_get_subdevice_flags(wire->card->device, wire->subdevice);
	const int any = SDF_GROUND | SDF_COMMON | SDF_DIFF | SDF_OTHER;
	char offered[64] = "";

	*reference = references[wire->channel->reference].reference;
	/* Some kernel drivers state none: then there is nothing to choose. */
	if (!(flags & any) || flags & references[wire->channel->reference].flag)
		return 0;
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
		if (flags & references[i].flag)
			snprintf(offered + strlen(offered), sizeof(offered) - strlen(offered), "%s%s",
				 offered[0] ? ", " : "", references[i].name);
	return err_at(err, JOSTLE_ECONFIG, wire->card->bench->path, 0, 0,
		      "%s: reference: expected one of this card, %s, found %s", name, offered,
		      references[wire->channel->reference].name);
}

int wire_connect(struct wire *wire, struct card cards[], const struct bench *bench, bool input, size_t c,
		 struct err *err)
{
	const struct bench_channel *channel = input ? &bench->in[c] : &bench->out[c];
	unsigned range = 0, reference = 0;
	char name[200];
	int code;

	*wire = (struct wire){.card = &cards[channel->device], .channel = channel};
	snprintf(name, sizeof(name), "%s, ", input ? "inputs" : "outputs");
	wire_name(wire, name + strlen(name), sizeof(name) - strlen(name));
	code = card_find(wire->card, channel->subdevice, input, channel->role == DAQ_HEARTBEAT, name, &wire->subdevice,
			 &wire->type, err);
	if (code < 0)
		return code;
	const int n = comedi_get_n_channels(wire->card->device, wire->subdevice);

	if (n < 0 || channel->channel >= (size_t)n)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "%s: expected a channel below %d of the %s", name,
			      n, card_kind(wire->type));
	if (wire->type == COMEDI_SUBD_AI || wire->type == COMEDI_SUBD_AO) {
		code = find_range(wire, name, &range, err);
		code = code < 0 ? code : check_reference(wire, name, &reference, err);
		if (code < 0)
			return code;
		converter_init(&wire->converter, wire->card, wire->subdevice, (unsigned)channel->channel, range, input,
			       channel->conversion);
		if (!input)
			converter_limit(&wire->converter, channel->limit_min_V, channel->limit_max_V);
	} else {
		converter_init_line(&wire->converter, channel->safe_V, channel->limit_max_V);
	}
	wire->chanspec = CR_PACK((unsigned)channel->channel, range, reference);
	return 0;
}
