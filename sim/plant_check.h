#ifndef JOSTLE_PLANT_CHECK_H
#define JOSTLE_PLANT_CHECK_H
/*
 * What a plant file may say, beyond the types that its schema demands.
 */
struct err;
struct plant_config;

/** Check every field; fill n_sites and n_parameters. Errors: JOSTLE_ECONFIG with file, line and field. Call from:
 * setup. */
int plant_check(struct plant_config *config, struct err *err);

#endif
