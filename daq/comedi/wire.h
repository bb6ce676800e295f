#ifndef JOSTLE_COMEDI_WIRE_H
#define JOSTLE_COMEDI_WIRE_H
/*
 * The channel map: which converter of which card a channel of the bench is wired to. For driver comedi only.
 */
#include <stdbool.h>
#include <stddef.h>

#include "daq/bench.h"
#include "daq/comedi/card.h"
#include "daq/comedi/converter.h"

struct wire {
	struct card *card;
	const struct bench_channel *channel;
	unsigned subdevice;
	int type;          /* of the subdevice: COMEDI_SUBD_AI, AO, DIO or DO */
	unsigned chanspec; /* channel, range and reference, CR_PACK()ed */
	lsampl_t counts;   /* an input's last sample; what an output is to be written with */
	struct converter converter;
};

/**
 * Wire channel c of the bench's inputs or outputs to the cards, one for each of the bench's devices. Errors: JOSTLE_ECONFIG
 * (subdevice, channel, range, reference that the card has not), JOSTLE_EBUSY (another process uses the subdevice), each
 * naming channel and card. Call from: setup.
 */
int wire_connect(struct wire *wire, struct card cards[], const struct bench *bench, bool input, size_t c,
		 struct err *err);

/** "displacement 0 (channel 4 of /dev/comedi0)". Call from: setup. */
void wire_name(const struct wire *wire, char *out, size_t size);

#endif
