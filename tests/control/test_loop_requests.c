/* What the loop may be asked for, and how it answers. */
#include "control/support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static struct loop_fixture fixture;

static void assert_near(double found, double expected)
{
	if (!(fabs(found - expected) <= 1e-12))
		fail_msg("expected %.15g, found %.15g", expected, found);
}

static int setup(void **state)
{
	test_script_reset();
	loop_fixture_build(&fixture, test_bench_feedback(), 2, &(struct loop_setup){.paced = false});
	*state = &fixture;
	return fixture.daq.driver->start(&fixture.daq, &fixture.err);
}

static int teardown(void **state)
{
	loop_fixture_destroy(*state);
	return 0;
}

static void tick(struct loop_fixture *f, size_t n)
{
	while (n-- > 0)
		loop_tick(&f->loop);
}

/** Ask, do the tick that takes it, and return its answer. */
static struct loop_event answer(struct loop_fixture *f, const struct request *request)
{
	struct loop_event event;

	while (ring_pop(&f->events, &event))
		;
	assert_true(loop_ask(&f->loop, request));
	tick(f, 1);
	assert_true(next_event(f, EVENT_REQUEST, &event));
	assert_true(event.request == request->id);
	assert_int_equal(event.a, request->kind);
	assert_true(event.number == f->loop.n_ticks - 1);
	assert_true(event.tick == f->loop.state.tick);
	assert_true(event.t_ns == f->loop.state.t_ns);
	return event;
}

static struct loop_event answer_manual(struct loop_fixture *f, size_t output, double value_V)
{
	return answer(f, &(struct request){.id = 5, .kind = REQUEST_MANUAL, .output = output, .value_V = value_V});
}

static void run_loop(struct loop_fixture *f)
{
	struct loop_event event;

	request_running(&f->loop);
	tick(f, FIRST_TICK + 1);
	assert_true(supervisor_running(&f->loop.supervisor));
	while (ring_pop(&f->events, &event))
		;
}

static void assert_next(struct loop_fixture *f, enum loop_event_kind kind, uint32_t a, uint32_t b, uint64_t request,
			uint64_t number)
{
	struct loop_event event;

	assert_true(ring_pop(&f->events, &event));
	assert_int_equal(event.kind, kind);
	assert_int_equal(event.a, a);
	assert_int_equal(event.b, b);
	assert_int_equal(event.request, request);
	assert_int_equal(event.number, number);
}

/* catches: two requests taken at one tick, one taken before the first tick was judged, an answer without its change */
static void requests_are_answered_one_a_tick_in_their_order(void **state)
{
	static const enum supervisor_event asked[] = {SUPERVISOR_RESET, SUPERVISOR_ARM, SUPERVISOR_RUN,
						      SUPERVISOR_RESET};
	struct loop_fixture *f = *state;
	struct loop_event event;

	for (size_t i = 0; i < 4; i++)
		assert_true(
			loop_ask(&f->loop, &(struct request){.id = 11 + i, .kind = REQUEST_EVENT, .event = asked[i]}));
	tick(f, 1);
	assert_false(ring_pop(&f->events, &event));
	tick(f, 5);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 1, 11, 1);
	assert_next(f, EVENT_STATE, SUPERVISOR_FAULT, SUPERVISOR_SAFE, 11, 1);
	assert_next(f, EVENT_STATE, SUPERVISOR_SAFE, SUPERVISOR_IDLE, 0, 1);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 1, 12, 2);
	assert_next(f, EVENT_STATE, SUPERVISOR_IDLE, SUPERVISOR_ARMED, 12, 2);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 1, 13, 3);
	assert_next(f, EVENT_STATE, SUPERVISOR_ARMED, SUPERVISOR_RUNNING, 13, 3);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 0, 14, 4);
	assert_false(ring_pop(&f->events, &event));
	assert_int_equal(f->loop.n_refused, 1);
}

/*
 * catches: a stop that waits in line, or finds no room, behind what others have asked for; an arm asked for before it that runs
 * the bench after it; one asked for afterwards that is refused with it
 */
static void stop_goes_ahead_of_all_that_waits(void **state)
{
	struct loop_fixture *f = *state;
	const struct request stop = {.id = 90, .kind = REQUEST_EVENT, .event = SUPERVISOR_STOP};
	const struct request by_hand = {.id = 91, .kind = REQUEST_MANUAL, .output = 0, .value_V = NAN};

	run_loop(f);
	loop_ask(&f->loop, &(struct request){.id = 1, .kind = REQUEST_EVENT, .event = SUPERVISOR_ARM});
	loop_ask(&f->loop, &(struct request){.id = 2, .kind = REQUEST_EVENT, .event = SUPERVISOR_RUN});
	while (loop_ask(&f->loop, &by_hand))
		;
	assert_true(loop_ask(&f->loop, &stop));
	tick(f, 1);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_IDLE);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 1, 90, FIRST_TICK + 1);
	assert_next(f, EVENT_STATE, SUPERVISOR_RUNNING, SUPERVISOR_IDLE, 90, FIRST_TICK + 1);
	tick(f, 2);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 0, 1, FIRST_TICK + 2);
	assert_next(f, EVENT_REQUEST, REQUEST_EVENT, 0, 2, FIRST_TICK + 3);
	loop_ask(&f->loop, &(struct request){.id = 3, .kind = REQUEST_EVENT, .event = SUPERVISOR_ARM});
	tick(f, f->loop.requests.capacity);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_ARMED);
}

/* catches: a kind beyond the table called, a full ring that forgets an older request */
static void unknown_requests_are_refused_and_a_full_ring_says_so(void **state)
{
	struct loop_fixture *f = *state;
	const struct request unknown = {.id = 3, .kind = (enum request_kind)77};

	tick(f, 1);
	assert_int_equal(answer(f, &unknown).b, 0);
	for (size_t i = 0; i < f->loop.requests.capacity; i++)
		assert_true(loop_ask(&f->loop, &unknown));
	assert_false(loop_ask(&f->loop, &unknown));
	assert_int_equal(f->loop.requests.capacity, 16);
}

/* catches: a program taken up where the one before it stood, the old one touched after the answer (sanitizer) */
static void program_is_carried_out_from_its_beginning_and_the_old_one_let_go(void **state)
{
	struct loop_fixture *f = *state;
	struct program other;
	struct loop_event event;
	struct {
		struct sample_record head;
		double value[TEST_SITES];
	} sample;

	run_loop(f);
	tick(f, RELAX_TICKS + 20);
	assert_int_equal(f->loop.setpoint.kind, SETPOINT_PROTOCOL);
	loop_fixture_program(f, &other, 2, 2);
	event = answer(f, &(struct request){.id = 6, .kind = REQUEST_PROGRAM, .program = &other});
	assert_int_equal(event.b, 1);
	assert_int_equal(event.c, 2);
	assert_int_equal(f->loop.setpoint.kind, SETPOINT_PASSIVE);
	program_fini(&f->program);
	tick(f, SHOT_TICKS - 2);
	assert_int_equal(other.sequencer.n_samples, 0);
	tick(f, 1);
	assert_int_equal(other.sequencer.n_samples, 1);
	assert_true(ring_pop(&f->samples, &sample));
	/* The same one once more: its sample and what it had done are forgotten. */
	event = answer(f, &(struct request){.id = 7, .kind = REQUEST_PROGRAM, .program = &other});
	assert_int_equal(event.b, 1);
	assert_int_equal(other.sequencer.n_samples, 0);
	tick(f, 2 * SHOT_TICKS - 2);
	assert_false(other.sequencer.done);
	tick(f, 1);
	assert_true(other.sequencer.done);
	/* Left behind by the loop. */
	loop_fixture_program(f, &f->program, 3, 0);
	assert_int_equal(answer(f, &(struct request){.id = 8, .kind = REQUEST_PROGRAM, .program = &f->program}).b, 1);
	program_fini(&other);
	tick(f, 10);
	assert_false(f->program.sequencer.done);
}

/* catches: a program for another calibration carried out, a pointer followed that is none, a refusal that changes */
static void program_that_does_not_fit_is_refused(void **state)
{
	struct loop_fixture *f = *state;
	struct calibration elsewhere = f->calibration;
	struct program other;

	run_loop(f);
	assert_int_equal(answer(f, &(struct request){.id = 1, .kind = REQUEST_PROGRAM}).b, 0);
	loop_fixture_program(f, &other, 2, 1);
	other.drive.calibration = &elsewhere;
	assert_int_equal(answer(f, &(struct request){.id = 1, .kind = REQUEST_PROGRAM, .program = &other}).b, 0);
	other.drive.calibration = &f->calibration;
	other.id = 0;
	assert_int_equal(answer(f, &(struct request){.id = 1, .kind = REQUEST_PROGRAM, .program = &other}).b, 0);
	other.id = 2;
	other.drive.n_out--;
	assert_int_equal(answer(f, &(struct request){.id = 1, .kind = REQUEST_PROGRAM, .program = &other}).b, 0);
	assert_ptr_equal(f->loop.program, &f->program);
	program_fini(&other);
}

/* catches: a hand that goes round the limits or trips the bench, one that acts outside RUNNING or outlives it */
static void hand_moves_an_output_within_its_limits_while_running(void **state)
{
	struct loop_fixture *f = *state;

	tick(f, 1);
	assert_int_equal(answer_manual(f, 0, 1).b, 0);
	run_loop(f);
	assert_int_equal(answer_manual(f, 0, 1.25).b, 1);
	assert_near(f->loop.out_V[0], 1.25);
	tick(f, 3);
	assert_near(f->loop.out_V[0], 1.25);
	assert_near(f->loop.out_V[1], test_volts_of_force(f->bench, 1, 0));
	/* 40 units of force are 4 V here, the converter's span 10 V. */
	assert_int_equal(answer_manual(f, 0, 9.5).b, 1);
	assert_near(f->loop.out_V[0], 4);
	assert_int_equal(answer_manual(f, 0, 10.5).b, 0);
	assert_int_equal(answer_manual(f, 0, INFINITY).b, 0);
	assert_int_equal(answer_manual(f, 3, 0).b, 0);
	assert_near(f->loop.out_V[0], 4);
	assert_int_equal(answer_manual(f, 0, NAN).b, 1);
	assert_near(f->loop.out_V[0], 0);
	/* Held, stopped, run again: let go. */
	assert_int_equal(answer_manual(f, 0, 2).b, 1);
	loop_request(&f->loop, SUPERVISOR_STOP);
	tick(f, 1);
	assert_near(f->loop.out_V[0], 0);
	loop_request(&f->loop, SUPERVISOR_ARM);
	loop_request(&f->loop, SUPERVISOR_RUN);
	tick(f, 3);
	assert_true(supervisor_running(&f->loop.supervisor));
	assert_near(f->loop.out_V[0], 0);
	assert_int_equal(answer_manual(f, 1, 2).b, 1);
	assert_near(f->loop.out_V[1], 2);
	assert_near(f->loop.out_V[0], 0);
}

/* catches: a heartbeat that a person could hold still */
static void heartbeat_is_not_for_the_hand(void **state)
{
	struct loop_fixture *f = *state;

	run_loop(f);
	assert_int_equal(answer_manual(f, 2, 1.5).b, 1);
	f->bench->out[2].role = DAQ_HEARTBEAT;
	assert_int_equal(answer_manual(f, 2, 1.5).b, 0);
	f->bench->out[2].role = DAQ_AUXILIARY;
}

/* catches: limits that widen, an answer without the numbers that a replay needs */
static void limits_are_narrowed_and_never_widened(void **state)
{
	struct loop_fixture *f = *state;
	struct request narrow = {
		.id = 9, .kind = REQUEST_LIMITS, .output = 0, .min_V = -2, .max_V = 1.5, .slew_V_per_s = 5000};
	struct loop_event event;

	run_loop(f);
	event = answer(f, &narrow);
	assert_int_equal(event.b, 1);
	assert_int_equal(event.c, 0);
	assert_near(event.value, -2);
	assert_near(event.limit, 1.5);
	assert_near(event.slew, 5000);
	assert_int_equal(answer_manual(f, 0, 3).b, 1);
	assert_near(f->loop.out_V[0], 0.5); /* half a volt a period of 0.1 ms */
	tick(f, 5);
	assert_near(f->loop.out_V[0], 1.5);
	narrow.max_V = 2;
	assert_int_equal(answer(f, &narrow).b, 0);
	assert_near(f->loop.out_V[0], 1.5);
}

/* catches: a sample or the plan's end told twice, or not at all */
static void samples_and_the_end_of_the_plan_are_told_once(void **state)
{
	struct loop_fixture *f = *state;
	struct loop_event event;
	struct program brief;

	run_loop(f);
	tick(f, 2 * SHOT_TICKS + 10);
	for (uint64_t n = 0; n < 2; n++) {
		assert_true(ring_pop(&f->events, &event));
		assert_int_equal(event.kind, EVENT_SAMPLE);
		assert_int_equal(event.c, n);
		assert_int_equal(event.number, FIRST_TICK + (n + 1) * SHOT_TICKS - 1);
	}
	assert_true(ring_pop(&f->events, &event));
	assert_int_equal(event.kind, EVENT_PLAN);
	assert_int_equal(event.c, 1);
	assert_int_equal(event.number, FIRST_TICK + 2 * SHOT_TICKS - 1);
	assert_false(ring_pop(&f->events, &event));
	/* Of a plan that ends at the very tick that took it, too. */
	loop_fixture_program(f, &brief, 2, 0);
	brief.sequencer.segments[0].n_ticks = 1;
	assert_int_equal(answer(f, &(struct request){.id = 1, .kind = REQUEST_PROGRAM, .program = &brief}).b, 1);
	assert_true(ring_pop(&f->events, &event));
	assert_int_equal(event.kind, EVENT_PLAN);
	assert_int_equal(event.c, 2);
	program_fini(&brief);
}

/* catches: a trip told at each tick that it lasts, without its channel, or after the state that it led to */
static void trip_is_told_once_with_its_cause_and_before_its_state(void **state)
{
	struct loop_fixture *f = *state;
	struct loop_event event;

	test_script.nan_at = 10;
	run_loop(f);
	tick(f, 20);
	assert_true(ring_pop(&f->events, &event));
	assert_int_equal(event.kind, EVENT_TRIP);
	assert_int_equal(event.a, TRIP_INPUT);
	assert_int_equal(event.c, 1);
	assert_int_equal(event.number, 10);
	assert_true(isnan(event.value));
	assert_next(f, EVENT_STATE, SUPERVISOR_RUNNING, SUPERVISOR_FAULT, 0, 10);
	assert_false(ring_pop(&f->events, &event));
}

/* catches: slots missed without a word, or told without their number; a late write told as nothing */
static void missed_slots_are_told_with_their_number(void **state)
{
	struct loop_fixture *f = *state;

	for (uint64_t n = 0; n < 8; n += 7) {
		struct loop_event event;

		test_script.miss_at = f->loop.n_ticks + 2;
		test_script.n_missed = n;
		tick(f, 5);
		assert_true(next_event(f, EVENT_MISSED, &event));
		assert_int_equal(event.number, test_script.miss_at);
		assert_near(event.value, n ? 7 : 1);
		assert_false(next_event(f, EVENT_MISSED, &event));
	}
	assert_int_equal(f->loop.n_missed, 8);
}

/* catches: a loop that waits for room for its events, or a loss that is not counted */
static void events_that_nobody_takes_are_dropped_and_counted(void **state)
{
	struct loop_fixture *f = *state;

	tick(f, 1);
	for (size_t n = 0; n < MAX_EVENTS + 9; n++) {
		loop_request(&f->loop, SUPERVISOR_RUN);
		tick(f, 1);
	}
	assert_int_equal(atomic_load(&f->events.n_dropped), 9);
	assert_int_equal(f->loop.n_refused, MAX_EVENTS + 9);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(requests_are_answered_one_a_tick_in_their_order),
		TEST(stop_goes_ahead_of_all_that_waits),
		TEST(unknown_requests_are_refused_and_a_full_ring_says_so),
		TEST(program_is_carried_out_from_its_beginning_and_the_old_one_let_go),
		TEST(program_that_does_not_fit_is_refused),
		TEST(hand_moves_an_output_within_its_limits_while_running),
		TEST(heartbeat_is_not_for_the_hand),
		TEST(limits_are_narrowed_and_never_widened),
		TEST(samples_and_the_end_of_the_plan_are_told_once),
		TEST(trip_is_told_once_with_its_cause_and_before_its_state),
		TEST(missed_slots_are_told_with_their_number),
		TEST(events_that_nobody_takes_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
