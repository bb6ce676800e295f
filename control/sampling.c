#include "control/sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/ring.h"
#include "control/guarding.h"
#include "control/instruments.h"
#include "control/loop.h"
#include "daq/bench.h"
#include "protocols/protocol.h"

/*
 * A period of delta leaves the displacement in the feedback one delta old: as much lateness as costs a total variation of
 * 0.254 at 0.003 relaxation times, of 0.259 at 0.01 and of 0.284 at 0.03 where the task's own is 0.246.
 */
#define COARSE_PERIOD 3e-3
#define RING_SAMPLES  1024
#define LIMITED_SHARE 0.01 /* of driven periods: less than that is thermal tails */

/** The consumer's side of the ring. */
struct collector {
	struct ring ring;
	struct sample_record *record;
	size_t n_sites;
	const struct sampling_options *options;
	float *samples;
	size_t *n_done;
	struct err *err;
	int code; /* what `take` returned */
};

static int collector_init(struct collector *collector, const struct sampling_options *options, float samples[],
			  size_t *n_done, struct err *err)
{
	const size_t n_sites = options->protocol->network.n_sites, size = sequencer_record_size(n_sites);

	*collector = (struct collector){
		.n_sites = n_sites, .options = options, .samples = samples, .n_done = n_done, .err = err};
	/* A sample takes thousands of ticks: room for many seconds of whatever keeps this thread from them. */
	int code = ring_init(&collector->ring, size,
			     options->n_samples < RING_SAMPLES ? options->n_samples : RING_SAMPLES, err);

	if (code)
		return code;
	collector->record = calloc(1, size);
	return collector->record ? 0 : err_set(err, JOSTLE_ENOMEM, "no memory for a sample of %zu sites", n_sites);
}

static void collector_fini(struct collector *collector)
{
	ring_fini(&collector->ring);
	free(collector->record);
}

static void collect(struct collector *collector)
{
	const struct sampling_options *options = collector->options;

	while (!collector->code && ring_pop(&collector->ring, collector->record)) {
		float *to = collector->samples + *collector->n_done * collector->n_sites;

		for (size_t i = 0; i < collector->n_sites; i++)
			to[i] = (float)collector->record->value[i];
		if (options->take)
			collector->code = options->take(options->context, to, collector->err);
		*collector->n_done += !collector->code;
	}
}

/** Collect until the loop ends; ask it to when the person does, or a sample can't be taken. Returns whether the person did. */
static bool watch(struct loop *loop, struct collector *collector, size_t n_samples)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	struct progress progress;
	bool interrupted = false;

	progress_begin(&progress, "sampling", (double)n_samples, 0);
	while (!loop_finished(loop)) {
		collect(collector);
		progress_update(&progress, (double)*collector->n_done, NULL);
		interrupted |= interrupt_asked();
		if (interrupted || collector->code)
			loop_stop(loop);
		nanosleep(&pause, NULL);
	}
	collect(collector);
	progress_end(&progress, (double)*collector->n_done);
	return interrupted;
}

static int check(const struct sampling_options *options, const struct daq *daq, struct err *err)
{
	if (!daq->simulated && !options->arm)
		return err_set(err, JOSTLE_EINVAL, "bench %s is hardware (%s): its outputs are armed only with --arm",
			       options->bench->name, daq->backend);
	return 0;
}

static void warn_of_period(const struct loop *loop)
{
	if (loop->calibration->period > COARSE_PERIOD)
		log_warning("bench %s: a period of %.3g relaxation times is coarse; above %g it shows in the samples",
			    loop->daq->bench->name, loop->calibration->period, COARSE_PERIOD);
}

static int fill_report(struct loop_report *report, const struct loop *loop, struct err *err)
{
	const struct supervisor *supervisor = &loop->supervisor;
	const size_t n_out = loop->daq->n_out, size = n_out * sizeof(uint64_t);

	report->period_s = loop->daq->period_s;
	report->step = loop->calibration->period;
	report->n_ticks = loop->n_ticks;
	report->n_missed = loop->n_missed;
	report->n_driven = loop->n_driven;
	report->n_spoiled = loop->program->sequencer.n_spoiled;
	report->n_refused = loop->program->sequencer.n_refused;
	report->trip = supervisor->state == SUPERVISOR_FAULT ? supervisor->trip : (struct trip){.cause = TRIP_NONE};
	histogram_copy(&report->execution, &loop->timing.execution);
	report->n_out = n_out;
	report->n_saturated = calloc(1, size + 1);
	report->n_limited = calloc(1, size + 1);
	report->n_slewed = calloc(1, size + 1);
	if (!report->n_saturated || !report->n_limited || !report->n_slewed)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a report of %zu outputs", n_out);
	memcpy(report->n_saturated, loop->program->drive.n_saturated, size);
	memcpy(report->n_limited, supervisor->n_limited, size);
	memcpy(report->n_slewed, supervisor->n_slewed, size);
	return 0;
}

void loop_report_fini(struct loop_report *report)
{
	free(report->n_saturated);
	free(report->n_limited);
	free(report->n_slewed);
	report->n_saturated = report->n_limited = report->n_slewed = NULL;
}

bool loop_report_limits(const struct loop_report *report, const struct bench *bench, char *text, size_t size)
{
	size_t n = 0, worst = 0;
	uint64_t most = 0;

	for (size_t k = 0; k < report->n_out && report->n_limited; k++) {
		const uint64_t cut = report->n_saturated[k] + report->n_limited[k];

		n += (double)cut > LIMITED_SHARE * (double)report->n_driven;
		if (cut > most) {
			most = cut;
			worst = k;
		}
	}
	if (n == 0)
		return false;
	snprintf(text, size,
		 "output %zu (%s %zu) was cut short %llu times in %llu driven periods, %llu times by its slew limit "
		 "and %llu "
		 "times by its limits of force, parameter and volts; %zu of %zu outputs at more than %g %%",
		 worst, daq_role_name(bench->out[worst].role), bench->out[worst].index, (unsigned long long)most,
		 (unsigned long long)report->n_driven, (unsigned long long)report->n_slewed[worst],
		 (unsigned long long)(most - report->n_slewed[worst]), n, report->n_out, 100 * LIMITED_SHARE);
	return true;
}

/** What the run came to, as an error or as none. */
static int verdict(const struct loop *loop, bool interrupted, size_t n_done, size_t n_samples, struct err *err)
{
	char text[512];

	/* A person who interrupts a run that was complete by then has lost nothing. */
	if (n_done == n_samples)
		return 0;
	if (loop->supervisor.state == SUPERVISOR_FAULT) {
		trip_format(&loop->supervisor.trip, loop->daq->bench, text, sizeof(text));
		return err_set(err, JOSTLE_ETRIP, "tripped after %zu of %zu samples: %s", n_done, n_samples, text);
	}
	if (interrupted)
		return err_set(err, JOSTLE_EINTR, "interrupted after %zu of %zu samples", n_done, n_samples);
	if (loop->program->sequencer.n_in_a_row == SEQUENCER_MAX_SPOILED)
		return err_set(
			err, JOSTLE_EMISSED,
			"given up after %zu of %zu samples: slots were missed in %d generations in a row, %llu in "
			"all; this machine does not keep a period of %g s",
			n_done, n_samples, SEQUENCER_MAX_SPOILED, (unsigned long long)loop->n_missed,
			loop->daq->period_s);
	return err_set(err, JOSTLE_EINVAL, "the supervisor refused to arm or run in state %s",
		       supervisor_state_name(loop->supervisor.state));
}

/** Run the loop in its own thread, with this one as its collector. */
static int run(const struct sampling_options *options, struct loop *loop, struct collector *collector, struct err *err)
{
	int code;

	loop_request(loop, SUPERVISOR_RESET);
	loop_request(loop, SUPERVISOR_ARM);
	loop_request(loop, SUPERVISOR_RUN);
	code = loop_start(loop, err);
	if (code)
		return code;
	const bool interrupted = watch(loop, collector, options->n_samples);

	code = loop_join(loop, err);
	code = code ? code : collector->code;
	return code ? code : verdict(loop, interrupted, *collector->n_done, options->n_samples, err);
}

/** All that a run is made of, on an open, or described, bench. Fields are zero until they have been made. */
struct job {
	struct daq daq;
	struct calibration calibration;
	struct program program;
	struct collector collector;
	struct instruments *instruments;
	struct guarding guarding;
	struct loop *loop;
};

static int build_program(struct job *job, const struct sampling_options *options, struct err *err)
{
	const struct segment segments[] = {
		{.kind = SEGMENT_RELAX, .duration = options->relax_time},
		{.kind = SEGMENT_GENERATE, .t_final = options->t_final, .t_minimum = options->t_minimum},
	};
	const struct plan plan = {.segments = segments, .n_segments = 2, .n_repeats = options->n_samples};
	const struct program_setup setup = {
		.id = 1,
		.bench = options->bench,
		.calibration = &job->calibration,
		.record = options->record,
		.protocol = options->protocol,
		.samples = &job->collector.ring,
		.plan = &plan,
		.period_s = job->daq.period_s,
	};

	return program_init(&job->program, &setup, err);
}

static int build_loop(struct job *job, const struct sampling_options *options, struct err *err)
{
	const struct loop_watch watch = guarding_watch(&job->guarding);
	const struct loop_setup setup = {
		.daq = &job->daq,
		.calibration = &job->calibration,
		.program = &job->program,
		.watch = job->guarding.open || job->instruments ? &watch : NULL,
		.cpu = LOOP_ANY_CPU,
		.arming_allowed = job->daq.simulated || options->arm,
		.paced = options->daq.paced || !job->daq.simulated,
		.ends_with_plan = true,
	};
	struct loop *loop = aligned_alloc(64, (sizeof(*loop) + 63) / 64 * 64);
	const int code = loop ? loop_init(loop, &setup, err) : err_set(err, JOSTLE_ENOMEM, "no memory for the loop");

	if (code)
		free(loop);
	else
		warn_of_period(job->loop = loop);
	return code;
}

static int build(struct job *job, const struct sampling_options *options, float samples[], size_t *n_done,
		 struct err *err)
{
	int code = collector_init(&job->collector, options, samples, n_done, err);

	if (!code)
		code = calibration_init(&job->calibration, options->bench, options->record, job->daq.period_s, err);
	if (!code)
		code = build_program(job, options, err);
	if (!code)
		code = build_loop(job, options, err);
	return code;
}

static void clear(struct job *job)
{
	if (job->loop)
		loop_fini(job->loop);
	free(job->loop);
	program_fini(&job->program);
	calibration_fini(&job->calibration);
	collector_fini(&job->collector);
	guarding_close(&job->guarding);
	instruments_close(job->instruments);
	daq_close(&job->daq);
}

int sampling_check(const struct sampling_options *options, struct err *err)
{
	struct job job = {0};
	int code = daq_describe(&job.daq, options->bench, err);

	if (!code)
		code = build(&job, options, NULL, NULL, err);
	clear(&job);
	return code;
}

int sampling_run(const struct sampling_options *options, float samples[], size_t *n_done, struct loop_report *report,
		 struct err *err)
{
	struct job job = {0};
	char text[512], name[64];
	int code;

	/* Jobs on several benches of one kind may go on side by side: it is the driver that keeps two off one device. */
	snprintf(name, sizeof(name), "sample-%ld", (long)getpid());

	*n_done = 0;
	*report = (struct loop_report){0};
	code = daq_open(&job.daq, options->bench, &options->daq, err);
	if (code)
		return code;
	snprintf(report->backend, sizeof(report->backend), "%s", job.daq.backend);
	report->simulated = job.daq.simulated;
	code = check(options, &job.daq, err);
	if (!code)
		code = instruments_open(&job.instruments, options->bench, err);
	if (!code)
		code = instruments_await(job.instruments, err);
	job.guarding.instruments = job.instruments;
	/* Hardware, and a plant that is a process of its own, would hold what they were told last. */
	if (!code && job.daq.last_resort != DAQ_ENDS_WITH_PROCESS)
		code = guarding_open(&job.guarding, name, &job.daq, options->daq.attach, job.instruments, err);
	if (!code)
		code = build(&job, options, samples, n_done, err);
	if (code)
		goto end;
	code = run(options, job.loop, &job.collector, err);
	if (!loop_left_safe(job.loop))
		guarding_abandon(&job.guarding);
	guarding_goodbye(&job.guarding);
	const int reported = fill_report(report, job.loop, err);

	code = code ? code : reported;
	if (!reported && loop_report_limits(report, options->bench, text, sizeof(text)))
		log_warning("%s", text);
end:
	clear(&job);
	return code;
}
