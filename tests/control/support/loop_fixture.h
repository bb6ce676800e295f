#ifndef JOSTLE_LOOP_FIXTURE_H
#define JOSTLE_LOOP_FIXTURE_H
/*
 * A loop on the test bench, with all that it is made of: relax, generate, read out, n times over.
 */
#include "base/ring.h"
#include "control/loop.h"
#include "control/support/test_bench.h"

#define RELAX_TICKS  400
#define DRIVEN_TICKS 90
#define SHOT_TICKS   (RELAX_TICKS + DRIVEN_TICKS + 2)
#define FIRST_TICK   3 /* of the plan: tick 0 is judged, reset at 1, arm at 2, run at 3 */
#define MAX_EVENTS   256

struct loop_fixture {
	struct bench *bench;
	struct daq daq;
	struct calibration_record record;
	struct protocol protocol;
	struct calibration calibration;
	struct program program;
	struct ring samples, events;
	struct loop loop;
	struct err err;
};

/** Bench, calibration, program 1 and rings: everything but the loop. Fails the test on error. */
void loop_fixture_prepare(struct loop_fixture *fixture, struct bench *bench, uint64_t n_repeats, bool paced);

/** The same and the loop, whose setup is `more` with what the fixture holds filled in. */
void loop_fixture_build(struct loop_fixture *fixture, struct bench *bench, uint64_t n_repeats,
			const struct loop_setup *more);

/** Another program for the same bench: the plan n_repeats times; n_repeats 0: idle for ever, without a protocol. */
void loop_fixture_program(struct loop_fixture *fixture, struct program *program, uint64_t id, uint64_t n_repeats);

void loop_fixture_destroy(struct loop_fixture *fixture);

/** Ask for reset, arm and run. */
void request_running(struct loop *loop);

/** The next event of that kind that is waiting, older ones of other kinds thrown away. Returns false for none. */
bool next_event(struct loop_fixture *fixture, enum loop_event_kind kind, struct loop_event *event);

#endif
