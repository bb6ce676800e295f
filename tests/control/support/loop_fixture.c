#include "control/support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

static const struct segment segments[] = {
	{.kind = SEGMENT_RELAX, .duration = 4},
	{.kind = SEGMENT_GENERATE, .t_final = 1, .t_minimum = 0.1},
};
static const char *const specs[] = {"onsite-power powers=2", "bilinear range=1"};
static const double theta[] = {0.8, 0.7, 0.3};

void loop_fixture_program(struct loop_fixture *f, struct program *program, uint64_t id, uint64_t n_repeats)
{
	const struct plan plan = {.segments = segments, .n_segments = 2, .n_repeats = n_repeats};
	const struct program_setup setup = {
		.id = id,
		.bench = f->bench,
		.calibration = &f->calibration,
		.record = &f->record,
		.protocol = n_repeats ? &f->protocol : NULL,
		.samples = n_repeats ? &f->samples : NULL,
		.plan = n_repeats ? &plan : NULL,
		.period_s = f->daq.period_s,
	};

	if (program_init(program, &setup, &f->err))
		fail_msg("%s", f->err.text);
}

void loop_fixture_prepare(struct loop_fixture *f, struct bench *bench, uint64_t n_repeats, bool paced)
{
	memset(f, 0, sizeof(*f));
	f->bench = bench;
	test_bench_open(&f->daq, &f->record, bench, paced);
	test_protocol(&f->protocol, specs, 2, theta);
	if (ring_init(&f->samples, sequencer_record_size(TEST_SITES), n_repeats, &f->err) ||
	    ring_init(&f->events, sizeof(struct loop_event), MAX_EVENTS, &f->err) ||
	    calibration_init(&f->calibration, bench, &f->record, f->daq.period_s, &f->err))
		fail_msg("%s", f->err.text);
	loop_fixture_program(f, &f->program, 1, n_repeats);
}

void loop_fixture_build(struct loop_fixture *f, struct bench *bench, uint64_t n_repeats, const struct loop_setup *more)
{
	struct loop_setup setup = *more;

	loop_fixture_prepare(f, bench, n_repeats, more->paced);
	setup.daq = &f->daq;
	setup.calibration = &f->calibration;
	setup.program = &f->program;
	setup.events = &f->events;
	setup.cpu = LOOP_ANY_CPU;
	setup.arming_allowed = true;
	if (loop_init(&f->loop, &setup, &f->err))
		fail_msg("%s", f->err.text);
}

void loop_fixture_destroy(struct loop_fixture *f)
{
	loop_fini(&f->loop);
	program_fini(&f->program);
	calibration_fini(&f->calibration);
	ring_fini(&f->samples);
	ring_fini(&f->events);
	protocol_fini(&f->protocol);
	calibration_record_fini(&f->record);
	daq_close(&f->daq);
}

void request_running(struct loop *loop)
{
	assert_true(loop_request(loop, SUPERVISOR_RESET));
	assert_true(loop_request(loop, SUPERVISOR_ARM));
	assert_true(loop_request(loop, SUPERVISOR_RUN));
}

bool next_event(struct loop_fixture *f, enum loop_event_kind kind, struct loop_event *event)
{
	while (ring_pop(&f->events, event))
		if (event->kind == kind)
			return true;
	return false;
}
