/*
 * A mode is isotropic, so its mass in a rectangle is a product of two differences of the normal distribution function,
 *
 *   m = [Phi(x1) - Phi(x0)] [Phi(y1) - Phi(y0)],   Phi(z) = erfc(-z / sqrt 2) / 2,
 *
 * and its mass outside a square with tails q = Phi(low) + Phi(-high) is qx + qy - qx qy, without cancellation.
 */
#include "learning/mixture.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"

int mixture_init(struct mixture *mixture, size_t n_modes, size_t n_sites, struct err *err)
{
	*mixture = (struct mixture){.n_modes = n_modes, .n_sites = n_sites};
	if (n_modes == 0 || n_modes > MIXTURE_MAX_MODES || n_sites == 0)
		return err_set(err, JOSTLE_EINVAL, "expected 1 to %d modes and at least one site, found %zu and %zu",
			       MIXTURE_MAX_MODES, n_modes, n_sites);
	mixture->weight = calloc(n_modes, sizeof(*mixture->weight));
	mixture->cumulative = calloc(n_modes, sizeof(*mixture->cumulative));
	mixture->mean = calloc(n_modes * n_sites, sizeof(*mixture->mean));
	mixture->sigma = calloc(n_modes, sizeof(*mixture->sigma));
	if (!mixture->weight || !mixture->cumulative || !mixture->mean || !mixture->sigma) {
		mixture_fini(mixture);
		return err_set(err, JOSTLE_ENOMEM, "no memory for a mixture of %zu modes", n_modes);
	}
	return 0;
}

void mixture_fini(struct mixture *mixture)
{
	free(mixture->sigma);
	free(mixture->mean);
	free(mixture->cumulative);
	free(mixture->weight);
	*mixture = (struct mixture){0};
}

int mixture_normalise(struct mixture *mixture, struct err *err)
{
	double sum = 0.0, running = 0.0;

	for (size_t m = 0; m < mixture->n_modes; m++)
		sum += mixture->weight[m];
	if (!(sum > 0.0))
		return err_set(err, JOSTLE_EINVAL, "expected weights with a positive sum, found %g", sum);
	for (size_t m = 0; m < mixture->n_modes; m++) {
		mixture->weight[m] /= sum;
		running += mixture->weight[m];
		mixture->cumulative[m] = running;
	}
	mixture->cumulative[mixture->n_modes - 1] = 1.0;
	return 0;
}

/** The first mode whose running sum exceeds u; u < 1. */
static size_t mode_at(const struct mixture *mixture, double u)
{
	size_t low = 0, high = mixture->n_modes - 1;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (mixture->cumulative[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void mixture_draw(const struct mixture *mixture, uint64_t seed, enum random_stream stream, uint32_t index,
		  uint64_t step, float x[])
{
	double u[4], normals[4];

	random_uniforms(seed, stream, index, step, 0, u);
	const size_t mode = mode_at(mixture, u[0]);
	const double *mean = mixture->mean + mode * mixture->n_sites;

	for (size_t i = 0; i < mixture->n_sites; i++) {
		if (i % 4 == 0)
			random_normals(seed, stream, index, step, (uint32_t)(1 + i / 4), normals);
		x[i] = (float)(mean[i] + mixture->sigma[mode] * normals[i % 4]);
	}
}

double mixture_density(const struct mixture *mixture, const double x[])
{
	double density = 0.0;

	for (size_t m = 0; m < mixture->n_modes; m++) {
		double exponent = 0.0;

		for (size_t i = 0; i < mixture->n_sites; i++) {
			const double z = (x[i] - mixture->mean[m * mixture->n_sites + i]) / mixture->sigma[m];

			exponent -= 0.5 * (z * z + log(2.0 * M_PI)) + log(mixture->sigma[m]);
		}
		density += mixture->weight[m] * exp(exponent);
	}
	return density;
}

double mixture_extent(const struct mixture *mixture, double a, double sigma, double n_deviations)
{
	double extent = 0.0;

	for (size_t m = 0; m < mixture->n_modes; m++) {
		const double beyond = n_deviations * hypot(a * mixture->sigma[m], sigma);

		for (size_t i = 0; i < mixture->n_sites; i++)
			extent = fmax(extent, a * fabs(mixture->mean[m * mixture->n_sites + i]) + beyond);
	}
	return extent;
}

static double normal_below(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

/** Masses of one mode in the intervals of one axis; returns the mass outside them. */
static double axis_masses(double mean, double sigma, double mass[MIXTURE_BINS])
{
	const double width = 2.0 * MIXTURE_HALF_SIDE / MIXTURE_BINS;
	double below = normal_below((-MIXTURE_HALF_SIDE - mean) / sigma);
	const double tails = below + normal_below((mean - MIXTURE_HALF_SIDE) / sigma);

	for (size_t b = 0; b < MIXTURE_BINS; b++) {
		const double next = normal_below(((double)(b + 1) * width - MIXTURE_HALF_SIDE - mean) / sigma);

		mass[b] = next - below;
		below = next;
	}
	return tails;
}

double mixture_bin_masses(const struct mixture *mixture, double mass[])
{
	double outside = 0.0, along_x[MIXTURE_BINS], along_y[MIXTURE_BINS];

	for (size_t b = 0; b < MIXTURE_BINS * MIXTURE_BINS; b++)
		mass[b] = 0.0;
	for (size_t m = 0; m < mixture->n_modes; m++) {
		const double *mean = mixture->mean + 2 * m;
		const double tail_x = axis_masses(mean[0], mixture->sigma[m], along_x);
		const double tail_y = axis_masses(mean[1], mixture->sigma[m], along_y);

		for (size_t i = 0; i < MIXTURE_BINS; i++)
			for (size_t j = 0; j < MIXTURE_BINS; j++)
				mass[i * MIXTURE_BINS + j] += mixture->weight[m] * along_x[i] * along_y[j];
		outside += mixture->weight[m] * (tail_x + tail_y - tail_x * tail_y);
	}
	return outside;
}

size_t mixture_bin(const float x[2])
{
	size_t bin = 0;

	for (int i = 0; i < 2; i++) {
		const double place = ((double)x[i] + MIXTURE_HALF_SIDE) * (MIXTURE_BINS / (2.0 * MIXTURE_HALF_SIDE));

		if (!(place >= 0.0 && place < MIXTURE_BINS))
			return MIXTURE_BINS * MIXTURE_BINS;
		bin = bin * MIXTURE_BINS + (size_t)place;
	}
	return bin;
}
