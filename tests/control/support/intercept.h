#ifndef JOSTLE_TEST_INTERCEPT_H
#define JOSTLE_TEST_INTERCEPT_H
/*
 * Counting what a loop must not do: allocations, locks, stdio and calls that could block, intercepted in the executable that
 * this is linked into; and any system call at all, where the kernel can be asked to stop them.
 */
#include <stdbool.h>
#include <stddef.h>

/** Count what this thread calls from now on, or no longer. */
void intercept_arm(bool on);

/** How many calls were counted since intercept_reset(), and the name of the first; "" for none. */
size_t intercept_n_calls(void);
const char *intercept_first(void);

/** Forget them, disarmed. */
void intercept_reset(void);

/**
 * Count every system call of this thread but the clock's as well: prctl(2), syscall user dispatch. A call that is counted is
 * not carried out, so the test is lost by then. Returns whether the kernel can.
 */
bool intercept_syscalls(bool on);

#endif
