/*
 * A bench behind data acquisition cards, by libcomedi and the kernel's drivers: any number of cards as one bench.
 *
 * With single samples the computer's clock keeps the grid: at each edge one system call for the inputs of a card, then one
 * for its outputs. Streaming, the first card's clock does: an edge is a scan of its inputs, and time is counted in scans.
 *
 * Outputs hold their last value when the process dies. A guardian opens the cards a second time and locks the subdevices of
 * outputs while it holds them, so that the kernel refuses whatever the loop still writes.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daq/bench.h"
#include "daq/comedi/rig.h"
#include "daq/daq.h"
#include "daq/grid.h"

struct comedi {
	struct rig rig;
	struct grid grid;
	double *safe_V; /* [n_out] */
	bool started;
	bool driven; /* outputs have been written, and must be left safe */
};

static void comedi_end(struct daq *daq)
{
	struct comedi *comedi = daq->state;

	rig_close(&comedi->rig);
	free(comedi->safe_V);
	memset(comedi, 0, sizeof(*comedi));
}

/** The bench file's skew where it states one, else the cards' figures. */
static int take_skew(struct daq *daq, struct rig *rig, struct err *err)
{
	double *skew_s = calloc(daq->n_in + daq->n_out, sizeof(*skew_s));
	int code = skew_s ? rig_skew(rig, skew_s, skew_s + daq->n_in, err)
			  : err_set(err, JOSTLE_ENOMEM, "no memory for %zu channels", daq->n_in + daq->n_out);

	for (size_t c = 0; code == 0 && c < daq->n_in; c++)
		if (isnan(daq->bench->in[c].skew_s))
			daq->in[c].skew_s = skew_s[c];
	for (size_t c = 0; code == 0 && c < daq->n_out; c++)
		if (isnan(daq->bench->out[c].skew_s))
			daq->out[c].skew_s = skew_s[daq->n_in + c];
	free(skew_s);
	return code;
}

static void describe(struct daq *daq, const struct rig *rig)
{
	const char *board = comedi_get_board_name(rig->cards[0].device);
	const char *streaming = rig_apart(rig) ? ", streaming, not in step" : rig->streaming ? ", streaming" : "";
	char cards[32] = "";

	if (rig->n_cards > 1)
		snprintf(cards, sizeof(cards), " and %zu more", rig->n_cards - 1);
	snprintf(daq->backend, sizeof(daq->backend), "comedi (%.40s%s%s%s)", board ? board : "card", cards, streaming,
		 rig_uncorrected(rig) ? ", not corrected" : "");
}

static int comedi_begin(struct daq *daq, const struct bench *bench, bool owner, struct err *err)
{
	struct comedi *comedi = daq->state;
	int code = rig_open(&comedi->rig, bench, owner, err);

	if (code == 0 && !(comedi->safe_V = calloc(daq->n_out + 1, sizeof(*comedi->safe_V))))
		code = err_set(err, JOSTLE_ENOMEM, "no memory for %zu outputs", daq->n_out);
	if (code == 0 && owner)
		code = take_skew(daq, &comedi->rig, err);
	if (code < 0)
		comedi_end(daq);
	return code;
}

static int open_cards(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	struct comedi *comedi = daq->state;
	int code;

	if (options->attach)
		return err_set(err, JOSTLE_ECONFIG,
			       "driver comedi drives hardware: it has no use for the running plant %s",
			       options->attach);
	code = comedi_begin(daq, bench, true, err);
	if (code < 0)
		return code;
	daq->period_s = comedi->rig.master ? stream_period_s(comedi->rig.master) : bench->period_s;
	daq->last_resort = DAQ_SECOND_OPENING;
	describe(daq, &comedi->rig);
	return 0;
}

static int drive_safe(struct daq *daq)
{
	struct comedi *comedi = daq->state;

	for (size_t c = 0; c < daq->n_out; c++)
		comedi->safe_V[c] = daq->out[c].safe_V;
	return rig_write(&comedi->rig, comedi->safe_V, daq->out);
}

static int start(struct daq *daq, struct err *err)
{
	struct comedi *comedi = daq->state;
	struct rig *rig = &comedi->rig;
	int code;

	rig->fault = (struct rig_fault){0};
	comedi->driven = true;
	/* First the level, then the direction: a line that becomes an output must not show what was last on it. */
	code = drive_safe(daq);
	if (code == JOSTLE_EMISSED)
		return err_set(err, JOSTLE_EBUSY, "the outputs are held by a guardian or another process");
	if (code < 0)
		return err_set(err, code, "%s: %s: %s", card_path(rig->fault.card), rig->fault.doing,
			       strerror(rig->fault.why));
	code = rig_direct(rig, err);
	if (code < 0)
		return code;
	code = rig->streaming ? rig_stream(rig, err) : 0;
	if (code < 0) {
		rig_stream_stop(rig);
		return code;
	}
	grid_begin(&comedi->grid, rig->master ? rig->master->start_ns : clock_now_ns(), daq->period_s);
	comedi->started = true;
	return 0;
}

/** The next edge of the computer's clock. */
static int exchange_singles(struct daq *daq, double in_V[])
{
	struct comedi *comedi = daq->state;
	const bool missed = grid_skip(&comedi->grid) > 0;

	daq->woke_ns = grid_wait(&comedi->grid);
	const int code = rig_read(&comedi->rig, in_V);

	return code < 0 ? code : missed ? JOSTLE_EMISSED : 0;
}

/** The next edge of the first card's clock, which runs apart from the computer's: when the wait was over says nothing of it. */
static int exchange_scan(struct daq *daq, double in_V[])
{
	struct comedi *comedi = daq->state;
	const int64_t passed = rig_next_scan(&comedi->rig, in_V);

	if (passed < 0)
		return (int)passed;
	comedi->grid.edge += passed;
	return passed > 1 ? JOSTLE_EMISSED : 0;
}

static int exchange(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	struct comedi *comedi = daq->state;

	daq->woke_ns = 0;
	if (!comedi->started)
		return JOSTLE_EIO;
	const int read = comedi->rig.master ? exchange_scan(daq, in_V) : exchange_singles(daq, in_V);
	/* Inputs that fail are no reason to leave the outputs where they are. */
	const int written = rig_write(&comedi->rig, out_V, daq->out);

	*t_ns = grid_edge_ns(&comedi->grid, comedi->grid.edge);
	return read == JOSTLE_EIO || written == JOSTLE_EIO ? JOSTLE_EIO : read < 0 ? read : written;
}

static int stop(struct daq *daq)
{
	struct comedi *comedi = daq->state;
	const struct rig_fault fault = comedi->rig.fault;
	int code = 0;

	rig_stream_stop(&comedi->rig);
	if (fault.card)
		log_error("%s: %s: %s", card_path(fault.card), fault.doing,
			  fault.why == EPIPE    ? "the kernel's buffer overflowed, or the card failed"
			  : fault.why == ENODEV ? "the card was removed"
						: strerror(fault.why));
	comedi->rig.fault = (struct rig_fault){0};
	comedi->started = false;
	if (comedi->driven)
		code = drive_safe(daq);
	if (code == JOSTLE_EIO)
		log_error("%s: the outputs could not be driven to safe_V: %s", card_path(comedi->rig.fault.card),
			  strerror(comedi->rig.fault.why));
	else if (code)
		log_error("the outputs could not be driven to safe_V: a guardian or another process holds them");
	comedi->driven = code != 0;
	return code ? JOSTLE_EIO : 0;
}

static int guard_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	(void)options;
	return comedi_begin(daq, bench, false, err);
}

static int guard_write(struct daq *daq, const double out_V[])
{
	struct comedi *comedi = daq->state;

	/* Where another program has a lock the kernel refuses to write, and the guardian tries again. */
	const bool held = comedi->driven || rig_hold(&comedi->rig);
	const int code = rig_write(&comedi->rig, out_V, daq->out);

	if (held && !comedi->driven)
		comedi->driven = rig_direct(&comedi->rig, NULL) == 0;
	return code < 0 || !comedi->driven ? JOSTLE_EIO : 0;
}

static void guard_release(struct daq *daq)
{
	struct comedi *comedi = daq->state;

	rig_let_go(&comedi->rig);
	comedi->driven = false;
}

static int budget(struct daq *daq, struct daq_budget *found, struct err *err)
{
	struct comedi *comedi = daq->state;

	if (comedi->started)
		return err_set(err, JOSTLE_EBUSY, "the bench is running");
	return rig_budget(&comedi->rig, found, err);
}

const struct daq_driver driver_comedi = {
	.name = "comedi",
	.summary = "data acquisition cards, by the kernel's comedi drivers",
	.example = "comedi-2",
	.absent_device = "/dev/comedi-absent",
	.state_size = sizeof(struct comedi),
	.open = open_cards,
	.start = start,
	.exchange = exchange,
	.stop = stop,
	.close = comedi_end,
	.guard_open = guard_open,
	.guard_write = guard_write,
	.guard_release = guard_release,
	.guard_close = comedi_end,
	.budget = budget,
};
