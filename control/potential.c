#include "control/potential.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/memory.h"
#include "protocols/protocol.h"

int potential_init(struct potential *potential, const struct protocol *protocol, struct err *err)
{
	const struct network *network = &protocol->network;
	const struct network_kernels *kernels = network_kernels_best();
	const size_t packed_size = kernels->packed_size(network);

	*potential = (struct potential){0};
	if (!network_is_plain(network))
		return err_set(err, JOSTLE_ECONFIG,
			       "the protocol has hidden or noise variables, or mobilities or temperatures other than "
			       "1: the loop "
			       "can't carry those out");
	*potential = (struct potential){
		.protocol = protocol,
		.kernels = kernels,
		.theta = memory_touched(network->n_parameters, sizeof(double)),
		.packed = memory_touched(packed_size, sizeof(double)),
	};
	if (potential->theta && potential->packed)
		return 0;
	potential_fini(potential);
	return err_set(err, JOSTLE_ENOMEM, "no memory for a potential of %zu parameters", network->n_parameters);
}

void potential_fini(struct potential *potential)
{
	free(potential->theta);
	free(potential->packed);
	*potential = (struct potential){0};
}

void potential_at(struct potential *potential, double t)
{
	protocol_at(potential->protocol, t, potential->theta, &potential->wall);
}

void potential_force_at(struct potential *potential, double t, const double x[], double f[])
{
	const struct network *network = &potential->protocol->network;

	potential_at(potential, t);
	potential->kernels->pack(network, potential->theta, &potential->wall, potential->packed);
	potential->kernels->force(network, potential->packed, x, f);
}
