#undef KERNEL_BLOCK /* this file alone of its test sees the single-replica layout */
#include "reference.h"

#include <stdlib.h>

#include "protocols/energy_term.h"
#include "protocols/network.h"

void reference_at(const struct network *network, const double theta[], const struct wall *wall, const double x[],
		  const double r[], struct reference *out)
{
	const struct network_kernels *kernels = network_kernels_best();
	double *packed = calloc(kernels->packed_size(network), sizeof(*packed));

	if (!packed)
		abort();
	kernels->pack(network, theta, wall, packed);
	kernels->energy(network, packed, x, out->u);
	kernels->force(network, packed, x, out->f);
	kernels->gradient(network, packed, x, r, out->g);
	kernels->laplacian(network, packed, x, out->l);
	kernels->power(network, packed, x, out->p);
	free(packed);
}

const char *reference_name(size_t i)
{
	return TARGET(term_registry)[i] ? TARGET(term_registry)[i]->name : NULL;
}
