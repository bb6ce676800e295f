#ifndef JOSTLE_PLANT_CHECK_H
#define JOSTLE_PLANT_CHECK_H
/*
 * What a plant file may say, beyond the types that its schema demands.
 */
struct err;
struct plant_config;

/** Check every field; fill n_sites and n_parameters. Errors: JOSTLE_ECONFIG with file, line, field. Call from: setup. */
int plant_check(struct plant_config *config, struct err *err);

/** Check the faults and the clock's step, when n_parameters is known. Errors: as plant_check(). Call from: setup. */
int plant_check_faults(const struct plant_config *config, struct err *err);

#endif
