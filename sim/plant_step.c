/*
 * Exact transitions of the Ornstein-Uhlenbeck process and of the damped oscillator with white noise.
 *
 * Overdamped, dx = (f - k x) dt + sqrt(2) dw:
 *   x' = e x + (1 - e) f / k + N, e = exp(-k h), Var N = (1 - e^2) / k, and W = sqrt(2) w(h):
 *   Cov(N, W) = 2 (1 - e) / k, Var W = 2 h.
 * A force that rises linearly from 0 to r: x' gets r (h / k - (1 - e) / k^2) / h.
 *
 * With inertia, m v' = f - k x - v + sqrt(2) w': z = (x, v), z' = A z + B (f + sqrt(2) w'), A = [0 1; -k/m -1/m],
 * B = (0, 1/m). With a = 1/(2m), D = A + a, D^2 = a^2 - k/m = d:
 *   exp(A h) = exp(-a h) [C + S D], C = cosh(h sqrt d), S = sinh(h sqrt d) / sqrt d (cos and sin for d < 0).
 * The covariance of the noise follows from stationarity, S = E S E' + Cov with S = diag(1/k, 1/m): no integral is
 * needed. Cov(z, W) = 2 int E(s) B ds = 2 A^-1 (E - 1) B. Response to a ramp: A^-1 (A^-1 (E - 1) / h - 1) B.
 * (Uhlenbeck & Ornstein 1930; Gillespie 1996 for the exact update and its integral; Norrelykke & Flyvbjerg 2011.)
 */
#include "sim/plant_step.h"

#include <math.h>

static double positive_root(double square)
{
	return square > 0.0 ? sqrt(square) : 0.0;
}

static void overdamped(struct plant_step *step, double k, double h)
{
	const double rise = -expm1(-k * h); /* 1 - e */
	const double variance = -expm1(-2.0 * k * h) / k;
	const double covariance = 2.0 * rise / k;

	step->xx = exp(-k * h);
	step->fx = rise / k;
	step->rx = (h - rise / k) / (k * h);
	step->nx[0] = sqrt(variance);
	step->nw[0] = covariance / step->nx[0];
	step->nw[1] = positive_root(2.0 * h - step->nw[0] * step->nw[0]);
}

/** E = exp(A h), without overflow for a nearly massless site. */
static void propagator(double k, double m, double h, double e[2][2])
{
	const double a = 0.5 / m;
	const double d = a * a - k / m;
	double c, s; /* exp(-a h) C, exp(-a h) S */

	if (fabs(d) * h * h < 1e-12) {
		c = exp(-a * h);
		s = c * h;
	} else if (d > 0.0) {
		const double root = sqrt(d);
		/* a - root would cancel for a light mass: (a^2 - d) / (a + root) does not. */
		const double slow = exp(-(k / m) / (a + root) * h), fast = exp(-(a + root) * h);

		c = 0.5 * (slow + fast);
		s = 0.5 * (slow - fast) / root;
	} else {
		const double root = sqrt(-d), decay = exp(-a * h);

		c = decay * cos(root * h);
		s = decay * sin(root * h) / root;
	}
	e[0][0] = c + s * a;
	e[0][1] = s;
	e[1][0] = -s * k / m;
	e[1][1] = c - s * a;
}

/** u = A^-1 w. */
static void solve(double k, double m, const double w[2], double u[2])
{
	u[0] = -(w[0] + m * w[1]) / k;
	u[1] = w[0];
}

static void underdamped(struct plant_step *step, double k, double m, double h)
{
	double e[2][2], held[2], ramp[2];

	propagator(k, m, h, e);
	step->xx = e[0][0];
	step->xv = e[0][1];
	step->vx = e[1][0];
	step->vv = e[1][1];

	solve(k, m, (double[2]){e[0][1] / m, (e[1][1] - 1.0) / m}, held); /* A^-1 (E - 1) B */
	step->fx = held[0];
	step->fv = held[1];
	solve(k, m, (double[2]){held[0] / h, held[1] / h - 1.0 / m}, ramp);
	step->rx = ramp[0];
	step->rv = ramp[1];

	const double xx = 1.0 / k - (e[0][0] * e[0][0] / k + e[0][1] * e[0][1] / m);
	const double xv = -(e[0][0] * e[1][0] / k + e[0][1] * e[1][1] / m);
	const double vv = 1.0 / m - (e[1][0] * e[1][0] / k + e[1][1] * e[1][1] / m);

	/* Cholesky in the order v, x, W: over a short step x's noise is nearly that of v. */
	step->nv = positive_root(vv);
	step->nx[0] = xv / step->nv;
	step->nx[1] = positive_root(xx - step->nx[0] * step->nx[0]);
	step->nw[0] = 2.0 * held[1] / step->nv;
	step->nw[1] = step->nx[1] > 0.0 ? (2.0 * held[0] - step->nx[0] * step->nw[0]) / step->nx[1] : 0.0;
	step->nw[2] = positive_root(2.0 * h - step->nw[0] * step->nw[0] - step->nw[1] * step->nw[1]);
}

void plant_step_init(struct plant_step *step, double stiffness, double mass, double h)
{
	*step = (struct plant_step){.h = h, .stiffness = stiffness, .mass = mass};
	if (mass > 0.0)
		underdamped(step, stiffness, mass, h);
	else
		overdamped(step, stiffness, h);
}
