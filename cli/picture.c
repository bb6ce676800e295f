#include "cli/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "learning/figure.h"
#include "learning/metrics.h"
#include "learning/mixture.h"
#include "learning/sample_file.h"
#include "learning/task.h"
#include "learning/trainer.h"
#include "protocols/diffusion.h"
#include "protocols/protocol.h"

#define N_BINS ((size_t)MIXTURE_BINS * MIXTURE_BINS)

/** A figure's rows run along y; bins run with the second coordinate fastest. */
static void transpose(const double bins[], double picture[])
{
	for (size_t i = 0; i < MIXTURE_BINS; i++)
		for (size_t j = 0; j < MIXTURE_BINS; j++)
			picture[j * MIXTURE_BINS + i] = bins[i * MIXTURE_BINS + j];
}

int picture_of_samples(const char *path, const char *title, const struct mixture *mixture,
		       const struct sample_file *file, const struct metrics *metrics, struct err *err)
{
	double *memory = calloc(4 * N_BINS, sizeof(*memory));
	char first[160], second[160] = "";
	int status;

	if (!memory)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a picture");
	double *target_bins = memory, *sample_bins = memory + N_BINS;
	double *target_picture = memory + 2 * N_BINS, *sample_picture = memory + 3 * N_BINS;

	mixture_bin_masses(mixture, target_bins);
	for (size_t s = 0; s < file->n; s++) {
		const size_t bin = mixture_bin(file->samples + 2 * s);

		if (bin < N_BINS)
			sample_bins[bin] += 1.0 / (double)file->n;
	}
	transpose(target_bins, target_picture);
	transpose(sample_bins, sample_picture);
	snprintf(first, sizeof(first), "%zu samples, %s drive; total variation %.3f, floor of exact draws %.3f",
		 file->n, file->drive, metrics->total_variation, metrics->floor);
	for (size_t k = 0; k < metrics->n_modes; k++) {
		const size_t length = strlen(second);

		snprintf(second + length, sizeof(second) - length, "%s%.3f ± %.3f", k ? ", " : "mode weights ",
			 metrics->mode_weight[k], metrics->mode_error[k]);
	}
	const char *const captions[] = {first, second};
	status = figure_densities(path, title, MIXTURE_HALF_SIDE, MIXTURE_BINS, target_picture, sample_picture,
				  captions, second[0] ? 2 : 1, err);
	free(memory);
	return status;
}

/* Parameters that a picture can show and name; a network with more is drawn by its losses alone. */
#define MAX_DRAWN 512

int picture_of_training(const char *path, const struct task *task, const struct protocol *protocol,
			const struct training_report *report, struct err *err)
{
	const size_t n = protocol->network.n_parameters <= MAX_DRAWN ? protocol->network.n_parameters : 0;
	const size_t n_knots = protocol->n_knots;
	char caption[160], names[MAX_DRAWN][64];
	const char *name[MAX_DRAWN];
	double *variance = malloc(n_knots * sizeof(*variance));

	if (!variance)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a picture");
	for (size_t k = 0; k < n_knots; k++)
		variance[k] = diffusion_variance(protocol->t[k]);
	for (size_t k = 0; k < n; k++) {
		network_parameter_name(&protocol->network, k, names[k], sizeof(names[k]));
		name[k] = names[k];
	}
	snprintf(caption, sizeof(caption), "%s; %zu parameters on %zu knots; loss 1 is the zero score", protocol->rule,
		 protocol->network.n_parameters, n_knots);
	const char *const captions[] = {caption};
	const struct figure_training training = {.n_knots = n_knots,
						 .t = report->t,
						 .loss = report->loss,
						 .loss_se = report->standard_error,
						 .n_parameters = n,
						 .theta = protocol->theta,
						 .variance = variance,
						 .name = name,
						 .caption = captions,
						 .n_captions = 1};
	int status = figure_training(path, task->name, &training, err);
	free(variance);
	return status;
}
