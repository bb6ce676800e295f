#ifndef JOSTLE_PROGRAM_H
#define JOSTLE_PROGRAM_H
/*
 * A program: a driving protocol matched to the bench, and the plan to carry out with it. Built whole outside the loop,
 * taken by it between two ticks.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "control/drive.h"
#include "control/potential.h"
#include "control/sequencer.h"

struct bench;
struct calibration;
struct calibration_record;
struct err;
struct protocol;

struct program_setup {
	uint64_t id;               /* not 0 */
	const struct bench *bench; /* these five are the caller's and outlive the program */
	const struct calibration *calibration;
	const struct calibration_record *record;
	const struct protocol *protocol; /* NULL: nothing is ever driven; the plan then has no generation */
	struct ring *samples;            /* of sequencer_record_size() bytes; NULL for a plan without a generation */
	const struct plan *plan;         /* NULL: idle for ever. May go after program_init() */
	double period_s;
};

struct program {
	uint64_t id;
	const struct protocol *protocol; /* or NULL */
	struct potential potential;
	struct drive_law drive;
	struct sequencer sequencer;
};

/**
 * Build and check. The caller ends it with program_fini(), when no loop carries it out.
 * Errors: those of potential_init(), drive_init(), sequencer_init() and stability_check(). Call from: setup.
 */
int program_init(struct program *program, const struct program_setup *setup, struct err *err);
void program_fini(struct program *program);

#endif
