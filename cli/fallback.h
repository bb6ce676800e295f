#ifndef JOSTLE_CLI_FALLBACK_H
#define JOSTLE_CLI_FALLBACK_H
/*
 * --fallback sim: a simulated plant in place of hardware that is missing, with a banner.
 */
struct bench;
struct err;

#define FALLBACK_HELP "sim: where the bench's hardware is missing, simulate the plant that its file names"

/**
 * Do what the option says; `wanted` is its value, NULL where it was not given, `attach` that of --attach. Errors:
 * JOSTLE_EINVAL, those of fallback_to_plant(). Call from: setup.
 */
int fallback_if_wanted(struct bench *bench, const char *wanted, const char *attach, struct err *err);

#endif
