/*
 * Hestenes and Stiefel 1952 with Jacobi's preconditioner M = diag G (Golub and Van Loan, algorithm 11.5.1):
 *
 *   alpha = rho / p.Gp, which lowers x.Gx / 2 - b.x by alpha rho / 2,  x += alpha p,  r -= alpha Gp,  rho' = r.M^-1 r,  p = M^-1 r + (rho' / rho) p.
 */
#include "learning/conjugate_gradient.h"

static double preconditioned(const struct conjugate_gradient *cg, size_t i)
{
	return cg->diagonal[i] > 0.0 ? cg->residual[i] / cg->diagonal[i] : cg->residual[i];
}

static double find_rho(const struct conjugate_gradient *cg)
{
	double rho = 0.0;

	for (size_t i = 0; i < cg->n; i++)
		rho += cg->residual[i] * preconditioned(cg, i);
	return rho;
}

void conjugate_gradient_begin(struct conjugate_gradient *cg)
{
	for (size_t i = 0; i < cg->n; i++)
		cg->direction[i] = preconditioned(cg, i);
	cg->rho = find_rho(cg);
}

bool conjugate_gradient_step(struct conjugate_gradient *cg, conjugate_gradient_product *product, void *context)
{
	double curvature = 0.0;

	if (cg->rho <= cg->goal)
		return true;
	product(context, cg->direction, cg->product);
	for (size_t i = 0; i < cg->n; i++)
		curvature += cg->direction[i] * cg->product[i];
	if (!(curvature > 0.0))
		return true;

	const double alpha = cg->rho / curvature;
	cg->gain = 0.5 * alpha * cg->rho;
	for (size_t i = 0; i < cg->n; i++) {
		cg->x[i] += alpha * cg->direction[i];
		cg->residual[i] -= alpha * cg->product[i];
	}
	const double rho = find_rho(cg), beta = rho / cg->rho;
	for (size_t i = 0; i < cg->n; i++)
		cg->direction[i] = preconditioned(cg, i) + beta * cg->direction[i];
	cg->rho = rho;
	return rho <= cg->goal;
}
