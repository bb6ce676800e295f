/* The supervisor: states, limits, trips. */
#include "control/support/supervisor_fixture.h"

#include <string.h>

/** A running supervisor whose input k has these limits; 0 and NULL for those that the bench has. */
static void build_with(struct fixture *f, size_t k, double limit, const double limits_V[2])
{
	struct err err = {0};

	build(f, true);
	supervisor_fini(&f->supervisor);
	if (limit > 0)
		f->bench->in[k].limit = limit;
	if (limits_V) {
		f->bench->in[k].limit_min_V = limits_V[0];
		f->bench->in[k].limit_max_V = limits_V[1];
	}
	assert_int_equal(supervisor_init(&f->supervisor, f->bench, &f->calibration, f->bench->period_s, true, &err), 0);
	bring_to_running(f);
}

#define LONGEST 6

/* Whether a sequence holds reset, arm and run in this order after its last trip (or its beginning). */
static bool deserves_running(const enum supervisor_event events[], size_t n)
{
	static const enum supervisor_event wanted[] = {SUPERVISOR_RESET, SUPERVISOR_ARM, SUPERVISOR_RUN};
	size_t stage = 0;

	for (size_t i = 0; i < n; i++)
		if (events[i] == SUPERVISOR_TRIP)
			stage = 0;
		else if (stage < 3 && events[i] == wanted[stage])
			stage++;
	return stage == 3;
}

/* catches: any transition into ARMED or RUNNING added to the table, any that leaves FAULT without reset */
static void no_sequence_of_events_runs_without_reset_and_arm_after_a_fault(void **state)
{
	size_t n_running = 0, n_sequences = 0;
	struct fixture f;

	(void)state;
	build(&f, true);
	for (size_t length = 1; length <= LONGEST; length++) {
		enum supervisor_event events[LONGEST] = {0};
		size_t digit;

		do {
			f.supervisor.state = SUPERVISOR_FAULT;
			f.supervisor.condition = TRIP_NONE;
			for (size_t i = 0; i < length; i++)
				supervisor_event(&f.supervisor, events[i]);
			n_sequences++;
			if (supervisor_running(&f.supervisor)) {
				n_running++;
				assert_true(deserves_running(events, length));
			}
			for (digit = 0; digit < length; digit++) {
				if (++events[digit] < SUPERVISOR_N_EVENTS)
					break;
				events[digit] = 0;
			}
		} while (digit < length);
	}
	assert_int_equal(n_sequences, 6 + 36 + 216 + 1296 + 7776 + 46656);
	/* Shortest way: reset, whole tick, arm, run; one more event leaves room for those that change nothing. */
	assert_true(n_running > 1);
	destroy(&f);
}

/* catches: a bench taken for sound that nobody has looked at: no events at all lead out of FAULT before the first tick */
static void nothing_resets_before_the_first_tick_has_been_judged(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, true);
	for (int first = 0; first < SUPERVISOR_N_EVENTS; first++)
		for (int second = 0; second < SUPERVISOR_N_EVENTS; second++) {
			supervisor_event(&f.supervisor, (enum supervisor_event)first);
			supervisor_event(&f.supervisor, (enum supervisor_event)second);
			assert_int_equal(f.supervisor.state, SUPERVISOR_FAULT);
			assert_int_equal(f.supervisor.trip.cause, TRIP_START);
		}
	tick(&f, 0, 0);
	assert_int_equal(f.supervisor.state, SUPERVISOR_FAULT);
	assert_true(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
	destroy(&f);
}

/* catches: what is wrong at the very first tick hidden behind "not reset since the start" */
static void fault_before_the_first_reset_is_named(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, true);
	f.in_V[1] = NAN;
	tick(&f, 0, 0);
	assert_tripped(&f, TRIP_INPUT, 1);
	destroy(&f);
}

/* catches: a trip that leaves some state as it was, a state that runs although it is not RUNNING */
static void trip_leads_to_fault_from_every_state(void **state)
{
	struct fixture *f = *state;

	for (int s = 0; s < SUPERVISOR_N_STATES; s++) {
		f->supervisor.state = (enum supervisor_state)s;
		assert_true(supervisor_event(&f->supervisor, SUPERVISOR_TRIP));
		assert_int_equal(f->supervisor.state, SUPERVISOR_FAULT);
	}
	assert_false(supervisor_event(&f->supervisor, (enum supervisor_event)SUPERVISOR_N_EVENTS));
}

/* catches: hardware armed without a person's leave; arming or resetting while the condition lasts */
static void guards_refuse_without_leave_and_while_the_condition_lasts(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, false);
	assert_int_equal(f.supervisor.state, SUPERVISOR_FAULT);
	assert_int_equal(f.supervisor.trip.cause, TRIP_START);
	tick(&f, 0, 0);
	assert_true(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
	tick(&f, 0, 0);
	assert_int_equal(f.supervisor.state, SUPERVISOR_IDLE);
	assert_false(supervisor_event(&f.supervisor, SUPERVISOR_ARM));
	destroy(&f);

	build(&f, true);
	f.in_V[1] = NAN;
	tick(&f, 0, 0);
	assert_false(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
	f.in_V[1] = 0;
	tick(&f, 0, 0);
	assert_true(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
	destroy(&f);
}

/* catches: an output that follows the command before the bench runs, or after it was stopped */
static void outputs_stand_at_safe_in_every_state_but_running(void **state)
{
	struct fixture *f = *state;

	for (int s = 0; s < SUPERVISOR_N_STATES; s++) {
		f->supervisor.state = (enum supervisor_state)s;
		tick(f, 5, -5);
		if (s == SUPERVISOR_RUNNING) {
			assert_near(f->out_V[0], 0.5, 1e-12);
		} else {
			for (size_t k = 0; k < 3; k++)
				assert_true(f->out_V[k] == f->bench->out[k].safe_V);
		}
	}
}

/* catches: only the volt limit applied; a window of the wrong sign for a negative gain */
static void force_beyond_its_limit_is_limited_before_the_volts(void **state)
{
	struct fixture *f = *state;

	/* 40 units of force are 4 V on output 0, and on output 1 at -2e12 V/N 0.0625 -+ 8 V. */
	tick(f, 41, 41);
	assert_near(f->out_V[0], 4, 1e-9);
	assert_near(f->out_V[1], 0.0625 - 8, 1e-9);
	tick(f, -41, -41);
	assert_near(f->out_V[0], -4, 1e-9);
	assert_near(f->out_V[1], 0.0625 + 8, 1e-9);
	assert_int_equal(f->supervisor.n_limited[0], 2);
	assert_int_equal(f->supervisor.n_limited[1], 2);
	assert_int_equal(f->supervisor.n_limited[2], 0);
	assert_true(supervisor_running(&f->supervisor));
	/* At the limit itself nothing is changed: the drive saturates there. */
	tick(f, f->calibration.out[0].limit, -f->calibration.out[1].limit);
	assert_int_equal(f->supervisor.n_limited[0], 2);
	assert_int_equal(f->supervisor.n_limited[1], 2);
}

/* catches: a command at the end of its range whose voltage is a rounding beyond the window, counted as limited */
static void command_at_the_end_of_its_range_is_not_changed(void **state)
{
	(void)state;
	for (size_t n = 0; n < 500; n++) {
		struct fixture f;
		struct bench *bench = test_bench_feedback();

		/* Gains and offsets that no binary fraction is. */
		bench->out[0].gain = (n % 2 ? -1e12 : 1e12) / (1.1 + 0.013 * (double)n);
		bench->out[0].offset_V = 0.0007 * (double)n;
		bench->out[0].limit = n % 3 ? 0 : bench->out[0].limit;
		f = (struct fixture){.bench = bench};
		build_on(&f, true);
		bring_to_running(&f);
		tick(&f, f.calibration.out[0].min, 0);
		tick(&f, f.calibration.out[0].max, 0);
		assert_int_equal(f.supervisor.n_limited[0], 0);
		assert_true(supervisor_running(&f.supervisor));
		destroy(&f);
	}
}

/* catches: a volt limit that is not looked at when the force has none */
static void volts_beyond_their_limit_are_limited(void **state)
{
	struct fixture *f = *state;

	f->supervisor.out[0].physical_min_V = -100;
	f->supervisor.out[0].physical_max_V = 100;
	tick(f, 95, 0);
	assert_near(f->out_V[0], 9, 0);
	tick(f, -95, 0);
	assert_near(f->out_V[0], -9, 0);
	assert_int_equal(f->supervisor.n_limited[0], 2);
}

/* catches: a voltage beyond the converter's span silently clipped; the span checked before the physical limit */
static void volts_outside_the_span_after_the_physical_limit_trip(void **state)
{
	struct fixture *f = *state;

	tick(f, 500, 0);
	assert_true(supervisor_running(&f->supervisor));
	f->supervisor.out[0].physical_max_V = 100;
	tick(f, 101, 0);
	assert_tripped(f, TRIP_SPAN, 0);
	assert_near(f->supervisor.trip.value, 10.1, 1e-9);
	assert_near(f->supervisor.trip.limit, 10, 0);
}

/* catches: a slew limit measured from what was wanted instead of what was written; one that bends the trip to safe */
static void slew_is_limited_per_period_but_not_on_the_way_to_safe(void **state)
{
	struct fixture *f = *state;

	f->supervisor.out[0].slew_V = 0.5;
	for (int n = 1; n <= 10; n++) {
		tick(f, 30, 0);
		assert_near(f->out_V[0], n < 6 ? 0.5 * n : 3, 1e-12);
	}
	assert_int_equal(f->supervisor.n_limited[0], 5);
	tick(f, -30, 0);
	assert_near(f->out_V[0], 2.5, 1e-12);
	f->in_V[0] = NAN;
	tick(f, 30, 0);
	assert_tripped(f, TRIP_INPUT, 0);
}

/* catches: volts per second taken for volts per period */
static void slew_per_second_becomes_slew_per_period(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	supervisor_fini(&f->supervisor);
	f->bench->out[0].slew_V_per_s = 2000;
	assert_int_equal(supervisor_init(&f->supervisor, f->bench, &f->calibration, f->bench->period_s, true, &err), 0);
	assert_near(f->supervisor.out[0].slew_V, 0.2, 1e-12);
	assert_true(isinf(f->supervisor.out[1].slew_V));
}

/* catches: NaN that passes a comparison; infinity clamped to full scale */
static void commands_that_are_not_finite_trip(void **state)
{
	const double bad[] = {NAN, INFINITY, -INFINITY, 1e306};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 2; k++) {
			struct fixture f;

			build(&f, true);
			/* 1e306 is finite, but has no finite voltage at this scale. */
			f.calibration.out[k].scale = 1e3;
			bring_to_running(&f);
			tick(&f, k == 0 ? bad[i] : 0, k == 1 ? bad[i] : 0);
			assert_tripped(&f, TRIP_COMMAND, k);
			destroy(&f);
		}
}

/* catches: an input that nobody converts (auxiliary) or a late one left unchecked */
static void every_input_that_is_not_finite_trips(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct fixture f;

		build(&f, true);
		bring_to_running(&f);
		f.in_V[k] = k % 2 ? NAN : INFINITY;
		tick(&f, 0, 0);
		assert_tripped(&f, TRIP_INPUT, k);
		destroy(&f);
	}
}

/** A tick in which input k alone reads what it read before. */
static void tick_with_stuck(struct fixture *f, size_t k)
{
	const double stuck_V = f->in_V[k];

	next_edge(f);
	f->in_V[k] = stuck_V;
	supervisor_limit(&f->supervisor, 0, f->in_V, &f->state, &f->command, f->out_V);
}

/*
 * catches: only a bench that is frozen as a whole noticed, not one blind sensor; off by one in the count; a count that
 * does not begin again when the input moves
 */
static void stuck_displacement_trips_after_exactly_the_stated_periods_and_is_named(void **state)
{
	char text[256];

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct fixture f;

		build(&f, true);
		bring_to_running(&f);
		for (size_t n = 0; n < 3 * f.bench->stale_periods; n++) {
			if ((n + 1) % (f.bench->stale_periods - 1) == 0)
				tick(&f, 0, 0);
			else
				tick_with_stuck(&f, k);
		}
		assert_true(supervisor_running(&f.supervisor));
		tick(&f, 0, 0);
		for (size_t n = 1; n < f.bench->stale_periods; n++) {
			assert_true(supervisor_running(&f.supervisor));
			tick_with_stuck(&f, k);
		}
		assert_tripped(&f, TRIP_STALE_INPUT, k);
		assert_near(f.supervisor.trip.value, (double)f.bench->stale_periods, 0);
		trip_format(&f.supervisor.trip, f.bench, text, sizeof(text));
		assert_non_null(strstr(text, k ? "input 1 (displacement 0)" : "input 0 (displacement 1)"));
		destroy(&f);
	}
}

/* catches: a force at rest, or a monitor, taken for a blind sensor */
static void other_inputs_may_stand_still(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 0; n < 3 * f->bench->stale_periods; n++) {
		next_edge(f);
		f->in_V[2] = f->in_V[3] = 1;
		supervisor_limit(&f->supervisor, 0, f->in_V, &f->state, &f->command, f->out_V);
	}
	assert_true(supervisor_running(&f->supervisor));
}

/* catches: only a clock that runs backwards noticed, not one that stands */
static void clock_that_does_not_advance_trips(void **state)
{
	struct fixture *f = *state;

	f->state.t_ns -= 100000;
	tick(f, 0, 0);
	assert_tripped(f, TRIP_STALE_CLOCK, 0);
}

/* catches: a clock set forward taken for an edge like any other; time stamps that jitter, or missed slots, taken for one set */
static void clock_that_is_set_forward_trips(void **state)
{
	struct fixture *f = *state;
	const int64_t period_ns = (int64_t)(f->supervisor.period_s * 1e9);

	f->state.t_ns += 2 * period_ns - 1000;
	tick(f, 0, 0);
	f->state.slots_missed = 5;
	f->state.t_ns += 5 * period_ns;
	tick(f, 0, 0);
	assert_true(supervisor_running(&f->supervisor));
	f->state.slots_missed = 0;
	f->state.t_ns += 3 * period_ns;
	tick(f, 0, 0);
	assert_tripped(f, TRIP_CLOCK_STEP, 0);
}

/* catches: missed edges taken for a failure, or a failure taken for missed edges */
static void failed_exchange_trips_but_missed_edges_do_not(void **state)
{
	struct fixture *f = *state;

	next_edge(f);
	supervisor_limit(&f->supervisor, JOSTLE_EMISSED, f->in_V, &f->state, &f->command, f->out_V);
	assert_true(supervisor_running(&f->supervisor));
	next_edge(f);
	supervisor_limit(&f->supervisor, JOSTLE_EIO, f->in_V, &f->state, &f->command, f->out_V);
	assert_tripped(f, TRIP_EXCHANGE, 0);
	assert_near(f->supervisor.trip.value, JOSTLE_EIO, 0);
}

/* catches: a limit in metres compared with natural units; one side only; site taken for channel */
static void displacement_beyond_its_limit_trips(void **state)
{
	struct fixture *f = *state;

	f->state.x[0] = 49.9;
	f->state.x[1] = -49.9;
	tick(f, 0, 0);
	assert_true(supervisor_running(&f->supervisor));
	f->state.x[1] = -50.1;
	tick(f, 0, 0);
	assert_tripped(f, TRIP_DIVERGENCE, 0);
	assert_near(f->supervisor.trip.value, -50.1e-7, 1e-12);
	assert_near(f->supervisor.trip.limit, 50e-7, 1e-12);
}

/*
 * catches: an actuator without authority driven for ever; a thermal tail that trips; periods added up that are not in a
 * row, or over channels; 0 taken for "at once"
 */
static void only_lasting_saturation_of_one_channel_trips(void **state)
{
	struct fixture *f = *state;
	char text[256];

	assert_int_equal(f->supervisor.saturated_periods, 5);
	for (int n = 0; n < 100; n++) {
		/* Five in a row on each channel at most, the two in turn. */
		f->command.saturated[0] = n % 6 < 5;
		f->command.saturated[1] = n % 6 > 0;
		tick(f, 1, 1);
		assert_true(supervisor_running(&f->supervisor));
	}
	f->command.saturated[0] = f->command.saturated[1] = false;
	tick(f, 1, 1);
	f->command.saturated[1] = true;
	for (int n = 0; n < 5; n++) {
		tick(f, 1, 1);
		assert_true(supervisor_running(&f->supervisor));
	}
	tick(f, 1, 1);
	assert_tripped(f, TRIP_SATURATION, 1);
	assert_near(f->supervisor.trip.value, 6, 0);
	trip_format(&f->supervisor.trip, f->bench, text, sizeof(text));
	assert_non_null(strstr(text, "output 1 (force 0) at the end of its range for 6 periods"));
	f->supervisor.saturated_periods = 0;
	f->supervisor.state = SUPERVISOR_RUNNING;
	for (int n = 0; n < 100; n++)
		tick(f, 1, 1);
	assert_true(supervisor_running(&f->supervisor));
}

/* catches: periods before a stop counted as if they were in a row with those after it */
static void saturation_is_counted_anew_after_a_stop(void **state)
{
	struct fixture *f = *state;

	f->command.saturated[0] = true;
	for (int n = 0; n < 5; n++)
		tick(f, 1, 1);
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_STOP));
	tick(f, 1, 1);
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_ARM));
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_RUN));
	for (int n = 0; n < 5; n++) {
		tick(f, 1, 1);
		assert_true(supervisor_running(&f->supervisor));
	}
	tick(f, 1, 1);
	assert_tripped(f, TRIP_SATURATION, 0);
	assert_near(f->supervisor.trip.value, 6, 0);
}

/* catches: limits that the bench file states and nobody enforces; newtons compared with natural units; one side only */
static void measured_force_beyond_its_limit_trips(void **state)
{
	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) {
		struct fixture f;
		char text[256];

		build_with(&f, 2, 3e-12, NULL);
		f.state.force[0] = sign * 29.9;
		tick(&f, 0, 0);
		assert_true(supervisor_running(&f.supervisor));
		f.state.force[0] = sign * 30.1;
		tick(&f, 0, 0);
		assert_tripped(&f, TRIP_FORCE, 2);
		assert_near(f.supervisor.trip.value, sign * 30.1e-13, 1e-17);
		assert_near(f.supervisor.trip.limit, 3e-12, 1e-17);
		trip_format(&f.supervisor.trip, f.bench, text, sizeof(text));
		assert_non_null(strstr(text, "input 2 (force 0)"));
		destroy(&f);
	}
}

/* catches: the same for limits in volts, on an input of any role; the limit's own value refused */
static void volts_read_outside_their_limits_trip(void **state)
{
	const double limits_V[] = {-2.5, 1.5};

	(void)state;
	for (size_t k = 0; k < 4; k++)
		for (int end = 0; end < 2; end++) {
			struct fixture f;

			build_with(&f, k, 0, limits_V);
			next_edge(&f);
			f.in_V[k] = limits_V[end];
			supervisor_limit(&f.supervisor, 0, f.in_V, &f.state, &f.command, f.out_V);
			assert_true(supervisor_running(&f.supervisor));
			next_edge(&f);
			f.in_V[k] = limits_V[end] + (end ? 1e-9 : -1e-9);
			supervisor_limit(&f.supervisor, 0, f.in_V, &f.state, &f.command, f.out_V);
			assert_tripped(&f, TRIP_VOLTS, k);
			assert_near(f.supervisor.trip.value, f.in_V[k], 0);
			assert_near(f.supervisor.trip.limit, limits_V[end], 0);
			destroy(&f);
		}
}

/* catches: a later fault that overwrites the first; a reset that arms */
static void first_trip_stays_latched_until_reset(void **state)
{
	struct fixture *f = *state;
	char text[256];

	f->state.x[1] = 60;
	tick(f, 0, 0);
	const uint64_t when = f->state.tick;

	f->in_V[0] = NAN;
	tick(f, 0, 0);
	assert_int_equal(f->supervisor.trip.cause, TRIP_DIVERGENCE);
	assert_int_equal(f->supervisor.trip.tick, when);
	trip_format(&f->supervisor.trip, f->bench, text, sizeof(text));
	assert_non_null(strstr(text, "input 0 (displacement 1)"));
	f->in_V[0] = 0;
	f->state.x[1] = 0;
	for (int n = 0; n < 20; n++)
		tick(f, 0, 0);
	assert_int_equal(f->supervisor.state, SUPERVISOR_FAULT);
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_RESET));
	for (int n = 0; n < 20; n++)
		tick(f, 0, 0);
	assert_int_equal(f->supervisor.state, SUPERVISOR_IDLE);
}

/* catches: a bench file whose safe voltage the supervisor itself would refuse */
static void limits_that_leave_safe_out_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct bench_channel good = f->bench->out[0];
	struct bench_channel bad[6];
	struct supervisor supervisor;
	struct err err = {0};

	for (size_t i = 0; i < 6; i++)
		bad[i] = good;
	bad[0].safe_V = 9.5;
	bad[1].limit_max_V = 11;
	bad[2].limit_min_V = 1;
	bad[3].safe_V = 5; /* 50 units of force, where 40 is the limit */
	bad[4].safe_V = NAN;
	bad[5].min_V = NAN;
	for (size_t i = 0; i < 6; i++) {
		f->bench->out[0] = bad[i];
		assert_int_equal(
			supervisor_init(&supervisor, f->bench, &f->calibration, f->bench->period_s, true, &err),
			JOSTLE_ECONFIG);
		assert_non_null(strstr(err.text, "output 0"));
	}
}

/* catches: a name missing or shifted; a cause without its words */
static void states_events_and_trips_have_words(void **state)
{
	struct fixture *f = *state;
	char text[256], other[256];

	assert_string_equal(supervisor_state_name(SUPERVISOR_RUNNING), "RUNNING");
	assert_string_equal(supervisor_state_name(SUPERVISOR_N_STATES), "unknown state");
	assert_string_equal(supervisor_event_name(SUPERVISOR_ARM), "arm");
	for (int a = 0; a < TRIP_N_CAUSES; a++)
		for (int b = 0; b < a; b++) {
			trip_format(&(struct trip){.cause = (enum trip_cause)a}, f->bench, text, sizeof(text));
			trip_format(&(struct trip){.cause = (enum trip_cause)b}, f->bench, other, sizeof(other));
			assert_string_not_equal(text, other);
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_sequence_of_events_runs_without_reset_and_arm_after_a_fault),
		cmocka_unit_test(nothing_resets_before_the_first_tick_has_been_judged),
		cmocka_unit_test(fault_before_the_first_reset_is_named),
		TEST(trip_leads_to_fault_from_every_state),
		cmocka_unit_test(guards_refuse_without_leave_and_while_the_condition_lasts),
		TEST(outputs_stand_at_safe_in_every_state_but_running),
		TEST(force_beyond_its_limit_is_limited_before_the_volts),
		cmocka_unit_test(command_at_the_end_of_its_range_is_not_changed),
		TEST(volts_beyond_their_limit_are_limited),
		TEST(volts_outside_the_span_after_the_physical_limit_trip),
		TEST(slew_is_limited_per_period_but_not_on_the_way_to_safe),
		TEST(slew_per_second_becomes_slew_per_period),
		cmocka_unit_test(commands_that_are_not_finite_trip),
		cmocka_unit_test(every_input_that_is_not_finite_trips),
		cmocka_unit_test(stuck_displacement_trips_after_exactly_the_stated_periods_and_is_named),
		TEST(other_inputs_may_stand_still),
		TEST(clock_that_does_not_advance_trips),
		TEST(clock_that_is_set_forward_trips),
		TEST(failed_exchange_trips_but_missed_edges_do_not),
		TEST(displacement_beyond_its_limit_trips),
		TEST(only_lasting_saturation_of_one_channel_trips),
		TEST(saturation_is_counted_anew_after_a_stop),
		cmocka_unit_test(measured_force_beyond_its_limit_trips),
		cmocka_unit_test(volts_read_outside_their_limits_trip),
		TEST(first_trip_stays_latched_until_reset),
		TEST(limits_that_leave_safe_out_are_refused),
		TEST(states_events_and_trips_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
