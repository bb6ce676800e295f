#ifndef JOSTLE_TEST_RECORDED_H
#define JOSTLE_TEST_RECORDED_H
/*
 * A loop that is none: ticks whose every number follows from the tick's, so that any row read back tells whether it is whole. For
 * the recorder's tests; needs test_bench.
 */
#include <stdint.h>

#include "control/calibration.h"
#include "control/recorder.h"
#include "control/support/test_bench.h"

struct recorded {
	struct daq daq;
	struct calibration_record record;
	struct calibration calibration;
	struct recorder_setup setup; /* of `folder` and name "r"; to be changed before recorder_open() */
	uint64_t number;             /* of the next tick */
	uint64_t program;            /* that the ticks are under */
};

/** The bench, its calibration and a setup. The caller ends it with recorded_fini(). Fails the test on error. */
void recorded_init(struct recorded *recorded, const char *folder);
void recorded_fini(struct recorded *recorded);

/** Input, output and command k of a tick. */
double recorded_in_V(uint64_t number, size_t k);
double recorded_out_V(uint64_t number, size_t k);
double recorded_command(uint64_t number, size_t k);

/** Hand over one tick, and at every hundredth number a sample's event, now before it, now after it. */
void recorded_tick(struct recorded *recorded, struct recorder *recorder);

#endif
