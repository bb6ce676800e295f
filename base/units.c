#include "base/units.h"

#include <math.h>

struct units units_of(double stiffness_N_per_m, double damping_N_s_per_m, double temperature_K)
{
	const double energy_J = BOLTZMANN_J_PER_K * temperature_K;
	const double length_m = sqrt(energy_J / stiffness_N_per_m);

	return (struct units){
		.length_m = length_m,
		.time_s = damping_N_s_per_m / stiffness_N_per_m,
		.force_N = energy_J / length_m,
		.energy_J = energy_J,
	};
}
