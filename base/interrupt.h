#ifndef JOSTLE_INTERRUPT_H
#define JOSTLE_INTERRUPT_H
/*
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT as a question that long work asks between steps, so that outputs are brought to
 * rest, and files ended, however a person ends the program.
 *
 * Further signals are the same question and kill nothing, until INTERRUPT_GRACE_NS after the first: the work has then had its
 * time, and the next one ends the process as it would by default. The first says so on standard error. SIGPIPE is
 * ignored: a reader that went away is an error of the write. A hangup that was ignored from the start (nohup) stays so.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/rt.h"

#define INTERRUPT_GRACE_NS INT64_C(10000000000)

/** Install the handlers. Call from: setup. */
void interrupt_watch(void);

/** Whether the person has asked to stop. RT_SAFE. Call from: any. */
RT_SAFE bool interrupt_asked(void);

#endif
