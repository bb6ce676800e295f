#include "control/potential.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/memory.h"
#include "protocols/protocol.h"

int potential_init(struct potential *potential, const struct protocol *protocol, struct err *err)
{
	const struct network *network = &protocol->network;
	const struct network_kernels *kernels = network_kernels_best();
	const size_t packed_size = memory_round_up(kernels->packed_size(network), MEMORY_ALIGNMENT / sizeof(double));

	*potential = (struct potential){0};
	if (!network_is_plain(network))
		return err_set(err, JOSTLE_ECONFIG,
			       "the protocol has hidden or noise variables, or mobilities or temperatures other than "
			       "1: the loop "
			       "can't carry those out");
	*potential = (struct potential){
		.protocol = protocol,
		.kernels = kernels,
		.packed_size = packed_size,
		.theta = memory_touched(network->n_parameters, sizeof(double)),
		.packed = memory_touched(protocol->n_knots, packed_size * sizeof(double)),
		.above = memory_touched(network->n_variables, sizeof(double)),
	};
	if (!potential->theta || !potential->packed || !potential->above) {
		potential_fini(potential);
		return err_set(err, JOSTLE_ENOMEM, "no memory for a potential of %zu parameters on %zu knots",
			       network->n_parameters, protocol->n_knots);
	}
	for (size_t j = 0; j < protocol->n_knots; j++)
		kernels->pack(network, protocol->theta + j * network->n_parameters, &protocol->wall[j],
			      potential->packed + j * packed_size);
	return 0;
}

void potential_fini(struct potential *potential)
{
	free(potential->theta);
	free(potential->packed);
	free(potential->above);
	*potential = (struct potential){0};
}

void potential_at(struct potential *potential, double t)
{
	protocol_at(potential->protocol, t, potential->theta, &potential->wall);
}

void potential_force_at(struct potential *potential, double t, const double x[], double f[])
{
	const struct protocol *protocol = potential->protocol;
	const struct network *network = &protocol->network;
	const struct knot_place place = knots_find(protocol->t, protocol->n_knots, t);
	const struct wall wall = protocol_wall(protocol, place);
	double *lower = potential->packed + place.lower * potential->packed_size;
	double *upper = lower + potential->packed_size;

	/* The wall is not linear: both forces are taken with the one that holds at t. */
	potential->kernels->set_wall(&wall, lower);
	potential->kernels->set_wall(&wall, upper);
	potential->kernels->force(network, lower, x, f);
	potential->kernels->force(network, upper, x, potential->above);
	for (size_t i = 0; i < network->n_sites; i++)
		f[i] = (1 - place.weight) * f[i] + place.weight * potential->above[i];
}
