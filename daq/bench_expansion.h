#ifndef JOSTLE_BENCH_EXPANSION_H
#define JOSTLE_BENCH_EXPANSION_H
/*
 * One group of a bench file on its way to channels. For bench_groups.c and bench_group_check.c only.
 */
#include <stdbool.h>
#include <stddef.h>

#include "daq/bench_groups.h"

struct bench_expansion {
	const struct bench_group *group;
	bool input;
	char field[32]; /* "inputs[0]" */
	size_t n;       /* channels */
	size_t *index;  /* [n] */
	double limit;
	const struct bench_numbers *gain; /* NULL: 1 */
	const char *gain_name;
};

/** Refuse a member of the group. Returns JOSTLE_ECONFIG. Call from: setup. */
int bench_expansion_refuse(const struct bench_loading *loading, const struct bench_expansion *e, const char *member,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Check every number of a group whose channels are listed. Errors: JOSTLE_ECONFIG. Call from: setup. */
int bench_expansion_check(const struct bench_loading *loading, const struct bench_expansion *e);

/** safe_V of output i: the file's, or where the quantity is zero. Call from: setup. */
double bench_expansion_safe_V(const struct bench_expansion *e, size_t i);

/** Entry i of a list that has one for each channel, or one for all, or none. list may be NULL. Call from: setup. */
double bench_list_at(const struct bench_numbers *list, size_t i, double absent);

#endif
