#ifndef JOSTLE_FALLBACK_H
#define JOSTLE_FALLBACK_H
/*
 * A simulated plant in place of hardware that is missing: only when a person asks for it, and never unsaid.
 */
struct bench;
struct err;

/**
 * Look for the bench's hardware. Where it is there, leave the bench alone and return 0. Where it is missing, or this program
 * has no driver for it, turn the bench into its stand-in on driver sim, with the plant that its field `fallback` names, and
 * return 1; `missing` then says what is missing. bench->stands_for, and with it every file's backend, tells from then on.
 *
 * Its instruments are left out. The signals of a role go to the plant's signals of that role, whichever cards they were on. Errors: those of daq_open()
 * but the absence (busy or misconfigured hardware is there); JOSTLE_ENOENT (no driver of that name that this program could have); JOSTLE_EINVAL (the bench is simulated as it is); JOSTLE_ENODEV
 * (missing, and no `fallback` in the file); JOSTLE_ECONFIG (a plant of other sites, a signal that no plant has). Call from:
 * setup.
 */
int fallback_to_plant(struct bench *bench, struct err *missing, struct err *err);

#endif
