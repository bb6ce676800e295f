/*
 * jostle eval: how near samples come to their target, beside what exact draws of the same number reach.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/find.h"
#include "base/pool.h"
#include "base/provenance.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/picture.h"
#include "learning/metrics.h"
#include "learning/sample_file.h"
#include "learning/target.h"
#include "learning/task.h"

struct arguments {
	const char *file, *task, *target, *png, *json;
	uint64_t    seed;
};

static void print_metrics(const struct sample_file *file, const struct metrics *metrics)
{
	printf("  samples          %zu%s, %s\n", file->n, file->n < file->n_asked ? " (an interrupted job)" : "",
	       file->drive);
	printf("  total variation  %.4f   floor %.4f ± %.4f (exact draws, same number)\n", metrics->total_variation,
	       metrics->floor, metrics->floor_sd);
	printf("  out of range     %.4f\n", metrics->outside);
	for (size_t k = 0; k < metrics->n_modes; k++)
		printf("  weight of mode %zu %.4f ± %.4f\n", k + 1, metrics->mode_weight[k], metrics->mode_error[k]);
	if (file->n_diverged)
		printf("  diverged         %zu\n", file->n_diverged);
}

static int write_json(const char *path, const struct sample_file *file, const struct metrics *metrics, struct err *err)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be written: %m");
	fprintf(out, "{\"version\": \"%s\", \"samples\": %zu, \"total_variation\": %.6f, \"floor\": %.6f, \"floor_sd\": %.6f, ",
	        jostle_version(), file->n, metrics->total_variation, metrics->floor, metrics->floor_sd);
	fprintf(out, "\"outside\": %.6f, \"diverged\": %zu, \"drive\": \"%s\", \"step\": %.9g, \"mode_weights\": [",
	        metrics->outside, file->n_diverged, file->drive, file->step);
	for (size_t k = 0; k < metrics->n_modes; k++)
		fprintf(out, "%s%.6f", k ? ", " : "", metrics->mode_weight[k]);
	fprintf(out, "]}\n");
	if (fclose(out))
		return err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be written: %m");
	return 0;
}

static int load_task(const struct arguments *arguments, struct task *task, struct err *err)
{
	char path[1024];
	int  status = find_file(FIND_TASK, arguments->task, path, sizeof(path), err);

	if (status || (status = task_load(task, path, err)))
		return status;
	if (arguments->target && (status = task_set_target(task, arguments->target, err)))
		goto fail;
	if ((status = task_check(task, err)))
		goto fail;
	return 0;
fail:
	task_fini(task);
	return status;
}

static int evaluate(const struct arguments *arguments, struct err *err)
{
	struct task        task = {0};
	struct target      target = {0};
	struct sample_file file = {0};
	struct metrics     metrics = {0};
	struct pool       *pool = NULL;
	int                status = load_task(arguments, &task, err);

	if (status)
		return status;
	if ((status = target_init(&target, task.target, task.nx * task.ny, err)) ||
	    (status = sample_file_load(&file, arguments->file, err)) || (status = pool_new(&pool, 0, err)))
		goto done;
	if (file.n_sites != target.n_sites) {
		status = err_at(err, JOSTLE_EFORMAT, arguments->file, 0, 0,
		                "expected samples of the task's %zu sites, found %zu", target.n_sites, file.n_sites);
		goto done;
	}
	status = metrics_evaluate(&metrics, &target.mixture, file.samples, file.n, arguments->seed, pool, err);
	if (status)
		goto done;
	print_metrics(&file, &metrics);
	if (arguments->json && (status = write_json(arguments->json, &file, &metrics, err)))
		goto done;
	if (arguments->png)
		status = picture_of_samples(arguments->png, task.name, &target.mixture, &file, &metrics, err);
done:
	metrics_fini(&metrics);
	pool_free(pool);
	sample_file_fini(&file);
	target_fini(&target);
	task_fini(&task);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments        arguments = {0};
	const struct option_row rows[] = {
	        {"file", OPTION_ARGUMENT, &arguments.file, "FILE", "samples, from jostle sample", true, 0, 0},
	        {"task", OPTION_TEXT, &arguments.task, "TASK", "the task whose target to compare with", true, 0, 0},
	        {"target", OPTION_TEXT, &arguments.target, "SPEC", "another target, as \"ring radius=1.5 sigma=0.1\"", false, 0,
	         0},
	        {"seed", OPTION_SEED, &arguments.seed, "N", "of the exact draws for the floor (0)", false, 0, 0},
	        {"png", OPTION_TEXT, &arguments.png, "FILE", "a picture: target beside samples", false, 0, 0},
	        {"json", OPTION_TEXT, &arguments.json, "FILE", "the figures, for a program", false, 0, 0},
	};
	struct err err = {0};

	options_parse("eval", "compare samples with their target", rows, OPTIONS_COUNT(rows), argc, argv);
	return evaluate(&arguments, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_eval = {
        .name = "eval",
        .help = "compare samples with their target: total variation, mode weights, each beside its floor",
        .run = run,
};
