#include "cli/plant_text.h"

#include <string.h>

#include "base/err.h"
#include "base/find.h"
#include "base/yaml.h"
#include "daq/bench.h"

#define MAX_TEXT (1 << 20)

char *plant_text(const struct bench *bench, const char *attach)
{
	char path[1024], *text = NULL;
	struct err ignored;

	if (attach || strcmp(bench->driver, "sim") != 0 ||
	    find_file(FIND_PLANT, bench->devices[0], path, sizeof(path), &ignored) ||
	    read_text_file(path, MAX_TEXT, &text, &ignored))
		return NULL;
	return text;
}
