/*
 * A bench behind a microcontroller: a serial line or a USB-CDC port, the protocol of docs/serial-protocol.md.
 *
 * The edges come by this computer's clock. At an edge the outputs go out; the device samples, drives and answers with what
 * it sampled. An answer that isn't there in time leaves its slot out: the loop hears of missed slots, as soon as they
 * are more than the bench allows, and of an error when nothing has come for the watchdog's time. A device that has gone safe by itself is an error as well, and is started anew, with
 * safe outputs, by the exchanges that follow: whoever is above has heard of it by then.
 *
 * One device, one opening: the watchdog of the device is the last resort.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "daq/grid.h"
#include "daq/serial/fit.h"
#include "daq/serial/framing.h"
#include "daq/serial/link.h"

#define START_NS 1000000000
#define STOP_NS  300000000
#define TRY_NS   100000000

struct serial {
	struct serial_link link;
	struct serial_fit fit;
	struct grid grid;
	bool started, lost;                  /* lost: the device is not known to be running */
	bool driven;                         /* started, and not known to have stopped */
	int64_t heard_ns;                    /* when the device last answered */
	double safe_V[FRAMING_MAX_CHANNELS]; /* of the bench's outputs */
	uint8_t payload[FRAMING_MAX_PAYLOAD];
};

static void serial_close(struct daq *daq)
{
	struct serial *serial = daq->state;

	serial_link_close(&serial->link);
}

/** What was looked for is said already; the way on without it. Returns the code. */
static int not_there(const struct bench *bench, int code, struct err *err)
{
	char text[sizeof(err->text)];

	if (code != JOSTLE_ENODEV || !err)
		return code;
	memcpy(text, err->text, sizeof(text));
	return err_at(err, code, bench->path, 0, 0, "devices[0]: %.600s; --fallback sim runs this bench on %s%s", text,
		      bench->fallback ? "the simulated plant " : "the simulated plant that its field fallback names",
		      bench->fallback ? bench->fallback : "");
}

static int serial_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	struct serial *serial = daq->state;
	int code;

	if (options->attach)
		return err_set(err, JOSTLE_ECONFIG, "driver serial attaches to no plant, found one named %s",
			       options->attach);
	if (bench->n_devices != 1)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "devices: driver serial takes 1, found %zu",
			      bench->n_devices);
	code = serial_link_open(&serial->link, bench->devices[0], (int)bench->baud, err);
	if (code < 0)
		return not_there(bench, code, err);
	code = serial_fit(&serial->fit, &serial->link, bench, err);
	if (code < 0) {
		serial_close(daq);
		return not_there(bench, code, err);
	}
	daq->period_s = bench->period_s;
	daq->last_resort = DAQ_MONOSTABLE;
	snprintf(daq->backend, sizeof(daq->backend), "serial (%s on %.40s)", serial->fit.device.name,
		 bench->devices[0]);
	return 0;
}

/** Codes of all outputs of the device: out_V, and 0 V for those that the bench doesn't use. */
RT_SAFE static void put_outputs(const struct daq *daq, const double out_V[], uint8_t bytes[])
{
	const struct serial *serial = daq->state;
	const struct serial_converter *out = serial->fit.out;

	for (size_t k = 0; k < serial->fit.device.n_out; k++)
		framing_put16(bytes + 2 * k, serial_converter_code(&out[k], 0.0));
	for (size_t c = 0; c < daq->n_out; c++) {
		const size_t k = daq->bench->out[c].channel;
		const double volts = isfinite(out_V[c]) ? out_V[c] : daq->out[c].safe_V;

		framing_put16(bytes + 2 * k, serial_converter_code(&out[k], volts));
	}
}

/** Have the device go to safe outputs and run, its watchdog with it. */
RT_SAFE static int ask_start(struct daq *daq, int64_t until_ns)
{
	struct serial *serial = daq->state;
	struct framing_frame answer;

	for (size_t c = 0; c < daq->n_out; c++)
		serial->safe_V[c] = daq->out[c].safe_V;
	framing_put32(serial->payload, serial->fit.watchdog_us);
	put_outputs(daq, serial->safe_V, serial->payload + 4);
	const int code = serial_link_ask(&serial->link, FRAMING_START, serial->payload,
					 4 + 2 * serial->fit.device.n_out, until_ns, &answer);
	serial->lost = code < 0;
	if (code == 0)
		serial->heard_ns = clock_now_ns();
	return code;
}

static int serial_start(struct daq *daq, struct err *err)
{
	struct serial *serial = daq->state;
	/* a device that another host has left runs until its watchdog says so; the same bench, the same watchdog */
	const int64_t give_up_ns = clock_now_ns() + START_NS + (int64_t)serial->fit.watchdog_us * 1000;
	int code;

	do
		code = ask_start(daq, clock_now_ns() + TRY_NS);
	while (code == JOSTLE_EMISSED && clock_now_ns() < give_up_ns);
	if (code < 0)
		return err_set(err, JOSTLE_EIO, "%s: device %s does not start: %s", daq->bench->devices[0],
			       serial->fit.device.name,
			       code == JOSTLE_EIO ? "it has hung up"
						  : "no answer, or another host's run that its watchdog has not ended");
	serial->started = serial->driven = true;
	grid_begin(&serial->grid, clock_now_ns(), daq->period_s);
	return 0;
}

/** The device's inputs, when its answer is whole and it says that it runs. */
RT_SAFE static int take_inputs(const struct daq *daq, const struct serial *serial, const struct framing_frame *answer,
			       double in_V[])
{
	const struct serial_converter *in = serial->fit.in;

	if (answer->size != 1 + 2 * serial->fit.device.n_in || answer->payload[0] != FRAMING_RUNNING)
		return JOSTLE_EIO;
	for (size_t c = 0; c < daq->n_in; c++) {
		const size_t k = daq->bench->in[c].channel;

		in_V[c] = serial_converter_volts(&in[k], framing_get16(answer->payload + 1 + 2 * k));
	}
	return 0;
}

/** One slot: 0, JOSTLE_EMISSED (no answer) or JOSTLE_EIO. */
RT_SAFE static int exchange_slot(struct daq *daq, const double out_V[], double in_V[])
{
	struct serial *serial = daq->state;
	const int64_t until_ns = grid_edge_ns(&serial->grid, serial->grid.edge) +
				 (int64_t)(SERIAL_ANSWER_PERIODS * serial->grid.period_ns);
	struct framing_frame answer;
	int code;

	if (serial->lost) {
		ask_start(daq, until_ns);
		return JOSTLE_EIO;
	}
	put_outputs(daq, out_V, serial->payload);
	code = serial_link_ask(&serial->link, FRAMING_OUTPUTS, serial->payload, 2 * serial->fit.device.n_out, until_ns,
			       &answer);
	code = code < 0 ? code : take_inputs(daq, serial, &answer, in_V);
	serial->lost = code == JOSTLE_EIO;
	return code;
}

static int serial_exchange(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	struct serial *serial = daq->state;
	/* by then a device that hears nothing has gone safe */
	const int64_t timeout_ns = (int64_t)serial->fit.watchdog_us * 1000;
	/* one more than may be missed, and this one, which is told of as the edge after them; 0: as many as there are */
	const size_t patience = daq->bench->missed_periods ? daq->bench->missed_periods + 2 : SIZE_MAX;
	bool missed = false;
	int code;

	daq->woke_ns = 0;
	if (!serial->started)
		return JOSTLE_EIO;
	for (size_t silent = 1;; silent++) {
		if (grid_skip(&serial->grid) > 0)
			missed = true;
		daq->woke_ns = grid_wait(&serial->grid);
		*t_ns = grid_edge_ns(&serial->grid, serial->grid.edge);
		code = exchange_slot(daq, out_V, in_V);
		if (code != JOSTLE_EMISSED)
			break;
		missed = true;
		if (clock_now_ns() - serial->heard_ns > timeout_ns) {
			code = JOSTLE_EIO;
			serial->lost = true;
			break;
		}
		/* Held outputs feed the device's watchdog: whoever is above judges, before that goes on. */
		if (silent >= patience)
			break;
	}
	if (code < 0)
		return code;
	serial->heard_ns = clock_now_ns();
	return missed ? JOSTLE_EMISSED : 0;
}

static int serial_stop(struct daq *daq)
{
	struct serial *serial = daq->state;
	const int64_t give_up_ns = clock_now_ns() + STOP_NS;
	struct framing_frame answer;
	int code;

	serial->started = false;
	if (!serial->driven)
		return 0;
	/* where no answer comes the watchdog sees to it */
	do
		code = serial_link_ask(&serial->link, FRAMING_STOP, NULL, 0, clock_now_ns() + TRY_NS, &answer);
	while (code == JOSTLE_EMISSED && clock_now_ns() < give_up_ns);
	serial->driven = code < 0;
	return code < 0 ? JOSTLE_EIO : 0;
}

static int serial_budget(struct daq *daq, struct daq_budget *budget, struct err *err)
{
	struct serial *serial = daq->state;

	if (serial->started)
		return err_set(err, JOSTLE_EBUSY, "the bench runs: how fast it could run is measured before it starts");
	return serial_fit_budget(&serial->fit, &serial->link, daq->bench, budget, err);
}

const struct daq_driver driver_serial = {
	.name = "serial",
	.summary = "a microcontroller or USB-CDC board behind a serial port",
	.example = "serial-4x4",
	.absent_device = "/dev/ttyNone0",
	.state_size = sizeof(struct serial),
	.open = serial_open,
	.start = serial_start,
	.exchange = serial_exchange,
	.stop = serial_stop,
	.close = serial_close,
	.budget = serial_budget,
};
