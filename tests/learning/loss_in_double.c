#undef KERNEL_BLOCK /* this file sees the single-replica layout */
#include "learning/loss_in_double.h"

#include <math.h>
#include <stdlib.h>

#include "protocols/diffusion.h"
#include "protocols/network.h"

#define MAX_SITES 16

static double *pack(const struct network *network, const double theta[], const struct wall *wall)
{
	const struct network_kernels *kernels = network_kernels_best();
	double *packed = calloc(kernels->packed_size(network), sizeof(*packed));

	kernels->pack(network, theta, wall, packed);
	return packed;
}

double denoising_loss(const struct network *network, const double theta[], const struct wall *wall,
		      const struct moment *moment)
{
	const double variance = diffusion_variance(moment->t), a = exp(-moment->t);
	double *packed = pack(network, theta, wall), f[MAX_SITES], loss = 0.0;

	network_kernels_best()->force(network, packed, moment->x, f);
	for (size_t i = 0; i < network->n_sites; i++) {
		const double x = moment->x[i], r = f[i] - x + 2.0 * (x - a * moment->x0[i]) / variance;

		loss += 0.5 * r * r;
	}
	free(packed);
	return loss;
}

double implicit_loss(const struct network *network, const double theta[], const struct wall *wall,
		     const struct moment *moment)
{
	const double h = 1e-4;
	double *packed = pack(network, theta, wall), f[MAX_SITES], x[MAX_SITES], loss = 0.0;

	network_kernels_best()->force(network, packed, moment->x, f);
	for (size_t i = 0; i < network->n_sites; i++) {
		loss += 0.5 * f[i] * f[i] - f[i] * moment->x[i];
		x[i] = moment->x[i];
	}
	for (size_t i = 0; i < network->n_sites; i++) {
		x[i] = moment->x[i] + h;
		network_kernels_best()->force(network, packed, x, f);
		loss += 2.0 * f[i] / (2.0 * h);
		x[i] = moment->x[i] - h;
		network_kernels_best()->force(network, packed, x, f);
		loss -= 2.0 * f[i] / (2.0 * h);
		x[i] = moment->x[i];
	}
	free(packed);
	return loss;
}
