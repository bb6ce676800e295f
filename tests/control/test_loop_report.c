/* What the loop tells others at each tick, and what it hears from outside. */
#include "control/support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <sched.h>
#include <string.h>

#define N_KEPT 2000

/** What a tap and a watch were handed. */
struct listener {
	size_t n_ticks, n_beats;
	struct tick_record tick[N_KEPT];
	double in_V[N_KEPT][4], out_V[N_KEPT][3], command[N_KEPT][3];
	double beat_out_V[N_KEPT][3];
	enum supervisor_state beat_state[N_KEPT];
	size_t n_events;
	uint64_t at; /* from this tick on, `facts` hold */
	uint32_t facts;
	uint32_t found[N_KEPT];
};

static struct loop_fixture fixture;
static struct listener listener;

static void keep_tick(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
		      const double command[])
{
	struct listener *l = context;
	const size_t n = l->n_ticks++;

	if (n >= N_KEPT)
		return;
	l->tick[n] = *tick;
	memcpy(l->in_V[n], in_V, sizeof(l->in_V[n]));
	memcpy(l->out_V[n], out_V, sizeof(l->out_V[n]));
	memcpy(l->command[n], command, sizeof(l->command[n]));
}

static void keep_event(void *context, const struct loop_event *event)
{
	struct listener *l = context;

	(void)event;
	l->n_events++;
}

static void keep_beat(void *context, int64_t now_ns, enum supervisor_state state, const double out_V[])
{
	struct listener *l = context;
	const size_t n = l->n_beats++;

	assert_true(now_ns > 0);
	if (n >= N_KEPT)
		return;
	l->beat_state[n] = state;
	memcpy(l->beat_out_V[n], out_V, sizeof(l->beat_out_V[n]));
}

static uint32_t give_facts(void *context, uint64_t number, int64_t now_ns, uint32_t found)
{
	struct listener *l = context;

	(void)now_ns;
	if (number < N_KEPT)
		l->found[number] = found;
	return number >= l->at ? l->facts : 0;
}

static const struct loop_tap tap = {.context = &listener, .tick = keep_tick, .event = keep_event};
static const struct loop_watch watch = {.context = &listener, .beat = keep_beat, .outside = give_facts};

static int setup(void **state)
{
	test_script_reset();
	memset(&listener, 0, sizeof(listener));
	listener.at = UINT64_MAX;
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	loop_fixture_destroy(*state);
	return 0;
}

static void build(const struct loop_setup *more)
{
	loop_fixture_build(&fixture, test_bench_feedback(), 2, more);
	assert_int_equal(fixture.daq.driver->start(&fixture.daq, &fixture.err), 0);
}

static void tick(struct loop_fixture *f, size_t n)
{
	while (n-- > 0)
		loop_tick(&f->loop);
}

/* catches: a tick left out, volts of the tick before, a program, repeat or segment of the tick after */
static void tap_is_handed_every_tick_as_it_was(void **state)
{
	struct loop_fixture *f = *state;
	const uint64_t n_ticks = FIRST_TICK + 2 * SHOT_TICKS + 40;
	struct listener *l = &listener;

	test_script.miss_at = 20;
	test_script.n_missed = 2;
	test_script.wake_ns = 700;
	build(&(struct loop_setup){.tap = &tap});
	request_running(&f->loop);
	tick(f, n_ticks + 1);
	assert_int_equal(l->n_ticks, n_ticks + 1);
	for (uint64_t n = 0; n < n_ticks; n++) {
		const struct tick_record *t = &l->tick[n];
		const uint64_t since = n + (n >= 20 ? 2 : 0) - FIRST_TICK;
		const bool planned = n >= FIRST_TICK;

		assert_int_equal(t->number, n);
		assert_int_equal(t->tick, n + (n >= 20 ? 2 : 0));
		assert_true(t->t_ns == test_record.t_ns[n]);
		assert_true(t->woke_ns == t->t_ns + 700);
		assert_int_equal(t->exchange, n == 20 ? JOSTLE_EMISSED : 0);
		assert_int_equal(t->program, 1);
		assert_int_equal(t->state, n == 0   ? SUPERVISOR_FAULT
					   : n == 1 ? SUPERVISOR_IDLE
					   : n == 2 ? SUPERVISOR_ARMED
						    : SUPERVISOR_RUNNING);
		assert_int_equal(t->repeat, planned ? since / SHOT_TICKS : 0);
		assert_int_equal(t->segment, planned && since % SHOT_TICKS >= RELAX_TICKS);
		assert_int_equal(t->setpoint, planned && since % SHOT_TICKS >= RELAX_TICKS &&
						      since % SHOT_TICKS < RELAX_TICKS + DRIVEN_TICKS);
		if (t->setpoint == SETPOINT_PROTOCOL)
			assert_true(fabs(t->setpoint_t - 0.1 -
					 (double)(RELAX_TICKS + DRIVEN_TICKS - since % SHOT_TICKS) * TEST_STEP) <
				    1e-12);
		else
			assert_true(t->setpoint_t == 0);
		assert_memory_equal(l->out_V[n], test_record.out_V[n + 1], sizeof(l->out_V[n]));
		/* Input 1 is the displacement of site 0: 0.5 V a unit from -0.5 V. */
		assert_true(fabs(l->in_V[n][1] - (0.5 * test_record.x[n][0] - 0.5)) < 1e-12);
		if (t->setpoint == SETPOINT_PROTOCOL)
			assert_true(fabs(test_force_of_volts(f->bench, 0, l->out_V[n][0]) - l->command[n][0]) < 1e-9);
	}
	assert_int_equal(l->n_events, 3 + 4 + 1 + 2 + 1); /* requests, states, missed, samples, plan */
}

/* catches: a beat left out, or with volts or a state from before the supervisor's last word */
static void watch_hears_every_beat_with_the_volts_that_are_written_next(void **state)
{
	struct loop_fixture *f = *state;

	test_script.nan_at = 450;
	build(&(struct loop_setup){.watch = &watch});
	request_running(&f->loop);
	tick(f, 501);
	assert_int_equal(listener.n_beats, 501);
	for (size_t n = 0; n < 500; n++) {
		assert_memory_equal(listener.beat_out_V[n], test_record.out_V[n + 1], sizeof(listener.beat_out_V[n]));
		if (n >= FIRST_TICK)
			assert_int_equal(listener.beat_state[n],
					 n < test_script.nan_at ? SUPERVISOR_RUNNING : SUPERVISOR_FAULT);
	}
}

/* catches: facts from outside that the supervisor is not told, or told one tick late */
static void fact_from_outside_trips_at_its_tick(void **state)
{
	static const struct {
		uint32_t fact;
		enum trip_cause cause;
	} cases[] = {{OUTSIDE_GUARDIAN_LOST, TRIP_GUARDIAN_LOST},
		     {OUTSIDE_GUARDIAN_SEIZED, TRIP_GUARDIAN},
		     {OUTSIDE_EXPIRED, TRIP_CALIBRATION}};
	struct loop_fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		if (i > 0)
			teardown(state);
		setup(state);
		build(&(struct loop_setup){.watch = &watch, .tap = &tap});
		listener.at = 50;
		listener.facts = cases[i].fact;
		request_running(&f->loop);
		tick(f, 60);
		assert_int_equal(f->loop.supervisor.trip.cause, cases[i].cause);
		assert_int_equal(f->loop.supervisor.trip.tick, 50);
		assert_int_equal(listener.tick[49].outside, 0);
		assert_int_equal(listener.tick[50].outside, cases[i].fact);
	}
}

/* catches: a calibration that is used after its time, or never since 0 stands for no end */
static void calibration_is_void_after_its_time(void **state)
{
	static const int64_t times[] = {1, 0, INT64_MAX};
	struct loop_fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		if (i > 0)
			teardown(state);
		setup(state);
		build(&(struct loop_setup){.expires_ns = times[i]});
		request_running(&f->loop);
		tick(f, 10);
		assert_int_equal(supervisor_running(&f->loop.supervisor), i > 0);
		assert_int_equal(f->loop.state.outside, i > 0 ? 0 : OUTSIDE_EXPIRED);
	}
}

/* catches: a replay that finds facts of its own where the recording had none */
static void watch_has_the_last_word_on_the_facts(void **state)
{
	struct loop_fixture *f = *state;

	build(&(struct loop_setup){.watch = &watch, .expires_ns = 1});
	request_running(&f->loop);
	tick(f, 10);
	assert_int_equal(listener.found[5], OUTSIDE_EXPIRED);
	assert_true(supervisor_running(&f->loop.supervisor));
}

/* catches: a sample delivered in a replay where the recorded ring was full; a full ring that is no fact */
static void full_ring_of_samples_is_a_fact_like_others(void **state)
{
	struct loop_fixture *f = *state;
	struct sample_record *sample = (struct sample_record *)(char[64]){0};

	build(&(struct loop_setup){.watch = &watch});
	listener.at = FIRST_TICK + SHOT_TICKS - 1;
	listener.facts = OUTSIDE_NO_ROOM;
	request_running(&f->loop);
	tick(f, FIRST_TICK + SHOT_TICKS + 10);
	assert_int_equal(f->program.sequencer.n_refused, 1);
	assert_int_equal(f->program.sequencer.n_samples, 0);
	assert_false(ring_pop(&f->samples, sample));
	for (size_t n = 0; n < FIRST_TICK + SHOT_TICKS; n++)
		assert_int_equal(listener.found[n], 0);
	while (ring_push(&f->samples, sample))
		;
	tick(f, 1);
	assert_int_equal(listener.found[FIRST_TICK + SHOT_TICKS + 10], OUTSIDE_NO_ROOM);
}

/* catches: a view filled unasked, one of an old tick, arrays of another channel */
static void view_is_of_the_tick_after_it_was_asked_for(void **state)
{
	struct loop_fixture *f = *state;
	const struct loop_view *view;

	test_script.miss_at = 3;
	test_script.n_missed = 4;
	build(&(struct loop_setup){.paced = false});
	request_running(&f->loop);
	tick(f, 1);
	assert_null(loop_view(&f->loop));
	tick(f, FIRST_TICK + RELAX_TICKS);
	view = loop_view(&f->loop);
	assert_non_null(view);
	assert_int_equal(view->n_ticks, 2);
	assert_int_equal(view->tick.number, 1);
	/* Asked just now, and answered by the next tick alone. */
	tick(f, 1);
	const uint64_t n_ticks = f->loop.n_ticks;

	tick(f, 7);
	view = loop_view(&f->loop);
	assert_int_equal(view->n_ticks, n_ticks);
	assert_int_equal(view->tick.number, n_ticks - 1);
	tick(f, 1);
	view = loop_view(&f->loop);
	assert_int_equal(view->tick.state, SUPERVISOR_RUNNING);
	assert_int_equal(view->n_missed, 4);
	assert_int_equal(view->n_driven, f->loop.n_driven);
	assert_true(view->n_driven > 0);
	assert_int_equal(view->n_repeats, 2);
	assert_int_equal(view->trip.cause, TRIP_NONE);
	assert_memory_equal(view->in_V, f->loop.in_V, 4 * sizeof(double));
	assert_memory_equal(view->out_V, f->loop.out_V, 3 * sizeof(double));
	assert_memory_equal(view->command, f->loop.command.value, 3 * sizeof(double));
	assert_memory_equal(view->x, f->loop.state.x, 2 * sizeof(double));
	assert_memory_equal(view->force, f->loop.state.force, 2 * sizeof(double));
	assert_true(view->x[0] != view->force[0] && view->in_V[0] != view->out_V[0]);
}

/* catches: a wake-up measured from the wrong edge, over missed slots, or where nobody waited */
static void timing_is_of_edges_that_were_waited_for(void **state)
{
	struct loop_fixture *f = *state;

	test_script.wake_ns = 5000;
	test_script.miss_at = 30;
	test_script.n_missed = 3;
	build(&(struct loop_setup){.paced = true, .stages = true});
	tick(f, 100);
	assert_int_equal(f->loop.timing.wake.n, 99);
	assert_int_equal(f->loop.timing.wake.max_ns, 5000);
	assert_int_equal(histogram_quantile_ns(&f->loop.timing.wake, 0.001), 5000);
	assert_int_equal(f->loop.timing.period.n, 99);
	assert_int_equal(f->loop.timing.period.max_ns, 400000);
	assert_in_range(histogram_quantile_ns(&f->loop.timing.period, 0.98), 100000, 107000);
	assert_int_equal(f->loop.timing.exchange.n, 100);
	assert_int_equal(f->loop.timing.execution.n, 100);
	for (size_t i = 0; i < LOOP_N_STAGES; i++)
		assert_int_equal(f->loop.timing.stage[i].n, 100);
	teardown(state);
	setup(state);
	build(&(struct loop_setup){.paced = true});
	tick(f, 100);
	assert_int_equal(f->loop.timing.wake.n + f->loop.timing.period.n + f->loop.timing.exchange.n, 0);
	assert_int_equal(f->loop.timing.stage[STAGE_DRIVE].n, 0);
}

/* catches: an execution time that is not the tick's before */
static void execution_time_is_handed_on_with_the_next_tick(void **state)
{
	struct loop_fixture *f = *state;

	build(&(struct loop_setup){.paced = true, .tap = &tap});
	tick(f, 1);
	assert_int_equal(listener.tick[0].execution_ns, 0);
	for (size_t n = 1; n < 50; n++) {
		const uint32_t before = f->loop.execution_ns;

		tick(f, 1);
		assert_true(before > 0);
		assert_int_equal(listener.tick[n].execution_ns, before);
	}
}

/* catches: numbers that begin anew, a reset before the cause has gone, a plan from its first repeat, a state that runs */
static void recording_is_taken_up_where_it_stood(void **state)
{
	struct loop_fixture *f = *state;
	const struct tick_record last = {
		.number = 4000, .tick = 4100, .t_ns = 999900000, .state = SUPERVISOR_IDLE, .repeat = 1};
	const double in_V[4] = {0}, out_V[3] = {0, 0.0625, 1.5};
	const struct trip trip = {.cause = TRIP_INPUT, .channel = 2};
	struct tick_record other = last;
	struct loop_event event;

	build(&(struct loop_setup){.tap = &tap});
	other.state = SUPERVISOR_RUNNING;
	assert_int_equal(loop_continue(&f->loop, &other, in_V, out_V, &trip, &f->err), JOSTLE_EINVAL);
	other.state = 17;
	assert_int_equal(loop_continue(&f->loop, &other, in_V, out_V, &trip, &f->err), JOSTLE_EINVAL);
	assert_int_equal(loop_continue(&f->loop, &last, in_V, out_V, &trip, &f->err), 0);
	loop_request(&f->loop, SUPERVISOR_ARM);
	loop_request(&f->loop, SUPERVISOR_RUN);
	tick(f, 2);
	assert_memory_equal(test_record.out_V[0], out_V, sizeof(out_V));
	assert_int_equal(listener.tick[0].number, 4001);
	assert_int_equal(listener.tick[0].tick, 4101);
	assert_true(supervisor_running(&f->loop.supervisor));
	tick(f, SHOT_TICKS - 1);
	assert_true(f->program.sequencer.done);
	assert_true(next_event(f, EVENT_SAMPLE, &event));
	assert_int_equal(event.c, 1);
	teardown(state);
	setup(state);
	build(&(struct loop_setup){.tap = &tap});
	other.state = SUPERVISOR_FAULT;
	assert_int_equal(loop_continue(&f->loop, &other, in_V, out_V, &trip, &f->err), 0);
	assert_int_equal(f->loop.supervisor.trip.channel, 2);
	loop_request(&f->loop, SUPERVISOR_RESET);
	loop_request(&f->loop, SUPERVISOR_RESET);
	tick(f, 1);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_FAULT);
	tick(f, 1);
	assert_int_equal(f->loop.supervisor.state, SUPERVISOR_IDLE);
}

/* catches: a view or a histogram that is torn or raced for (TSan), a counter that stands still */
static void other_threads_look_on_while_the_loop_runs(void **state)
{
	struct loop_fixture *f = *state;
	uint64_t n_before = 0, n_seen = 0;
	struct sample_record *sample = (struct sample_record *)(char[64]){0};
	struct histogram copy;

	test_script.noisy = true;
	build(&(struct loop_setup){.stages = true});
	request_running(&f->loop);
	assert_int_equal(loop_start(&f->loop, &f->err), 0);
	while (n_seen < 200) {
		const struct loop_view *view = loop_view(&f->loop);

		ring_pop(&f->samples, sample); /* unpaced, the loop waits for whoever takes them */
		if (view && view->n_ticks > n_before) {
			assert_int_equal(view->tick.number + 1, view->n_ticks);
			/* One unit of displacement of site 1 is -0.4 V from 0.125 V. */
			assert_true(fabs(view->in_V[0] - (0.125 - 0.4 * view->x[1])) < 1e-9);
			n_before = view->n_ticks;
			n_seen++;
		}
		histogram_copy(&copy, &f->loop.timing.stage[STAGE_DRIVE]);
		assert_true(copy.n <= loop_n_ticks(&f->loop) + 1);
		sched_yield();
	}
	loop_stop(&f->loop);
	assert_int_equal(loop_join(&f->loop, &f->err), 0);
	assert_true(loop_n_ticks(&f->loop) >= n_before);
	assert_int_equal(loop_n_ticks(&f->loop), f->loop.n_ticks);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(tap_is_handed_every_tick_as_it_was),
		TEST(watch_hears_every_beat_with_the_volts_that_are_written_next),
		TEST(fact_from_outside_trips_at_its_tick),
		TEST(calibration_is_void_after_its_time),
		TEST(watch_has_the_last_word_on_the_facts),
		TEST(full_ring_of_samples_is_a_fact_like_others),
		TEST(view_is_of_the_tick_after_it_was_asked_for),
		TEST(timing_is_of_edges_that_were_waited_for),
		TEST(execution_time_is_handed_on_with_the_next_tick),
		TEST(recording_is_taken_up_where_it_stood),
		TEST(other_threads_look_on_while_the_loop_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
