#ifndef JOSTLE_KNOTS_H
#define JOSTLE_KNOTS_H
/*
 * Time knots, geometric in t, and linear interpolation in log t between them.
 */
#include <stddef.h>

#include "base/rt.h"

#define KNOTS_MAX 256

/** Where a time falls: value = (1 - weight) v[lower] + weight v[lower + 1]. Beyond the ends the end value holds. */
struct knot_place {
	size_t lower;
	double weight;
};

/** n >= 2 knots, ascending, from t_minimum to t_final. Call from: setup. */
void knots_geometric(double t_minimum, double t_final, size_t n, double t[]);

/** RT_SAFE. Call from: any. */
RT_SAFE struct knot_place knots_find(const double t_knots[], size_t n, double t);

#endif
