/*
 * The oracle: for energies linear in theta the loss is quadratic, and its minimum over a stored sample is found by
 * conjugate gradients without ever forming the Hessian G_kl = E[grad phi_k . grad phi_l].
 *
 * The residual b - G theta is minus the rule's own gradient, whatever the rule. Products are taken by the block kernels
 * in single precision with sums in double, which leaves an error of some 10^-7 of the gradient; the first descent is
 * therefore followed by a second one from a freshly measured residual.
 */
#include <math.h>
#include <string.h>

#include "learning/conjugate_gradient.h"
#include "learning/optimiser.h"
#include "learning/problem.h"
#include "protocols/diffusion.h"

#define ACCURACY 1e-12 /* of the squared residual, relative to that of theta = 0 */
#define DESCENTS 2

/*
 * Thousands of couplings leave directions so flat that the residual never gets there: a descent also ends when a window of
 * steps has lowered the loss, as it is reported, by less than this.
 */
#define WINDOW      50
#define WINDOW_GAIN 1e-5

enum { STEPS_DONE, DESCENT, LOSS, RHO, RHO_START, GOAL, GAIN, N_SCALARS };

/* After the scalars: residual, direction, diagonal, and the product as scratch. */
static size_t n_state(size_t n_parameters)
{
	return N_SCALARS + 4 * n_parameters;
}

/** A view of the state. `theta` is where the solution is kept. */
static struct conjugate_gradient view(const struct problem *problem, double theta[], double state[])
{
	const size_t n = problem->network->n_parameters;
	double *arrays = state + N_SCALARS;

	return (struct conjugate_gradient){
		.n = n,
		.x = theta,
		.residual = arrays,
		.direction = arrays + n,
		.diagonal = arrays + 2 * n,
		.product = arrays + 3 * n,
		.rho = state[RHO],
		.goal = state[GOAL],
	};
}

/** Measure the residual at theta and start a descent from it. */
static void start_descent(struct problem *problem, double theta[], double state[])
{
	struct conjugate_gradient cg = view(problem, theta, state);

	state[LOSS] = problem_stored_gradient(problem, theta, cg.residual);
	for (size_t k = 0; k < cg.n; k++)
		cg.residual[k] = -cg.residual[k];
	conjugate_gradient_begin(&cg);
	state[RHO] = state[RHO_START] = cg.rho;
}

static void begin(const struct task_training *training, struct problem *problem, bool first, const double theta[],
		  double state[])
{
	const size_t n = problem->network->n_parameters;
	double *product = state + N_SCALARS + 3 * n;

	(void)training;
	(void)first;
	memset(state, 0, n_state(n) * sizeof(*state));
	problem_stored_power(problem, state + N_SCALARS + 2 * n);
	/* From zeros, for the scale of the residual; the product's place serves as the zeros. */
	start_descent(problem, product, state);
	state[GOAL] = ACCURACY * state[RHO];
	memcpy(product, theta, n * sizeof(*theta));
	start_descent(problem, product, state);
}

static void apply(void *context, const double v[], double gv[])
{
	problem_stored_apply(context, v, gv);
}

/** From E|f - f*|^2 / 2, the objective, to sigma^2 / 4N E|f - f*|^2. */
static double reported_scale(const struct problem *problem)
{
	return diffusion_variance(problem->t) / (2.0 * (double)problem->network->n_sites);
}

static double step(const struct task_training *training, struct problem *problem, double theta[], double state[])
{
	struct conjugate_gradient cg = view(problem, theta, state);
	const double most = 20.0 * (double)cg.n + 50.0;

	(void)training;
	bool done = conjugate_gradient_step(&cg, apply, problem);
	state[RHO] = cg.rho;
	state[GAIN] += cg.gain * reported_scale(problem);
	state[STEPS_DONE] += 1.0;
	if (fmod(state[STEPS_DONE], WINDOW) == 0.0) {
		done = done || state[GAIN] < WINDOW_GAIN;
		state[GAIN] = 0.0;
	}
	if (done || state[STEPS_DONE] >= most) {
		state[DESCENT] += 1.0;
		state[STEPS_DONE] = state[GAIN] = 0.0;
		start_descent(problem, theta, state);
		return state[DESCENT] / DESCENTS;
	}
	/* The squared residual falls about geometrically. */
	const double part = log(cg.rho / state[RHO_START]) / log(state[GOAL] / state[RHO_START]);
	return (state[DESCENT] + fmin(fmax(part, 0.0), 0.99)) / DESCENTS;
}

static double loss(const double state[])
{
	return state[LOSS];
}

/* The only global symbol of this file. */
const struct optimiser_type optimiser_cg = {
	.name = "cg",
	.summary = "the oracle: conjugate gradients on a stored sample, to convergence",
	.stores_sample = true,
	.n_state = n_state,
	.begin = begin,
	.step = step,
	.loss = loss,
};
