/*
 * The baths by name. The contract is the shared vocabulary, protocols/bath.h; the processes themselves live here.
 */
#include "protocols/bath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"

int bath_init(struct bath *bath, const char *text, struct err *err)
{
	char names[256] = "";
	struct spec *spec = malloc(sizeof(*spec));
	int status;

	if (!spec)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a bath");
	if ((status = spec_parse(spec, text, err)))
		goto done;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath_type *type = bath_registry[i];

		if (strcmp(type->name, spec->name) == 0) {
			*bath = (struct bath){.type = type, .stiffness = 1.0, .temperature = 1.0};
			status = type->init(bath, spec, err);
			if (status == 0)
				status = spec_finish(spec, type->settings, err);
			goto done;
		}
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? ", " : "", type->name);
	}
	status = err_set(err, JOSTLE_ENOENT, "no bath \"%s\"; there are %s", spec->name, names);
done:
	free(spec);
	return status;
}
