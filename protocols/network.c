#include "protocols/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/spec.h"
#include "protocols/energy_term.h"
#include "protocols/scratch.h"

_Thread_local _Alignas(64) union scratch network_scratch;

/** The row of a family in the registry, or an error that lists what there is. */
static int find_type(const char *name, size_t *row, struct err *err)
{
	char names[512] = "";

	for (*row = 0; TARGET(term_registry)[*row]; ++*row) {
		const char *candidate = TARGET(term_registry)[*row]->name;
		const size_t length = strlen(names);

		if (strcmp(candidate, name) == 0)
			return 0;
		snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "", candidate);
	}
	return err_set(err, JOSTLE_ENOENT, "no energy term \"%s\"; there are %s", name, names);
}

/** Build term `index` from its specification. */
static int add_term(struct network *network, size_t index, const char *text, size_t *types, struct err *err)
{
	struct energy_term *term = &network->terms[index];
	struct spec *spec = malloc(sizeof(*spec)); /* too large for a stack that may be a small thread's */
	int status;

	if (!spec)
		return err_set(err, JOSTLE_ENOMEM, "no memory for an energy term");
	if ((status = spec_parse(spec, text, err)) || (status = find_type(spec->name, &types[index], err)))
		goto done;
	const struct energy_term_type *type = TARGET(term_registry)[types[index]];
	term->n_sites = network->n_sites;
	if ((status = type->init(term, network, spec, err)))
		goto done;
	network->n_terms = index + 1; /* from here network_fini() ends it */
	if ((status = spec_finish(spec, type->settings, err)))
		goto done;
	network->specs[index] = strdup(text);
	if (!network->specs[index])
		status = err_set(err, JOSTLE_ENOMEM, "no memory for an energy term");
done:
	free(spec);
	return status;
}

int network_init(struct network *network, size_t nx, size_t ny, const char *const specs[], size_t n_specs,
		 struct err *err)
{
	int status = 0;

	*network = (struct network){.nx = nx, .ny = ny};
	if (nx < 1 || ny < 1 || nx > NETWORK_MAX_SIDE || ny > NETWORK_MAX_SIDE)
		return err_set(err, JOSTLE_ECONFIG, "lattice: expected sides from 1 to %d, found %zu by %zu",
			       NETWORK_MAX_SIDE, nx, ny);
	if (n_specs < 1 || n_specs > NETWORK_MAX_TERMS)
		return err_set(err, JOSTLE_ECONFIG, "terms: expected 1 to %d energy terms, found %zu",
			       NETWORK_MAX_TERMS, n_specs);
	network->n_sites = network->n_variables = nx * ny;
	network->variables = calloc(network->n_variables, sizeof(*network->variables));
	network->terms = calloc(n_specs, sizeof(*network->terms));
	network->specs = calloc(n_specs, sizeof(*network->specs));
	size_t *types = calloc(n_specs, sizeof(*types));
	size_t *offsets = calloc(n_specs, sizeof(*offsets));
	network->term_types = types;
	network->offsets = offsets;
	if (!network->variables || !network->terms || !network->specs || !types || !offsets) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for a network of %zu sites", network->n_sites);
		goto fail;
	}
	for (size_t i = 0; i < network->n_variables; i++)
		network->variables[i] =
			(struct variable){.role = VARIABLE_VISIBLE, .mobility = 1.0, .temperature = 1.0};
	for (size_t i = 0; i < n_specs; i++) {
		if ((status = add_term(network, i, specs[i], types, err))) {
			err_context(err, "energy term %zu", i + 1);
			goto fail;
		}
		offsets[i] = network->n_parameters;
		network->n_parameters += network->terms[i].n_parameters;
		if (network->n_parameters > NETWORK_MAX_PARAMETERS) {
			status = err_set(err, JOSTLE_ECONFIG, "expected at most %d parameters, found %zu",
					 NETWORK_MAX_PARAMETERS, network->n_parameters);
			goto fail;
		}
	}
	return 0;
fail:
	network_fini(network);
	return status;
}

void network_fini(struct network *network)
{
	for (size_t i = 0; i < network->n_terms; i++) {
		TARGET(term_registry)[network->term_types[i]]->fini(&network->terms[i]);
		free(network->specs[i]);
	}
	free(network->variables);
	free(network->terms);
	free(network->specs);
	free((void *)network->term_types);
	free((void *)network->offsets);
	*network = (struct network){0};
}

bool network_is_plain(const struct network *network)
{
	for (size_t i = 0; i < network->n_variables; i++) {
		const struct variable *v = &network->variables[i];

		if (v->role != VARIABLE_VISIBLE || v->mobility != 1.0 || v->temperature != 1.0)
			return false;
	}
	return network->n_variables == network->n_sites;
}

void network_parameter_name(const struct network *network, size_t k, char *name, size_t size)
{
	char text[PARAMETER_NAME_SIZE] = "";

	for (size_t i = 0; i < network->n_terms; i++)
		if (k - network->offsets[i] < network->terms[i].n_parameters) {
			TARGET(term_registry)
			[network->term_types[i]]->parameter_name(&network->terms[i], k - network->offsets[i], text);
			break;
		}
	snprintf(name, size, "%s", text);
}
