#include "protocols/knots.h"

#include <math.h>

void knots_geometric(double t_minimum, double t_final, size_t n, double t[])
{
	const double ratio = log(t_final / t_minimum);

	for (size_t k = 0; k < n; k++)
		t[k] = t_minimum * exp(ratio * (double)k / (double)(n - 1));
	t[n - 1] = t_final;
}

struct knot_place knots_find(const double t_knots[], size_t n, double t)
{
	size_t low = 0, high = n - 1;

	if (!(t > t_knots[0]))
		return (struct knot_place){.lower = 0, .weight = 0.0};
	if (t >= t_knots[n - 1])
		return (struct knot_place){.lower = n - 2, .weight = 1.0};
	while (high - low > 1) {
		const size_t middle = (low + high) / 2;

		if (t >= t_knots[middle])
			low = middle;
		else
			high = middle;
	}
	return (struct knot_place){
		.lower = low,
		.weight = log(t / t_knots[low]) / log(t_knots[low + 1] / t_knots[low]),
	};
}
