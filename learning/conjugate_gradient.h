#ifndef JOSTLE_CONJUGATE_GRADIENT_H
#define JOSTLE_CONJUGATE_GRADIENT_H
/*
 * Preconditioned conjugate gradients for G x = b with G symmetric and positive semidefinite, known only by its products.
 *
 * The state is the caller's arrays and scalars, so that it can be put into a file between two steps and go on as if
 * nothing had been.
 */
#include <stdbool.h>
#include <stddef.h>

struct conjugate_gradient {
	size_t n;
	double *x;              /* [n]: the solution so far */
	double *residual;       /* [n]: b - G x */
	double *direction;      /* [n] */
	double *product;        /* [n]: scratch */
	const double *diagonal; /* [n]: of G; where it is not positive the preconditioner is 1 */
	double rho;             /* residual . residual / diagonal */
	double gain;            /* by how much the last step lowered x.Gx / 2 - b.x */
	double goal;            /* rho at which it is done */
};

/** gv = G v. */
typedef void conjugate_gradient_product(void *context, const double v[], double gv[]);

/** Set direction and rho from x and residual. `goal` is left alone. Call from: any. */
void conjugate_gradient_begin(struct conjugate_gradient *cg);

/** One step. Returns true when rho <= goal, or when G has no curvature left along the direction. Call from: any. */
bool conjugate_gradient_step(struct conjugate_gradient *cg, conjugate_gradient_product *product, void *context);

#endif
