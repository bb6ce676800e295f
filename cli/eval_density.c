#include <stdio.h>

#include "base/err.h"
#include "base/provenance.h"
#include "cli/eval.h"
#include "cli/picture.h"
#include "learning/metrics.h"
#include "learning/sample_file.h"
#include "learning/target.h"
#include "learning/task.h"

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
	fprintf(out,
		"{\"version\": \"%s\", \"samples\": %zu, \"total_variation\": %.6f, \"floor\": %.6f, \"floor_sd\": "
		"%.6f, ",
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

int eval_density(const struct eval *eval, struct err *err)
{
	const struct sample_file *file = eval->files;
	const struct mixture *mixture = &eval->target->mixture;
	struct metrics metrics;
	int status;

	if (eval->n_files != 1)
		return err_set(err, JOSTLE_EINVAL, "expected one file for a target of known density, found %zu",
			       eval->n_files);
	if ((status = metrics_evaluate(&metrics, mixture, file->samples, file->n, eval->seed, eval->pool, err)))
		return status;
	print_metrics(file, &metrics);
	if (eval->json)
		status = write_json(eval->json, file, &metrics, err);
	if (!status && eval->png)
		status = picture_of_samples(eval->png, eval->task->name, mixture, file, &metrics, err);
	metrics_fini(&metrics);
	return status;
}
