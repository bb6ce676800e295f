#ifndef JOSTLE_BENCH_GROUPS_H
#define JOSTLE_BENCH_GROUPS_H
/*
 * A bench file's groups of channels, checked and expanded. For bench.c only.
 */
#include <stdbool.h>

#include "base/yaml_place.h"
#include "daq/bench_file.h"

/** What a load in progress knows: the file's groups and where the person's errors are. */
struct bench_loading {
	struct bench *bench;
	struct bench_file *file;
	struct err *err;
};

/** Refuse a field of the file. */
#define BENCH_REFUSE(loading, ...)                                                                                     \
	yaml_refuse((loading)->err, (loading)->bench->path, (loading)->bench->text, __VA_ARGS__)

/** Append the channels of the inputs or the outputs to the bench. Errors: JOSTLE_ECONFIG, JOSTLE_ENOMEM. Call from: setup. */
int bench_take_groups(struct bench_loading *loading, bool input);

/** How many of n channels have a role. Call from: any. */
size_t bench_count_role(const struct bench_channel channels[], size_t n, enum daq_role role);

#endif
