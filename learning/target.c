#include "learning/target.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"

/** "gaussians, ring": for the person who named another. */
static void list_names(char *names, size_t size)
{
	size_t length = 0;

	names[0] = '\0';
	for (size_t i = 0; target_registry[i] && length < size; i++)
		length += (size_t)snprintf(names + length, size - length, "%s%s", i ? ", " : "",
					   target_registry[i]->name);
}

int target_init(struct target *target, const char *text, size_t n_sites, struct err *err)
{
	struct spec spec;
	char names[256];
	int status;

	*target = (struct target){.n_sites = n_sites};
	if ((status = spec_parse(&spec, text, err)))
		return status;
	for (size_t i = 0; target_registry[i]; i++)
		if (strcmp(target_registry[i]->name, spec.name) == 0)
			target->type = target_registry[i];
	if (!target->type) {
		list_names(names, sizeof(names));
		return err_set(err, JOSTLE_ENOENT, "expected one of %s, found \"%s\"", names, spec.name);
	}
	status = target->type->init(target, &spec, err);
	if (!status)
		status = spec_finish(&spec, target->type->settings, err);
	if (status)
		target_fini(target);
	return status;
}

void target_fini(struct target *target)
{
	if (target->type)
		target->type->fini(target);
	*target = (struct target){0};
}

void target_mixture_fini(struct target *target)
{
	mixture_fini(&target->mixture);
}

void target_mixture_draw(const struct target *target, uint64_t seed, enum random_stream stream, uint32_t index,
			 uint64_t step, float x0[])
{
	mixture_draw(&target->mixture, seed, stream, index, step, x0);
}

double target_mixture_extent(const struct target *target, double a, double sigma, double n_deviations)
{
	return mixture_extent(&target->mixture, a, sigma, n_deviations);
}
