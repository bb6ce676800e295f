/*
 * jostle sample: draw from a protocol, through the loop on a bench or with the ensemble engine.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/find.h"
#include "base/h5.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/provenance.h"
#include "base/ranks.h"
#include "cli/command.h"
#include "cli/fallback.h"
#include "cli/options.h"
#include "cli/picture.h"
#include "cli/plant_text.h"
#include "control/bench_calibration.h"
#include "control/sampling.h"
#include "control/sequencer.h"
#include "daq/bench.h"
#include "learning/metrics.h"
#include "learning/sample_file.h"
#include "learning/target.h"
#include "learning/task.h"
#include "protocols/bath.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"
#include "sim/engine_kernels.h"
#include "sim/ensemble.h"

#define MAX_SAMPLES 100000000

struct arguments {
	const char *protocol, *bench, *calibration, *out, *png, *drive, *attach, *fallback, *task;
	size_t n, threads;
	uint64_t seed;
	double rest, step, t_final;
	bool ensemble, paced, arm;
};

/** What a job works with; the pointers are NULL, the structs zero, for what it does not need. */
struct job {
	const struct arguments *arguments;
	struct protocol protocol;
	bool has_bench;
	struct bench bench;
	struct calibration_record record;
	struct sample_file file;
	char backend[128];
	bool simulated;
	struct loop_report report;
	int64_t saved_ns; /* when the samples so far were last saved */
};

static int load_bench(struct job *job, struct err *err)
{
	const struct arguments *a = job->arguments;
	char path[1024];
	int status = find_file(FIND_BENCH, a->bench, path, sizeof(path), err);

	if (status || (status = bench_load(&job->bench, path, err)))
		return status;
	job->has_bench = true;
	if ((status = fallback_if_wanted(&job->bench, a->fallback, a->attach, err)))
		return status;
	if (a->drive) {
		if (strcmp(a->drive, "feedback") != 0 && strcmp(a->drive, "parametric") != 0)
			return err_set(err, JOSTLE_EINVAL, "--drive: expected feedback or parametric, found \"%s\"",
				       a->drive);
		const enum drive drive = a->drive[0] == 'f' ? DRIVE_FEEDBACK : DRIVE_PARAMETRIC;
		if ((status = bench_set_drive(&job->bench, drive, err)))
			return status;
	}
	if (a->calibration)
		return calibration_record_load(&job->record, a->calibration, err);
	return bench_calibration_nominal(&job->record, &job->bench, err);
}

/** Rows of the samples that this rank holds: its share, and rank 0 all. */
static size_t rows_here(const struct arguments *a)
{
	const size_t me = ranks_rank();

	return ranks_first() ? a->n : ranks_share(a->n, me + 1) - ranks_share(a->n, me);
}

/** Draw this rank's share of the samples into the first rows. */
static int draw_share(struct job *job, struct err *err)
{
	const struct arguments *a = job->arguments;
	const size_t first = ranks_share(a->n, ranks_rank()), n = ranks_share(a->n, ranks_rank() + 1) - first;
	struct bath bath;
	struct ensemble ensemble = {0};
	struct pool *pool = NULL;
	struct progress progress;
	int status = bath_init(&bath, job->protocol.bath, err);

	if (status || n == 0)
		return status;
	if ((status = pool_new(&pool, ranks_threads(a->threads), err)) ||
	    (status = ensemble_init(&ensemble, n, job->protocol.network.n_variables, a->seed, (uint32_t)first, err)) ||
	    (status = ensemble_draw_prior(&ensemble, &bath, pool, err)))
		goto done;
	progress_begin(&progress, "generating", (double)n, 0);
	status = ensemble_generate(&ensemble, &job->protocol, job->file.step, pool, &progress, err);
	progress_end(&progress, status ? 0.0 : (double)n);
	if (!status)
		status = ensemble_read_out(&ensemble, &job->protocol, job->file.samples, &job->file.n_diverged, pool,
					   err);
done:
	ensemble_fini(&ensemble);
	pool_free(pool);
	return status;
}

/** All ranks together; their samples come to rank 0. Other kernels would round otherwise, and give other samples. */
static int draw_with_engine(struct job *job, struct err *err)
{
	const struct arguments *a = job->arguments;
	char work[256];
	int status;

	job->file.step = a->step > 0.0 ? a->step : job->has_bench ? bench_step(&job->bench) : 0.0;
	snprintf(job->file.drive, sizeof(job->file.drive), "ensemble");
	snprintf(job->backend, sizeof(job->backend), "ensemble");
	job->simulated = true;
	snprintf(work, sizeof(work), "jostle %s with %s kernels, seed %" PRIu64 ", on protocol %.16s, step %g",
		 jostle_version(), engine_kernels_best()->name, a->seed, job->protocol.checksum, job->file.step);
	if ((status = ranks_same(work, "program and work", err)) || (status = ranks_agree(draw_share(job, err), err)))
		return status;
	ranks_gather(job->file.samples, a->n, job->file.n_sites * sizeof(*job->file.samples));
	job->file.n_diverged = ranks_total(job->file.n_diverged);
	job->file.n = a->n;
	return 0;
}

static uint64_t sum(const uint64_t *values, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; values && i < n; i++)
		total += values[i];
	return total;
}

static void print_loop(const struct loop_report *report)
{
	printf("  bench            %s\n", report->backend);
	printf("  loop             %llu periods of %g ms, delta = %g relaxation times, %llu missed, %llu samples "
	       "redone\n",
	       (unsigned long long)report->n_ticks, report->period_s * 1e3, report->step,
	       (unsigned long long)report->n_missed, (unsigned long long)(report->n_spoiled + report->n_refused));
	printf("  computing        p50 %.2f us, p99 %.2f us, longest %.2f us\n",
	       (double)histogram_quantile_ns(&report->execution, 0.5) * 1e-3,
	       (double)histogram_quantile_ns(&report->execution, 0.99) * 1e-3, (double)report->execution.max_ns * 1e-3);
	printf("  outputs limited  %llu by the drive, %llu by the supervisor (channel-periods)\n",
	       (unsigned long long)sum(report->n_saturated, report->n_out),
	       (unsigned long long)sum(report->n_limited, report->n_out));
}

static int save(const struct job *job, struct err *err)
{
	char *plant =
		job->arguments->ensemble || !job->has_bench ? NULL : plant_text(&job->bench, job->arguments->attach);
	const struct provenance provenance = {.command = "sample",
					      .backend = job->backend,
					      .simulated = job->simulated,
					      .seed = job->arguments->seed,
					      .task = job->protocol.task,
					      .bench = job->has_bench ? job->bench.text : NULL,
					      .plant = plant,
					      .protocol_checksum = job->protocol.checksum,
					      .calibration_checksum = job->has_bench ? job->record.checksum : NULL};

	const int status = sample_file_save(&job->file, job->arguments->out, &provenance, err);

	free(plant);
	return status;
}

/* Seconds between two times that the samples so far go to disk: what a crash can cost. */
#define SAVE_EVERY_S 30

/** Now and then, save the samples so far. A disk that is full now may not be full at the end: a warning, not an error. */
static int save_now_and_then(void *context, const float sample[], struct err *err)
{
	struct job *job = context;
	const int64_t now_ns = clock_now_ns();
	struct err fault = {0};

	(void)sample;
	(void)err;
	if (now_ns - job->saved_ns < SAVE_EVERY_S * 1000000000ll)
		return 0;
	job->saved_ns = now_ns;
	snprintf(job->backend, sizeof(job->backend), "%s", job->report.backend);
	job->simulated = job->report.simulated;
	if (save(job, &fault))
		log_warning("the samples so far are not saved: %s", fault.text);
	return 0;
}

static int draw_through_loop(struct job *job, struct err *err)
{
	const struct arguments *a = job->arguments;
	const struct protocol *protocol = &job->protocol;
	const struct loop_report *report = &job->report;
	const double rest = a->rest > 0.0 ? a->rest : SEQUENCER_MINIMUM_RELAXATION;
	const struct sampling_options options = {
		.bench = &job->bench,
		.daq = {.seed = a->seed, .paced = a->paced || a->attach, .attach = a->attach},
		.protocol = protocol,
		.record = &job->record,
		.n_samples = a->n,
		.relax_time = rest,
		.t_final = a->t_final > 0.0 ? a->t_final : protocol->t[protocol->n_knots - 1],
		.t_minimum = protocol->t[0],
		.arm = a->arm,
		.take = save_now_and_then,
		.context = job};

	job->saved_ns = clock_now_ns();
	job->file.step = bench_step(&job->bench);
	job->file.relaxation = rest;
	job->file.t_final = options.t_final;
	snprintf(job->file.drive, sizeof(job->file.drive), "%s", bench_drive_name(job->bench.drive));
	int status = sampling_run(&options, job->file.samples, &job->file.n, &job->report, err);

	job->file.step = report->step;
	job->file.n_missed = report->n_missed;
	job->file.n_redone = report->n_spoiled + report->n_refused;
	job->file.n_limited = sum(report->n_saturated, report->n_out) + sum(report->n_limited, report->n_out);
	job->simulated = report->simulated;
	snprintf(job->backend, sizeof(job->backend), "%s", report->backend);
	if (report->n_ticks)
		print_loop(report);
	loop_report_fini(&job->report);
	return status;
}

/** The task whose target a picture shows: the one named, or the one that the protocol was learned from. */
static int load_task(const struct job *job, struct task *task, struct err *err)
{
	const struct arguments *a = job->arguments;
	char path[1024];

	if (!a->task && !job->protocol.task)
		return err_set(err, JOSTLE_EINVAL,
			       "--png: %s does not say what it was learned from; name its task with --task",
			       a->protocol);
	if (!a->task)
		return task_parse(task, a->protocol, job->protocol.task, err);
	const int status = find_file(FIND_TASK, a->task, path, sizeof(path), err);
	return status ? status : task_load(task, path, err);
}

static int draw_density(const struct job *job, const struct task *task, const struct target *target, struct err *err)
{
	struct metrics metrics = {0};
	struct pool *pool = NULL;
	int status = pool_new(&pool, 0, err);

	if (status || (status = metrics_evaluate(&metrics, &target->mixture, job->file.samples, job->file.n,
						 job->arguments->seed, pool, err)))
		goto done;
	status = picture_of_samples(job->arguments->png, task->name, &target->mixture, &job->file, &metrics, err);
done:
	metrics_fini(&metrics);
	pool_free(pool);
	return status;
}

static int draw_images(const struct job *job, const struct task *task, const struct target *target, struct err *err)
{
	char text[80];
	const char *const captions[] = {text};

	snprintf(text, sizeof(text), "%zu samples, %s drive", job->file.n, job->file.drive);
	return picture_of_images(job->arguments->png, task->name, target->images, &job->file, captions, 1, err);
}

static int draw_picture(const struct job *job, const struct task *task, struct err *err)
{
	struct target target = {0};
	int status = target_init(&target, task->target, task->nx * task->ny, err);

	if (!status && target.n_sites != job->file.n_sites)
		status = err_set(err, JOSTLE_EINVAL, "--png: expected a task of the protocol's %zu sites, found %zu",
				 job->file.n_sites, target.n_sites);
	else if (!status)
		status = target.images ? draw_images(job, task, &target, err) : draw_density(job, task, &target, err);
	target_fini(&target);
	return status;
}

/** Refuse what would only show after the work: an output that is an input, or that can't be written. */
static int check_output(const struct arguments *a, struct err *err)
{
	struct stat input, output;
	struct sample_file old;
	struct h5_file trial;
	int status;

	if (stat(a->out, &output) == 0) {
		if (stat(a->protocol, &input) == 0 && input.st_ino == output.st_ino && input.st_dev == output.st_dev)
			return err_set(err, JOSTLE_EINVAL, "--out: %s is the protocol", a->out);
		if ((status = sample_file_load(&old, a->out, err)))
			return err_context(err, "--out: refusing to replace a file that does not hold samples");
		sample_file_fini(&old);
	}
	if ((status = h5_create(&trial, a->out, err)))
		return status;
	h5_abandon(&trial);
	return 0;
}

/** What a job needs before it draws. */
static int prepare(struct job *job, struct task *task, struct err *err)
{
	const struct arguments *a = job->arguments;
	int status = protocol_load(&job->protocol, a->protocol, err);

	if (status || (ranks_first() && (status = check_output(a, err))) ||
	    (a->bench && (status = load_bench(job, err))) ||
	    (a->png && ranks_first() && (status = load_task(job, task, err))))
		return status;
	job->file.n_sites = job->protocol.network.n_sites;
	job->file.n_asked = a->n;
	/* One more, so that a rank without a share has memory too. */
	job->file.samples = malloc((rows_here(a) + 1) * job->file.n_sites * sizeof(*job->file.samples));
	if (!job->file.samples)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu samples of %zu sites", rows_here(a),
			       job->file.n_sites);
	return 0;
}

/** Whatever stopped the job, the samples so far are kept. Returns the job's status or a later one. */
static int keep(struct job *job, const struct task *task, int status, struct err *err)
{
	const struct arguments *a = job->arguments;
	struct err later = {0};

	if (job->file.n == 0)
		return status ? status : err_set(err, JOSTLE_EIO, "no sample was drawn");
	if (save(job, &later)) {
		*err = later;
		return err->code;
	}
	printf("  samples          %zu in %s\n", job->file.n, a->out);
	if (job->file.n_diverged)
		log_warning("%zu of %zu samples diverged", job->file.n_diverged, job->file.n);
	if (status)
		err_context(err, "%zu of %zu samples are in %s", job->file.n, a->n, a->out);
	else if (a->png)
		status = draw_picture(job, task, err);
	return status;
}

static int draw(struct job *job, struct err *err)
{
	struct task task = {0};
	int status = ranks_agree(prepare(job, &task, err), err);

	if (!status) {
		status = job->arguments->ensemble ? draw_with_engine(job, err) : draw_through_loop(job, err);
		if (ranks_first())
			status = keep(job, &task, status, err);
		status = ranks_agree(status, err);
	}
	task_fini(&task);
	return status;
}

/** Options that the chosen way of drawing has no use for are mistakes: the person meant something by them. */
static const char *useless_option(const struct arguments *a)
{
	if (a->ensemble)
		return a->drive         ? "--drive"
		       : a->attach      ? "--attach"
		       : a->fallback    ? "--fallback"
		       : a->calibration ? "--calibration"
		       : a->paced       ? "--paced"
		       : a->arm         ? "--arm"
		       : a->rest > 0.0  ? "--rest"
		       : a->t_final > 0 ? "--t-final"
					: NULL;
	return a->step > 0.0 ? "--step" : a->threads ? "--threads" : NULL;
}

static int run(int argc, char **argv)
{
	struct arguments a = {.n = 1000};
	const struct option_row rows[] = {
		{"protocol", OPTION_TEXT, &a.protocol, "FILE", "the driving protocol, from jostle train", true, 0, 0},
		{"out", OPTION_TEXT, &a.out, "FILE", "the samples to write", true, 0, 0},
		{"n", OPTION_SIZE, &a.n, "N", "how many samples (1000)", false, 1, MAX_SAMPLES},
		{"seed", OPTION_SEED, &a.seed, "S", "of every simulated random number (0)", false, 0, 0},
		{"bench", OPTION_TEXT, &a.bench, "BENCH", "the bench, by name or path; jostle list", false, 0, 0},
		{"ensemble", OPTION_FLAG, &a.ensemble, "",
		 "with the ensemble engine; --bench then only gives the time step", false, 0, 0},
		{"step", OPTION_DOUBLE, &a.step, "DELTA",
		 "ensemble: uniform time step in relaxation times (accurate grid)", false, 1e-6, 1},
		{"drive", OPTION_TEXT, &a.drive, "DRIVE", "feedback or parametric, where the bench has both", false, 0,
		 0},
		{"calibration", OPTION_TEXT, &a.calibration, "FILE",
		 "a calibration record (nominal, from the bench file)", false, 0, 0},
		{"rest", OPTION_DOUBLE, &a.rest, "TIMES", "relaxation times of rest before each sample (4)", false, 4,
		 1e6},
		{"t-final", OPTION_DOUBLE, &a.t_final, "TIME",
		 "diffusion time at which generations begin (the protocol's last knot)", false, 0.1, 1e3},
		{"paced", OPTION_FLAG, &a.paced, "", "simulated bench: by the clock, in real time", false, 0, 0},
		{"attach", OPTION_TEXT, &a.attach, "NAME", "simulated bench: the running jostle plant of that name",
		 false, 0, 0},
		{"fallback", OPTION_TEXT, &a.fallback, "DRIVER", FALLBACK_HELP, false, 0, 0},
		{"arm", OPTION_FLAG, &a.arm, "", "allow outputs on hardware; a simulated bench needs no leave", false,
		 0, 0},
		{"threads", OPTION_SIZE, &a.threads, "N", "ensemble: threads (all cores); never changes the result",
		 false, 1, 1024},
		{"png", OPTION_TEXT, &a.png, "FILE", "a picture: target beside samples", false, 0, 0},
		{"task", OPTION_TEXT, &a.task, "TASK",
		 "whose target the picture shows (what the protocol was learned from)", false, 0, 0},
	};
	struct job job = {.arguments = &a};
	struct err err = {0};

	options_parse("sample", "draw samples through the loop on a bench, or with the engine", rows,
		      OPTIONS_COUNT(rows), argc, argv);
	if (!a.ensemble && !a.bench) {
		fprintf(stderr, "jostle sample: expected --bench BENCH or --ensemble\ntry: jostle sample --help\n");
		return EXIT_USAGE;
	}
	if (useless_option(&a)) {
		fprintf(stderr, "jostle sample: %s has no use %s\ntry: jostle sample --help\n", useless_option(&a),
			a.ensemble ? "with --ensemble" : "without --ensemble");
		return EXIT_USAGE;
	}
	if (!a.ensemble && ranks_count() > 1) {
		fprintf(stderr,
			"jostle sample: one process drives a bench: start it without mpirun, or with --ensemble\n");
		return EXIT_USAGE;
	}
	int status = draw(&job, &err);
	sample_file_fini(&job.file);
	calibration_record_fini(&job.record);
	if (job.has_bench)
		bench_free(&job.bench);
	protocol_fini(&job.protocol);
	return status ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_sample = {
	.name = "sample",
	.help = "draw samples from a protocol, through the loop on a bench or with the ensemble engine",
	.shared = true,
	.run = run,
};
