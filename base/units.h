#ifndef JOSTLE_UNITS_H
#define JOSTLE_UNITS_H
/*
 * Natural units: length sqrt(kT/kappa), time gamma/kappa, energy kT, so that kappa = mu = kT = 1 inside.
 */

#define BOLTZMANN_J_PER_K 1.380649e-23 /* exact, SI 2019 */

struct units {
	double length_m; /* sqrt(kT/kappa) */
	double time_s;   /* gamma/kappa: the relaxation time */
	double force_N;  /* energy over length */
	double energy_J; /* kT */
};

/**
 * The natural units of an oscillator with stiffness kappa, damping gamma and temperature T, all positive.
 * Call from: any.
 */
struct units units_of(double stiffness_N_per_m, double damping_N_s_per_m, double temperature_K);

#endif
