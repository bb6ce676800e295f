#ifndef JOSTLE_FUZZ_TARGET_H
#define JOSTLE_FUZZ_TARGET_H
/*
 * A fuzz target: one function that takes any bytes, and ends the process when what it tries does what it must not. Driven by
 * libFuzzer where the program is built with clang, and by replay.c over the corpus where it is not.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** libFuzzer's name for it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/** What must be true of every input. */
#define REQUIRE(what) ((what) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #what))

static inline _Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: expected %s\n", file, line, what);
	abort();
}

/** A copy exactly as large as the bytes, so that a sanitizer sees a byte too many. The caller frees. */
static inline uint8_t *fuzz_copy(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	REQUIRE(copy != NULL);
	if (n)
		memcpy(copy, bytes, n);
	return copy;
}

#endif
