#ifndef JOSTLE_TEST_REFERENCE_H
#define JOSTLE_TEST_REFERENCE_H
/*
 * The single-replica kernels in double precision, for a test that is compiled for the block layout.
 */
#include <stddef.h>

struct network;
struct wall;

/** What the kernels give at one point; the caller sets the pointers. g, l, p are added to. */
struct reference {
	double *u, *f, *g, *l, *p;
};

void reference_at(const struct network *network, const double theta[], const struct wall *wall, const double x[],
		  const double r[], struct reference *out);

/** The name of row i in the single-replica registry, NULL at its end. */
const char *reference_name(size_t i);

#endif
