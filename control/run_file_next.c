/*
 * From one file of a run to the next. Numbers may be left out, where other runs of the same name had taken them; what
 * holds a run together is that each file names the one before it.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "control/run_file.h"

#define FARTHEST 1000 /* numbers looked at beyond this file's */

/** "folder/NAME" of "folder/NAME-012.h5" or "….h5.partial", and "NAME-012.h5", which later files call their previous. */
static bool split(const char *path, char stem[1024], char name[256])
{
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", path);
	char *partial = strstr(copy, ".h5.partial");

	if (partial && !partial[strlen(".h5.partial")])
		partial[strlen(".h5")] = '\0';
	snprintf(stem, 1024, "%s", copy);
	snprintf(name, 256, "%s", basename(copy));
	char *dash = strrchr(stem, '-');

	if (!dash)
		return false;
	*dash = '\0';
	return true;
}

/** The file of that number, whole or partial, if it is there. */
static bool find_file(const char *stem, uint64_t segment, char path[1024])
{
	static const char *const endings[] = {"", ".partial"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const int n = snprintf(path, 1024, "%s-%03llu.h5%s", stem, (unsigned long long)segment, endings[i]);

		if (n > 0 && n < 1024 && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

int run_file_next(struct run_file *file, struct err *err)
{
	char stem[1024], name[256], path[1024];
	struct run_file candidate;

	if (!split(file->h5.path, stem, name))
		return 0;
	for (uint64_t segment = file->segment + 1; segment - file->segment <= FARTHEST; segment++) {
		if (!find_file(stem, segment, path))
			continue;
		const int code = run_file_open(&candidate, path, err);

		if (code) {
			run_file_close(file);
			return code;
		}
		if (strcmp(candidate.run, file->run) == 0 && strcmp(candidate.previous, name) == 0) {
			run_file_close(file);
			*file = candidate;
			return 1;
		}
		run_file_close(&candidate);
	}
	return 0;
}
