#ifndef JOSTLE_TEST_TERM_CASES_H
#define JOSTLE_TEST_TERM_CASES_H
/*
 * The networks that the conformance suites of energy terms walk: every example in the registry, and for each family the
 * settings that take another path through its code.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/random.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/network.h"

#define CASE_MAX_SITES 36

struct term_case {
	const char *spec;
	size_t nx, ny;
};

static const struct term_case term_cases[] = {
	{"onsite-power powers=1-6", 3, 1},
	{"onsite-power powers=4,2", 3, 2},
	{"onsite-power powers=1-4", 5, 7}, /* more sites than any vector has lanes, and some left over */
	{"monomials degree=1", 1, 1},
	{"monomials degree=6", 3, 1},
	{"bilinear range=all", 2, 1},
	{"bilinear range=all", 6, 1},
	{"bilinear range=all", 13, 1}, /* one more than a tile of the gradient */
	{"bilinear range=all", 7, 5},
	{"bilinear range=2.3", 4, 4},
	{"pair-power exponents=2,1 range=1.5", 3, 3},
	{"pair-power exponents=1,2 range=all", 3, 1},
	{"pair-power exponents=2,1 range=3", 5, 7}, /* longer lists than vectors, and a site without a twin */
	{"pair-power exponents=2,2 range=all", 6, 6},
	{"pair-power exponents=2,2 range=all", 2, 2},
	{"pair-power exponents=3,1 range=2", 4, 2},
	{"pair-power exponents=4,3 range=1", 2, 2},
	{"pair-power exponents=6,6 range=1", 2, 1},
	{"difference-power range=2", 4, 3},
	{"spline-table", 2, 1},
	{"spline-table bins=1 extent=3", 1, 2},
	{"spline-table bins=4 extent=1", 2, 1}, /* points outside its extent */
	{"random-features", 2, 1},
	{"random-features count=9 scale=0.3 seed=12345", 4, 4},
};

#define N_TERM_CASES (sizeof(term_cases) / sizeof(term_cases[0]))

/** The examples of the registry come after the table. */
static inline size_t n_cases(void)
{
	size_t n = 0;

	while (TARGET(term_registry)[n])
		n++;
	return N_TERM_CASES + n;
}

static inline struct term_case term_case(size_t index)
{
	if (index < N_TERM_CASES)
		return term_cases[index];
	return (struct term_case){TARGET(term_registry)[index - N_TERM_CASES]->example, 2, 1};
}

static inline void build(struct network *network, struct term_case c)
{
	struct err err = {0};

	if (network_init(network, c.nx, c.ny, &c.spec, 1, &err))
		fail_msg("\"%s\" on %zu by %zu: %s", c.spec, c.nx, c.ny, err.text);
}

/** A number in (-1, 1) that belongs to (what, index). */
static inline double any_number(uint64_t what, size_t index)
{
	double u[4];

	random_uniforms(what, RANDOM_DATA, (uint32_t)index, 0, 0, u);
	return 2.0 * u[0] - 1.0;
}

/** |found - expected| <= tolerance max(1, scale). */
static inline void check_near(double found, double expected, double scale, double tolerance, const char *what,
			      const char *spec, size_t index)
{
	if (!(fabs(found - expected) <= tolerance * fmax(1.0, fabs(scale))))
		fail_msg("\"%s\": %s %zu: expected %.12g, found %.12g", spec, what, index, expected, found);
}

#endif
