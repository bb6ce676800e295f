#ifndef JOSTLE_INTERRUPT_H
#define JOSTLE_INTERRUPT_H
/*
 * SIGINT and SIGTERM as a question that long work asks between steps. A second signal ends the process at once.
 */
#include <stdbool.h>

#include "base/rt.h"

/** Install the handlers. Call from: setup. */
void interrupt_watch(void);

/** Whether the person has asked to stop. RT_SAFE. Call from: any. */
RT_SAFE bool interrupt_asked(void);

#endif
