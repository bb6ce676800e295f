#include "learning/estimator.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

int estimator_find(const char *name, const struct estimator_type **type, struct err *err)
{
	char names[256] = "";
	size_t length = 0;

	for (size_t i = 0; estimator_registry[i]; i++) {
		if (strcmp(estimator_registry[i]->name, name) == 0) {
			*type = estimator_registry[i];
			return 0;
		}
		if (length < sizeof(names))
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
						   estimator_registry[i]->name);
	}
	return err_set(err, JOSTLE_ENOENT, "rule: expected one of %s, found \"%.60s\"", names, name);
}
