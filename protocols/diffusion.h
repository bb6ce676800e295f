#ifndef JOSTLE_DIFFUSION_H
#define JOSTLE_DIFFUSION_H
/*
 * The passive diffusion in natural units: x_t = a x_0 + sigma xi, a = e^-t, sigma^2 = 1 - e^-2t, and the read-out that
 * ends a generation at t_min > 0.
 */
#include <stddef.h>

#include "base/rt.h"

#define DIFFUSION_T_FINAL   4.0  /* where generation starts from the prior */
#define DIFFUSION_T_MINIMUM 0.01 /* where it ends: the stiffness grows like 1/sigma^2 */

/** sigma^2(t), exact for small t. RT_SAFE. Call from: any. */
RT_SAFE double diffusion_variance(double t);

/** The accurate step at t: min(0.03 sigma^2(t), 0.02). RT_SAFE. Call from: any. */
RT_SAFE double diffusion_step(double t);

/**
 * The read-out (x + weight sigma^2 s) / a with the score s = (f - x) / 2. weight 1 gives the posterior mean (images),
 * 1/2 keeps the variance (densities), 0 is none. RT_SAFE. Call from: any.
 */
RT_SAFE double diffusion_readout(double x, double f, double t, double weight);

/**
 * A time grid for generation: t[0] = t_final > … > t[n] = t_minimum. step > 0 asks for a uniform grid (the last step is
 * what remains), step 0 for the accurate one. The memory is the caller's to free(). Returns JOSTLE_EINVAL or
 * JOSTLE_ENOMEM. Call from: setup.
 */
int diffusion_grid(double t_final, double t_minimum, double step, double **t, size_t *n_steps);

#endif
