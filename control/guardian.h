#ifndef JOSTLE_GUARDIAN_H
#define JOSTLE_GUARDIAN_H
/*
 * The guardian: a process of its own that drives the outputs to safe when the loop dies, is stopped, or stalls.
 *
 * It watches the heartbeat page. When half of the bench's guardian_periods have gone by without a beat, or at once when the
 * loop's process has died, it seizes the outputs and brings them from the last volts to safe_V (control/ramp.h), within the
 * rest of guardian_periods, and latches. It gives them back only to a live loop whose supervisor is in FAULT, which drives
 * safe_V itself; how that state is left is the supervisor's affair. It ends when the loop's process has ended and the
 * outputs are safe. docs/adr/0009-the-guardian.md has the reasons.
 */
#include <sys/types.h>

struct err;

/**
 * Be the guardian of the loop NAME, until that ends. Signals that ask to stop are ignored. A device that can't be written is
 * tried again until the loop is gone and two seconds have been in vain.
 * Errors: those of heartbeat_attach(), bench_load() and daq_guard_open(); JOSTLE_ECONFIG (not the bench file that the loop
 * has); JOSTLE_ENOMEM; JOSTLE_EIO (the outputs are to be taken as unknown). Call from: setup.
 */
int guardian_run(const char *name, struct err *err);

/**
 * Start `jostle guardian NAME` as a process of its own session, so that the terminal's signals pass it by; *pid is its, and
 * the caller's to wait for. It watches once heartbeat_guardian() says so. Errors: JOSTLE_ENOMEM, JOSTLE_EIO. Call from:
 * setup, in the program `jostle`.
 */
int guardian_spawn(const char *name, pid_t *pid, struct err *err);

#endif
