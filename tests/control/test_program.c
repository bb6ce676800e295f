/* A program: what it is built of, and what it refuses. */
#include "control/support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

static struct loop_fixture fixture;

static const struct segment segments[] = {
	{.kind = SEGMENT_RELAX, .duration = 4},
	{.kind = SEGMENT_GENERATE, .t_final = 1, .t_minimum = 0.1},
};
static const struct plan plan = {.segments = segments, .n_segments = 2, .n_repeats = 1};

static int setup(void **state)
{
	test_script_reset();
	loop_fixture_build(&fixture, test_bench_feedback(), 1, &(struct loop_setup){.paced = false});
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	loop_fixture_destroy(*state);
	return 0;
}

/** All that program 1 of the fixture has. */
static struct program_setup whole(struct loop_fixture *f)
{
	return (struct program_setup){
		.id = 1,
		.bench = f->bench,
		.calibration = &f->calibration,
		.record = &f->record,
		.protocol = &f->protocol,
		.samples = &f->samples,
		.plan = &plan,
		.period_s = f->daq.period_s,
	};
}

/* catches: an id that stands for none, a protocol that nothing checks, a plan that goes on with a part of what it needs */
static void program_that_lacks_something_is_refused_by_its_name(void **state)
{
	struct loop_fixture *f = *state;
	struct program_setup s = whole(f);
	struct program program;

	s.id = 0;
	assert_int_equal(program_init(&program, &s, &f->err), JOSTLE_EINVAL);
	assert_non_null(strstr(f->err.text, "id"));
	s = whole(f);
	s.protocol = NULL;
	assert_int_equal(program_init(&program, &s, &f->err), JOSTLE_EINVAL);
	assert_non_null(strstr(f->err.text, "expected a protocol"));
	s = whole(f);
	s.samples = NULL;
	assert_int_equal(program_init(&program, &s, &f->err), JOSTLE_EINVAL);
	assert_non_null(strstr(f->err.text, "ring"));
	s = whole(f);
	f->bench->out[0].role = DAQ_AUXILIARY;
	assert_int_equal(program_init(&program, &s, &f->err), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "no force output"));
	/* Nobody needs that output where nothing is driven. */
	s.protocol = NULL;
	s.plan = NULL;
	assert_int_equal(program_init(&program, &s, &f->err), 0);
	program_fini(&program);
	f->bench->out[0].role = DAQ_FORCE;
	s = whole(f);
	f->protocol.wall[1].stiffness = 1e6;
	assert_int_equal(program_init(&program, &s, &f->err), JOSTLE_ECONFIG);
	assert_non_null(strstr(f->err.text, "period_s"));
}

/* catches: an idle that ends, a command out of a potential that is none */
static void program_without_protocol_or_plan_rests_for_ever(void **state)
{
	struct loop_fixture *f = *state;
	struct program idle;

	loop_fixture_program(f, &idle, 4, 0);
	assert_true(idle.sequencer.segments[0].n_ticks > (uint64_t)(100 * 365.25 * 86400 * 20000));
	f->loop.program = &idle;
	assert_int_equal(f->daq.driver->start(&f->daq, &f->err), 0);
	request_running(&f->loop);
	for (int n = 0; n < 1000; n++)
		loop_tick(&f->loop);
	assert_true(supervisor_running(&f->loop.supervisor));
	assert_int_equal(f->loop.n_driven, 0);
	assert_false(idle.sequencer.done);
	for (size_t k = 0; k < f->bench->n_out; k++)
		assert_true(f->loop.command.value[k] == 0);
	program_fini(&idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(program_that_lacks_something_is_refused_by_its_name, setup, teardown),
		cmocka_unit_test_setup_teardown(program_without_protocol_or_plan_rests_for_ever, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
