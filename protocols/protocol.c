#include "protocols/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int protocol_init(struct protocol *protocol, struct network *network, const double t[], size_t n_knots, struct err *err)
{
	*protocol = (struct protocol){.network = *network, .n_knots = n_knots, .readout_weight = 0.5, .bath = "white"};
	*network = (struct network){0};
	protocol->t = malloc(n_knots * sizeof(*protocol->t));
	protocol->theta = calloc(n_knots * protocol->network.n_parameters, sizeof(*protocol->theta));
	protocol->wall = calloc(n_knots, sizeof(*protocol->wall));
	if (!protocol->t || !protocol->theta || !protocol->wall) {
		protocol_fini(protocol);
		return err_set(err, JOSTLE_ENOMEM, "no memory for a protocol of %zu knots", n_knots);
	}
	memcpy(protocol->t, t, n_knots * sizeof(*t));
	for (size_t k = 0; k < n_knots; k++)
		protocol->wall[k] = (struct wall){.position = 4.0, .stiffness = 10.0};
	return 0;
}

void protocol_fini(struct protocol *protocol)
{
	network_fini(&protocol->network);
	free(protocol->t);
	free(protocol->theta);
	free(protocol->wall);
	free(protocol->task);
	*protocol = (struct protocol){0};
}

struct wall protocol_wall(const struct protocol *protocol, struct knot_place place)
{
	const struct wall *w = &protocol->wall[place.lower];

	return (struct wall){
		.position = w[0].position + place.weight * (w[1].position - w[0].position),
		.stiffness = w[0].stiffness + place.weight * (w[1].stiffness - w[0].stiffness),
	};
}

void protocol_at(const struct protocol *protocol, double t, double theta[], struct wall *wall)
{
	const struct knot_place place = knots_find(protocol->t, protocol->n_knots, t);
	const size_t n = protocol->network.n_parameters;
	const double *below = protocol->theta + place.lower * n, *above = below + n;

	for (size_t k = 0; k < n; k++)
		theta[k] = below[k] + place.weight * (above[k] - below[k]);
	*wall = protocol_wall(protocol, place);
}

void protocol_seal(struct protocol *protocol)
{
	const struct network *network = &protocol->network;
	const uint64_t sizes[] = {network->nx, network->ny, network->n_variables, network->n_parameters,
				  protocol->n_knots};
	struct hash hash;

	hash_begin(&hash);
	hash_bytes(&hash, sizes, sizeof(sizes));
	for (size_t i = 0; i < network->n_terms; i++)
		hash_text(&hash, network->specs[i]);
	for (size_t i = 0; i < network->n_variables; i++) {
		const double numbers[] = {(double)network->variables[i].role, network->variables[i].mobility,
					  network->variables[i].temperature};

		hash_bytes(&hash, numbers, sizeof(numbers));
	}
	hash_bytes(&hash, protocol->t, protocol->n_knots * sizeof(*protocol->t));
	hash_bytes(&hash, protocol->theta, protocol->n_knots * network->n_parameters * sizeof(*protocol->theta));
	hash_bytes(&hash, protocol->wall, protocol->n_knots * sizeof(*protocol->wall));
	hash_bytes(&hash, &protocol->readout_weight, sizeof(protocol->readout_weight));
	hash_text(&hash, protocol->bath);
	hash_end(&hash, protocol->checksum);
}
