#include "protocols/pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/network.h"

static bool within(const struct network *network, size_t i, size_t j, double range)
{
	const double dx = (double)(i % network->nx) - (double)(j % network->nx);
	const double dy = (double)(i / network->nx) - (double)(j / network->nx);

	/* A range of sqrt(5) typed as 2.236 should include (2, 1). */
	return sqrt(dx * dx + dy * dy) <= range + 1e-3;
}

int pairs_new(struct pairs **pairs, const struct network *network, double range, bool ordered, struct err *err)
{
	const size_t n_sites = network->n_sites;
	size_t n = 0;

	for (size_t i = 0; i < n_sites; i++)
		for (size_t j = i + 1; j < n_sites; j++)
			n += within(network, i, j, range) ? 1 : 0;
	if (n == 0)
		return err_set(err, JOSTLE_ECONFIG, "range %g: no two of the %zu sites are that close", range, n_sites);
	n *= ordered ? 2 : 1;
	if (n > NETWORK_MAX_PARAMETERS)
		return err_set(err, JOSTLE_ECONFIG, "range %g: expected at most %d pairs, found %zu", range,
			       NETWORK_MAX_PARAMETERS, n);
	*pairs = malloc(sizeof(**pairs) + n * sizeof(struct pair));
	if (!*pairs)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu pairs", n);
	(*pairs)->n = 0;
	for (size_t i = 0; i < n_sites; i++)
		for (size_t j = i + 1; j < n_sites; j++) {
			if (!within(network, i, j, range))
				continue;
			(*pairs)->pair[(*pairs)->n++] = (struct pair){(unsigned)i, (unsigned)j};
			if (ordered)
				(*pairs)->pair[(*pairs)->n++] = (struct pair){(unsigned)j, (unsigned)i};
		}
	return 0;
}

int pairs_range(struct spec *spec, double *range, struct err *err)
{
	const char *text = NULL;
	int status = spec_text(spec, "range", true, &text, err);

	if (status)
		return status;
	if (strcmp(text, "all") == 0) {
		*range = INFINITY;
		return 0;
	}
	return spec_double(spec, "range", true, 1.0, 2.0 * NETWORK_MAX_SIDE, range, err);
}

static void factor_name(size_t i, size_t a, char *name, size_t size)
{
	if (a == 1)
		snprintf(name, size, "x%zu", i);
	else
		snprintf(name, size, "x%zu^%zu", i, a);
}

void product_name(size_t i, size_t a, size_t j, size_t b, char name[PARAMETER_NAME_SIZE])
{
	char first[PARAMETER_NAME_SIZE / 2 - 1], second[PARAMETER_NAME_SIZE / 2 - 1];

	if (j < i) {
		product_name(j, b, i, a, name);
		return;
	}
	factor_name(i, a, first, sizeof(first));
	factor_name(j, b, second, sizeof(second));
	if (a == 0)
		snprintf(name, PARAMETER_NAME_SIZE, "%s", second);
	else if (b == 0)
		snprintf(name, PARAMETER_NAME_SIZE, "%s", first);
	else
		snprintf(name, PARAMETER_NAME_SIZE, "%s %s", first, second);
}

void number_name(double value, char name[NUMBER_NAME_SIZE])
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(name, NUMBER_NAME_SIZE, "%.*g", digits, value);
		if (strtod(name, NULL) == value)
			return;
	}
}
