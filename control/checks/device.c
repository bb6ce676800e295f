/*
 * Whether the bench is there, states its limits, and is left safe when the process that holds it dies. No output is
 * touched.
 */
#include <math.h>

#include "base/err.h"
#include "control/doctor.h"
#include "daq/bench.h"
#include "daq/daq.h"

static const char name[] = "bench";

static void judge_last_resort(const struct daq *daq, struct doctor_report *report)
{
	static const char *const found[] = {
		[DAQ_NO_LAST_RESORT] = "if the loop dies, the outputs hold their last value: nothing makes them safe",
		[DAQ_ENDS_WITH_PROCESS] = "if the loop dies, so does the device, which is in its process",
		[DAQ_SECOND_OPENING] = "if the loop dies, its guardian drives the outputs to safe",
		[DAQ_MONOSTABLE] = "if the loop dies, the device lets go by itself",
	};

	if (daq->last_resort != DAQ_NO_LAST_RESORT)
		doctor_find(report, name, DOCTOR_GOOD, "", "%s", found[daq->last_resort]);
	else
		doctor_find(report, name, daq->simulated ? DOCTOR_NOTE : DOCTOR_FAILED,
			    "a monostable in the actuators' supply, and an output of role heartbeat that feeds it",
			    "%s", found[DAQ_NO_LAST_RESORT]);
}

/** How fast the bench could go, by its driver's own figures. The loop computes besides: half the period is left to that. */
static void judge_budget(struct daq *daq, struct doctor_report *report)
{
	struct daq_budget budget;
	struct err err = {0};

	if (!daq->driver->budget)
		return;
	const int code = daq->driver->budget(daq, &budget, &err);

	if (code == JOSTLE_EBUSY) /* it runs already */
		return;
	if (code < 0) {
		doctor_find(report, name, DOCTOR_FAILED, "", "%.240s", err.text);
		return;
	}
	const double least_s = fmax(budget.exchange_s, budget.period_s), used = budget.exchange_s / daq->period_s;

	doctor_find(report, name,
		    least_s > daq->period_s ? DOCTOR_FAILED
		    : used > 0.5            ? DOCTOR_NOTE
					    : DOCTOR_GOOD,
		    used > 0.5 || least_s > daq->period_s ? "period_s: a longer one; fewer channels on a card" : "",
		    "an exchange takes %.3g us, %.2g%% of a period: it could run at up to %.0f Hz, limited by %.140s",
		    budget.exchange_s * 1e6, 100 * used, 1 / least_s, budget.limit);
}

static void judge(struct daq *daq, struct doctor_report *report)
{
	const struct bench *bench = daq->bench;
	struct err err = {0};

	if (fabs(daq->period_s / bench->period_s - 1) > 1e-6)
		doctor_find(report, name, DOCTOR_NOTE, "period_s: what the device can do",
			    "%.100s: the device runs at a period of %g s, the bench file says %g", daq->backend,
			    daq->period_s, bench->period_s);
	else
		doctor_find(report, name, DOCTOR_GOOD, "", "%.100s: %zu inputs, %zu outputs, a period of %g s",
			    daq->backend, daq->n_in, daq->n_out, daq->period_s);
	if (bench_check_limits(bench, &err))
		doctor_find(report, name, daq->simulated ? DOCTOR_NOTE : DOCTOR_FAILED,
			    "state it in the bench file (docs/file-formats.md)", "%.240s", err.text);
	judge_last_resort(daq, report);
	judge_budget(daq, report);
}

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	const struct daq_options options = {.paced = true, .attach = setup->attach};
	struct err err = {0};
	struct daq daq;

	if (setup->daq)
		judge(setup->daq, report);
	if (setup->daq || !setup->bench)
		return;
	if (daq_open(&daq, setup->bench, &options, &err)) {
		doctor_find(report, name, DOCTOR_FAILED, "", "%.240s", err.text);
		return;
	}
	judge(&daq, report);
	daq_close(&daq);
}

/* The only global symbol of this file. */
const struct doctor_check check_device = {
	.name = name,
	.summary = "the bench is there, states its limits, is left safe",
	.run = run,
};
