#ifndef JOSTLE_TEST_SUPERVISOR_FIXTURE_H
#define JOSTLE_TEST_SUPERVISOR_FIXTURE_H
/*
 * A supervisor on the test bench, with the state and command of a tick made by hand.
 */
#include "control/support/test_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>

#include "control/bench_calibration.h"
#include "control/calibration.h"
#include "control/supervisor.h"

struct fixture {
	struct bench *bench;
	struct calibration_record record;
	struct calibration calibration;
	struct supervisor supervisor;
	struct state state;
	struct command command;
	double in_V[4], out_V[3];
};

static inline void assert_near(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("expected %.15g, found %.15g", expected, found);
}

/** A supervisor on the bench that f->bench points to. */
static inline void build_on(struct fixture *f, bool arming_allowed)
{
	struct err err = {0};

	if (bench_calibration_nominal(&f->record, f->bench, &err) ||
	    calibration_init(&f->calibration, f->bench, &f->record, f->bench->period_s, &err) ||
	    supervisor_init(&f->supervisor, f->bench, &f->calibration, f->bench->period_s, arming_allowed, &err) ||
	    state_init(&f->state, TEST_SITES, &err) || command_init(&f->command, 3, &err))
		fail_msg("%s", err.text);
}

static inline void build(struct fixture *f, bool arming_allowed)
{
	*f = (struct fixture){.bench = test_bench_feedback()};
	build_on(f, arming_allowed);
}

static inline void destroy(struct fixture *f)
{
	supervisor_fini(&f->supervisor);
	calibration_fini(&f->calibration);
	calibration_record_fini(&f->record);
	state_fini(&f->state);
	command_fini(&f->command);
}

/** The next sample edge, with inputs that differ from the last. */
static inline void next_edge(struct fixture *f)
{
	f->state.tick++;
	f->state.t_ns += 100000;
	for (size_t k = 0; k < 4; k++)
		f->in_V[k] += f->state.tick % 2 ? 0.125 : -0.125;
}

/** Judge the inputs as they stand and limit the command as it stands. */
static inline void judge(struct fixture *f, int exchange)
{
	calibration_to_volts(&f->calibration, &f->command, f->out_V);
	supervisor_limit(&f->supervisor, exchange, f->in_V, &f->state, &f->command, f->out_V);
}

/** A tick in which these forces are commanded. */
static inline void tick(struct fixture *f, double first, double second)
{
	next_edge(f);
	f->command.value[0] = first;
	f->command.value[1] = second;
	judge(f, 0);
}

static inline void bring_to_running(struct fixture *f)
{
	tick(f, 0, 0);
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_RESET));
	tick(f, 0, 0);
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_ARM));
	assert_true(supervisor_event(&f->supervisor, SUPERVISOR_RUN));
	assert_true(supervisor_running(&f->supervisor));
}

static inline int setup(void **state)
{
	static struct fixture f;

	build(&f, true);
	bring_to_running(&f);
	*state = &f;
	return 0;
}

static inline int teardown(void **state)
{
	destroy(*state);
	return 0;
}

static inline void assert_tripped(const struct fixture *f, enum trip_cause cause, size_t channel)
{
	assert_int_equal(f->supervisor.state, SUPERVISOR_FAULT);
	assert_int_equal(f->supervisor.trip.cause, cause);
	assert_int_equal(f->supervisor.trip.channel, channel);
	assert_int_equal(f->supervisor.trip.tick, f->state.tick);
	assert_true(f->supervisor.trip.t_ns == f->state.t_ns);
	for (size_t k = 0; k < 3; k++)
		assert_true(f->out_V[k] == f->bench->out[k].safe_V);
}

#endif
