/* What is wrong with a device and when: faults that come and go, a clock that is set, a monostable that cuts the supply. */
#include "sim/plant_fixture.h"

#define CONVERTED "sensor: {gain_V_per_m: [1e9], bits: 8, range_V: 2}\n"
#define PERIOD_S  0.25

/* catches: a fault an edge early or late at either end, one that never ends, wires that stay as it left them */
static void a_fault_is_there_from_its_first_time_to_its_last(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 COLD(2, 1) SENSOR
		 "faults:\n"
		 "  - {kind: stuck, signal: displacement, index: 0, value_V: 7, from_s: 0.75, until_s: 1.5}\n"
		 "  - {kind: stuck, signal: displacement, index: 1, value_V: 8, from_s: 1}\n",
		 PERIOD_S, 1);
	rig_centre(&rig);
	for (int edge = 1; edge <= 12; edge++) {
		rig_edges(&rig, 1);
		assert_near(rig.in_V[0], edge >= 3 && edge < 6 ? 7.0 : 0.0, 1e-6);
		assert_near(rig.in_V[1], edge >= 4 ? 8.0 : 0.0, 1e-6);
	}
	rig_close(&rig);
}

/* catches: NaN made a number by the converter, a rail of the wrong side or beyond the converter's last code */
static void inputs_read_nan_or_stand_at_the_end_of_their_converter(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 COLD(3, 1) CONVERTED "force_readback: {gain_V_per_N: [1e11], range_V: 5}\n"
				      "temperature_readout: {gain_V_per_K: 0.01, range_V: 4}\n"
				      "faults:\n"
				      "  - {kind: nan, signal: displacement, index: 0}\n"
				      "  - {kind: saturated, signal: displacement, index: 1}\n"
				      "  - {kind: saturated, signal: displacement, index: 2, value_V: -1}\n"
				      "  - {kind: saturated, signal: force-readback, index: 2}\n"
				      "  - {kind: stuck, signal: temperature, index: 0, value_V: 3.5}\n",
		 PERIOD_S, 1);
	rig_edges(&rig, 1);
	assert_true(isnan(rig.in_V[0]));
	assert_near(rig.in_V[1], 2.0 * 127 / 128, 0.0);
	assert_near(rig.in_V[2], -2.0, 0.0);
	assert_near(rig.in_V[3], 0.0, 1e-6);
	assert_near(rig.in_V[5], 5.0, 0.0);
	assert_near(rig.in_V[6], 3.5, 0.0);
	rig_close(&rig);
}

/* catches: wires of outputs that are made once, parameters that are converted only when they are written anew */
static void faults_of_outputs_come_and_go_though_nothing_is_written(void **state)
{
	struct rig rig;

	(void)state;
	/* parameters of degree 1 on one site: U = theta x, a force of -theta */
	rig_open(&rig,
		 COLD(1, 1) SENSOR ACTUATOR READBACK
		 "stop_m: 1e-6\nparameters: {terms: [monomials degree=1], theta_per_V: [5e8]}\n"
		 "faults:\n"
		 "  - {kind: dead, signal: force, index: 0, from_s: 1, until_s: 2}\n"
		 "  - {kind: stuck, signal: parameter, index: 0, value_V: 5, from_s: 3, until_s: 4}\n",
		 PERIOD_S, 1);
	const double theta_V =
		5e8 * rig.plant.units.force_N / FORCE; /* what 1 V does, in volts of the read-back: about 1 */

	rig.out_V[0] = 2.0;
	for (int edge = 1; edge <= 20; edge++) {
		rig_edges(&rig, 1);
		/* what was latched at the edge before */
		const double t_s = (edge - 1) * PERIOD_S;
		const double force_V = edge == 1 || (t_s >= 1.0 && t_s < 2.0) ? 0.0 : 2.0;
		const double theta = t_s >= 3.0 && t_s < 4.0 ? 5.0 : 0.0;

		assert_near(rig.in_V[1], force_V - theta * theta_V, 1e-6);
	}
	rig_close(&rig);
}

/* catches: a signal that is ignored, that acts on faults with times, or at the edge that has passed */
static void a_fault_on_signal_waits_for_it_and_ends_with_the_other(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig,
		 COLD(3, 1) SENSOR "faults:\n"
				   "  - {kind: nan, signal: displacement, index: 0, on_signal: true}\n"
				   "  - {kind: stuck, signal: displacement, index: 1, value_V: 3}\n"
				   "  - {kind: swapped, signal: displacement, index: 1, with: 2, on_signal: true}\n",
		 PERIOD_S, 1);
	rig_centre(&rig);
	for (int turn = 0; turn < 2; turn++) {
		rig_edges(&rig, 2);
		assert_near(rig.in_V[0], 0.0, 1e-6);
		assert_near(rig.in_V[1], 3.0, 0.0);
		assert_near(rig.in_V[2], 0.0, 1e-6);
		plant_signal(&rig.plant, true);
		rig_edges(&rig, 2);
		assert_true(isnan(rig.in_V[0]));
		assert_near(rig.in_V[1], 0.0, 1e-6); /* the fault that swaps comes after the one that sticks */
		assert_near(rig.in_V[2], 3.0, 0.0);
		plant_signal(&rig.plant, false);
	}
	rig_close(&rig);
}

/* catches: faults that draw random numbers, or keep the device from drawing its own */
static void a_fault_changes_nothing_but_its_own_wire(void **state)
{
	static const char *const yaml[] = {
		WARM(2, 1) "sensor: {gain_V_per_m: [1e9], noise_m: [1e-10]}\n",
		WARM(2, 1) "sensor: {gain_V_per_m: [1e9], noise_m: [1e-10]}\n"
			   "faults: [{kind: nan, signal: displacement, index: 0, from_s: 1, until_s: 2}]\n"};
	struct rig rigs[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		rig_open(&rigs[i], yaml[i], PERIOD_S, 7);
	for (int edge = 1; edge <= 12; edge++) {
		rig_edges(&rigs[0], 1);
		rig_edges(&rigs[1], 1);
		assert_near(rigs[1].in_V[1], rigs[0].in_V[1], 0.0);
		if (edge >= 4 && edge < 8)
			assert_true(isnan(rigs[1].in_V[0]));
		else
			assert_near(rigs[1].in_V[0], rigs[0].in_V[0], 0.0);
	}
	rig_close(&rigs[0]);
	rig_close(&rigs[1]);
}

/* catches: a clock that is set at the wrong edge, by seconds taken for something else, or that moves the plant's own time */
static void the_clock_is_set_and_the_plant_s_own_time_is_not(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, COLD(1, 1) SENSOR "clock_step: {by_s: -1.5, at_s: 0.5, until_s: 1}\n", PERIOD_S, 1);
	for (int edge = 1; edge <= 6; edge++) {
		rig_edges(&rig, 1);
		assert_int_equal(plant_clock_step_ns(&rig.plant), edge >= 2 && edge < 4 ? -1500000000 : 0);
		assert_int_equal(rig.plant.edge, edge);
	}
	rig_close(&rig);
	rig_open(&rig, COLD(1, 1) SENSOR "clock_step: {by_s: 2, on_signal: true}\n", PERIOD_S, 1);
	rig_edges(&rig, 1);
	assert_int_equal(plant_clock_step_ns(&rig.plant), 0);
	plant_signal(&rig.plant, true);
	rig_edges(&rig, 1);
	assert_int_equal(plant_clock_step_ns(&rig.plant), 2000000000);
	rig_close(&rig);
}

#define MONOSTABLE                                                                                                     \
	COLD(1, 1)                                                                                                     \
	SENSOR ACTUATOR READBACK "stop_m: 1e-6\nparameters: {terms: [monomials degree=1], theta_per_V: [5e8]}\n"       \
				 "temperature_setting: {kelvin_per_V: 1, min_K: 0, max_K: 400}\n"                      \
				 "monostable: {timeout_s: 1}\n"

enum { FORCE_OUT, THETA_OUT, TEMPERATURE_OUT, LINE_OUT };

/** One edge with the line at a level; the force that acts after it, in volts of the read-back. */
static double force_after(struct rig *rig, double line_V)
{
	rig->out_V[LINE_OUT] = line_V;
	rig_edges(rig, 1);
	const double in_effect = rig->plant.latches[rig->plant.edge % rig->plant.n_latches].force[0];

	return in_effect * rig->plant.units.force_N / FORCE;
}

/* catches: a supply that is there before the first toggle, or is held by a level; a time that runs from the wrong edge */
static void the_supply_is_held_by_changes_of_the_line_alone(void **state)
{
	struct rig rig;
	double line_V = 0.0;

	(void)state;
	rig_open(&rig, MONOSTABLE, PERIOD_S, 1);
	assert_true(plant_has_output(rig.config, LINE_OUT));
	rig.out_V[FORCE_OUT] = 2.0;
	for (int edge = 0; edge < 3; edge++)
		assert_near(force_after(&rig, 0.0), 0.0, 1e-9);
	for (int turn = 0; turn < 2; turn++) {
		for (int edge = 0; edge < 11 - turn; edge++) {
			line_V = 5.0 - line_V;
			assert_near(force_after(&rig, line_V), 2.0, 1e-9);
		}
		/* still: high in the first turn, low in the second; 1 s is 4 periods, within which it holds */
		for (int still = 1; still <= 8; still++)
			assert_near(force_after(&rig, line_V), still <= 4 ? 2.0 : 0.0, 1e-9);
		line_V = turn == 0 ? 0.0 : line_V;
		assert_near(force_after(&rig, line_V), turn == 0 ? 2.0 : 0.0, 1e-9);
	}
	rig_close(&rig);
}

/* catches: parameters that stay on, a thermostat that goes off, volts that are forgotten or reported as in effect */
static void a_cut_supply_takes_forces_and_parameters_and_gives_them_back(void **state)
{
	struct rig rig;
	double effect_V[4];

	(void)state;
	rig_open(&rig, MONOSTABLE, PERIOD_S, 1);
	const double theta_V = 5e8 * rig.plant.units.force_N / FORCE;
	rig.out_V[FORCE_OUT] = 2.0;
	rig.out_V[THETA_OUT] = 1.0;
	rig.out_V[TEMPERATURE_OUT] = 3.0;
	force_after(&rig, 0.0);
	rig_edges(&rig, 1);
	assert_near(rig.in_V[1], 0.0, 1e-6);
	assert_near(rig.plant.temperature_K, 3.0, 1e-9);
	plant_in_effect(&rig.plant, effect_V);
	assert_memory_equal(effect_V, ((double[]){0, 0, 3, 0}), sizeof(effect_V));

	force_after(&rig, 5.0);
	rig_edges(&rig, 1);
	assert_near(rig.in_V[1], 2.0 - theta_V, 1e-6);
	plant_in_effect(&rig.plant, effect_V);
	assert_memory_equal(effect_V, ((double[]){2, 1, 3, 5}), sizeof(effect_V));

	rig_edges(&rig, 6);
	assert_near(rig.in_V[1], 0.0, 1e-6);
	plant_in_effect(&rig.plant, effect_V);
	assert_memory_equal(effect_V, ((double[]){0, 0, 3, 5}), sizeof(effect_V));
	rig_close(&rig);
}

/* catches: a stuck wire that drives an actuator without a supply */
static void a_stuck_output_needs_the_supply_too(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, MONOSTABLE "faults: [{kind: stuck, signal: force, index: 0, value_V: 4}]\n", PERIOD_S, 1);
	assert_near(force_after(&rig, 0.0), 0.0, 1e-9);
	assert_near(force_after(&rig, 5.0), 4.0, 1e-9);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_there_from_its_first_time_to_its_last),
		cmocka_unit_test(inputs_read_nan_or_stand_at_the_end_of_their_converter),
		cmocka_unit_test(faults_of_outputs_come_and_go_though_nothing_is_written),
		cmocka_unit_test(a_fault_on_signal_waits_for_it_and_ends_with_the_other),
		cmocka_unit_test(a_fault_changes_nothing_but_its_own_wire),
		cmocka_unit_test(the_clock_is_set_and_the_plant_s_own_time_is_not),
		cmocka_unit_test(the_supply_is_held_by_changes_of_the_line_alone),
		cmocka_unit_test(a_cut_supply_takes_forces_and_parameters_and_gives_them_back),
		cmocka_unit_test(a_stuck_output_needs_the_supply_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
