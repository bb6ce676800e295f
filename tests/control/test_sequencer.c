/* The shot sequencer: which tick asks for what, and when a sample is read. */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ring.h"
#include "control/potential.h"
#include "control/sequencer.h"
#include "protocols/diffusion.h"

#define DELTA 0.25 /* exact in binary, so that counts are exact too */

struct fixture {
	struct protocol protocol;
	struct potential potential;
	struct ring ring;
	struct sequencer sequencer;
	struct state state;
	struct sample_record *sample;
	double latency;
};

static const struct segment segments[] = {
	{.kind = SEGMENT_IDLE, .duration = 1.0},
	{.kind = SEGMENT_RELAX, .duration = 4.0},
	{.kind = SEGMENT_GENERATE, .t_final = 1.5, .t_minimum = 0.25},
};
#define IDLE_TICKS     4
#define RELAX_TICKS    16
#define DRIVEN_TICKS   5
#define GENERATE_TICKS (DRIVEN_TICKS + 2)
#define REPEAT_TICKS   (IDLE_TICKS + RELAX_TICKS + GENERATE_TICKS)

static void assert_near(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("expected %.15g, found %.15g", expected, found);
}

/* U = x^2 at every knot: f = -2x. */
static int setup(void **state)
{
	static struct fixture f;
	const char *const specs[] = {"onsite-power powers=2"};
	const double theta[] = {1, 1};
	struct err err = {0};

	test_protocol(&f.protocol, specs, 1, theta);
	for (size_t k = 0; k < f.protocol.n_knots * 2; k++)
		f.protocol.theta[k] = 1;
	f.protocol.readout_weight = 0.5;
	assert_int_equal(potential_init(&f.potential, &f.protocol, &err), 0);
	assert_int_equal(ring_init(&f.ring, sequencer_record_size(TEST_SITES), 16, &err), 0);
	assert_int_equal(state_init(&f.state, TEST_SITES, &err), 0);
	f.sample = malloc(sequencer_record_size(TEST_SITES));
	f.sequencer = (struct sequencer){0};
	f.latency = 0;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sequencer_fini(&f->sequencer);
	ring_fini(&f->ring);
	potential_fini(&f->potential);
	protocol_fini(&f->protocol);
	state_fini(&f->state);
	free(f->sample);
	return 0;
}

static int plan(struct fixture *f, const struct segment list[], size_t n, uint64_t n_repeats, struct err *err)
{
	const struct plan p = {.segments = list, .n_segments = n, .n_repeats = n_repeats};

	return sequencer_init(&f->sequencer, &p, DELTA, f->latency, &f->potential, &f->ring, err);
}

/** One tick at which the supervisor has no objection. */
static struct setpoint step(struct fixture *f, uint64_t tick)
{
	struct setpoint setpoint;

	/* As the loop does it: a slot left out is a missed one. */
	f->state.missed = tick > f->state.tick + 1;
	f->state.tick = tick;
	sequencer_step(&f->sequencer, &f->state, &setpoint);
	sequencer_publish(&f->sequencer, sequencer_has_room(&f->sequencer));
	return setpoint;
}

/*
 * A command acts 1 + L edges after its tick. catches: theta(t) late by the latency, or early; a read-out while the last
 * command is still on its way; a last stretch before it without a command
 */
static void latency_is_made_good_in_theta_and_in_the_read_out(void **state)
{
	static const double latencies[] = {0, 1, 2.25, 0.5};
	const uint64_t begin = IDLE_TICKS + RELAX_TICKS;
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++) {
		const double latency = f->latency = latencies[i];
		double until = 0; /* the moment up to which the last command acts, in edges of the generation */
		uint64_t tick = 0;
		struct err err = {0};

		f->state.tick = 0;
		assert_int_equal(plan(f, segments, 3, 1, &err), 0);
		const double read_edge = (double)(f->sequencer.segments[2].n_ticks - 1);

		for (; !f->sequencer.done; tick++) {
			const struct setpoint setpoint = step(f, tick);

			if (setpoint.kind != SETPOINT_PROTOCOL)
				continue;
			const double acts_at = (double)(tick - begin) + 1 + latency;

			assert_near(setpoint.t, 0.25 + (read_edge - acts_at) * DELTA, 1e-12);
			until = acts_at + 1;
		}
		assert_true(ring_pop(&f->ring, f->sample));
		assert_int_equal(f->sample->tick - begin, (uint64_t)read_edge);
		assert_true(until >= read_edge && until < read_edge + 1);
		/* The protocol acts for as long as without latency, or for the fraction of a period more. */
		assert_int_equal(tick, REPEAT_TICKS + (uint64_t)ceil(latency));
		sequencer_fini(&f->sequencer);
	}
}

/* catches: a segment one tick too long or short; a clock that is not reset between segments; repeats off by one */
static void every_segment_takes_its_exact_number_of_ticks(void **state)
{
	struct fixture *f = *state;
	const uint64_t first = 1000;
	struct err err = {0};

	assert_int_equal(plan(f, segments, 3, 3, &err), 0);
	for (uint64_t tick = 0; tick < 3 * REPEAT_TICKS; tick++) {
		const uint64_t since = tick % REPEAT_TICKS;
		const bool driven = since >= IDLE_TICKS + RELAX_TICKS && since < REPEAT_TICKS - 2;

		assert_false(f->sequencer.done);
		assert_int_equal(step(f, first + tick).kind, driven ? SETPOINT_PROTOCOL : SETPOINT_PASSIVE);
	}
	assert_true(f->sequencer.done);
	assert_int_equal(f->sequencer.n_samples, 3);
	assert_int_equal(step(f, first + 3 * REPEAT_TICKS).kind, SETPOINT_PASSIVE);
	assert_int_equal(f->sequencer.n_samples, 3);
}

/* catches: theta of the sample's own edge, one period late by the time it acts; a last driven period at t_min */
static void setpoint_is_the_time_at_which_the_command_will_act(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(plan(f, segments, 3, 1, &err), 0);
	for (uint64_t tick = 0; tick < IDLE_TICKS + RELAX_TICKS; tick++)
		step(f, tick);
	const uint64_t begin = IDLE_TICKS + RELAX_TICKS, end_edge = begin + 1 + DRIVEN_TICKS;

	for (uint64_t tick = begin; tick < begin + DRIVEN_TICKS; tick++) {
		const struct setpoint setpoint = step(f, tick);
		const uint64_t acts_at = tick + 1;

		/* t_min is reached at the edge that ends the last driven period. */
		assert_near(setpoint.t, 0.25 + (double)(end_edge - acts_at) * DELTA, 1e-15);
	}
}

/* catches: reading a tick early (the last command still acts) or late (the bench relaxes already); f at another t */
static void sample_is_read_at_the_edge_where_t_reaches_its_minimum(void **state)
{
	struct fixture *f = *state;
	const uint64_t edge = IDLE_TICKS + RELAX_TICKS + DRIVEN_TICKS + 1;
	const double a = exp(-0.25), variance = 1 - exp(-0.5);
	struct err err = {0};

	assert_int_equal(plan(f, segments, 3, 1, &err), 0);
	for (uint64_t tick = 0; tick < REPEAT_TICKS; tick++) {
		/* A state that tells its tick. */
		f->state.x[0] = (double)tick;
		f->state.x[1] = -(double)tick;
		step(f, tick);
		assert_int_equal(f->sequencer.n_samples, tick >= edge);
	}
	assert_true(ring_pop(&f->ring, f->sample));
	assert_int_equal(f->sample->tick, edge);
	assert_int_equal(f->sample->number, 0);
	/* s = (f - x) / 2 = -3x/2; (x + variance s / 2) / a */
	const double factor = (1 - 0.75 * variance) / a;

	assert_near(f->sample->value[0], factor * (double)edge, 1e-9);
	assert_near(f->sample->value[1], -factor * (double)edge, 1e-9);
	assert_false(ring_pop(&f->ring, f->sample));
}

/* catches: durations rounded down (a relaxation shorter than asked), a rounding error that adds a tick */
static void durations_are_rounded_up_to_whole_periods_but_not_by_rounding_errors(void **state)
{
	struct fixture *f = *state;
	const struct segment list[] = {
		{.kind = SEGMENT_RELAX, .duration = 4.1},
		{.kind = SEGMENT_GENERATE, .t_final = 1.1, .t_minimum = 0.25},
	};
	const struct plan p = {.segments = list, .n_segments = 2, .n_repeats = 1};
	struct err err = {0};

	assert_int_equal(plan(f, list, 2, 1, &err), 0);
	assert_int_equal(f->sequencer.segments[0].n_ticks, 17);
	assert_int_equal(f->sequencer.segments[1].n_ticks, 4 + 2);
	sequencer_fini(&f->sequencer);
	/* 4.1 / 0.1 is 41 but for the last bit, 0.85 / 0.05 likewise. */
	assert_int_equal(sequencer_init(&f->sequencer, &p, 0.1, 0, &f->potential, &f->ring, &err), 0);
	assert_int_equal(f->sequencer.segments[0].n_ticks, 41);
	sequencer_fini(&f->sequencer);
	assert_int_equal(sequencer_init(&f->sequencer, &p, 0.05, 0, &f->potential, &f->ring, &err), 0);
	assert_int_equal(f->sequencer.segments[1].n_ticks, 17 + 2);
}

static void assert_refused(struct fixture *f, const struct segment list[], size_t n, const char *about)
{
	struct err err = {0};

	assert_int_equal(plan(f, list, n, 1, &err), JOSTLE_EINVAL);
	if (!strstr(err.text, about))
		fail_msg("expected a word of \"%s\", found: %s", about, err.text);
}

/* catches: samples that start from the last one instead of the stationary law; times that never end */
static void plans_that_cannot_yield_independent_samples_are_refused(void **state)
{
	struct fixture *f = *state;
	struct segment list[2] = {segments[1], segments[2]};

	list[0].duration = 3.99;
	assert_refused(f, list, 2, "3.99");
	list[0] = segments[0];
	assert_refused(f, list, 2, "idle");
	assert_refused(f, &segments[2], 1, "nothing");
	list[0].duration = NAN;
	assert_refused(f, list, 2, "idle");
	list[0].duration = INFINITY;
	assert_refused(f, list, 2, "idle");
	list[0] = segments[1];
	list[1].t_minimum = 0;
	assert_refused(f, list, 2, "t_minimum > 0");
	list[1].t_minimum = 2;
	assert_refused(f, list, 2, "t_final > t_minimum");
	list[1] = (struct segment){.kind = (enum segment_kind)7};
	assert_refused(f, list, 2, "unknown kind");
	assert_refused(f, list, 0, "segments");
}

/* catches: a clock that counts calls instead of edges */
static void missed_slots_move_the_clock_on(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(plan(f, segments, 3, 1, &err), 0);
	step(f, 0);
	/* Over the end of two segments, to the first tick of the generation: nothing of it was missed. */
	const struct setpoint setpoint = step(f, IDLE_TICKS + RELAX_TICKS);

	assert_int_equal(setpoint.kind, SETPOINT_PROTOCOL);
	assert_near(setpoint.t, 0.25 + 5 * DELTA, 1e-15);
	assert_int_equal(f->sequencer.n_spoiled, 0);
}

/** Run a plan of 2 repeats with `n` slots left out before tick `at`, or, with 0, a write that came late for it. */
static uint64_t ticks_with_a_miss(struct fixture *f, uint64_t at, uint64_t n)
{
	struct err err = {0};
	uint64_t tick;

	assert_int_equal(plan(f, segments, 3, 2, &err), 0);
	for (tick = 0; !f->sequencer.done && tick < 10 * REPEAT_TICKS; tick++) {
		if (tick == at)
			tick += n;
		if (tick == at && n == 0) {
			struct setpoint setpoint;

			f->state.missed = true;
			f->state.tick = tick;
			sequencer_step(&f->sequencer, &f->state, &setpoint);
			sequencer_publish(&f->sequencer, sequencer_has_room(&f->sequencer));
		} else {
			step(f, tick);
		}
	}
	assert_int_equal(f->sequencer.n_samples, 2);
	while (ring_pop(&f->ring, f->sample))
		;
	return tick;
}

/*
 * catches: a force held for many periods in the middle of a generation, and the sample published all the same; a repeat
 * that goes on with what is left of a relaxation in which that force acted
 */
static void any_missed_slot_in_a_generation_does_the_repeat_again(void **state)
{
	struct fixture *f = *state;
	const uint64_t begin = IDLE_TICKS + RELAX_TICKS;

	for (uint64_t n = 0; n < 4; n++)
		for (uint64_t at = 1; at < REPEAT_TICKS; at++) {
			f->state.tick = 0;
			const uint64_t ticks = ticks_with_a_miss(f, at, n), back = at + n;
			const bool harmless = back <= begin;

			assert_int_equal(f->sequencer.n_spoiled, harmless ? 0 : 1);
			assert_int_equal(ticks, harmless ? 2 * REPEAT_TICKS : back + 2 * REPEAT_TICKS);
			sequencer_fini(&f->sequencer);
		}
	/* From inside the generation into the next repeat's relaxation: that one is begun anew as well. */
	f->state.tick = 0;
	assert_int_equal(ticks_with_a_miss(f, begin + 2, 15), begin + 2 + 15 + 2 * REPEAT_TICKS);
}

/* catches: a machine that misses a slot in every generation, and a job that never ends */
static void plan_is_given_up_after_many_spoiled_generations_in_a_row(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	uint64_t tick = 0;

	assert_int_equal(plan(f, segments, 3, 2, &err), 0);
	while (!f->sequencer.done && tick < 1000 * REPEAT_TICKS) {
		step(f, tick);
		tick += f->sequencer.current == 2 ? 2 : 1;
	}
	assert_true(f->sequencer.done);
	assert_int_equal(f->sequencer.n_spoiled, SEQUENCER_MAX_SPOILED);
	assert_int_equal(f->sequencer.n_samples, 0);
}

/* catches: a state that relaxed for a while handed out as a sample; a repeat that is lost without being made good */
static void generation_whose_read_out_was_missed_is_done_again(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	uint64_t tick;

	assert_int_equal(plan(f, segments, 3, 2, &err), 0);
	for (tick = 0; tick < REPEAT_TICKS - 1; tick++)
		step(f, tick);
	for (tick++; !f->sequencer.done && tick < 10 * REPEAT_TICKS; tick++)
		step(f, tick);
	assert_int_equal(tick, 3 * REPEAT_TICKS);
	assert_int_equal(f->sequencer.n_spoiled, 1);
	assert_int_equal(f->sequencer.n_samples, 2);
}

/* catches: a sample of a tick that tripped, handed out all the same, or never made good after the restart */
static void sample_of_a_tick_that_tripped_is_not_published_but_made_again(void **state)
{
	struct fixture *f = *state;
	struct setpoint setpoint;
	struct err err = {0};

	assert_int_equal(plan(f, segments, 3, 1, &err), 0);
	for (uint64_t tick = 0; tick < REPEAT_TICKS; tick++) {
		f->state.tick = tick;
		sequencer_step(&f->sequencer, &f->state, &setpoint);
		if (tick < REPEAT_TICKS - 1)
			sequencer_publish(&f->sequencer, sequencer_has_room(&f->sequencer));
	}
	sequencer_rewind(&f->sequencer);
	assert_int_equal(f->sequencer.n_samples, 0);
	assert_false(f->sequencer.done);
	for (uint64_t tick = 500; tick < 500 + REPEAT_TICKS; tick++) {
		assert_false(f->sequencer.done);
		step(f, tick);
	}
	assert_true(f->sequencer.done);
	assert_int_equal(f->sequencer.n_samples, 1);
}

/* catches: a sample that a full ring dropped and nobody missed; one number given twice; a repeat that is not made good */
static void sample_without_room_is_made_again(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	uint64_t tick = 0;

	assert_int_equal(plan(f, segments, 3, 18, &err), 0);
	/* 16 fit; then one is done again and again, until there is room. */
	for (; tick < 20 * REPEAT_TICKS; tick++) {
		assert_int_equal(sequencer_has_room(&f->sequencer), tick < 16 * REPEAT_TICKS);
		step(f, tick);
	}
	assert_int_equal(f->sequencer.n_samples, 16);
	assert_int_equal(f->sequencer.n_refused, 4);
	assert_false(f->sequencer.done);
	for (uint64_t n = 0; n < 18; n++) {
		assert_true(ring_pop(&f->ring, f->sample));
		assert_int_equal(f->sample->number, n);
		for (uint64_t i = 0; i < REPEAT_TICKS && !f->sequencer.done; i++)
			step(f, tick++);
	}
	assert_true(f->sequencer.done);
	assert_int_equal(tick, (18 + 4) * REPEAT_TICKS);
	assert_false(ring_pop(&f->ring, f->sample));
}

/* catches: a run that goes on in the middle of a generation after the bench stood still */
static void rewinding_starts_the_repeat_from_its_first_segment(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(plan(f, segments, 3, 1, &err), 0);
	for (uint64_t tick = 0; tick < IDLE_TICKS + RELAX_TICKS + 2; tick++)
		step(f, tick);
	sequencer_rewind(&f->sequencer);
	for (uint64_t tick = 0; tick < IDLE_TICKS + RELAX_TICKS; tick++)
		assert_int_equal(step(f, 100 + tick).kind, SETPOINT_PASSIVE);
	assert_int_equal(step(f, 100 + IDLE_TICKS + RELAX_TICKS).kind, SETPOINT_PROTOCOL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_segment_takes_its_exact_number_of_ticks),
		TEST(setpoint_is_the_time_at_which_the_command_will_act),
		TEST(sample_is_read_at_the_edge_where_t_reaches_its_minimum),
		TEST(latency_is_made_good_in_theta_and_in_the_read_out),
		TEST(durations_are_rounded_up_to_whole_periods_but_not_by_rounding_errors),
		TEST(plans_that_cannot_yield_independent_samples_are_refused),
		TEST(missed_slots_move_the_clock_on),
		TEST(any_missed_slot_in_a_generation_does_the_repeat_again),
		TEST(plan_is_given_up_after_many_spoiled_generations_in_a_row),
		TEST(generation_whose_read_out_was_missed_is_done_again),
		TEST(sample_of_a_tick_that_tripped_is_not_published_but_made_again),
		TEST(sample_without_room_is_made_again),
		TEST(rewinding_starts_the_repeat_from_its_first_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
