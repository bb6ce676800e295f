#ifndef JOSTLE_PAIRS_H
#define JOSTLE_PAIRS_H
/*
 * Which sites couple: pairs of a lattice within a range, and how a function of sites is named.
 */
#include <stdbool.h>
#include <stddef.h>

#include "protocols/energy_term.h"

struct err;
struct network;
struct spec;

struct pair {
	unsigned i, j;
};

struct pairs {
	size_t      n;
	struct pair pair[];
};

/**
 * The pairs of distinct sites at a Euclidean distance of at most `range` lattice constants, i < j, in order of i and
 * then j; with `ordered`, each followed by (j, i). The caller frees it with free(). Errors: JOSTLE_ENOMEM,
 * JOSTLE_ECONFIG (none within range, or too many). Call from: setup.
 */
int pairs_new(struct pairs **pairs, const struct network *network, double range, bool ordered, struct err *err);

/** Read the setting range=all or range=NUMBER; "all" gives infinity. Errors: JOSTLE_ECONFIG. Call from: setup. */
int pairs_range(struct spec *spec, double *range, struct err *err);

/** The canonical name of x_i^a x_j^b; a power of zero leaves its factor out, the lower site comes first. */
void product_name(size_t i, size_t a, size_t j, size_t b, char name[PARAMETER_NAME_SIZE]);

#define NUMBER_NAME_SIZE 32

/** The shortest decimal that reads back as the same number: different settings give different names. */
void number_name(double value, char name[NUMBER_NAME_SIZE]);

#endif
