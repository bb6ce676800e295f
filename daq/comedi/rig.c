#include "daq/comedi/rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daq/bench.h"

static int take_memory(struct rig *rig, struct err *err)
{
	rig->cards = calloc(rig->n_cards, sizeof(*rig->cards));
	rig->reads = calloc(rig->n_cards, sizeof(*rig->reads));
	rig->writes = calloc(rig->n_cards, sizeof(*rig->writes));
	rig->streams = calloc(rig->n_cards, sizeof(*rig->streams));
	rig->in = calloc(rig->n_in + 1, sizeof(*rig->in));
	rig->out = calloc(rig->n_out + 1, sizeof(*rig->out));
	rig->holds = calloc(rig->n_out + 1, sizeof(*rig->holds));
	if (rig->cards && rig->reads && rig->writes && rig->streams && rig->in && rig->out && rig->holds)
		return 0;
	return err_set(err, JOSTLE_ENOMEM, "no memory for a bench of %zu cards", rig->n_cards);
}

static bool has_outputs(const struct bench *bench, size_t device)
{
	for (size_t c = 0; c < bench->n_out; c++)
		if (bench->out[c].device == device)
			return true;
	return false;
}

/** One name stated and one left out may mean the same converter, which the bench file alone can't tell. */
static int check_twice(const struct wire wires[], size_t c, bool input, struct err *err)
{
	char name[160], other[160];

	for (size_t i = 0; i < c; i++) {
		if (wires[i].card != wires[c].card || wires[i].subdevice != wires[c].subdevice ||
		    CR_CHAN(wires[i].chanspec) != CR_CHAN(wires[c].chanspec))
			continue;
		wire_name(&wires[i], other, sizeof(other));
		wire_name(&wires[c], name, sizeof(name));
		return err_at(err, JOSTLE_ECONFIG, wires[c].card->bench->path, 0, 0,
			      "%s, %s: it is %s already, on the same subdevice %u", input ? "inputs" : "outputs", name,
			      other, wires[c].subdevice);
	}
	return 0;
}

static void warn_uncorrected(const struct wire *wire)
{
	const struct card *card = wire->card;
	const char *path =
		card->calibration_path && card->calibration_path[0] ? card->calibration_path : "any calibration file";

	if (wire->converter.used == CONVERSION_SOFTWARE)
		log_warning("%s: the %s (subdevice %u) have no correction by the card: %s corrects them",
			    card_path(card), card_kind(wire->type), wire->subdevice, path);
	else if (wire->converter.refused)
		log_warning("%s: the %s (subdevice %u) have no correction: what is stated falls, or is far from their "
			    "range; their volts are nominal",
			    card_path(card), card_kind(wire->type), wire->subdevice);
	else
		log_warning("%s: the %s (subdevice %u) have no correction: nothing in %s; their volts are nominal",
			    card_path(card), card_kind(wire->type), wire->subdevice, path);
}

/** Say once for each subdevice that its volts are not corrected by whom the bench file asks for. */
static void warn_of_conversions(const struct wire wires[], size_t n)
{
	for (size_t c = 0; c < n; c++) {
		const struct wire *wire = &wires[c];
		bool said = false;

		if (wire->converter.line || wire->converter.used == wire->channel->conversion)
			continue;
		for (size_t i = 0; i < c; i++)
			said = said || (wires[i].card == wire->card && wires[i].subdevice == wire->subdevice &&
					wires[i].converter.used == wire->converter.used &&
					wires[i].channel->conversion != wires[i].converter.used);
		if (!said)
			warn_uncorrected(wire);
	}
}

static int connect_wires(struct rig *rig, struct wire wires[], size_t n, bool input, struct err *err)
{
	int code = 0;

	for (size_t c = 0; c < n && code == 0; c++) {
		code = wire_connect(&wires[c], rig->cards, rig->bench, input, c, err);
		code = code < 0 ? code : check_twice(wires, c, input, err);
	}
	return code;
}

static void list_holds(struct rig *rig)
{
	for (size_t c = 0; c < rig->n_out; c++) {
		bool listed = false;

		for (size_t i = 0; i < rig->n_holds; i++)
			listed = listed || (rig->holds[i].card == rig->out[c].card &&
					    rig->holds[i].subdevice == rig->out[c].subdevice);
		if (!listed)
			rig->holds[rig->n_holds++] = (struct rig_hold){rig->out[c].card, rig->out[c].subdevice, false};
	}
}

/** Every card must keep the same period: their clocks are their own, and what one is ahead of another adds up. */
static int lay_streams(struct rig *rig, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < rig->n_cards && code == 0; i++) {
		struct stream *stream = &rig->streams[i];

		code = stream_init(stream, &rig->cards[i], rig->in, rig->n_in, rig->bench->period_s, err);
		if (code < 0 || stream->n == 0)
			continue;
		if (!rig->master)
			rig->master = stream;
		if (stream_period_s(stream) != stream_period_s(rig->master))
			code = err_at(
				err, JOSTLE_ECONFIG, rig->bench->path, 0, 0,
				"period_s: expected one that every card can keep, found %.9g of %s and %.9g of %s",
				stream_period_s(rig->master), card_path(rig->master->card), stream_period_s(stream),
				card_path(&rig->cards[i]));
	}
	return code;
}

int rig_open(struct rig *rig, const struct bench *bench, bool owner, struct err *err)
{
	int code;

	*rig = (struct rig){
		.bench = bench,
		.n_cards = bench->n_devices,
		.n_in = owner ? bench->n_in : 0,
		.n_out = bench->n_out,
		.streaming = owner && bench->acquisition == ACQUISITION_STREAMING,
	};
	code = take_memory(rig, err);
	for (size_t i = 0; i < rig->n_cards && code == 0; i++)
		if (owner || has_outputs(bench, i))
			code = card_open(&rig->cards[i], bench, i, owner, err);
	code = code < 0 ? code : connect_wires(rig, rig->in, rig->n_in, true, err);
	code = code < 0 ? code : connect_wires(rig, rig->out, rig->n_out, false, err);
	for (size_t i = 0; i < rig->n_cards && code == 0; i++) {
		code = list_init(&rig->reads[i], &rig->cards[i], rig->in, rig->n_in, true, err);
		code = code < 0 ? code : list_init(&rig->writes[i], &rig->cards[i], rig->out, rig->n_out, false, err);
	}
	if (code == 0 && rig->streaming)
		code = lay_streams(rig, err);
	if (code < 0)
		return code;
	list_holds(rig);
	if (owner) {
		warn_of_conversions(rig->in, rig->n_in);
		warn_of_conversions(rig->out, rig->n_out);
	}
	return 0;
}

void rig_close(struct rig *rig)
{
	for (size_t i = 0; i < rig->n_cards; i++) {
		if (rig->reads)
			list_fini(&rig->reads[i]);
		if (rig->writes)
			list_fini(&rig->writes[i]);
		if (rig->streams)
			stream_fini(&rig->streams[i]);
		if (rig->cards)
			card_close(&rig->cards[i]);
	}
	free(rig->reads);
	free(rig->writes);
	free(rig->streams);
	free(rig->cards);
	free(rig->in);
	free(rig->out);
	free(rig->holds);
	*rig = (struct rig){0};
}

size_t rig_uncorrected(const struct rig *rig)
{
	size_t n = 0;

	for (size_t c = 0; c < rig->n_in + rig->n_out; c++) {
		const struct wire *wire = c < rig->n_in ? &rig->in[c] : &rig->out[c - rig->n_in];

		n += !wire->converter.line && wire->converter.used == CONVERSION_NOMINAL &&
		     wire->channel->conversion != CONVERSION_NOMINAL;
	}
	return n;
}

int rig_direct(struct rig *rig, struct err *err)
{
	char name[160];

	for (size_t c = 0; c < rig->n_out; c++) {
		const struct wire *wire = &rig->out[c];

		if (wire->type != COMEDI_SUBD_DIO ||
		    comedi_dio_config(wire->card->device, wire->subdevice, CR_CHAN(wire->chanspec), COMEDI_OUTPUT) >= 0)
			continue;
		wire_name(wire, name, sizeof(name));
		return err_set(err, JOSTLE_EIO, "outputs, %s: it can't be made an output: %s", name, card_why());
	}
	return 0;
}

bool rig_hold(struct rig *rig)
{
	bool all = true;

	for (size_t i = 0; i < rig->n_holds; i++) {
		struct rig_hold *hold = &rig->holds[i];

		hold->held = hold->held || comedi_lock(hold->card->device, hold->subdevice) >= 0;
		all = all && hold->held;
	}
	return all;
}

void rig_let_go(struct rig *rig)
{
	for (size_t i = 0; i < rig->n_holds; i++) {
		if (rig->holds[i].held)
			comedi_unlock(rig->holds[i].card->device, rig->holds[i].subdevice);
		rig->holds[i].held = false;
	}
}
