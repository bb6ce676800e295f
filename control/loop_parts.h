#ifndef JOSTLE_LOOP_PARTS_H
#define JOSTLE_LOOP_PARTS_H
/*
 * What the loop's own files share: requests, and what it tells others. Nobody else includes this.
 */
#include "control/loop.h"

/** A stop on its way, with how many requests had been asked for before it. */
struct stop {
	struct request request;
	uint64_t n_before;
};

/** Whether a program was made for this loop's bench and calibration. RT_SAFE. Call from: any. */
RT_SAFE bool program_fits(const struct loop *loop, const struct program *program);

/** Take one request, if one waits, and answer it. RT_SAFE. Call from: loop. */
RT_SAFE void take_request(struct loop *loop);

/** Put an event out under this tick's number and time. RT_SAFE. Call from: loop. */
RT_SAFE void tell(struct loop *loop, struct loop_event event);

/** Tell of a change from state `before`, for the sake of a request or 0. RT_SAFE. Call from: loop. */
RT_SAFE void tell_state(struct loop *loop, enum supervisor_state before, uint64_t request);

/** Lay out the view's three buffers. Errors: JOSTLE_ENOMEM. Call from: setup. */
int view_init(struct loop *loop, struct err *err);

/** Hand the tick to the tap, and to the view where somebody has asked for one. RT_SAFE. Call from: loop. */
RT_SAFE void show_tick(struct loop *loop);

#endif
