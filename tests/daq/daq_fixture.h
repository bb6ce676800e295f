#ifndef JOSTLE_TEST_DAQ_FIXTURE_H
#define JOSTLE_TEST_DAQ_FIXTURE_H
/*
 * Bench files written in the test itself, and those that ship.
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/find.h"
#include "daq/bench.h"
#include "daq/daq.h"

static inline int bench_from(struct bench *bench, const char *yaml, struct err *err)
{
	char path[] = "/tmp/jostle-bench-XXXXXX.yaml";
	const int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	const int code = bench_load(bench, path, err);
	unlink(path);
	return code;
}

static inline void bench_named(struct bench *bench, const char *name)
{
	char path[1024];
	struct err err = {0};

	if (find_file(FIND_BENCH, name, path, sizeof(path), &err) < 0 || bench_load(bench, path, &err) < 0)
		fail_msg("%s: %s", name, err.text);
}

#define assert_near(a, b, tolerance)                                                                                   \
	do {                                                                                                           \
		const double a_ = (a), b_ = (b), t_ = (tolerance);                                                     \
		if (!(fabs(a_ - b_) <= t_))                                                                            \
			fail_msg("%s = %.9g, expected %.9g within %.2g", #a, a_, b_, t_);                              \
	} while (0)

#endif
