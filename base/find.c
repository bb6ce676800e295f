#include "base/find.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"

/* How a kind is called, its folder in a share directory and in the source tree, and what a name leaves out. */
static const struct {
	const char *noun, *folder, *source, *suffix;
} kinds[] = {
	[FIND_TASK] = {"task", "tasks", "learning/tasks", ".yaml"},
	[FIND_BENCH] = {"bench", "benches", "daq/benches", ".yaml"},
	[FIND_PLANT] = {"plant", "plants", "sim/plants", ".yaml"},
	[FIND_DATA] = {"data file", "data", "data", ""},
};

/** Call visit(folder) for every folder of a kind, in order, until it returns true. */
static bool each_folder(enum find_kind kind, bool (*visit)(const char *folder, void *context), void *context)
{
	const char *at = getenv("JOSTLE_PATH");
	char folder[PATH_MAX];

	while (at && *at) {
		const size_t length = strcspn(at, ":");

		if (length > 0 && length < sizeof(folder) - 16) {
			snprintf(folder, sizeof(folder), "%.*s/%s", (int)length, at, kinds[kind].folder);
			if (visit(folder, context))
				return true;
		}
		at += length + (at[length] == ':');
	}
	snprintf(folder, sizeof(folder), "%s/%s", JOSTLE_SOURCE_DIR, kinds[kind].source);
	if (visit(folder, context))
		return true;
	snprintf(folder, sizeof(folder), "%s/%s", JOSTLE_SHARE_DIR, kinds[kind].folder);
	return visit(folder, context);
}

static bool regular_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool has_suffix(enum find_kind kind, const char *name)
{
	const size_t length = strlen(name), suffix = strlen(kinds[kind].suffix);

	return length > suffix && strcmp(name + length - suffix, kinds[kind].suffix) == 0;
}

struct entry {
	char *name, *path;
};

struct entries {
	enum find_kind kind;
	struct entry *at;
	size_t n;
};

/** Add one file unless an earlier folder has the name; without memory it is left out of the listing. */
static void add_entry(struct entries *entries, const char *folder, const char *file)
{
	struct entry entry = {strndup(file, strlen(file) - strlen(kinds[entries->kind].suffix)), NULL};
	struct entry *grown = realloc(entries->at, (entries->n + 1) * sizeof(entry));

	if (grown)
		entries->at = grown;
	if (!grown || !entry.name)
		goto fail;
	for (size_t i = 0; i < entries->n; i++)
		if (strcmp(entries->at[i].name, entry.name) == 0)
			goto fail;
	if (asprintf(&entry.path, "%s/%s", folder, file) < 0)
		goto fail;
	if (!regular_file(entry.path)) {
		free(entry.path);
		goto fail;
	}
	entries->at[entries->n++] = entry;
	return;
fail:
	free(entry.name);
}

static bool list_folder(const char *folder, void *context)
{
	struct entries *entries = context;
	DIR *directory = opendir(folder);
	struct dirent *file;

	while (directory && (file = readdir(directory)))
		if (has_suffix(entries->kind, file->d_name))
			add_entry(entries, folder, file->d_name);
	if (directory)
		closedir(directory);
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

void find_each(enum find_kind kind, void (*each)(const char *name, const char *path, void *context), void *context)
{
	struct entries entries = {.kind = kind};

	each_folder(kind, list_folder, &entries);
	if (entries.n > 0)
		qsort(entries.at, entries.n, sizeof(*entries.at), by_name);
	for (size_t i = 0; i < entries.n; i++) {
		each(entries.at[i].name, entries.at[i].path, context);
		free(entries.at[i].name);
		free(entries.at[i].path);
	}
	free(entries.at);
}

struct search {
	const char *name, *suffix;
	char *path;
	size_t size;
	bool too_long;
};

static bool look_in(const char *folder, void *context)
{
	struct search *search = context;
	const int length = snprintf(search->path, search->size, "%s/%s%s", folder, search->name, search->suffix);

	search->too_long |= length < 0 || (size_t)length >= search->size;
	return !search->too_long && regular_file(search->path);
}

/* A list in an error text: what does not fit is left out, with an ellipsis. */
struct listing {
	char text[300];
	size_t length;
	bool full;
};

static void append(struct listing *listing, const char *item)
{
	static const char rest[] = ", …";
	const char *between = listing->length ? ", " : "";
	const size_t length = strlen(between) + strlen(item);

	if (listing->full)
		return;
	listing->full = listing->length + length + sizeof(rest) > sizeof(listing->text);
	if (listing->full)
		memcpy(listing->text + listing->length, rest, sizeof(rest));
	else
		listing->length += (size_t)snprintf(listing->text + listing->length,
						    sizeof(listing->text) - listing->length, "%s%s", between, item);
}

static void append_name(const char *name, const char *path, void *context)
{
	(void)path;
	append(context, name);
}

static bool append_folder(const char *folder, void *context)
{
	append(context, folder);
	return false;
}

int find_file(enum find_kind kind, const char *name, char *path, size_t size, struct err *err)
{
	struct search search = {name, kinds[kind].suffix, path, size, false};
	struct listing known = {0}, folders = {0};

	if (strchr(name, '/') || (kinds[kind].suffix[0] && has_suffix(kind, name))) {
		if (strlen(name) >= size)
			return err_set(err, JOSTLE_ENOENT, "expected a path of at most %zu characters", size - 1);
		if (!regular_file(name))
			return err_at(err, JOSTLE_ENOENT, name, 0, 0, "expected a %s file, found none",
				      kinds[kind].noun);
		memcpy(path, name, strlen(name) + 1);
		return 0;
	}
	if (name[0] && each_folder(kind, look_in, &search))
		return 0;
	path[0] = '\0';
	if (search.too_long)
		return err_set(err, JOSTLE_ENOENT, "%s \"%.60s\": its path is longer than %zu characters",
			       kinds[kind].noun, name, size - 1);
	each_folder(kind, append_folder, &folders);
	find_each(kind, append_name, &known);
	return err_set(err, JOSTLE_ENOENT, "no %s \"%.60s\" in %s; there are: %s", kinds[kind].noun, name, folders.text,
		       known.length ? known.text : "none");
}
