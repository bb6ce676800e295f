#ifndef JOSTLE_PLANT_STEP_H
#define JOSTLE_PLANT_STEP_H
/*
 * One oscillator over one sub-step, exactly: the linear map of (x, v), the response to a held and to a rising force,
 * and the noise, jointly with the integral of x that a blurring sensor sees. Natural units; the bath at temperature 1.
 */
#include "base/rt.h"

/**
 *   x' = xx x + xv v + fx f + rx r + nx[0] n0 + nx[1] n1
 *   v' = vx x + vv v + fv f + rv r + nv n0
 *   W  = nw[0] n0 + nw[1] n1 + nw[2] n2      sqrt(2) times the Wiener increment that made the noise
 *
 * f is held during the step, r rises from 0 to its value at the end. n0, n1, n2 are independent standard normals; at
 * temperature T they are multiplied by sqrt(T). An overdamped site has xv = v = 0 and uses n0 and, for W, n1.
 */
struct plant_step {
	double h, stiffness, mass;
	double xx, xv, vx, vv;
	double fx, fv, rx, rv;
	double nx[2], nv, nw[3];
};

/** Stiffness > 0, mass >= 0 (0: overdamped), friction 1, duration h > 0. RT_SAFE. Call from: any. */
RT_SAFE void plant_step_init(struct plant_step *step, double stiffness, double mass, double h);

/**
 * The integral of x over the step, from the equation of motion itself: m dv = (f - k x) dt - dx + dW.
 * `force` is the mean over the step. RT_SAFE. Call from: any.
 */
RT_SAFE static inline double plant_step_integral(const struct plant_step *step, double dx, double dv, double force,
						 double wiener)
{
	return (force * step->h - step->mass * dv - dx + wiener) / step->stiffness;
}

#endif
