#ifndef JOSTLE_GUARDIAN_H
#define JOSTLE_GUARDIAN_H
/*
 * The guardian: a process of its own that drives the outputs to safe when the loop dies, is stopped, or stalls.
 *
 * It watches the heartbeat page. When half of the bench's guardian_periods have gone by without a beat, or at once when the
 * loop's process has died, it seizes the outputs, ramps them from the last volts to safe_V, each within its slew limit and
 * all within the other half, and latches. It gives them back only to a live loop whose supervisor is in FAULT, which drives
 * safe_V itself; how that state is left is the supervisor's affair. It ends when the loop's process has ended and the outputs
 * are safe.
 */
#include <sys/types.h>

struct err;

/**
 * Be the guardian of the loop NAME, until it ends. Signals that ask to stop are obeyed only when the loop is gone.
 * Errors: those of heartbeat_attach(), bench_load(), and of the driver's second opening. Call from: setup.
 */
int guardian_run(const char *name, struct err *err);

/**
 * Start `jostle guardian NAME` as a process of its own session, so that the terminal's signals pass it by; *pid is its.
 * Errors: JOSTLE_EIO. Call from: setup.
 */
int guardian_spawn(const char *name, pid_t *pid, struct err *err);

#endif
