#ifndef JOSTLE_FIND_H
#define JOSTLE_FIND_H
/*
 * Finding a task, bench, plant or data file by name or path.
 *
 * A word with a slash or ending in ".yaml" is a path. Any other word NAME is looked for as NAME.yaml in, in this order:
 * the folders of $JOSTLE_PATH (each with tasks/, benches/, plants/, data/ below it), the source tree the program was
 * built from, and the installed share/jostle. A data file's name is whole: it has its suffix already.
 */
#include <stddef.h>

struct err;

enum find_kind { FIND_TASK, FIND_BENCH, FIND_PLANT, FIND_DATA };

/**
 * Write the file's path to path[size].
 * Errors: JOSTLE_ENOENT, naming the places looked in and the names that exist there. Call from: setup.
 */
int find_file(enum find_kind kind, const char *name, char *path, size_t size, struct err *err);

/** Call `each` with the name and path of every file of a kind, in alphabetical order. Call from: setup. */
void find_each(enum find_kind kind, void (*each)(const char *name, const char *path, void *context), void *context);

#endif
