/*
 * jostle train: a task and a rule become a driving protocol.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/find.h"
#include "base/h5.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/provenance.h"
#include "base/ranks.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/picture.h"
#include "learning/task.h"
#include "learning/trainer.h"
#include "protocols/protocol.h"

struct arguments {
	const char *task, *rule, *solver, *out, *png, *target;
	struct option_list terms;
	size_t knots, batch, steps, sample, threads;
	double rate;
	uint64_t seed;
	bool resume;
};

static int load_task(const struct arguments *arguments, struct task *task, struct err *err)
{
	char path[1024];
	int status = find_file(FIND_TASK, arguments->task, path, sizeof(path), err);

	if (status || (status = task_load(task, path, err)))
		return status;
	if ((arguments->terms.n && (status = task_set_terms(task, arguments->terms.text, arguments->terms.n, err))) ||
	    (arguments->target && (status = task_set_target(task, arguments->target, err))))
		goto fail;
	if (arguments->knots)
		task->knots = arguments->knots;
	if (arguments->batch)
		task->training.batch = arguments->batch;
	if (arguments->steps)
		task->training.steps = arguments->steps;
	if (arguments->sample)
		task->training.sample = arguments->sample;
	if (arguments->rate > 0.0)
		task->training.rate = arguments->rate;
	if ((status = task_check(task, err)))
		goto fail;
	return 0;
fail:
	task_fini(task);
	return status;
}

static int write_report(const struct h5_file *file, const void *report, struct err *err)
{
	return training_report_write(report, file, err);
}

static int save(const struct arguments *arguments, struct protocol *protocol, const struct training_report *report,
		struct err *err)
{
	const struct provenance provenance = {
		.command = "train", .backend = "ensemble (ideal twin)", .simulated = true, .seed = arguments->seed};

	return protocol_save_with(protocol, arguments->out, &provenance, write_report, report, err);
}

static void print_report(const struct training_report *report)
{
	printf("  %-12s %-24s %s\n", "t", "held-out loss", report->has_training_loss ? "training loss" : "");
	for (size_t k = report->n_knots; k-- > 0;) {
		printf("  %-12.5g %.5f ± %-14.5f", report->t[k], report->loss[k], report->standard_error[k]);
		if (report->has_training_loss)
			printf(" %.5f", report->training_loss[k]);
		printf("\n");
	}
}

/** Refuse what would only show after the work: an output that can't be written, or work that would be lost. */
static int check_output(const struct arguments *arguments, const char *checkpoint, struct err *err)
{
	struct stat status_of;
	struct protocol old;
	struct h5_file trial;
	int status;

	if (!arguments->resume && stat(checkpoint, &status_of) == 0)
		return err_set(err, JOSTLE_EBUSY,
			       "%s holds an interrupted training: go on with --resume, or remove it to begin anew",
			       checkpoint);
	if (stat(arguments->out, &status_of) == 0) {
		if ((status = protocol_load(&old, arguments->out, err)))
			return err_context(err, "--out: refusing to replace a file that is not a protocol");
		protocol_fini(&old);
	}
	if ((status = h5_create(&trial, arguments->out, err)))
		return status;
	h5_abandon(&trial);
	return 0;
}

/** What remains when the protocol is there: the file, the figures, the picture. */
static int hand_over(const struct arguments *arguments, const char *checkpoint, const struct task *task,
		     struct protocol *protocol, const struct training_report *report, struct err *err)
{
	const int status = save(arguments, protocol, report, err);

	if (status)
		return status;
	unlink(checkpoint);
	print_report(report);
	printf("  protocol %s, checksum %.16s…\n", arguments->out, protocol->checksum);
	return arguments->png ? picture_of_training(arguments->png, task, protocol, report, err) : 0;
}

static int train(const struct arguments *arguments, struct err *err)
{
	char checkpoint[1024];
	struct task task = {0};
	struct pool *pool = NULL;
	struct protocol protocol = {0};
	struct training_report report = {0};
	struct progress progress;
	int status = ranks_agree(load_task(arguments, &task, err), err);

	if (status)
		goto done;
	snprintf(checkpoint, sizeof(checkpoint), "%s.checkpoint", arguments->out);
	const struct trainer_options options = {.rule = arguments->rule,
						.optimiser = arguments->solver,
						.seed = arguments->seed,
						.checkpoint = checkpoint,
						.resume = arguments->resume,
						.progress = &progress};
	if (ranks_first())
		status = check_output(arguments, checkpoint, err);
	if (!status)
		status = pool_new(&pool, ranks_threads(arguments->threads), err);
	if ((status = ranks_agree(status, err)))
		goto done;
	status = trainer_run(&options, &task, pool, &protocol, &report, err);
	if (status == JOSTLE_EINTR)
		err_context(err, "go on with --resume; the work so far is in %s", checkpoint);
	if (status)
		goto done;
	if (ranks_first())
		status = hand_over(arguments, checkpoint, &task, &protocol, &report, err);
	status = ranks_agree(status, err);
done:
	training_report_fini(&report);
	protocol_fini(&protocol);
	pool_free(pool);
	task_fini(&task);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments a = {.rule = "denoising", .solver = "adam"};
	const struct option_row rows[] = {
		{"task", OPTION_TEXT, &a.task, "TASK", "what to learn, by name or path; jostle list", true, 0, 0},
		{"out", OPTION_TEXT, &a.out, "FILE", "the protocol to write", true, 0, 0},
		{"rule", OPTION_TEXT, &a.rule, "RULE", "learning rule: denoising (default), implicit", false, 0, 0},
		{"solver", OPTION_TEXT, &a.solver, "NAME",
		 "adam (default), or cg: the convex problem solved, the oracle", false, 0, 0},
		{"seed", OPTION_SEED, &a.seed, "N", "of every random number (0)", false, 0, 0},
		{"resume", OPTION_FLAG, &a.resume, "", "go on with an interrupted training", false, 0, 0},
		{"term", OPTION_LIST, &a.terms, "SPEC",
		 "energy terms in place of the task's, as \"monomials degree=6\"; repeat", false, 0, 0},
		{"target", OPTION_TEXT, &a.target, "SPEC",
		 "a target in place of the task's, as \"ring radius=1.5 sigma=0.1\"", false, 0, 0},
		{"knots", OPTION_SIZE, &a.knots, "N", "time knots", false, 2, 256},
		{"steps", OPTION_SIZE, &a.steps, "N", "adam: steps at each knot", false, 1, 1e7},
		{"batch", OPTION_SIZE, &a.batch, "N", "adam: moments in a step", false, 32, TASK_MAX_BATCH},
		{"rate", OPTION_DOUBLE, &a.rate, "R", "adam: first step length", false, 1e-6, 10},
		{"sample", OPTION_SIZE, &a.sample, "N", "cg: moments of the stored sample", false, 32, TASK_MAX_SAMPLE},
		{"threads", OPTION_SIZE, &a.threads, "N", "threads (all cores); never changes the result", false, 1,
		 1024},
		{"png", OPTION_TEXT, &a.png, "FILE", "a picture: loss and parameters against time", false, 0, 0},
	};
	struct err err = {0};

	options_parse("train", "learn a driving protocol", rows, OPTIONS_COUNT(rows), argc, argv);
	return train(&a, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_train = {
	.name = "train",
	.help = "learn a driving protocol for a task",
	.shared = true,
	.run = run,
};
