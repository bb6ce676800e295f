/* The supervisor's trips on what is not a limit of one channel: missed slots, rails, temperature, facts from outside; and
 * the heartbeat, which tells a monostable that none of them is there. */
#include "control/support/supervisor_fixture.h"

#include <string.h>

#include "control/tick.h"

#define HIGH_V 5.0

/** The test bench with a thermometer of 0.05 V/K, 300 K at 0 V, in place of its monitor, and a heartbeat. */
static struct bench *guarded_bench(void)
{
	struct bench *bench = test_bench_feedback();

	bench->in[3].role = DAQ_TEMPERATURE;
	bench->in[3].gain = 0.05;
	bench->in[3].offset_V = -15;
	bench->in[3].limit_min_K = 280;
	bench->in[3].limit_max_K = 320;
	bench->out[2].role = DAQ_HEARTBEAT;
	bench->out[2].safe_V = 0;
	bench->out[2].limit_min_V = 0;
	bench->out[2].limit_max_V = HIGH_V;
	bench->rail_periods = 3;
	bench->missed_periods = 10;
	return bench;
}

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){.bench = guarded_bench()};
	build_on(&f, true);
	f.state.temperature_K = 300;
	bring_to_running(&f);
	*state = &f;
	return 0;
}

/** A tick before which this many slots were left out. */
static void tick_after(struct fixture *f, uint64_t slots)
{
	f->state.t_ns += (int64_t)slots * 100000;
	f->state.slots_missed = slots;
	f->state.missed = slots > 0;
	tick(f, 1, 1);
	f->state.slots_missed = 0;
	f->state.missed = false;
}

static void assert_says(const struct fixture *f, const char *what)
{
	char text[256];

	trip_format(&f->supervisor.trip, f->bench, text, sizeof(text));
	if (!strstr(text, what))
		fail_msg("expected \"%s\", found \"%s\"", what, text);
}

/* catches: misses counted for ever, or since the last one; a window one slot short or long; the slots themselves not
 * counted as time */
static void more_missed_slots_than_the_bench_allows_within_the_window_trip(void **state)
{
	struct fixture *f = *state;

	/* Ten in every thousand slots: ten missed, then 990 that came. */
	for (int round = 0; round < 5; round++) {
		tick_after(f, 4);
		tick_after(f, 6);
		for (int n = 0; n < BENCH_MISSED_WINDOW - 12; n++)
			tick_after(f, 0);
		assert_true(supervisor_running(&f->supervisor));
	}
	/* One that came less between: eleven of 1000. */
	tick_after(f, 4);
	tick_after(f, 6);
	for (int n = 0; n < BENCH_MISSED_WINDOW - 13; n++)
		tick_after(f, 0);
	assert_true(supervisor_running(&f->supervisor));
	tick_after(f, 4);
	assert_tripped(f, TRIP_MISSED, 0);
	assert_near(f->supervisor.trip.value, 11, 0);
	assert_near(f->supervisor.trip.limit, 10, 0);
	assert_says(f, "11 slots of the time grid missed within 1000, limit 10");
}

/* catches: a burst longer than the window that runs over its memory, or whose own last slot hides it */
static void one_burst_of_any_length_trips_and_holds_the_reset_until_it_is_out_of_sight(void **state)
{
	const uint64_t bursts[] = {11, 999, 1000, 1001, 123456789, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct fixture f = {.bench = guarded_bench()};
		int n = 0;

		f.bench->missed_periods = i == 2 ? 999 : 10;
		build_on(&f, true);
		f.state.temperature_K = 300;
		bring_to_running(&f);
		f.state.slots_missed = bursts[i];
		f.state.missed = true;
		tick(&f, 1, 1);
		assert_tripped(&f, TRIP_MISSED, 0);
		f.state.slots_missed = 0;
		f.state.missed = false;
		tick(&f, 1, 1);
		while (!supervisor_event(&f.supervisor, SUPERVISOR_RESET) && n++ < 2 * BENCH_MISSED_WINDOW)
			tick(&f, 1, 1);
		assert_true(i == 2 || (n > 900 && n < BENCH_MISSED_WINDOW));
		destroy(&f);
	}
}

/* catches: outputs held by a write that came late not counted; one counted twice that also left slots out */
static void a_write_that_came_late_counts_as_a_missed_slot(void **state)
{
	struct fixture *f = *state;

	for (int n = 0; n < 10; n++) {
		f->state.missed = true;
		tick(f, 1, 1);
		assert_true(supervisor_running(&f->supervisor));
	}
	tick(f, 1, 1);
	assert_tripped(f, TRIP_MISSED, 0);
}

/* catches: a loop that was stopped, and goes on where it was because its bench puts up with missed slots */
static void one_gap_that_no_guardian_would_put_up_with_trips(void **state)
{
	struct fixture *f = *state;

	f->supervisor.missed_periods = 0;
	f->supervisor.guardian_periods = 50;
	for (int n = 0; n < 10; n++)
		tick_after(f, 50);
	assert_true(supervisor_running(&f->supervisor));
	tick_after(f, 51);
	assert_tripped(f, TRIP_MISSED, 0);
	assert_near(f->supervisor.trip.value, 51, 0);
	assert_near(f->supervisor.trip.limit, 50, 0);
	/* The gap is over with its own tick. */
	tick(f, 1, 1);
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_RESET));
}

/* catches: 0 taken for none allowed */
static void missed_slots_do_not_trip_where_the_bench_says_so(void **state)
{
	struct fixture *f = *state;

	f->supervisor.missed_periods = 0;
	for (int n = 0; n < 100; n++)
		tick_after(f, 100);
	assert_true(supervisor_running(&f->supervisor));
}

/* catches: only the very end of the span taken for it, which a converter's last code never reaches; one end only; samples
 * added up that are not in a row; other roles' inputs */
static void an_input_at_the_end_of_its_span_trips_after_the_stated_samples(void **state)
{
	/* Span -40 to 40 V; 12 bits: the last code is 39.98 V. */
	const double railed_V[] = {-40, 39.9805, 41}, whole_V[] = {-39.97, 39.97};

	(void)state;
	for (size_t k = 0; k < 4; k++)
		for (size_t i = 0; i < 3; i++) {
			struct fixture f = {.bench = guarded_bench()};

			f.bench->in[k].limit_min_V = -1000;
			f.bench->in[k].limit_max_V = 1000;
			build_on(&f, true);
			f.state.temperature_K = 300;
			bring_to_running(&f);
			f.supervisor.stale_periods = 0;
			for (int n = 0; n < 20; n++) {
				next_edge(&f);
				f.in_V[k] = n % 3 == 2 ? whole_V[n % 2] : railed_V[i];
				judge(&f, 0);
				assert_true(supervisor_running(&f.supervisor));
			}
			for (int n = 0; n < 3; n++) {
				assert_true(n == 0 || supervisor_running(&f.supervisor));
				next_edge(&f);
				f.in_V[k] = n ? railed_V[i] : whole_V[0];
				judge(&f, 0);
			}
			assert_true(supervisor_running(&f.supervisor));
			next_edge(&f);
			f.in_V[k] = railed_V[i];
			judge(&f, 0);
			if (k < 3) {
				assert_tripped(&f, TRIP_RAIL, k);
				assert_near(f.supervisor.trip.value, railed_V[i], 0);
				assert_says(&f, "saturated input: input");
			} else {
				assert_true(supervisor_running(&f.supervisor));
			}
			destroy(&f);
		}
}

/* catches: 0 taken for at once */
static void rails_do_not_trip_where_the_bench_says_so(void **state)
{
	struct fixture *f = *state;

	f->supervisor.rail_periods = f->supervisor.stale_periods = 0;
	for (int n = 0; n < 10; n++) {
		next_edge(f);
		f->in_V[0] = 40;
		judge(f, 0);
	}
	assert_true(supervisor_running(&f->supervisor));
}

/* catches: one side only; the limit's own value refused; a bench whose temperature nobody limits, or measures */
static void a_bath_outside_its_limits_trips(void **state)
{
	const double good_K[] = {280, 320}, bad_K[] = {279.99, 320.01};
	struct fixture *f = *state;

	for (int end = 0; end < 2; end++) {
		f->state.temperature_K = good_K[end];
		tick(f, 1, 1);
		assert_true(supervisor_running(&f->supervisor));
	}
	for (int end = 0; end < 2; end++) {
		struct fixture g = {.bench = guarded_bench()};

		build_on(&g, true);
		g.state.temperature_K = 300;
		bring_to_running(&g);
		g.state.temperature_K = bad_K[end];
		tick(&g, 1, 1);
		assert_tripped(&g, TRIP_TEMPERATURE, 3);
		assert_near(g.supervisor.trip.value, bad_K[end], 0);
		assert_near(g.supervisor.trip.limit, good_K[end], 0);
		assert_says(&g, "input 3 (temperature 0) at ");
		destroy(&g);
	}
	struct fixture g = {.bench = guarded_bench()};

	g.bench->in[3].limit_min_K = g.bench->in[3].limit_max_K = 0;
	build_on(&g, true);
	g.state.temperature_K = -5;
	bring_to_running(&g);
	destroy(&g);
}

static const struct {
	uint32_t outside;
	enum trip_cause cause;
	const char *says;
} facts[] = {
	{OUTSIDE_GUARDIAN_LOST, TRIP_GUARDIAN_LOST, "the guardian is lost"},
	{OUTSIDE_GUARDIAN_SEIZED, TRIP_GUARDIAN, "the guardian has seized the outputs"},
	{OUTSIDE_EXPIRED, TRIP_CALIBRATION, "the calibration has expired"},
	{OUTSIDE_READING, TRIP_READING, "reading is outside its limits"},
	{OUTSIDE_SILENT, TRIP_SILENT, "an instrument is silent"},
	{OUTSIDE_GUARDIAN_SEIZED | OUTSIDE_GUARDIAN_LOST | OUTSIDE_EXPIRED, TRIP_GUARDIAN, "seized"},
};

/* catches: a bit taken for another, one that trips only while running, one that only a whole exchange looks at, a reset
 * while it lasts */
static void facts_from_outside_trip_in_every_state_and_hold_the_reset_while_they_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		for (int s = 0; s < SUPERVISOR_N_STATES; s++) {
			struct fixture f = {.bench = guarded_bench()};

			build_on(&f, true);
			f.state.temperature_K = 300;
			bring_to_running(&f);
			f.supervisor.state = (enum supervisor_state)s;
			f.supervisor.trip.cause = TRIP_START;
			f.state.outside = facts[i].outside;
			tick(&f, 1, 1);
			assert_tripped(&f, facts[i].cause, 0);
			assert_says(&f, facts[i].says);
			assert_false(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
			next_edge(&f);
			judge(&f, JOSTLE_EMISSED);
			assert_false(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
			f.state.outside = OUTSIDE_NO_ROOM;
			tick(&f, 1, 1);
			assert_int_equal(f.supervisor.condition, TRIP_NONE);
			assert_true(supervisor_event(&f.supervisor, SUPERVISOR_RESET));
			destroy(&f);
		}
}

/* catches: a line that stands still while all is well, or lives on in FAULT; one that the slew, a command or the shared
 * limits bend */
static void the_heartbeat_changes_with_every_tick_but_rests_low_in_fault(void **state)
{
	struct fixture *f = *state;
	double last_V = f->out_V[2];

	for (int s = 0; s < SUPERVISOR_N_STATES; s++) {
		if (s == SUPERVISOR_FAULT)
			continue;
		for (int n = 0; n < 5; n++) {
			f->supervisor.state = (enum supervisor_state)s;
			next_edge(f);
			f->command.value[0] = 1;
			calibration_to_volts(&f->calibration, &f->command, f->out_V);
			f->out_V[2] = 3; /* somebody's hand */
			supervisor_limit(&f->supervisor, 0, f->in_V, &f->state, &f->command, f->out_V);
			assert_near(f->out_V[2], last_V == 0 ? HIGH_V : 0, 0);
			last_V = f->out_V[2];
		}
	}
	f->in_V[0] = NAN;
	for (int n = 0; n < 5; n++) {
		judge(f, 0);
		assert_int_equal(f->supervisor.state, SUPERVISOR_FAULT);
		assert_near(f->out_V[2], 0, 0);
	}
}

/* catches: a heartbeat counted as drive power, or mixed into the way of the others */
static void the_heartbeat_is_no_part_of_the_shared_limits(void **state)
{
	struct fixture f = {.bench = guarded_bench()};

	(void)state;
	f.bench->limit_drive_V2 = 4;
	f.bench->out[0].slew_V_per_s = f.bench->out[1].slew_V_per_s = 1000; /* 0.1 V in a period */
	build_on(&f, true);
	f.state.temperature_K = 300;
	bring_to_running(&f);
	for (int n = 0; n < 100; n++) {
		tick(&f, 40, 40);
		assert_true(f.out_V[2] == 0 || f.out_V[2] == HIGH_V);
	}
	assert_near(hypot(f.out_V[0], f.out_V[1]), 2, 1e-6);
	assert_false(supervisor_narrow(&f.supervisor, 2, 0, 4, 0));
	destroy(&f);
}

/* catches: a replay whose heartbeat goes up where the recorded one went down, a fault that is lost, one taken for gone */
static void a_supervisor_takes_up_where_another_stood(void **state)
{
	struct fixture *f = *state;
	struct supervisor *supervisor = &f->supervisor;

	for (int n = 0; n < 2; n++) {
		struct fixture g = {.bench = f->bench};
		const struct trip trip = {.cause = TRIP_RAIL, .channel = 1};

		build_on(&g, true);
		assert_true(supervisor_event(supervisor, SUPERVISOR_STOP));
		tick(f, 0, 0);
		supervisor_continue(&g.supervisor, supervisor->state, &trip, f->state.t_ns, f->in_V, f->out_V);
		assert_int_equal(g.supervisor.trip.cause, TRIP_NONE);
		tick(f, 0, 0);
		memcpy(g.in_V, f->in_V, sizeof(g.in_V));
		g.state.t_ns = f->state.t_ns;
		g.state.temperature_K = 300;
		judge(&g, 0);
		assert_memory_equal(g.out_V, f->out_V, sizeof(g.out_V));
		assert_int_equal(g.supervisor.state, supervisor->state);
		supervisor_continue(&g.supervisor, SUPERVISOR_FAULT, &trip, f->state.t_ns, f->in_V, f->out_V);
		assert_false(supervisor_event(&g.supervisor, SUPERVISOR_RESET));
		assert_int_equal(g.supervisor.trip.channel, 1);
		destroy(&g);
		tick(f, 0, 0);
		assert_true(supervisor_event(supervisor, SUPERVISOR_ARM));
		assert_true(supervisor_event(supervisor, SUPERVISOR_RUN));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_gap_that_no_guardian_would_put_up_with_trips),
		TEST(more_missed_slots_than_the_bench_allows_within_the_window_trip),
		cmocka_unit_test(one_burst_of_any_length_trips_and_holds_the_reset_until_it_is_out_of_sight),
		TEST(a_write_that_came_late_counts_as_a_missed_slot),
		TEST(missed_slots_do_not_trip_where_the_bench_says_so),
		cmocka_unit_test(an_input_at_the_end_of_its_span_trips_after_the_stated_samples),
		TEST(rails_do_not_trip_where_the_bench_says_so),
		TEST(a_bath_outside_its_limits_trips),
		cmocka_unit_test(facts_from_outside_trip_in_every_state_and_hold_the_reset_while_they_last),
		TEST(the_heartbeat_changes_with_every_tick_but_rests_low_in_fault),
		cmocka_unit_test(the_heartbeat_is_no_part_of_the_shared_limits),
		TEST(a_supervisor_takes_up_where_another_stood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
