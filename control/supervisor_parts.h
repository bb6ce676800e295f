#ifndef JOSTLE_SUPERVISOR_PARTS_H
#define JOSTLE_SUPERVISOR_PARTS_H
/*
 * What the supervisor's files share. For supervisor_*.c only.
 */
#include "control/supervisor.h"

/** Keep the first thing that was found in a tick. RT_SAFE. Call from: loop. */
RT_SAFE void supervisor_find(struct trip *found, enum trip_cause cause, size_t channel, double value, double limit);

/** Judge a tick, as supervisor_limit() does before it limits. RT_SAFE. Call from: loop. */
RT_SAFE void supervisor_judge(struct supervisor *supervisor, int exchange, const double in_V[],
			      const struct state *state, const struct command *command, struct trip *found);

#endif
