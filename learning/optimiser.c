#include "learning/optimiser.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

int optimiser_find(const char *name, const struct optimiser_type **type, struct err *err)
{
	char names[256] = "";
	size_t length = 0;

	for (size_t i = 0; optimiser_registry[i]; i++) {
		if (strcmp(optimiser_registry[i]->name, name) == 0) {
			*type = optimiser_registry[i];
			return 0;
		}
		if (length < sizeof(names))
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
						   optimiser_registry[i]->name);
	}
	return err_set(err, JOSTLE_ENOENT, "solver: expected one of %s, found \"%.60s\"", names, name);
}
