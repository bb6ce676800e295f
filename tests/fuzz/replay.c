/*
 * replay FOLDER…: every file of the folders through a fuzz target, where no fuzzer is.
 *
 * Ends with 0 when the target ended none of them; the file at hand is on stderr when it did.
 */
#include <dirent.h>
#include <limits.h>

#include "fuzz/target.h"

#define MAX_FILE (1 << 20)

static void replay(const char *path)
{
	static uint8_t bytes[MAX_FILE];
	FILE *file = fopen(path, "rb");

	REQUIRE(file != NULL);
	const size_t n = fread(bytes, 1, sizeof(bytes), file);
	REQUIRE(!ferror(file) && n < sizeof(bytes));
	fclose(file);
	uint8_t *copy = fuzz_copy(bytes, n);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		size_t n = 0;

		REQUIRE(folder != NULL);
		for (const struct dirent *entry; (entry = readdir(folder));) {
			char path[PATH_MAX];

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			replay(path);
			n++;
		}
		closedir(folder);
		printf("%zu inputs of %s\n", n, argv[i]);
		REQUIRE(n > 0);
	}
	return argc > 1 ? 0 : 2;
}
