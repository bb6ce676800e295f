#ifndef JOSTLE_CLI_PLANT_TEXT_H
#define JOSTLE_CLI_PLANT_TEXT_H
/*
 * What stands behind simulated numbers, for the files that hold them.
 */
struct bench;

/**
 * The file of the plant that a bench simulates in this process, verbatim, the caller's to free(); NULL where no plant is
 * simulated here: what another process simulates, it alone knows. Call from: setup.
 */
char *plant_text(const struct bench *bench, const char *attach);

#endif
