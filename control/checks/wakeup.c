/*
 * How late the loop would be woken, measured. The other checks say why.
 */
#include "base/err.h"
#include "control/doctor.h"
#include "control/latency.h"
#include "daq/daq.h"

#define LEAST_S 1.0 /* on hardware */

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	const struct latency_setup latency = {setup->cpu, setup->period_s, setup->seconds};
	const struct histogram *h = &report->latency;
	struct err err = {0};

	if (setup->seconds < LEAST_S && setup->daq && !setup->daq->simulated) {
		doctor_find(report, "wake-up", DOCTOR_FAILED, "measure for 2 s or longer",
			    "measured for %g s: less than %g s says nothing of hardware", setup->seconds, LEAST_S);
		return;
	}
	if (setup->seconds <= 0)
		return;
	if (latency_measure(&latency, &report->latency, &err)) {
		doctor_find(report, "wake-up", DOCTOR_FAILED, "", "%.200s", err.text);
		return;
	}
	if (h->n == 0) {
		doctor_find(report, "wake-up", DOCTOR_NOTE, "--seconds: longer than a period", "nothing was measured");
		return;
	}
	report->measured = true;
	const enum doctor_verdict verdict = latency_verdict(h, setup->period_s);

	doctor_find(
		report, "wake-up", verdict, verdict == DOCTOR_GOOD ? "" : "what is noted above; docs/realtime.md",
		"late by %.1f us in the median, p99 %.1f, p99.9 %.1f, at most %.1f, of a period of %g us (%llu times)",
		(double)histogram_quantile_ns(h, 0.5) * 1e-3, (double)histogram_quantile_ns(h, 0.99) * 1e-3,
		(double)histogram_quantile_ns(h, 0.999) * 1e-3, (double)h->max_ns * 1e-3, setup->period_s * 1e6,
		(unsigned long long)h->n);
}

/* The only global symbol of this file. */
const struct doctor_check check_wakeup = {
	.name = "wake-up",
	.summary = "how late the loop is woken",
	.run = run,
};
