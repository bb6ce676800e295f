/*
 * What the loop does with the cards: one system call for the inputs of a card, one for its outputs.
 */
#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "base/err.h"
#include "daq/bench.h"
#include "daq/comedi/rig.h"
#include "daq/daq.h"

#define PATIENCE_PERIODS                                                                                               \
	20 /* with a card whose scans don't come, and a fifth of a second: a busy machine is no dead card */
#define PATIENCE_NS 200000000

/** Keep the first fault: what follows from it is not news. */
static int fail(struct rig *rig, const struct card *card, const char *doing, int why)
{
	if (!rig->fault.card)
		rig->fault = (struct rig_fault){card, doing, why};
	return JOSTLE_EIO;
}

int rig_write(struct rig *rig, const double out_V[], const struct daq_channel channels[])
{
	int code = 0;

	for (size_t c = 0; c < rig->n_out; c++) {
		const struct wire *wire = &rig->out[c];

		rig->out[c].counts =
			converter_counts(&wire->converter, isnan(out_V[c]) ? channels[c].safe_V : out_V[c]);
	}
	/* A card that fails keeps none of the others from its outputs, and no subdevice those of its card. */
	for (size_t i = 0; i < rig->n_cards; i++) {
		const int why = list_run(&rig->writes[i]) ? list_run_each(&rig->writes[i]) : 0;

		if (why == EACCES && code == 0)
			code = JOSTLE_EMISSED;
		else if (why && why != EACCES)
			code = fail(rig, &rig->cards[i], "writing the outputs", why);
	}
	return code;
}

static void give_inputs(const struct rig *rig, double in_V[])
{
	for (size_t c = 0; c < rig->n_in; c++)
		in_V[c] = converter_volts(&rig->in[c].converter, rig->in[c].counts);
}

int rig_read(struct rig *rig, double in_V[])
{
	int code = 0;

	for (size_t i = 0; i < rig->n_cards; i++) {
		const int why = list_run(&rig->reads[i]);

		if (why)
			code = fail(rig, &rig->cards[i], "reading the inputs", why);
	}
	if (code == 0)
		give_inputs(rig, in_V);
	return code;
}

int rig_stream(struct rig *rig, struct err *err)
{
	int code = 0;

	rig->n_seen = 0;
	for (size_t i = 0; i < rig->n_cards && code == 0; i++)
		code = stream_start(&rig->streams[i], err);
	return code;
}

void rig_stream_stop(struct rig *rig)
{
	for (size_t i = 0; i < rig->n_cards; i++)
		stream_stop(&rig->streams[i]);
}

/** Until `stream` has a scan beyond `seen`. Returns 0 or an errno. */
static int await(struct stream *stream, uint64_t seen, int64_t end_ns)
{
	int why = stream_take(stream);

	while (!why && stream->n_scans <= seen) {
		why = stream_wait(stream, end_ns - clock_now_ns());
		if (!why)
			why = stream_take(stream);
	}
	return why;
}

int64_t rig_next_scan(struct rig *rig, double in_V[])
{
	const int64_t patience_ns = PATIENCE_NS + (int64_t)(PATIENCE_PERIODS * 1e9 * stream_period_s(rig->master));
	const int64_t end_ns = clock_now_ns() + patience_ns;
	int code = 0, why = await(rig->master, rig->n_seen, end_ns);

	if (why)
		return fail(rig, rig->master->card, "waiting for a scan of the inputs", why);
	const int64_t woke_ns = clock_now_ns(), passed = (int64_t)(rig->master->n_scans - rig->n_seen);

	rig->n_seen = rig->master->n_scans;
	/* The other cards' clocks are their own: a scan behind or ahead, now or later. All they need is to go on. */
	for (size_t i = 0; i < rig->n_cards; i++) {
		struct stream *stream = &rig->streams[i];

		if (stream == rig->master || stream->n == 0)
			continue;
		why = stream->n_scans ? stream_take(stream) : await(stream, 0, end_ns);
		if (!why && woke_ns - stream->fresh_ns > patience_ns)
			why = ETIMEDOUT;
		if (why)
			code = fail(rig, stream->card, "waiting for a scan of the inputs", why);
	}
	if (code < 0)
		return code;
	give_inputs(rig, in_V);
	return passed;
}
