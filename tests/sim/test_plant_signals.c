/* What stands between the plant's motion and the loop's volts: delay, sensors, actuators, converters, faults, drift. */
#include "sim/plant_fixture.h"

/* catches: a second period of delay, or none; the example of the contract: a force computed from sample n acts from n + 1 */
static void what_is_written_at_an_edge_acts_from_that_edge_on(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(1, 1) SENSOR ACTUATOR, 0.25, 1);
	rig_centre(&rig);
	rig.out_V[0] = 1.0;
	rig_edges(&rig, 1); /* latched here, too late for the period that ended */
	assert_near(rig.in_V[0], 0.0, 1e-7);
	rig.out_V[0] = 0.0;
	rig_edges(&rig, 1); /* the impulse: one period of force */
	assert_near(rig.in_V[0], -expm1(-0.25), 1e-7);
	rig_edges(&rig, 1);
	assert_near(rig.in_V[0], -expm1(-0.25) * exp(-0.25), 1e-7);
	rig_close(&rig);
}

/* catches: latency rounded to whole periods or sub-steps, counted twice, or ignored while it is longer than a period */
static void latency_delays_by_a_fraction_of_a_period(void **state)
{
	static const struct {
		const char *yaml;
		double latency;
	} cases[] = {
		{COLD(1, 1) SENSOR "actuator: {gain_N_per_V: [4.141947e-12], latency_periods: 0.5}\n", 0.5},
		{COLD(1, 1) SENSOR "actuator: {gain_N_per_V: [4.141947e-12], latency_periods: 0.3}\nsubsteps: 2\n",
		 0.3},
		{COLD(1, 1) SENSOR "actuator: {gain_N_per_V: [4.141947e-12], latency_periods: 1.25}\nsubsteps: 4\n",
		 1.25},
		{COLD(1, 1) SENSOR "actuator: {gain_N_per_V: [4.141947e-12], latency_periods: 3}\n", 3.0},
	};

	(void)state;
	for (int c = 0; c < 4; c++) {
		struct rig rig;

		rig_open(&rig, cases[c].yaml, 0.25, 1);
		rig_centre(&rig);
		rig_edges(&rig, 7);
		rig.out_V[0] = 1.0;
		rig_edges(&rig, 1);
		for (int n = 1; n <= 6; n++) {
			const double acting = fmax(n - cases[c].latency, 0.0) * 0.25;

			rig_edges(&rig, 1);
			assert_near(rig.in_V[0], -expm1(-acting), 1e-7);
		}
		rig_close(&rig);
	}
}

/* catches: jitter that is constant, has the wrong spread, or lets a later output act before an earlier one */
static void jitter_spreads_the_delay_evenly(void **state)
{
	struct rig rig;
	double sum = 0.0, square = 0.0, least = 1.0, most = 0.0;
	const int n = 4000;

	(void)state;
	rig_open(&rig,
		 COLD(1, 1) SENSOR
		 "actuator: {gain_N_per_V: [4.141947e-12], latency_periods: 0.25, jitter_periods: 0.5}\n",
		 0.25, 3);
	for (int i = 0; i < n; i++) {
		rig_centre(&rig);
		rig.out_V[0] = 1.0;
		rig_edges(&rig, 1);
		rig_centre(&rig);
		rig_edges(&rig, 1);
		const double delay = 1.0 + log1p(-rig.in_V[0]) / 0.25; /* of the edge just passed, in periods */
		rig.out_V[0] = 0.0;
		rig_edges(&rig, 3);
		sum += delay;
		square += delay * delay;
		least = fmin(least, delay);
		most = fmax(most, delay);
	}
	assert_near(sum / n, 0.5, 0.01);
	assert_near(square / n - sum / n * sum / n, 0.25 / 12.0, 0.001);
	assert_true(least >= 0.25 - 1e-6 && most <= 0.75 + 1e-6 && least < 0.26 && most > 0.74);
	rig_close(&rig);
}

/* catches: noise before the gain instead of in metres, offset times gain, a sign */
static void the_sensor_has_gain_offset_and_noise(void **state)
{
	struct rig rig;
	double sum = 0.0, square = 0.0;
	const int n = 40000;

	(void)state;
	rig_open(&rig, COLD(1, 1) "sensor: {gain_V_per_m: [-2e9], offset_V: [0.5], noise_m: [1e-10]}\n" ACTUATOR, 0.25,
		 1);
	rig.out_V[0] = 3.0;
	rig_edges(&rig, 200);
	for (int i = 0; i < n; i++) {
		rig_edges(&rig, 1);
		sum += rig.in_V[0];
		square += rig.in_V[0] * rig.in_V[0];
	}
	assert_near(sum / n, -2.0 * 3.0 + 0.5, 0.005);
	assert_near(square / n - sum / n * sum / n, 0.04, 0.0015);
	rig_close(&rig);
}

/* catches: a window at the wrong end of the period, not divided by its length, or rounded to sub-steps */
static void blur_averages_over_the_window_before_the_edge(void **state)
{
	static const char *const yaml[] = {
		COLD(1, 1) "sensor: {gain_V_per_m: [1e9], blur: 0.5}\nsubsteps: 3\n" ACTUATOR,
		COLD(1, 1) "sensor: {gain_V_per_m: [1e9], blur: 0.5}\nsubsteps: 2\nmass_kg: [4.141947e-10]\n" ACTUATOR};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig rig;

		rig_open(&rig, yaml[i], 1.0, 1);
		rig_centre(&rig);
		rig.out_V[0] = 1.0;
		rig_edges(&rig, 2);
		/* mean of 1 - e^-s over s in [1/2, 1] */
		assert_near(rig.in_V[0], 1.0 - (exp(-0.5) - exp(-1.0)) / 0.5, i ? 1e-5 : 1e-7);
		rig_close(&rig);
	}
}

/* catches: an average of a few points: Var = 2 [1/alpha - (1 - e^-alpha) / alpha^2], alpha = W kappa / gamma */
static void blur_lowers_the_variance_as_the_formula_says(void **state)
{
	static const struct {
		const char *yaml;
		double alpha;
	} cases[] = {{WARM(4, 4) "sensor: {gain_V_per_m: [1e9], blur: 1}\n", 2.0},
		     {WARM(4, 4) "sensor: {gain_V_per_m: [1e9], blur: 0.7}\nsubsteps: 3\n", 1.4}};

	(void)state;
	for (int c = 0; c < 2; c++) {
		const double a = cases[c].alpha, expected = 2.0 * (1.0 / a + expm1(-a) / (a * a));
		struct rig rig;
		double square = 0.0;

		rig_open(&rig, cases[c].yaml, 2.0, 4);
		for (int e = 0; e < 10000; e++) {
			rig_edges(&rig, 1);
			for (int i = 0; i < 16; i++)
				square += rig.in_V[i] * rig.in_V[i] / 160000.0;
		}
		assert_near(square, expected, 0.012);
		rig_close(&rig);
	}
}

/* catches: interference with the wrong frequency or amplitude, or one that is noise */
static void line_interference_is_a_sine_of_the_grid_frequency(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(2, 1) "sensor: {gain_V_per_m: [1e9], line_amplitude_V: [0.3, 0], line_frequency_Hz: 50}\n",
		 1e-3, 1);
	rig_centre(&rig);
	for (int e = 1; e <= 100; e++) {
		rig_edges(&rig, 1);
		assert_near(rig.in_V[0], 0.3 * sin(2.0 * M_PI * 50.0 * 1e-3 * e), 1e-6);
		assert_near(rig.in_V[1], 0.0, 1e-6);
	}
	rig_close(&rig);
}

/* catches: truncation instead of rounding, a step off by one bit, codes beyond the last, wrapping instead of clipping */
static void converters_round_to_their_grid_and_clip_at_their_ends(void **state)
{
	struct rig rig;

	(void)state;
	/* 4 bits over [-8, 8): steps of 1 V, largest 7 V */
	rig_open(&rig, COLD(1, 1) "sensor: {gain_V_per_m: [1e9], bits: 4, range_V: 8}\n" ACTUATOR, 30.0, 1);
	const double wanted[] = {2.4, 2.6, -2.6, 6.9, 7.6, 20.0, -20.0};
	const double read[] = {2, 3, -3, 7, 7, 7, -8};
	for (int i = 0; i < 7; i++) {
		rig.out_V[0] = wanted[i];
		rig_edges(&rig, 2);
		assert_near(rig.in_V[0], read[i], 1e-12);
	}
	rig_close(&rig);

	rig_open(&rig, COLD(1, 1) SENSOR READBACK "actuator: {gain_N_per_V: [4.141947e-12], bits: 4, range_V: 8}\n",
		 0.1, 1);
	for (int i = 0; i < 7; i++) {
		rig.out_V[0] = wanted[i];
		rig_edges(&rig, 2);
		assert_near(rig.in_V[1], read[i], 1e-9);
	}
	rig_close(&rig);
}

/* catches: a read-back of what was commanded instead of what acts; saturation before the offset; a sign */
static void the_actuator_has_gain_offset_saturation_and_cross_talk(void **state)
{
	struct rig rig;

	(void)state;
	/* 3 sites in a row; 1 V is 2 forces; offset 1 force on site 0; |force| <= 5; a tenth goes to each neighbour */
	rig_open(&rig,
		 COLD(3, 1) SENSOR READBACK "actuator: {gain_N_per_V: [8.283894e-12], offset_N: [4.141947e-12, 0, 0], "
					    "saturation_N: [2.0709735e-11], cross_talk: 0.1}\n",
		 0.1, 1);
	rig.out_V[0] = 1.0;
	rig.out_V[1] = 10.0;
	rig_edges(&rig, 2);
	assert_near(rig.in_V[3], 3.0 + 0.5, 1e-9);
	assert_near(rig.in_V[4], 5.0 + 0.3, 1e-9);
	assert_near(rig.in_V[5], 0.0 + 0.5, 1e-9);
	rig_close(&rig);
}

/* catches: cross-talk that wraps round the lattice's edges or runs along one axis only */
static void cross_talk_reaches_the_four_neighbours_only(void **state)
{
	static const double expected[9] = {0, 0.2, 0, 0.2, 1, 0.2, 0, 0.2, 0};
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(3, 3) SENSOR READBACK "actuator: {gain_N_per_V: [4.141947e-12], cross_talk: 0.2}\n", 0.1,
		 1);
	rig.out_V[4] = 1.0;
	rig_edges(&rig, 2);
	for (int i = 0; i < 9; i++)
		assert_near(rig.in_V[9 + i], expected[i], 1e-9);
	rig.out_V[4] = 0.0;
	rig.out_V[2] = 1.0; /* a corner: its neighbours are 1 and 5, not 3 */
	rig_edges(&rig, 2);
	assert_near(rig.in_V[9 + 1], 0.2, 1e-9);
	assert_near(rig.in_V[9 + 5], 0.2, 1e-9);
	assert_near(rig.in_V[9 + 3], 0.0, 1e-9);
	rig_close(&rig);
}

/* catches: a slew limit per edge instead of per second, in one direction only, or lost between sub-steps */
static void a_slewing_actuator_ramps(void **state)
{
	struct rig rig;

	(void)state;
	/* 4 forces per second, period 0.1 s, 2 sub-steps: 0.4 per edge */
	rig_open(&rig,
		 COLD(1, 1) SENSOR READBACK
		 "actuator: {gain_N_per_V: [4.141947e-12], slew_N_per_s: [1.6567788e-11]}\nsubsteps: 2\n",
		 0.1, 1);
	rig.out_V[0] = 1.0;
	const double expected[] = {0.0, 0.4, 0.8, 1.0, 1.0};
	for (int e = 0; e < 5; e++) {
		rig_edges(&rig, 1);
		assert_near(rig.in_V[1], expected[e], 1e-9);
	}
	rig.out_V[0] = -1.0;
	rig_edges(&rig, 2);
	assert_near(rig.in_V[1], 0.6, 1e-9);
	rig_close(&rig);
}

/* catches: a dead channel that still acts, a stuck one that follows, a swap of one end only */
static void faulty_channels_are_dead_stuck_or_swapped(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 COLD(4, 1) SENSOR ACTUATOR READBACK
		 "stop_m: 1e-6\nparameters: {terms: [onsite-power powers=1], theta_per_V: [1]}\n"
		 "faults:\n"
		 "  - {kind: dead, signal: displacement, index: 0}\n"
		 "  - {kind: stuck, signal: displacement, index: 1, value_V: 1.5}\n"
		 "  - {kind: swapped, signal: displacement, index: 2, with: 3}\n"
		 "  - {kind: dead, signal: force, index: 0}\n"
		 "  - {kind: stuck, signal: force, index: 1, value_V: -2}\n"
		 "  - {kind: swapped, signal: force, index: 2, with: 3}\n"
		 "  - {kind: stuck, signal: force-readback, index: 0, value_V: 7}\n"
		 "  - {kind: dead, signal: parameter, index: 0}\n",
		 30.0, 1);
	for (int i = 0; i < 4; i++)
		rig.out_V[i] = 1.0 + i;
	rig.out_V[4] = 100.0; /* parameter 0 is dead */
	rig_edges(&rig, 2);
	double x_m[4];
	plant_true_x(&rig.plant, x_m);
	assert_near(x_m[0] / NM, 0.0, 1e-6);
	assert_near(x_m[1] / NM, -2.0, 1e-6);
	assert_near(x_m[2] / NM, 4.0, 1e-6); /* output 3 drives site 2 */
	assert_near(x_m[3] / NM, 3.0, 1e-6);
	assert_near(rig.in_V[0], 0.0, 1e-12);
	assert_near(rig.in_V[1], 1.5, 1e-12);
	assert_near(rig.in_V[2], 3.0, 1e-6); /* input 2 reads site 3 */
	assert_near(rig.in_V[3], 4.0, 1e-6);
	assert_near(rig.in_V[4], 7.0, 1e-12);
	assert_near(rig.in_V[5], -2.0, 1e-9);
	rig_close(&rig);
}

/* catches: drift per edge instead of per second, a walk that grows like t, drift that the other channel gets */
static void offsets_and_temperature_drift_and_walk(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 COLD(2, 1) SENSOR ACTUATOR READBACK
		 "drift: {sensor_offset_V_per_s: [0.02, 0], force_offset_N_per_s: [0, 4.141947e-14]}\n",
		 0.1, 1);
	rig_edges(&rig, 99);
	rig_centre(&rig);
	rig_edges(&rig, 1);
	assert_near(rig.in_V[0], 0.02 * 10.0, 1e-6);
	/* the force of the last period is that of its beginning, at 9.9 s */
	assert_near(rig.in_V[3], 0.01 * 9.9, 1e-9);
	assert_near(rig.in_V[1], 0.01 * 9.9 * -expm1(-0.1), 1e-7);
	assert_near(rig.in_V[2], 0.0, 1e-9);
	rig_close(&rig);

	rig_open(&rig, WARM(2, 1) SENSOR "temperature_readout: {gain_V_per_K: 1}\ndrift: {temperature_K_per_s: 0.5}\n",
		 0.1, 1);
	rig_edges(&rig, 100);
	assert_near(rig.in_V[4], 305.0, 1e-9);
	rig_close(&rig);

	rig_open(&rig,
		 COLD(32, 32) SENSOR ACTUATOR READBACK
		 "drift: {sensor_offset_walk_V: [0.1], force_offset_walk_N: [4.141947e-12]}\n",
		 0.1, 9);
	rig_edges(&rig, 40);
	double sensor = 0.0, force = 0.0;
	for (int i = 0; i < 1024; i++) {
		double x_m[1024];

		plant_true_x(&rig.plant, x_m);
		sensor += pow(rig.in_V[i] - x_m[i] / NM, 2.0) / 1024.0;
		force += rig.in_V[1024 + i] * rig.in_V[1024 + i] / 1024.0;
	}
	assert_near(sensor, 0.01 * 4.0, 0.008);
	assert_near(force, 3.9, 0.75);
	rig_close(&rig);
}

/* catches: a volt that is no number reaching a force; an output forgotten because another one was bad */
static void a_volt_that_is_no_number_leaves_its_output_as_it_was(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(2, 1) SENSOR ACTUATOR READBACK, 0.1, 1);
	rig.out_V[0] = 1.0;
	rig_edges(&rig, 1);
	rig.out_V[0] = NAN;
	rig.out_V[1] = 2.0;
	rig_edges(&rig, 2);
	assert_near(rig.in_V[2], 1.0, 1e-9);
	assert_near(rig.in_V[3], 2.0, 1e-9);
	rig_close(&rig);
}

/* catches: channels that read 0 V where the device has none, so that a wrong number in a bench file goes unseen */
static void absent_channels_are_known_as_absent(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(2, 1) SENSOR, 0.1, 1);
	assert_true(plant_has_input(rig.config, 0) && plant_has_input(rig.config, 1));
	assert_false(plant_has_input(rig.config, 2) || plant_has_input(rig.config, 4) ||
		     plant_has_input(rig.config, 5));
	assert_false(plant_has_output(rig.config, 0) || plant_has_output(rig.config, 2) ||
		     plant_has_output(rig.config, 3));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_at_an_edge_acts_from_that_edge_on),
		cmocka_unit_test(latency_delays_by_a_fraction_of_a_period),
		cmocka_unit_test(jitter_spreads_the_delay_evenly),
		cmocka_unit_test(the_sensor_has_gain_offset_and_noise),
		cmocka_unit_test(blur_averages_over_the_window_before_the_edge),
		cmocka_unit_test(blur_lowers_the_variance_as_the_formula_says),
		cmocka_unit_test(line_interference_is_a_sine_of_the_grid_frequency),
		cmocka_unit_test(converters_round_to_their_grid_and_clip_at_their_ends),
		cmocka_unit_test(the_actuator_has_gain_offset_saturation_and_cross_talk),
		cmocka_unit_test(cross_talk_reaches_the_four_neighbours_only),
		cmocka_unit_test(a_slewing_actuator_ramps),
		cmocka_unit_test(faulty_channels_are_dead_stuck_or_swapped),
		cmocka_unit_test(offsets_and_temperature_drift_and_walk),
		cmocka_unit_test(a_volt_that_is_no_number_leaves_its_output_as_it_was),
		cmocka_unit_test(absent_channels_are_known_as_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
