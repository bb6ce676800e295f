/*
 * How long the cards take: by their own figures where they say, by measure where they don't. Only inputs are converted and
 * outputs read back; nothing is written.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "daq/comedi/rig.h"
#include "daq/daq.h"

#define SKEW_TURNS   8
#define BUDGET_TURNS 200

static int no_answer(const struct card *card, const char *doing, int why, struct err *err)
{
	return err_set(err, JOSTLE_EIO, "%s: %s: %s", card_path(card), doing, strerror(why));
}

/** Single samples follow each other in a list, and a card the other. */
static int skew_of_singles(struct rig *rig, double in_s[], double out_s[], struct err *err)
{
	double begun_ns = 0.0;

	for (size_t i = 0; i < rig->n_cards; i++) {
		const unsigned n = rig->reads[i].insns.n_insns;
		double quickest_ns = 0.0, usual_ns;
		unsigned k = 0;
		const int why = n ? list_time(&rig->reads[i], SKEW_TURNS, &quickest_ns, &usual_ns) : 0;

		if (why)
			return no_answer(&rig->cards[i], "reading the inputs", why, err);
		for (size_t c = 0; c < rig->n_in; c++)
			if (rig->in[c].card == &rig->cards[i])
				in_s[c] = (begun_ns + quickest_ns * ++k / n) * 1e-9;
		begun_ns += quickest_ns;
	}
	for (size_t c = 0; c < rig->n_out; c++)
		out_s[c] = begun_ns * 1e-9;
	return 0;
}

bool rig_apart(const struct rig *rig)
{
	for (size_t i = 0; rig->streaming && i < rig->n_cards; i++)
		if (rig->streams[i].n && &rig->streams[i] != rig->master)
			return true;
	return false;
}

int rig_skew(struct rig *rig, double in_s[], double out_s[], struct err *err)
{
	if (!rig->streaming)
		return skew_of_singles(rig, in_s, out_s, err);
	for (size_t c = 0; c < rig->n_out; c++)
		out_s[c] = 0.0;
	for (size_t c = 0; c < rig->n_in; c++)
		for (size_t i = 0; i < rig->n_cards; i++)
			for (size_t k = 0; k < rig->streams[i].n; k++)
				if (rig->streams[i].wires[k] == &rig->in[c])
					in_s[c] = &rig->streams[i] == rig->master ? stream_skew_s(&rig->streams[i], k)
										  : 0.5 * stream_period_s(rig->master);
	return 0;
}

/** The part of an exchange that takes longest. */
struct longest {
	double ns;
	char what[160];
};

static void add_part(struct longest *longest, double *total_ns, double ns, const char *what, size_t n,
		     const struct card *card)
{
	*total_ns += ns;
	if (ns <= longest->ns)
		return;
	longest->ns = ns;
	snprintf(longest->what, sizeof(longest->what), "%s %zu %s%s of %.80s", what, n,
		 what[0] == 'r' ? "input" : "output", n > 1 ? "s" : "", card_path(card));
}

/**
 * What writing takes, without writing: reading the outputs back goes the same way through the kernel. Where a card can't,
 * an output is taken to need as long as an input.
 */
static double writing_ns(const struct list *writes, double input_ns)
{
	double quickest_ns, usual_ns = NAN;
	comedi_insn *insns = writes->insns.insns;
	struct list back = *writes;
	int why = 0;

	/* The outputs' counts are set anew before they are written. */
	for (unsigned k = 0; k < writes->insns.n_insns; k++)
		insns[k].insn = INSN_READ;
	why = list_time(&back, BUDGET_TURNS, &quickest_ns, &usual_ns);
	for (unsigned k = 0; k < writes->insns.n_insns; k++)
		insns[k].insn = INSN_WRITE;
	return why ? input_ns * writes->insns.n_insns : usual_ns;
}

static int time_exchange(struct rig *rig, double *total_ns, struct longest *longest, struct err *err)
{
	for (size_t i = 0; i < rig->n_cards; i++) {
		struct list *reads = &rig->reads[i], *writes = &rig->writes[i];
		double quickest_ns, usual_ns = 0.0, input_ns = 0.0;
		const int why = reads->insns.n_insns ? list_time(reads, BUDGET_TURNS, &quickest_ns, &usual_ns) : 0;

		if (why)
			return no_answer(&rig->cards[i], "reading the inputs", why, err);
		if (reads->insns.n_insns)
			input_ns = usual_ns / reads->insns.n_insns;
		if (!rig->streaming && reads->insns.n_insns)
			add_part(longest, total_ns, usual_ns, "reading", reads->insns.n_insns, &rig->cards[i]);
		if (writes->insns.n_insns)
			add_part(longest, total_ns, writing_ns(writes, input_ns), "writing", writes->insns.n_insns,
				 &rig->cards[i]);
	}
	return 0;
}

int rig_budget(struct rig *rig, struct daq_budget *budget, struct err *err)
{
	const struct stream *slowest = NULL;
	struct longest longest = {0};
	double total_ns = 0.0;
	const int code = time_exchange(rig, &total_ns, &longest, err);

	if (code < 0)
		return code;
	*budget = (struct daq_budget){.exchange_s = total_ns * 1e-9};
	for (size_t i = 0; i < rig->n_cards; i++)
		if (stream_shortest_s(&rig->streams[i]) > budget->period_s) {
			slowest = &rig->streams[i];
			budget->period_s = stream_shortest_s(slowest);
		}
	if (slowest && budget->period_s > budget->exchange_s)
		snprintf(budget->limit, sizeof(budget->limit),
			 "the converter of %.80s: %zu conversions of a scan take %.4g us", card_path(slowest->card),
			 slowest->n, budget->period_s * 1e6);
	else
		snprintf(budget->limit, sizeof(budget->limit), "%s: %.4g of %.4g us", longest.what, longest.ns * 1e-3,
			 total_ns * 1e-3);
	return 0;
}
