/*
 * Rule 2, force matching in the implicit form (Hyvarinen 2005): the datum is not needed, for by parts
 *
 *   E[2 grad log p . grad phi_k] = -2 E[laplacian phi_k],
 *
 * and with f* = -f_pass + 2 grad log p the gradient becomes
 *
 *   dL/dtheta_k = E[-(f + f_pass) . grad phi_k - 2 laplacian phi_k],   f_pass = -x on an ideal bench.
 *
 * The wall's edge would add a boundary term; it stands four standard deviations out, where that is small.
 */
#include "learning/estimator.h"

/* One block's force: too large for the stack of a thread when the lattice is large. */
static _Thread_local _Alignas(64) float total[NETWORK_MAX_SITES * BLOCK_LANES];

static void observe(const struct network *network, const float packed[], const struct observation_batch *batch,
		    size_t first_block, size_t last_block, struct estimator_sum *sum)
{
	const struct network_kernels *kernels = network_kernels_best();
	const size_t size = batch->n_sites * BLOCK_LANES;

	/* The kernel adds a Laplacian and we want -2 of it: scaling by powers of two before and after is exact. */
	for (size_t k = 0; k < network->n_parameters; k++)
		sum->gradient[k] *= -0.5;
	for (size_t b = first_block; b < last_block; b++)
		kernels->laplacian(network, packed, batch->x_before + b * size, sum->gradient);
	for (size_t k = 0; k < network->n_parameters; k++)
		sum->gradient[k] *= -2.0;

	for (size_t b = first_block; b < last_block; b++) {
		const float *x = batch->x_before + b * size, *f = batch->force + b * size;
		const float *passive = batch->passive ? batch->passive + b * size : NULL;

		for (size_t i = 0; i < size; i++)
			total[i] = f[i] + (passive ? passive[i] : -x[i]);
		kernels->gradient(network, packed, x, total, sum->gradient);
		sum->n_moments += BLOCK_LANES;
	}
}

/* The only global symbol of this file. */
const struct estimator_type estimator_implicit = {
	.name = "implicit",
	.summary = "rule 2: measured force and curvature of the potential, no datum needed",
	.needs = OBSERVED_X_BEFORE | OBSERVED_FORCE | OBSERVED_PASSIVE,
	.has_residual = false,
	.observe = observe,
};
