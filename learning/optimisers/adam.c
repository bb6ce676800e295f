/*
 * Adam (Kingma and Ba 2015) on scaled parameters, for learners that see fresh moments at every step.
 *
 *   psi_k = theta_k sigma^2(t) s_k,   s_k^2 = E|grad phi_k|^2
 *
 * |theta| grows like 1/sigma^2 towards small t, so in psi one rate serves every knot; s_k does the same for monomials of
 * different degree. Both keep the rule local: s_k is a mean square of what parameter k sees. The rate falls to zero as
 * the square of a cosine, so that the end point does not carry the noise of the last batches.
 */
#include <math.h>
#include <string.h>

#include "learning/optimiser.h"
#include "learning/problem.h"
#include "learning/task.h"
#include "protocols/diffusion.h"

#define MEAN_DECAY   0.9
#define SQUARE_DECAY 0.99
#define TINY         1e-12

enum { STEPS_DONE, STEPS_TOTAL, LOSS_SUM, LOSS_COUNT, N_SCALARS };

/* After the scalars: scale, mean of the gradient, mean of its square, and the gradient itself as scratch. */
static size_t n_state(size_t n_parameters)
{
	return N_SCALARS + 4 * n_parameters;
}

static void begin(const struct task_training *training, struct problem *problem, bool first, const double theta[],
		  double state[])
{
	const size_t n = problem->network->n_parameters;
	double *scale = state + N_SCALARS;

	(void)theta;
	memset(state, 0, n_state(n) * sizeof(*state));
	state[STEPS_TOTAL] = (double)training->steps * (first ? 2.0 : 1.0);
	problem_power(problem, training->batch, scale);
	for (size_t k = 0; k < n; k++)
		scale[k] = scale[k] > 0.0 ? diffusion_variance(problem->t) * sqrt(scale[k]) : 1.0;
}

static double step(const struct task_training *training, struct problem *problem, double theta[], double state[])
{
	const size_t n = problem->network->n_parameters;
	double *scale = state + N_SCALARS, *mean = scale + n, *square = mean + n, *g = square + n;
	const double loss = problem_gradient(problem, theta, (uint32_t)state[STEPS_DONE], training->batch, g);
	const double done = state[STEPS_DONE] / state[STEPS_TOTAL];
	const double fall = cos(0.5 * M_PI * done), rate = training->rate * fall * fall;

	state[STEPS_DONE] += 1.0;
	const double mean_bias = 1.0 - pow(MEAN_DECAY, state[STEPS_DONE]);
	const double square_bias = 1.0 - pow(SQUARE_DECAY, state[STEPS_DONE]);
	for (size_t k = 0; k < n; k++) {
		const double slope = g[k] / scale[k];

		mean[k] = MEAN_DECAY * mean[k] + (1.0 - MEAN_DECAY) * slope;
		square[k] = SQUARE_DECAY * square[k] + (1.0 - SQUARE_DECAY) * slope * slope;
		theta[k] -= rate / scale[k] * (mean[k] / mean_bias) / (sqrt(square[k] / square_bias) + TINY);
	}
	/* The last step counts, however few there are. */
	if (state[STEPS_DONE] >= 0.9 * state[STEPS_TOTAL]) {
		state[LOSS_SUM] += loss;
		state[LOSS_COUNT] += 1.0;
	}
	return state[STEPS_DONE] / state[STEPS_TOTAL];
}

/** The mean over the last tenth of the steps. */
static double loss(const double state[])
{
	return state[LOSS_SUM] / state[LOSS_COUNT];
}

/* The only global symbol of this file. */
const struct optimiser_type optimiser_adam = {
	.name = "adam",
	.summary = "stochastic steps on fresh moments, scaled by sigma^2(t)",
	.stores_sample = false,
	.n_state = n_state,
	.begin = begin,
	.step = step,
	.loss = loss,
};
