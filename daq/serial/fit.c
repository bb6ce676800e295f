#include "daq/serial/fit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "daq/bench.h"
#include "daq/daq.h"

#define MAX_WATCHDOG_S 10.0 /* outputs that nobody computes any more are held for as long */
#define BUDGET_TURNS   50
#define BUDGET_NS      100000000
#define BITS_A_BYTE    10.0                                  /* with start and stop */
#define FRAME_BYTES    (FRAMING_HEAD + FRAMING_TAIL + 1 + 2) /* of an empty one */

static int find_converter(struct serial_link *link, bool output, size_t channel, struct serial_converter *converter,
			  struct err *err)
{
	struct serial_range range;
	const int code = serial_link_range(link, output, channel, &range, err);

	if (code == 0)
		*converter = serial_converter_make(&range);
	return code;
}

bool serial_converter_limit(struct serial_converter *converter, double min_V, double max_V)
{
	const double unit_V = converter->step_V * converter->unit;
	/* Limits are meant to a millionth of a code: what a sum of fractions misses by is no code less. */
	const double least = fmax(ceil((min_V - converter->min_V) / unit_V - 1e-6), 0.0) * converter->unit;
	const double most =
		fmin(floor((max_V - converter->min_V) / unit_V + 1e-6) * converter->unit, (double)converter->top);

	if (!(least <= most))
		return false;
	converter->least = (uint16_t)least;
	converter->most = (uint16_t)most;
	return true;
}

static int check_channel(struct serial_fit *fit, struct serial_link *link, const struct bench *bench,
			 const struct bench_channel *channel, bool output, struct err *err)
{
	const size_t n = output ? fit->device.n_out : fit->device.n_in, k = channel->channel;
	const char *group = output ? "outputs" : "inputs";
	struct serial_converter *converter;
	int code;

	if (channel->subdevice != BENCH_ANY_SUBDEVICE)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
			      "%s: channel %zu: subdevice: a serial device has none, found %d", group, k,
			      channel->subdevice);
	if (k >= n)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "%s: channel %zu: device %s has %zu %s", group, k,
			      fit->device.name, n, group);
	converter = output ? &fit->out[k] : &fit->in[k];
	code = output ? 0 : find_converter(link, false, k, converter, err);
	if (code < 0)
		return code;
	const double min_V = converter->min_V, max_V = converter->max_V;
	if (!(fabs(channel->min_V - min_V) <= 1e-6 && fabs(channel->max_V - max_V) <= 1e-6))
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
			      "%s: channel %zu: range_V: expected [%g, %g], which device %s has, found [%g, %g]", group,
			      k, min_V, max_V, fit->device.name, channel->min_V, channel->max_V);
	if (!output || serial_converter_limit(converter, channel->limit_min_V, channel->limit_max_V))
		return 0;
	return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
		      "%s: channel %zu: limit_V: device %s can drive nothing within [%g, %g]", group, k,
		      fit->device.name, channel->limit_min_V, channel->limit_max_V);
}

static int check_channels(struct serial_fit *fit, struct serial_link *link, const struct bench *bench, struct err *err)
{
	int code = 0;

	for (size_t k = 0; k < fit->device.n_out && code == 0; k++) /* all are written, those too that nobody uses */
		code = find_converter(link, true, k, &fit->out[k], err);
	for (size_t c = 0; c < bench->n_in && code == 0; c++)
		code = check_channel(fit, link, bench, &bench->in[c], false, err);
	for (size_t c = 0; c < bench->n_out && code == 0; c++)
		code = check_channel(fit, link, bench, &bench->out[c], true, err);
	return code;
}

/** So many bytes in two frames, a question and its answer, on a line of that speed. */
static double line_s(const struct bench *bench, size_t payload)
{
	return BITS_A_BYTE * (2.0 * FRAME_BYTES + (double)payload) / (double)bench->baud;
}

static double exchange_s(const struct serial_fit *fit, const struct bench *bench)
{
	return line_s(bench, 2 * fit->device.n_out + 1 + 2 * fit->device.n_in);
}

static int check_times(struct serial_fit *fit, const struct bench *bench, struct err *err)
{
	const double watchdog_s = (double)bench->guardian_periods * bench->period_s;

	if (bench->period_s < fit->device.period_s)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
			      "period_s: expected at least %g, the shortest of device %s, found %g",
			      fit->device.period_s, fit->device.name, bench->period_s);
	if (exchange_s(fit, bench) > SERIAL_ANSWER_PERIODS * bench->period_s)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
			      "baud: at %zu an exchange with device %s takes %.3g s on the line, and period_s is %g",
			      bench->baud, fit->device.name, exchange_s(fit, bench), bench->period_s);
	if (watchdog_s > MAX_WATCHDOG_S)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
			      "guardian_periods: expected at most %g s, the watchdog's longest time, found %g s",
			      MAX_WATCHDOG_S, watchdog_s);
	fit->watchdog_us = (uint32_t)fmax(1.0, watchdog_s * 1e6);
	return 0;
}

int serial_fit(struct serial_fit *fit, struct serial_link *link, const struct bench *bench, struct err *err)
{
	int code = serial_link_describe(link, &fit->device, err);

	code = code < 0 ? code : check_channels(fit, link, bench, err);
	return code < 0 ? code : check_times(fit, bench, err);
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int serial_fit_budget(const struct serial_fit *fit, struct serial_link *link, const struct bench *bench,
		      struct daq_budget *budget, struct err *err)
{
	int64_t turns_ns[BUDGET_TURNS];
	struct framing_frame answer;

	/* A greeting goes to and fro as an exchange does, and has nothing driven. */
	for (int i = 0; i < BUDGET_TURNS; i++) {
		const int64_t begun_ns = clock_now_ns();

		if (serial_link_ask(link, FRAMING_HELLO, NULL, 0, begun_ns + BUDGET_NS, &answer) < 0)
			return err_set(err, JOSTLE_EIO, "%s: device %s has stopped answering", bench->devices[0],
				       fit->device.name);
		turns_ns[i] = clock_now_ns() - begun_ns;
	}
	qsort(turns_ns, BUDGET_TURNS, sizeof(turns_ns[0]), by_value);
	const double usual_s = (double)turns_ns[BUDGET_TURNS / 2] * 1e-9;
	const double greeting_s = line_s(bench, answer.size), on_line_s = exchange_s(fit, bench);
	const double turn_s = fmax(usual_s - greeting_s, 0.0);

	*budget = (struct daq_budget){.exchange_s = turn_s + on_line_s, .period_s = fit->device.period_s};
	if (budget->period_s > budget->exchange_s)
		snprintf(budget->limit, sizeof(budget->limit), "device %s itself: %.4g us", fit->device.name,
			 budget->period_s * 1e6);
	else
		snprintf(budget->limit, sizeof(budget->limit), "%s: %.4g of %.4g us",
			 on_line_s > turn_s ? "the line at the bench's baud" : "the way to the device and back",
			 fmax(on_line_s, turn_s) * 1e6, budget->exchange_s * 1e6);
	return 0;
}
