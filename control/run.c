#include "control/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/ring.h"
#include "control/calibration.h"
#include "control/doctor.h"
#include "control/guarding.h"
#include "control/instruments.h"
#include "control/loop.h"
#include "control/program.h"
#include "control/recorder.h"
#include "control/service.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"

#define MAX_EVENTS  4096 /* for the service, which takes them many times a second */
#define MAX_SAMPLES 1024

#define N_HISTOGRAMS 4
static const char *const histogram_names[N_HISTOGRAMS] = {"wake", "exchange", "execution", "period"};

/** Everything of a run; what is zero has not been opened. */
struct run {
	const struct run_options *options;
	struct daq daq;
	struct doctor_report *report;
	char *doctor_text;
	struct calibration calibration;
	struct ring events, samples;
	struct guarding guarding;
	struct instruments *instruments;
	const struct histogram *histograms[N_HISTOGRAMS]; /* the loop's */
	struct recorder *recorder;
	char recording[128]; /* what the names of its files begin with */
	struct program idle;
	struct loop *loop;
	bool has_loop;
	struct service *service;
};

static void record_tick(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
			const double command[])
{
	recorder_tick(context, tick, in_V, out_V, command);
}

static void record_event(void *context, const struct loop_event *event)
{
	recorder_event(context, event);
}

/** A reason that nobody can read afterwards is none. */
static int check_override(const struct run *run, struct err *err)
{
	const struct run_options *options = run->options;

	if (run->daq.simulated || !options->override_text || options->record_folder)
		return 0;
	return err_set(err, JOSTLE_EINVAL,
		       "--override: its reason is kept in the run's files: expected --record FOLDER with it");
}

static int examine(struct run *run, struct err *err)
{
	const struct run_options *options = run->options;
	const struct doctor_setup setup = {
		.bench = options->bench,
		.daq = &run->daq,
		.attach = options->daq.attach,
		.record_folder = options->record_folder,
		.cpu = options->cpu,
		.period_s = run->daq.period_s,
		.seconds = options->doctor_s,
	};

	run->report = calloc(1, sizeof(*run->report));
	if (!run->report)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the doctor's report");
	doctor_examine(&setup, run->report);
	run->doctor_text = doctor_text(run->report);
	if (!run->doctor_text)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the doctor's report");
	for (size_t i = 0; i < run->report->n; i++) {
		const struct doctor_finding *finding = &run->report->finding[i];

		if (finding->verdict == DOCTOR_FAILED)
			log_warning("%s: %s%s%s", finding->check, finding->found,
				    finding->remedy[0] ? "; mend it with: " : "", finding->remedy);
	}
	return 0;
}

/** What a bench needs before its outputs may be armed: nothing where it is simulated, a sound machine or a reason where not. */
static bool arming_allowed(const struct run *run)
{
	const bool sound = doctor_failed(run->report) == 0 && run->daq.last_resort != DAQ_NO_LAST_RESORT;

	if (run->daq.simulated || sound)
		return true;
	if (run->daq.last_resort == DAQ_NO_LAST_RESORT)
		log_warning("nothing makes the outputs of this bench safe when this process dies (docs/realtime.md)");
	if (run->options->override_text)
		log_warning("armed over failed checks: %s", run->options->override_text);
	else
		log_warning("the outputs can't be armed: mend what failed, or give a reason with --override");
	return run->options->override_text != NULL;
}

static void attend(void *context)
{
	struct run *run = context;

	guarding_attend(&run->guarding);
	recorder_watch(run->recorder);
}

/** NAME and when the recording begins: a name that a file moved elsewhere keeps to itself. */
static void name_recording(char *text, size_t size, const char *name)
{
	const time_t now = time(NULL);
	struct tm utc;
	char stamp[32];

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(text, size, "%s-%s", name, stamp);
}

static int open_recorder(struct run *run, struct err *err)
{
	const struct run_options *options = run->options;
	const struct loop_timing *timing = &run->loop->timing;
	const struct recorder_setup setup = {
		.folder = options->record_folder,
		.name = run->recording,
		.bench = options->bench,
		.calibration = &run->calibration,
		.record = options->record,
		.plant = options->plant,
		.backend = run->daq.backend,
		.simulated = run->daq.simulated,
		.seed = options->daq.seed,
		.period_s = run->daq.period_s,
		.doctor = run->doctor_text,
		.override_text = options->override_text,
		.n_histograms = N_HISTOGRAMS,
		.histograms = run->histograms,
		.histogram_names = histogram_names,
	};

	if (!options->record_folder)
		return 0;
	name_recording(run->recording, sizeof(run->recording), options->name);
	run->histograms[0] = &timing->wake;
	run->histograms[1] = &timing->exchange;
	run->histograms[2] = &timing->execution;
	run->histograms[3] = &timing->period;
	return recorder_open(&run->recorder, &setup, err);
}

static int build_loop(struct run *run, struct err *err)
{
	const struct run_options *options = run->options;
	const struct loop_watch watch = guarding_watch(&run->guarding);
	struct timespec now;
	int code = calibration_init(&run->calibration, options->bench, options->record, run->daq.period_s, err);

	if (!code)
		code = ring_init(&run->events, sizeof(struct loop_event), MAX_EVENTS, err);
	if (!code)
		code = ring_init(&run->samples, sequencer_record_size(run->calibration.n_sites), MAX_SAMPLES, err);
	if (!code)
		code = program_init(&run->idle,
				    &(struct program_setup){
					    .id = SERVICE_FIRST_PROGRAM,
					    .bench = options->bench,
					    .calibration = &run->calibration,
					    .record = options->record,
					    .period_s = run->daq.period_s,
				    },
				    err);
	if (!code &&
	    !(run->loop = aligned_alloc(MEMORY_ALIGNMENT, memory_round_up(sizeof(*run->loop), MEMORY_ALIGNMENT))))
		return err_set(err, JOSTLE_ENOMEM, "no memory for the loop");
	if (!code)
		memset(run->loop, 0, sizeof(*run->loop));
	if (!code)
		code = open_recorder(run, err);
	if (code)
		return code;
	/* The recording has to name every program, the one that does nothing too. */
	if (run->recorder)
		recorder_protocol(run->recorder, SERVICE_FIRST_PROGRAM, NULL, NULL);
	clock_gettime(CLOCK_REALTIME, &now);
	code = loop_init(
		run->loop,
		&(struct loop_setup){
			.daq = &run->daq,
			.calibration = &run->calibration,
			.program = &run->idle,
			.events = &run->events,
			.tap = run->recorder ? &(struct loop_tap){run->recorder, record_tick, record_event} : NULL,
			.watch = &watch,
			.expires_ns = calibration_expires_ns(options->record, clock_now_ns(),
							     (int64_t)now.tv_sec * 1000000000 + now.tv_nsec),
			.cpu = options->cpu < 0 ? LOOP_ANY_CPU : options->cpu,
			.arming_allowed = arming_allowed(run),
			.paced = true,
		},
		err);
	run->has_loop = !code;
	return code;
}

static int open_service(struct run *run, struct err *err)
{
	const struct run_options *options = run->options;
	const struct service_setup setup = {
		.name = options->name,
		.loop = run->loop,
		.recorder = run->recorder,
		.instruments = run->instruments,
		.bench = options->bench,
		.record = options->record,
		.events = &run->events,
		.samples = &run->samples,
		.telemetry = options->telemetry,
		.commands = options->commands,
		.key_file = options->key_file,
		.allow_file = options->allow_file,
		.backend = run->daq.backend,
		.simulated = run->daq.simulated,
		.doctor = run->doctor_text,
		.override_text = options->override_text,
		.attend = attend,
		.context = run,
		.duration_s = options->duration_s,
	};
	int code = service_open(&run->service, &setup, err);

	if (!code && options->protocol)
		code = service_load(run->service, options->protocol, err);
	return code;
}

/** With everything open: tick and serve until it is enough, and stop, the outputs at safe_V. */
static int operate(struct run *run, struct err *err)
{
	int code, ended;
	struct err loop_err = {0};

	if (run->recorder)
		recorder_set(run->recorder, true);
	code = loop_start(run->loop, err);
	if (code)
		return code;
	log_info("ready: bench %s (%s), telemetry %s, commands %s, %s %ld%s%s", run->options->bench->name,
		 run->daq.backend, service_telemetry(run->service), service_commands(run->service),
		 run->guarding.guardian ? "guardian" : "no guardian needed, process",
		 (long)(run->guarding.guardian ? run->guarding.guardian : getpid()),
		 run->recorder ? ", recording into " : ", not recorded",
		 run->recorder ? run->options->record_folder : "");
	code = service_run(run->service, err);
	loop_stop(run->loop);
	ended = loop_join(run->loop, &loop_err);
	if (!loop_left_safe(run->loop))
		guarding_abandon(&run->guarding);
	guarding_goodbye(&run->guarding);
	instruments_stop(run->instruments);
	if (code || !ended)
		return code;
	if (err)
		*err = loop_err;
	return ended;
}

/** The guardian ends by itself once it has been told goodbye, or finds the loop gone. */
static void close_run(struct run *run)
{
	guarding_close(&run->guarding);
	instruments_close(run->instruments);
	if (run->has_loop)
		loop_fini(run->loop);
	free(run->loop);
	program_fini(&run->idle);
	ring_fini(&run->samples);
	ring_fini(&run->events);
	calibration_fini(&run->calibration);
	free(run->doctor_text);
	free(run->report);
	daq_close(&run->daq);
}

static void sum_up(const struct loop *loop)
{
	const struct loop_timing *timing = &loop->timing;

	log_info("%llu ticks, %llu slots missed; wake-up p50 %.1f us, p99 %.1f us, longest %.1f us; computing p50 %.1f "
		 "us, "
		 "p99 %.1f us, longest %.1f us",
		 (unsigned long long)loop->n_ticks, (unsigned long long)loop->n_missed,
		 (double)histogram_quantile_ns(&timing->wake, 0.5) * 1e-3,
		 (double)histogram_quantile_ns(&timing->wake, 0.99) * 1e-3, (double)timing->wake.max_ns * 1e-3,
		 (double)histogram_quantile_ns(&timing->execution, 0.5) * 1e-3,
		 (double)histogram_quantile_ns(&timing->execution, 0.99) * 1e-3,
		 (double)timing->execution.max_ns * 1e-3);
}

int run_bench(const struct run_options *options, struct err *err)
{
	struct run run = {.options = options};
	struct daq_options daq_options = options->daq;
	struct err closing = {0};
	int code;

	daq_options.paced = true;
	code = daq_open(&run.daq, options->bench, &daq_options, err);
	if (code)
		return code;
	code = check_override(&run, err);
	if (!code)
		code = examine(&run, err);
	if (!code)
		code = instruments_open(&run.instruments, options->bench, err);
	/* Before anything is written: a second run of the same name ends here. */
	if (!code)
		code = guarding_open(&run.guarding, options->name, &run.daq, options->daq.attach, run.instruments, err);
	if (!code)
		code = build_loop(&run, err);
	if (!code)
		code = open_service(&run, err);
	if (!code) {
		code = operate(&run, err);
		sum_up(run.loop);
	}
	/* The service hands the recorder what it heard last; the recorder reads the loop's histograms to its last row. */
	service_close(run.service);
	const int closed = recorder_close(run.recorder, &closing);

	close_run(&run);
	if (!code && closed && err)
		*err = closing;
	return code ? code : closed;
}
