/*
 * A network's arithmetic is the sum of its terms' arithmetic at the clamped point, and the wall. Compiled for each
 * target of kernel_target.h.
 *
 * With c = clamp(x), U(x) = U_theta(c) + stiffness |x - c|^2 / 2. Outside the wall dc_i/dx_i = 0, so site i feels the
 * restoring force alone: inward, whatever theta is.
 */
#include "protocols/network.h"

#include <stdbool.h>
#include <string.h>

#include "protocols/energy_term.h"
#include "protocols/lanes.h"
#include "protocols/scratch.h"

/* The wall comes first in a packed network, then the terms, each at a multiple of a cache line of floats. */
#define PACKED_HEADER 16

static size_t padded(size_t n)
{
	return (n + 15) / 16 * 16;
}

static const struct energy_term_type *type_of(const struct network *network, size_t i)
{
	return TARGET(term_registry)[network->term_types[i]];
}

static size_t packed_size(const struct network *network)
{
	size_t size = PACKED_HEADER;

	for (size_t i = 0; i < network->n_terms; i++)
		size += padded(type_of(network, i)->packed_size(&network->terms[i]));
	return size;
}

static void set_wall(const struct wall *wall, real packed[])
{
	packed[0] = (real)wall->position;
	packed[1] = (real)wall->stiffness;
}

static void pack(const struct network *network, const double theta[], const struct wall *wall, real packed[])
{
	set_wall(wall, packed);
	packed += PACKED_HEADER;
	for (size_t i = 0; i < network->n_terms; i++) {
		type_of(network, i)->pack(&network->terms[i], theta + network->offsets[i], packed);
		packed += padded(type_of(network, i)->packed_size(&network->terms[i]));
	}
}

static inline real clamp(real x, real position)
{
	const real low = x > -position ? x : -position;

	return low < position ? low : position;
}

/** Is every site within the wall? Not so if one is not a number. */
static bool all_inside(const struct network *network, real position, const real x[])
{
	/* As integers the bits of numbers are in order of size, and those of what is not a number come last. */
	const vector edge = lanes_all(position);
	lane_bits limit, xi, beyond = {0};
	lane_bit signs[WIDTH];

	memcpy(&limit, &edge, sizeof(limit));
#pragma GCC unroll 4
	for (size_t i = 0; i < network->n_sites * LANE_VECTORS; i++) {
		memcpy(&xi, x + i * WIDTH, sizeof(xi));
		beyond |= limit - (xi & LANE_MAGNITUDE);
	}
	memcpy(signs, &beyond, sizeof(beyond));
	for (size_t l = 0; l < WIDTH; l++)
		if (signs[l] < 0)
			return false;
	return true;
}

/** x clamped to the wall: x itself, as nearly always, or a copy in scratch. */
static const real *clamped_to(const struct network *network, real position, const real x[])
{
	real *clamped = scratch_table(SCRATCH_CLAMPED);

	if (all_inside(network, position, x))
		return x;
	for (size_t i = 0; i < network->n_sites * LANES; i++)
		clamped[i] = clamp(x[i], position);
	return clamped;
}

static void energy(const struct network *network, const real packed[], const real x[], real u[LANES])
{
	const real half = packed[1] / 2;
	const real *clamped = clamped_to(network, packed[0], x);

	for (size_t l = 0; l < LANES; l++)
		u[l] = 0;
	packed += PACKED_HEADER;
	for (size_t i = 0; i < network->n_terms; i++) {
		type_of(network, i)->energy(&network->terms[i], packed, clamped, u);
		packed += padded(type_of(network, i)->packed_size(&network->terms[i]));
	}
	for (size_t i = 0; i < network->n_sites; i++)
		for (size_t l = 0; l < LANES; l++) {
			const real beyond = x[i * LANES + l] - clamped[i * LANES + l];

			u[l] += half * beyond * beyond;
		}
}

static void force(const struct network *network, const real packed[], const real x[], real f[])
{
	const real stiffness = packed[1];
	const real *clamped = clamped_to(network, packed[0], x);

	memset(f, 0, network->n_sites * LANES * sizeof(*f));
	packed += PACKED_HEADER;
	for (size_t i = 0; i < network->n_terms; i++) {
		type_of(network, i)->force(&network->terms[i], packed, clamped, f);
		packed += padded(type_of(network, i)->packed_size(&network->terms[i]));
	}
	for (size_t i = 0; clamped != x && i < network->n_sites * LANES; i++) {
		const real beyond = x[i] - clamped[i];

		f[i] = beyond == 0 ? f[i] : -stiffness * beyond;
	}
}

static void gradient(const struct network *network, const real packed[], const real x[], const real r[], double g[])
{
	const real *clamped = clamped_to(network, packed[0], x);

	if (clamped != x) {
		real *inside = scratch_table(SCRATCH_INSIDE);

		for (size_t i = 0; i < network->n_sites * LANES; i++)
			inside[i] = x[i] == clamped[i] ? r[i] : 0;
		r = inside;
	}
	for (size_t i = 0; i < network->n_terms; i++)
		type_of(network, i)->gradient(&network->terms[i], clamped, r, g + network->offsets[i]);
}

static void laplacian(const struct network *network, const real packed[], const real x[], double out[])
{
	const real *clamped = clamped_to(network, packed[0], x);

	for (size_t i = 0; i < network->n_terms; i++)
		type_of(network, i)->laplacian(&network->terms[i], clamped, out + network->offsets[i]);
}

static void power(const struct network *network, const real packed[], const real x[], double out[])
{
	const real *clamped = clamped_to(network, packed[0], x);

	for (size_t i = 0; i < network->n_terms; i++)
		type_of(network, i)->power(&network->terms[i], clamped, out + network->offsets[i]);
}

const struct network_kernels TARGET(network_kernels_table) = {
	.name = TARGET_NAME,
	.packed_size = packed_size,
	.pack = pack,
	.set_wall = set_wall,
	.energy = energy,
	.force = force,
	.gradient = gradient,
	.laplacian = laplacian,
	.power = power,
};
