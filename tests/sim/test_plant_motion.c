/* How the plant moves: the bath, held forces, inertia, stops, bent potentials, the parametric device. */
#include "sim/plant_fixture.h"

struct moments {
	double variance, lagged; /* <x x'> one edge apart */
};

/** Moments of the true displacement, in nm, over all sites. */
static struct moments observe(struct rig *rig, size_t edges)
{
	const size_t n = rig->plant.n_sites;
	double *x = calloc(n, sizeof(double)), *before = calloc(n, sizeof(double));
	double square = 0.0, lagged = 0.0;

	plant_true_x(&rig->plant, before);
	for (size_t e = 0; e < edges; e++) {
		rig_edges(rig, 1);
		plant_true_x(&rig->plant, x);
		for (size_t i = 0; i < n; i++) {
			square += x[i] * x[i] / NM / NM;
			lagged += x[i] * before[i] / NM / NM;
			before[i] = x[i];
		}
	}
	free(x);
	free(before);
	return (struct moments){square / (double)(edges * n), lagged / (double)(edges * n)};
}

/* catches: an integrator that is right for small steps only; a wrong kT; noise reused between sub-steps */
static void an_idle_plant_has_the_exact_variance_and_memory_at_any_substeps(void **state)
{
	static const char *const yaml[] = {WARM(4, 2), WARM(4, 2) "substeps: 3\n", WARM(4, 2) "substeps: 8\n"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct rig rig;

		rig_open(&rig, yaml[i], 0.5, 11 + (uint64_t)i);
		const struct moments m = observe(&rig, 40000);
		/* 320 000 draws of correlation e^-1/2: the variance is known to 0.0037, the lag to about the same */
		assert_near(m.variance, 1.0, 0.016);
		assert_near(m.lagged, exp(-0.5), 0.016);
		rig_close(&rig);
	}
}

/* catches: a site's own stiffness or mass lost on the way; velocity noise with the wrong factor */
static void a_heavy_plant_keeps_equipartition_and_rings(void **state)
{
	struct rig rig;
	const double mass = 2.0, stiffness = 1.5, lag = 0.8;
	const double w = sqrt(stiffness / mass - 0.25 / mass / mass);
	const double memory = exp(-0.5 * lag / mass) * (cos(w * lag) + sin(w * lag) / (2.0 * mass * w));

	(void)state;
	/* natural mass 2: gamma^2 / kappa = 4.141947e-3 kg */
	rig_open(&rig, WARM(4, 4) "mass_kg: [8.283894e-3]\nstiffness_factor: [1.5]\nsubsteps: 2\n", lag, 3);
	double velocity = 0.0, position = 0.0, lagged = 0.0;
	for (int e = 0; e < 20000; e++) {
		double before[16];

		memcpy(before, rig.plant.x, sizeof(before));
		rig_edges(&rig, 1);
		for (int i = 0; i < 16; i++) {
			position += rig.plant.x[i] * rig.plant.x[i] / 320000.0;
			velocity += rig.plant.v[i] * rig.plant.v[i] / 320000.0;
			lagged += rig.plant.x[i] * before[i] / 320000.0;
		}
	}
	assert_near(position, 1.0 / stiffness, 0.012);
	assert_near(velocity, 1.0 / mass, 0.01);
	assert_near(lagged, memory / stiffness, 0.012);
	rig_close(&rig);
}

/* catches: a force that acts for more or less than its period; a mean that drifts with the sub-steps */
static void a_constant_force_moves_the_mean_exactly(void **state)
{
	static const char *const yaml[] = {COLD(1, 1) SENSOR ACTUATOR, COLD(1, 1) SENSOR ACTUATOR "substeps: 5\n"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig rig;

		rig_open(&rig, yaml[i], 0.25, 1);
		rig_centre(&rig);
		rig.out_V[0] = 3.0;
		rig_edges(&rig, 1);
		for (int n = 1; n <= 8; n++) {
			rig_edges(&rig, 1);
			assert_near(rig.in_V[0], 3.0 * -expm1(-0.25 * n), 1e-7);
		}
		rig_close(&rig);
	}
}

/* catches: stops that absorb, that leak, or that are off by a factor: the truncated normal law has variance 0.29112 */
static void stops_confine_and_reflect(void **state)
{
	struct rig rig;
	double worst = 0.0, square = 0.0;

	(void)state;
	rig_open(&rig, WARM(4, 4) SENSOR ACTUATOR "stop_m: 1e-9\n", 1e-3, 5);
	for (int e = 0; e < 100000; e++) {
		rig_edges(&rig, 1);
		for (int i = 0; i < 16; i++) {
			worst = fmax(worst, fabs(rig.plant.x[i]));
			square += rig.plant.x[i] * rig.plant.x[i] / 1.6e6;
		}
	}
	assert_true(worst <= 1.0 && worst > 0.999);
	assert_near(square, 0.29112, 0.012);
	for (int i = 0; i < 16; i++)
		rig.out_V[i] = 1e6;
	rig_edges(&rig, 50);
	for (int i = 0; i < 16; i++)
		assert_true(fabs(rig.plant.x[i]) <= 1.0);
	rig_close(&rig);
}

/* catches: stops that hold what they should send back */
static void a_stop_is_a_mirror(void **state)
{
	struct rig rig;

	(void)state;
	/* a period of ln 2 brings a site half way to its force: 1.2 nm, 0.2 beyond the stop, is 0.8 */
	rig_open(&rig, COLD(2, 1) SENSOR ACTUATOR "stop_m: 1e-9\n", M_LN2, 1);
	rig_centre(&rig);
	rig.out_V[0] = 2.4;
	rig.out_V[1] = -2.4;
	rig_edges(&rig, 2);
	assert_near(rig.in_V[0], 0.8, 1e-6);
	assert_near(rig.in_V[1], -0.8, 1e-6);
	rig_close(&rig);
}

/** Moments <x^2> of exp(-U) by the trapezoidal rule. */
static double boltzmann_square(double (*energy)(double))
{
	double weight = 0.0, square = 0.0;

	for (double x = -6.0; x <= 6.0; x += 1e-3) {
		weight += exp(-energy(x));
		square += x * x * exp(-energy(x));
	}
	return square / weight;
}

static double double_well(double x)
{
	return 0.5 * x * x - 1.5 * x * x + 0.4 * x * x * x * x;
}

/* catches: theta with the wrong sign or scale, a passive force counted twice or not at all, a one-stage rule's bias */
static void a_parametric_device_relaxes_to_the_boltzmann_law_of_its_parameters(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 WARM(4, 4) SENSOR
		 "stop_m: 6e-9\n"
		 "parameters: {terms: [onsite-power powers=2, onsite-power powers=4], theta_per_V: [0.5]}\n",
		 0.05, 8);
	assert_int_equal(rig.plant.n_parameters, 32);
	for (int i = 0; i < 16; i++) {
		rig.out_V[16 + i] = -3.0;
		rig.out_V[32 + i] = 0.8;
	}
	rig_edges(&rig, 200);
	assert_near(observe(&rig, 40000).variance, boltzmann_square(double_well), 0.02);
	rig_close(&rig);
}

/* catches: a force read-back that leaves the device's own force out, or counts the passive one */
static void the_force_input_reads_what_actuator_and_device_do_together(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 COLD(1, 1) SENSOR ACTUATOR READBACK "stop_m: 6e-9\n"
						     "parameters: {terms: [onsite-power powers=1], theta_per_V: [1]}\n",
		 0.1, 8);
	rig.out_V[0] = 2.0;
	rig_edges(&rig, 2);
	assert_near(rig.in_V[1], 2.0, 1e-6);
	/* theta is in natural units: those of 1e-15 K, 1.826e-9 of 300 K's for a force */
	rig.out_V[1] = 1e9;
	rig_edges(&rig, 2);
	assert_near(rig.in_V[1], 2.0 - 1e9 * sqrt(1e-15 / 300.0), 1e-6);
	rig_close(&rig);
}

/* catches: a cubic term with the wrong power, unit or sign */
static void a_cubic_site_rests_where_its_forces_balance(void **state)
{
	struct rig rig;

	(void)state;
	/* cubic 2 F / nm^3: x + 2 x^3 = 3 at x = 1; quadratic on the second site: x + 2 x^2 = 3 at x = 1 */
	rig_open(&rig,
		 COLD(2, 1) SENSOR ACTUATOR
		 "stop_m: 1e-6\ncubic_N_per_m3: [8.283894e15, 0]\nquadratic_N_per_m2: [0, 8.283894e6]\n",
		 0.01, 1);
	rig_centre(&rig);
	rig.out_V[0] = rig.out_V[1] = 3.0;
	rig_edges(&rig, 2000);
	assert_near(rig.in_V[0], 1.0, 1e-6);
	assert_near(rig.in_V[1], 1.0, 1e-6);
	rig_close(&rig);
}

/* catches: a coupling that acts on both ends, on the wrong end, or without the spring's own stiffness */
static void a_one_way_coupling_pulls_one_end_only(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(2, 1) SENSOR ACTUATOR "couplings: [{from: 0, to: 1, stiffness_N_per_m: 4.141947e-3}]\n",
		 0.01, 1);
	rig_centre(&rig);
	rig.out_V[0] = 2.0;
	rig_edges(&rig, 3000);
	assert_near(rig.in_V[0], 2.0, 1e-6);
	assert_near(rig.in_V[1], 1.0, 1e-6);
	rig_close(&rig);
}

/* catches: a temperature that scales the noise by T instead of sqrt T; a lag off by its time constant */
static void the_temperature_output_heats_the_bath(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 WARM(4, 4) SENSOR
		 "temperature_setting: {kelvin_per_V: 100, min_K: 200, max_K: 650, time_constant_s: 2}\n"
		 "temperature_readout: {gain_V_per_K: 0.01, offset_V: 1}\n",
		 0.5, 2);
	rig.out_V[16] = 3.0;
	rig_edges(&rig, 1);
	assert_near(rig.in_V[32], 4.0, 1e-9);
	rig_edges(&rig, 4);
	assert_near(rig.in_V[32], 1.0 + 0.01 * (300.0 + 300.0 * -expm1(-4 * 0.5 / 2.0)), 1e-9);
	rig_edges(&rig, 100);
	assert_near(observe(&rig, 20000).variance, 2.0, 0.035);
	rig.out_V[16] = 50.0;
	rig_edges(&rig, 100);
	assert_near(rig.in_V[32], 1.0 + 6.5, 1e-9);
	rig_close(&rig);
}

/* catches: random numbers that depend on anything but the seed and the edge */
static void equal_seeds_give_equal_runs_and_other_seeds_others(void **state)
{
	static const char yaml[] = WARM(2, 1) "sensor: {gain_V_per_m: [1e9], noise_m: [1e-10]}\n" ACTUATOR;
	struct rig a, b, c;

	(void)state;
	rig_open(&a, yaml, 0.01, 7);
	rig_open(&b, yaml, 0.01, 7);
	rig_open(&c, yaml, 0.01, 8);
	for (int e = 0; e < 100; e++) {
		rig_edges(&a, 1);
		rig_edges(&b, 1);
		rig_edges(&c, 1);
		assert_memory_equal(a.in_V, b.in_V, 2 * sizeof(double));
		assert_true(a.in_V[0] != c.in_V[0]);
	}
	rig_close(&a);
	rig_close(&b);
	rig_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_plant_has_the_exact_variance_and_memory_at_any_substeps),
		cmocka_unit_test(a_heavy_plant_keeps_equipartition_and_rings),
		cmocka_unit_test(a_constant_force_moves_the_mean_exactly),
		cmocka_unit_test(stops_confine_and_reflect),
		cmocka_unit_test(a_stop_is_a_mirror),
		cmocka_unit_test(a_parametric_device_relaxes_to_the_boltzmann_law_of_its_parameters),
		cmocka_unit_test(the_force_input_reads_what_actuator_and_device_do_together),
		cmocka_unit_test(a_cubic_site_rests_where_its_forces_balance),
		cmocka_unit_test(a_one_way_coupling_pulls_one_end_only),
		cmocka_unit_test(the_temperature_output_heats_the_bath),
		cmocka_unit_test(equal_seeds_give_equal_runs_and_other_seeds_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
