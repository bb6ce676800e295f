/*
 * Rule 1, force matching in the denoising form (Vincent 2011):
 *
 *   dL/dtheta_k = -E[(f - f*) . grad phi_k],   f* = x - 2 (x - a x0) / sigma^2,
 *
 * because f = -sum_k theta_k grad phi_k and E[f* | x] is the force of the reverse process. f is the measured total force:
 * the number that was commanded would hide every error of the bench. For phi = x_i x_j the rule reads r_i x_j + r_j x_i:
 * what meets at a coupling is known at its two ends.
 */
#include <math.h>

#include "learning/estimator.h"
#include "protocols/diffusion.h"

/* One block's residual: too large for the stack of a thread when the lattice is large. */
static _Thread_local _Alignas(64) float residual[NETWORK_MAX_SITES * BLOCK_LANES];

static void observe(const struct network *network, const float packed[], const struct observation_batch *batch,
		    size_t first_block, size_t last_block, struct estimator_sum *sum)
{
	const struct network_kernels *kernels = network_kernels_best();
	const size_t size = batch->n_sites * BLOCK_LANES;
	const float a = (float)exp(-batch->t), pull = (float)(2.0 / diffusion_variance(batch->t));

	for (size_t b = first_block; b < last_block; b++) {
		const float *x = batch->x_before + b * size, *x0 = batch->x0 + b * size, *f = batch->force + b * size;

		for (size_t i = 0; i < size; i++)
			residual[i] = f[i] - (x[i] - pull * (x[i] - a * x0[i]));
		kernels->gradient(network, packed, x, residual, sum->gradient);
		for (size_t i = 0; i < size; i++)
			sum->residual += (double)residual[i] * (double)residual[i];
		sum->n_moments += BLOCK_LANES;
	}
}

/* The only global symbol of this file. */
const struct estimator_type estimator_denoising = {
	.name = "denoising",
	.summary = "rule 1: measured force against the pull towards the datum that was noised",
	.needs = OBSERVED_X_BEFORE | OBSERVED_FORCE | OBSERVED_X0,
	.has_residual = true,
	.observe = observe,
};
