#ifndef JOSTLE_TEST_LEARNING_ASSERTIONS_H
#define JOSTLE_TEST_LEARNING_ASSERTIONS_H
/*
 * cmocka with what it needs before it, and the assertions that the tests of learning share.
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

/** |found - expected| <= tolerance. */
#define assert_near(found, expected, tolerance)                                                                        \
	do {                                                                                                           \
		const double found_ = (found), expected_ = (expected), tolerance_ = (tolerance);                       \
		if (!(fabs(found_ - expected_) <= tolerance_))                                                         \
			fail_msg("%s: expected %.9g within %.3g, found %.9g", #found, expected_, tolerance_, found_);  \
	} while (0)

#define assert_contains(text, part)                                                                                    \
	do {                                                                                                           \
		if (!strstr(text, part))                                                                               \
			fail_msg("expected \"%s\" in \"%s\"", part, text);                                             \
	} while (0)

/** A call that must go well: says why when it does not. */
#define assert_ok(call, err)                                                                                           \
	do {                                                                                                           \
		if ((call) != 0)                                                                                       \
			fail_msg("%s: %s", #call, (err).text);                                                         \
	} while (0)

#endif
