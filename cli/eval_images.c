#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/provenance.h"
#include "cli/eval.h"
#include "cli/picture.h"
#include "learning/image_metrics.h"
#include "learning/sample_file.h"
#include "learning/target.h"
#include "learning/task.h"

/* Figures as a JSON file names them, with how many there are of each. */
static const struct {
	const char *name;
	size_t first, n;
} names[] = {
	{"mmd2", IMAGE_MMD, 1},
	{"sliced_wasserstein", IMAGE_WASSERSTEIN, 1},
	{"nearest_distance", IMAGE_NEAREST, 1},
	{"nearest_ratio", IMAGE_NEAREST_RATIO, 1},
	{"label_shares", IMAGE_SHARE, IMAGE_SET_LABELS},
	{"spread", IMAGE_SPREAD, IMAGE_DIRECTIONS},
};

/** "12345 (3 seeds)", with whatever was cut short or lost. */
static void print_samples(const struct eval *eval)
{
	size_t n = 0, n_asked = 0, n_diverged = 0;

	for (size_t f = 0; f < eval->n_files; f++) {
		n += eval->files[f].n;
		n_asked += eval->files[f].n_asked;
		n_diverged += eval->files[f].n_diverged;
	}
	printf("  samples            %zu%s, %s, %zu file%s\n", n, n < n_asked ? " (an interrupted job)" : "",
	       eval->files[0].drive, eval->n_files, eval->n_files == 1 ? "" : "s; errors are of their mean");
	if (n_diverged)
		printf("  diverged           %zu\n", n_diverged);
}

/** One figure beside what new images and the normal fit reach with as many samples. */
static void print_beside(const char *label, size_t f, const struct image_metrics *metrics,
			 const struct image_judge *judge)
{
	const struct image_figure *figure = &metrics->figure[f], *floor = &judge->floor.figure[f],
				  *baseline = &judge->baseline.figure[f];

	printf("  %-18s %.4f ± %.4f   floor %.4f ± %.4f, Gaussian fit %.4f ± %.4f\n", label, figure->value,
	       figure->error, floor->value, floor->error, baseline->value, baseline->error);
}

static void print_metrics(const struct image_metrics *metrics, const struct image_judge *judge)
{
	const struct image_figure *ratio = &metrics->figure[IMAGE_NEAREST_RATIO];
	double spread = 0.0;

	print_beside("MMD²", IMAGE_MMD, metrics, judge);
	print_beside("sliced Wasserstein", IMAGE_WASSERSTEIN, metrics, judge);
	printf("  nearest training   %.4f ± %.4f of held-out images' distance %.3f: %s\n", ratio->value, ratio->error,
	       judge->held.figure[IMAGE_NEAREST].value,
	       image_metrics_memorised(metrics) ? "MEMORISED" : "not memorised");
	for (size_t k = 0; k < IMAGE_SET_LABELS; k++)
		if (judge->set->share[k] > 0.0)
			printf("  share of label %zu   %.4f ± %.4f   data %.4f\n", k,
			       metrics->figure[IMAGE_SHARE + k].value, metrics->figure[IMAGE_SHARE + k].error,
			       judge->set->share[k]);
	printf("  spread            ");
	for (size_t k = 0; k < IMAGE_DIRECTIONS; k++) {
		printf(" %.3f", metrics->figure[IMAGE_SPREAD + k].value);
		spread += metrics->figure[IMAGE_SPREAD + k].value / IMAGE_DIRECTIONS;
	}
	printf("   mean %.3f (leading principal directions; data 1)\n", spread);
}

static void write_metrics(FILE *out, const char *key, const struct image_metrics *metrics)
{
	fprintf(out, ",\n \"%s\": {\"images\": %zu", key, metrics->n);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct image_figure *figure = metrics->figure + names[i].first;

		fprintf(out, ", \"%s\": %s", names[i].name, names[i].n > 1 ? "[" : "");
		for (size_t k = 0; k < names[i].n; k++)
			fprintf(out, "%s[%.6f, %.6f]", k ? ", " : "", figure[k].value, figure[k].error);
		fprintf(out, "%s", names[i].n > 1 ? "]" : "");
	}
	fprintf(out, "}");
}

/** Every figure as [value, error], of the mean, of each file, and of what they stand beside. */
static int write_json(const struct eval *eval, const struct image_judge *judge, const struct image_metrics sets[],
		      const struct image_metrics *mean, struct err *err)
{
	FILE *out = fopen(eval->json, "w");
	char key[32];

	if (!out)
		return err_at(err, JOSTLE_EIO, eval->json, 0, 0, "cannot be written: %m");
	fprintf(out, "{\"version\": \"%s\", \"files\": %zu, \"drive\": \"%s\", \"step\": %.9g, \"memorised\": %s, ",
		jostle_version(), eval->n_files, eval->files[0].drive, eval->files[0].step,
		image_metrics_memorised(mean) ? "true" : "false");
	fprintf(out, "\"data_shares\": [");
	for (size_t k = 0; k < IMAGE_SET_LABELS; k++)
		fprintf(out, "%s%.6f", k ? ", " : "", judge->set->share[k]);
	fprintf(out, "]");
	write_metrics(out, "mean", mean);
	for (size_t f = 0; f < eval->n_files; f++) {
		snprintf(key, sizeof(key), "file_%zu", f + 1);
		write_metrics(out, key, &sets[f]);
	}
	write_metrics(out, "held_out", &judge->held);
	write_metrics(out, "floor", &judge->floor);
	write_metrics(out, "gaussian_fit", &judge->baseline);
	fprintf(out, "}\n");
	if (fclose(out))
		return err_at(err, JOSTLE_EIO, eval->json, 0, 0, "cannot be written: %m");
	return 0;
}

static int draw(const struct eval *eval, const struct image_judge *judge, const struct image_metrics *mean,
		struct err *err)
{
	const struct image_figure *mmd = &mean->figure[IMAGE_MMD], *ratio = &mean->figure[IMAGE_NEAREST_RATIO];
	char text[200];
	const char *const captions[] = {text};

	snprintf(text, sizeof(text),
		 "MMD² %.4f ± %.4f (floor %.4f, Gaussian fit %.4f); distance to the nearest training image %.2f of "
		 "held-out images'",
		 mmd->value, mmd->error, judge->floor.figure[IMAGE_MMD].value, judge->baseline.figure[IMAGE_MMD].value,
		 ratio->value);
	return picture_of_images(eval->png, eval->task->name, eval->target->images, eval->files, captions, 1, err);
}

int eval_images(const struct eval *eval, struct err *err)
{
	struct image_metrics *sets = calloc(eval->n_files, sizeof(*sets)), mean;
	struct image_judge judge;
	int status;

	if (!sets)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the figures of %zu files", eval->n_files);
	status = image_judge_init(&judge, eval->target->images, eval->files[0].n, eval->seed, eval->pool, err);
	if (status)
		goto done;
	for (size_t f = 0; f < eval->n_files && !status; f++)
		status = image_judge_evaluate(&judge, eval->files[f].samples, eval->files[f].n, eval->pool, &sets[f],
					      err);
	if (status)
		goto fail;
	image_metrics_mean(sets, eval->n_files, &mean);
	print_samples(eval);
	print_metrics(&mean, &judge);
	if (eval->json)
		status = write_json(eval, &judge, sets, &mean, err);
	if (!status && eval->png)
		status = draw(eval, &judge, &mean, err);
fail:
	image_judge_fini(&judge);
done:
	free(sets);
	return status;
}
