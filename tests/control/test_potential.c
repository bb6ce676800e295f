/* The potential between two knots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/random.h"
#include "control/potential.h"
#include "protocols/energy_term.h"
#include "protocols/protocol.h"

#define MAX_SITES 6
#define N_KNOTS   3

/** One of a fixed sequence in (-1, 1). */
static double number(uint64_t n)
{
	uint32_t words[4];

	random_words(5, RANDOM_DATA, 0, n, 0, words);
	return (double)(int32_t)words[0] / 2147483648.0;
}

static void make_protocol(struct protocol *protocol, const char *spec)
{
	const double t[N_KNOTS] = {0.01, 0.3, 4};
	struct network network;
	struct err err = {0};

	/* Some terms are for two sites only. */
	if ((network_init(&network, 3, 2, &spec, 1, &err) && network_init(&network, 2, 1, &spec, 1, &err)) ||
	    protocol_init(protocol, &network, t, N_KNOTS, &err))
		fail_msg("%s", err.text);
	for (size_t k = 0; k < N_KNOTS * protocol->network.n_parameters; k++)
		protocol->theta[k] = number(k);
	for (size_t j = 0; j < N_KNOTS; j++)
		protocol->wall[j] = (struct wall){.position = 1 + 0.5 * (double)j, .stiffness = 10 - 3 * (double)j};
}

/** By theta and wall mixed first, and packed then. */
static void direct_force(const struct protocol *protocol, double t, const double x[], double f[])
{
	const struct network_kernels *kernels = network_kernels_best();
	const struct network *network = &protocol->network;
	double *theta = calloc(network->n_parameters, sizeof(*theta));
	double *packed = calloc(kernels->packed_size(network), sizeof(*packed));
	struct wall wall;

	assert_true(theta && packed);
	protocol_at(protocol, t, theta, &wall);
	kernels->pack(network, theta, &wall, packed);
	kernels->force(network, packed, x, f);
	free(theta);
	free(packed);
}

/*
 * catches: knots exchanged or a weight turned round; the wall of one knot used for both; a term that is packed in a way
 * that is not linear in theta
 */
static void force_between_knots_is_that_of_theta_and_wall_between_them(void **state)
{
	const double times[] = {0.001, 0.01, 0.02, 0.1, 0.3, 0.5, 1, 3.9, 4, 7};

	(void)state;
	for (size_t row = 0; term_registry_one[row]; row++) {
		struct potential potential;
		struct protocol protocol;
		struct err err = {0};

		make_protocol(&protocol, term_registry_one[row]->example);
		assert_int_equal(potential_init(&potential, &protocol, &err), 0);
		for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
			double x[MAX_SITES], found[MAX_SITES], expected[MAX_SITES];

			for (size_t s = 0; s < protocol.network.n_sites; s++)
				x[s] = (i % 2 ? 2.0 : 0.9) * number(1000 * i + s); /* at odd i some beyond the wall */
			potential_force_at(&potential, times[i], x, found);
			direct_force(&protocol, times[i], x, expected);
			for (size_t s = 0; s < protocol.network.n_sites; s++)
				if (!(fabs(found[s] - expected[s]) <= 1e-11 * (1 + fabs(expected[s]))))
					fail_msg("%s, t = %g, site %zu: expected %.15g, found %.15g",
						 term_registry_one[row]->example, times[i], s, expected[s], found[s]);
		}
		potential_fini(&potential);
		protocol_fini(&protocol);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(force_between_knots_is_that_of_theta_and_wall_between_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
