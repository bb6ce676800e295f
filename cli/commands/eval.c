/*
 * jostle eval: how near samples come to their target, beside what exact draws or unseen data of the same number reach.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/find.h"
#include "base/pool.h"
#include "cli/command.h"
#include "cli/eval.h"
#include "cli/options.h"
#include "learning/sample_file.h"
#include "learning/target.h"
#include "learning/task.h"

struct arguments {
	struct option_list files;
	const char *task, *target, *png, *json;
	uint64_t seed;
};

static int load_task(const struct arguments *arguments, struct task *task, struct err *err)
{
	char path[1024];
	int status = find_file(FIND_TASK, arguments->task, path, sizeof(path), err);

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

static int load_files(const struct option_list *list, size_t n_sites, struct sample_file files[], struct err *err)
{
	for (size_t f = 0; f < list->n; f++) {
		const int status = sample_file_load(&files[f], list->text[f], err);

		if (status)
			return status;
		if (files[f].n_sites != n_sites)
			return err_at(err, JOSTLE_EFORMAT, list->text[f], 0, 0,
				      "expected samples of the task's %zu sites, found %zu", n_sites, files[f].n_sites);
	}
	return 0;
}

static int evaluate(const struct arguments *arguments, struct err *err)
{
	struct task task = {0};
	struct target target = {0};
	struct sample_file files[OPTION_LIST_MAX] = {0};
	struct pool *pool = NULL;
	int status = load_task(arguments, &task, err);

	if (status)
		return status;
	if ((status = target_init(&target, task.target, task.nx * task.ny, err)) ||
	    (status = load_files(&arguments->files, target.n_sites, files, err)) || (status = pool_new(&pool, 0, err)))
		goto done;
	const struct eval eval = {
		.png = arguments->png,
		.json = arguments->json,
		.seed = arguments->seed,
		.task = &task,
		.target = &target,
		.files = files,
		.n_files = arguments->files.n,
		.pool = pool,
	};
	status = target.images ? eval_images(&eval, err) : eval_density(&eval, err);
done:
	pool_free(pool);
	for (size_t f = 0; f < arguments->files.n; f++)
		sample_file_fini(&files[f]);
	target_fini(&target);
	task_fini(&task);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments a = {0};
	const struct option_row rows[] = {
		{"file", OPTION_ARGUMENTS, &a.files, "FILE …",
		 "samples, from jostle sample; of images one or more seeds", true, 0, 0},
		{"task", OPTION_TEXT, &a.task, "TASK", "the task whose target to compare with", true, 0, 0},
		{"target", OPTION_TEXT, &a.target, "SPEC", "another target, as \"ring radius=1.5 sigma=0.1\"", false, 0,
		 0},
		{"seed", OPTION_SEED, &a.seed, "N", "of the draws for floors and baselines (0)", false, 0, 0},
		{"png", OPTION_TEXT, &a.png, "FILE", "a picture: target beside samples", false, 0, 0},
		{"json", OPTION_TEXT, &a.json, "FILE", "the figures, for a program", false, 0, 0},
	};
	struct err err = {0};

	options_parse("eval", "compare samples with their target", rows, OPTIONS_COUNT(rows), argc, argv);
	return evaluate(&a, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_eval = {
	.name = "eval",
	.help = "compare samples with their target: densities or images, each figure beside its floor",
	.run = run,
};
