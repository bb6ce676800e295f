#include "control/program.h"

#include "base/err.h"
#include "control/calibration.h"
#include "control/stability.h"
#include "daq/bench.h"

#define FOR_EVER 1e14 /* periods: 158 years at 20 kHz */

/** A potential of no protocol: there is nothing in it that anybody would ask for. */
static int init_potential(struct program *program, struct err *err)
{
	if (program->protocol)
		return potential_init(&program->potential, program->protocol, err);
	program->potential = (struct potential){0};
	return 0;
}

int program_init(struct program *program, const struct program_setup *setup, struct err *err)
{
	const struct calibration *calibration = setup->calibration;
	const struct segment idle = {.kind = SEGMENT_IDLE, .duration = FOR_EVER * calibration->period};
	const struct plan idle_plan = {.segments = &idle, .n_segments = 1, .n_repeats = 1};
	const struct plan *plan = setup->plan ? setup->plan : &idle_plan;
	int code;

	*program = (struct program){.id = setup->id, .protocol = setup->protocol};
	if (setup->id == 0)
		return err_set(err, JOSTLE_EINVAL, "program: expected an id other than 0");
	code = init_potential(program, err);
	if (!code)
		code = drive_init(&program->drive, setup->bench, calibration, setup->record, &program->potential, err);
	if (!code)
		code = sequencer_init(&program->sequencer, plan, calibration->period, calibration->latency,
				      &program->potential, setup->samples, err);
	program->sequencer.program = setup->id;
	if (!code && setup->protocol)
		code = stability_check(plan, setup->bench, calibration, &program->potential, setup->period_s, err);
	if (code)
		program_fini(program);
	return code;
}

void program_fini(struct program *program)
{
	sequencer_fini(&program->sequencer);
	drive_fini(&program->drive);
	potential_fini(&program->potential);
	*program = (struct program){0};
}
