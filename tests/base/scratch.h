#ifndef JOSTLE_TEST_SCRATCH_H
#define JOSTLE_TEST_SCRATCH_H
/*
 * What the tests of base/ share: a folder that goes when the test ends, and whether a text holds another.
 */
#include <ftw.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

struct scratch {
	char folder[64];
	char *path[8]; /* the last eight given, in turn */
	int turn;
};

static inline int scratch_new(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	strcpy(scratch->folder, "/tmp/jostle-test-XXXXXX");
	*state = scratch;
	return mkdtemp(scratch->folder) ? 0 : -1;
}

static inline int scratch_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int scratch_free(void **state)
{
	struct scratch *scratch = *state;

	for (int i = 0; i < 8; i++)
		free(scratch->path[i]);
	nftw(scratch->folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(scratch);
	return 0;
}

/** The path of a name in the folder; it lasts for seven more. */
static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
	char **path = &scratch->path[scratch->turn++ % 8];

	free(*path);
	assert_true(asprintf(path, "%s/%s", scratch->folder, name) > 0);
	return *path;
}

static inline const char *scratch_write(struct scratch *scratch, const char *name, const void *bytes, size_t size)
{
	const char *path = scratch_path(scratch, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return path;
}

#define assert_contains(text, part)                                                                                    \
	do {                                                                                                           \
		if (!strstr(text, part))                                                                               \
			fail_msg("expected \"%s\" in \"%s\"", part, text);                                             \
	} while (0)

#endif
