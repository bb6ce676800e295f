/*
 * The Langevin engine: its numbers, its laws, its independence of threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/random.h"
#include "protocols/bath.h"
#include "protocols/diffusion.h"
#include "protocols/knots.h"
#include "protocols/network.h"
#include "protocols/protocol.h"
#include "sim/engine_kernels.h"
#include "sim/ensemble.h"

#define N_SITES 2

struct fixture {
	struct pool *pool[2]; /* one thread, two threads */
	struct bath bath;
	struct protocol protocol;
};

/** A protocol on two sites that generates N(0, variance) exactly: f = x + 2 s with s = -x / (a^2 variance + sigma^2). */
static void gaussian_protocol(struct protocol *protocol, double variance)
{
	const char *const specs[] = {"onsite-power powers=2"};
	struct network network;
	struct err err;
	double t[32];

	knots_geometric(DIFFUSION_T_MINIMUM, DIFFUSION_T_FINAL, 32, t);
	assert_int_equal(network_init(&network, N_SITES, 1, specs, 1, &err), 0);
	assert_int_equal(protocol_init(protocol, &network, t, 32, &err), 0);
	for (size_t k = 0; k < 32; k++) {
		const double noised = exp(-2.0 * t[k]) * variance + diffusion_variance(t[k]);

		for (size_t i = 0; i < N_SITES; i++)
			protocol->theta[k * N_SITES + i] = 1.0 / noised - 0.5;
		protocol->wall[k] = (struct wall){.position = 8.0, .stiffness = 10.0};
	}
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct err err;

	assert_non_null(fx);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pool_new(&fx->pool[i], i + 1, &err), 0);
	assert_int_equal(bath_init(&fx->bath, "white", &err), 0);
	gaussian_protocol(&fx->protocol, 0.25);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < 2; i++)
		pool_free(fx->pool[i]);
	protocol_fini(&fx->protocol);
	free(fx);
	return 0;
}

/* catches: a wrong counter layout, a lost carry in Philox, even and odd replicas mixed up, a round too few or too many */
static void block_words_are_random123s_bit_for_bit(void **state)
{
	const uint64_t seeds[] = {0, 1, 0x123456789abcdef0u, UINT64_MAX};
	const uint32_t firsts[] = {0, 7, 0x7fffffffu, UINT32_MAX - BLOCK_LANES + 1};
	const uint64_t steps[] = {0, 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
	const uint32_t blocks[] = {0, 35, 0xffffffu};
	uint32_t words[4][BLOCK_LANES], reference[4];

	(void)state;
	for (size_t kernel = 0; engine_kernels_all()[kernel]; kernel++)
		for (size_t c = 0; c < 4 * 4 * 5 * 3; c++) {
			const uint64_t seed = seeds[c % 4], step = steps[c / 16 % 5];
			const uint32_t first = firsts[c / 4 % 4], block = blocks[c / 80];

			engine_kernels_all()[kernel]->words(seed, RANDOM_FEATURES, first, step, block, words);
			for (uint32_t l = 0; l < BLOCK_LANES; l++) {
				random_words(seed, RANDOM_FEATURES, first + l, step, block, reference);
				for (size_t i = 0; i < 4; i++)
					assert_int_equal(words[i][l], reference[i]);
			}
		}
}

/* catches: a wrong counter layout, a lost carry in Philox, a wrong quadrant or sign, a bad polynomial */
static void block_normals_are_those_of_the_reference_to_single_precision(void **state)
{
	const uint64_t seeds[] = {0, 1, 0x123456789abcdef0u, UINT64_MAX};
	float normals[8 * BLOCK_LANES];
	double reference[4], worst = 0.0;

	(void)state;
	for (size_t kernel = 0; engine_kernels_all()[kernel]; kernel++)
		for (size_t s = 0; s < 4; s++)
			for (uint64_t step = 0; step < 400; step++) {
				const uint64_t address = step % 4 ? step : step << 33 | 5;

				engine_kernels_all()[kernel]->normals(seeds[s], RANDOM_BATH, 4294967000u, address, 6,
								      normals);
				for (uint32_t l = 0; l < BLOCK_LANES; l++)
					for (uint32_t v = 0; v < 6; v++) {
						random_normals(seeds[s], RANDOM_BATH, 4294967000u + l, address, v / 4,
							       reference);
						const double radius =
							hypot(reference[v % 4 & ~1u], reference[v % 4 | 1u]);
						/* ln u is rounded to 2^-24 near u = 1, where the radius is its square root. */
						const double allowed = 1e-6 + 1.2e-7 / radius;
						const double off = normals[v * BLOCK_LANES + l] - reference[v % 4];

						worst = fmax(worst, fabs(off) / allowed);
					}
			}
	assert_true(worst < 1.0);
	assert_true(worst > 0.0);
}

/* catches: tails cut short, a variance off by a per mille, a correlation between variables, replicas or steps */
static void block_normals_have_the_moments_tails_and_independence_of_normal_numbers(void **state)
{
	const size_t n_steps = 20000;
	double moment[5] = {0}, across_variables = 0, across_lanes = 0, across_steps = 0;
	size_t beyond[6] = {0};
	float now[4 * BLOCK_LANES], before[4 * BLOCK_LANES] = {0};

	(void)state;
	for (uint64_t step = 0; step < n_steps; step++) {
		engine_kernels_best()->normals(7, RANDOM_BATH, 64, step, 4, now);
		for (size_t v = 0; v < 4; v++)
			for (size_t l = 0; l < BLOCK_LANES; l++) {
				const double z = now[v * BLOCK_LANES + l];

				for (int p = 1; p <= 4; p++)
					moment[p] += pow(z, p);
				for (int s = 1; s <= 5; s++)
					beyond[s] += fabs(z) > s ? 1 : 0;
				across_variables += z * now[(v + 1) % 4 * BLOCK_LANES + l];
				across_lanes += z * now[v * BLOCK_LANES + (l + 1) % BLOCK_LANES];
				across_steps += z * before[v * BLOCK_LANES + l];
			}
		memcpy(before, now, sizeof(now));
	}
	const double n = (double)n_steps * 4 * BLOCK_LANES;
	/* Five standard errors of each; the moments' variances are 1, 2, 15, 96. */
	assert_true(fabs(moment[1] / n) < 5 * sqrt(1 / n));
	assert_true(fabs(moment[2] / n - 1) < 5 * sqrt(2 / n));
	assert_true(fabs(moment[3] / n) < 5 * sqrt(15 / n));
	assert_true(fabs(moment[4] / n - 3) < 5 * sqrt(96 / n));
	for (int s = 1; s <= 5; s++) {
		const double expected = n * erfc(s / sqrt(2.0));

		assert_true(fabs((double)beyond[s] - expected) < 5 * sqrt(expected) + 1);
	}
	assert_true(fabs(across_variables / n) < 5 * sqrt(1 / n));
	assert_true(fabs(across_lanes / n) < 5 * sqrt(1 / n));
	assert_true(fabs(across_steps / n) < 5 * sqrt(1 / n));
}

/* catches: a variable's factors taken from its neighbour, the last variables of an odd number left out or overrun */
static void a_kick_is_a_step_with_the_normals_of_its_address(void **state)
{
	float normals[12 * BLOCK_LANES], x[12 * BLOCK_LANES], f[12 * BLOCK_LANES], advance[12], amplitude[12];

	(void)state;
	for (size_t kernel = 0; engine_kernels_all()[kernel]; kernel++)
		for (size_t n = 1; n <= 9; n++) {
			for (size_t v = 0; v < 12; v++) {
				advance[v] = 0.1f * (float)(v + 1);
				amplitude[v] = 1.0f + (float)v;
			}
			for (size_t i = 0; i < 12 * BLOCK_LANES; i++) {
				x[i] = 0.01f * (float)i;
				f[i] = 1.0f - 0.02f * (float)i;
			}
			engine_kernels_all()[kernel]->normals(3, RANDOM_BATH, 96, 17, n, normals);
			engine_kernels_all()[kernel]->kick(3, RANDOM_BATH, 96, 17, n, advance, amplitude, f, x);
			for (size_t i = 0; i < 12 * BLOCK_LANES; i++) {
				const size_t v = i / BLOCK_LANES;
				const double before = 0.01f * (float)i;
				const double after =
					v < n ? before + advance[v] * f[i] + amplitude[v] * normals[i] : before;

				assert_true(fabs(x[i] - after) < 1e-5);
			}
		}
}

static double variance_of(const struct ensemble *ensemble, size_t site)
{
	double sum = 0, square = 0;

	for (size_t r = 0; r < ensemble->n_replicas; r++) {
		const double x = ensemble->x[(r / BLOCK_LANES * N_SITES + site) * BLOCK_LANES + r % BLOCK_LANES];

		sum += x;
		square += x * x;
	}
	const double n = (double)ensemble->n_replicas;
	return square / n - sum / n * (sum / n);
}

/* catches: Euler in place of the exact transition, a variance of 2 T in place of T, a reused noise address */
static void forward_transitions_are_exact_at_any_step(void **state)
{
	struct fixture *fx = *state;
	struct ensemble ensemble;
	struct err err;
	const size_t n = 40000;

	assert_int_equal(ensemble_init(&ensemble, n, N_SITES, 3, 0, &err), 0);
	for (size_t i = 0; i < ensemble.n_blocks * N_SITES * BLOCK_LANES; i++)
		ensemble.x[i] = 2.0f;
	/* One step of 0.3, then one of 5: both as exact as a thousand small ones. */
	assert_int_equal(ensemble_noise(&ensemble, &fx->bath, 0.3, 0, fx->pool[1], &err), 0);
	double mean = 0;
	for (size_t r = 0; r < n; r++)
		mean += ensemble.x[(r / BLOCK_LANES * N_SITES) * BLOCK_LANES + r % BLOCK_LANES] / (double)n;
	const double variance = diffusion_variance(0.3);
	assert_true(fabs(mean - 2.0 * exp(-0.3)) < 5 * sqrt(variance / (double)n));
	assert_true(fabs(variance_of(&ensemble, 1) - variance) < 5 * variance * sqrt(2.0 / (double)n));
	assert_int_equal(ensemble_noise(&ensemble, &fx->bath, 5.0, 1, fx->pool[1], &err), 0);
	assert_true(fabs(variance_of(&ensemble, 0) - 1.0) < 5 * sqrt(2.0 / (double)n));
	ensemble_fini(&ensemble);
}

/* catches: a missing factor two in the noise, theta taken at the wrong end of the grid, a wrong read-out */
static void a_gaussian_protocol_generates_its_gaussian(void **state)
{
	struct fixture *fx = *state;
	struct ensemble ensemble;
	struct err err;
	const size_t n = 20000;
	size_t n_diverged;
	float *samples = malloc(n * N_SITES * sizeof(*samples));

	assert_non_null(samples);
	fx->protocol.readout_weight = 0.5;
	assert_int_equal(ensemble_init(&ensemble, n, N_SITES, 11, 0, &err), 0);
	assert_int_equal(ensemble_draw_prior(&ensemble, &fx->bath, fx->pool[1], &err), 0);
	assert_true(fabs(variance_of(&ensemble, 0) - 1.0) < 5 * sqrt(2.0 / (double)n));
	assert_int_equal(ensemble_generate(&ensemble, &fx->protocol, 0.0, fx->pool[1], NULL, &err), 0);
	assert_int_equal(ensemble_read_out(&ensemble, &fx->protocol, samples, &n_diverged, fx->pool[1], &err), 0);
	assert_int_equal(n_diverged, 0);
	double square = 0, cross = 0;
	for (size_t r = 0; r < n; r++) {
		square += samples[2 * r] * samples[2 * r] / (double)n;
		cross += samples[2 * r] * samples[2 * r + 1] / (double)n;
	}
	/* Statistics, and a per cent or two of discretisation: steps of 0.03 sigma^2 and log-linear knots. */
	assert_true(fabs(square - 0.25) < 0.25 * (5 * sqrt(2.0 / (double)n) + 0.02));
	assert_true(fabs(cross) < 5 * 0.25 / sqrt((double)n));
	ensemble_fini(&ensemble);
	free(samples);
}

static float *generate(struct fixture *fx, struct pool *pool, size_t n, uint32_t first_replica, double step)
{
	struct ensemble ensemble;
	struct err err;
	size_t n_diverged;
	float *samples = malloc(n * N_SITES * sizeof(*samples));

	assert_non_null(samples);
	assert_int_equal(ensemble_init(&ensemble, n, N_SITES, 5, first_replica, &err), 0);
	assert_int_equal(ensemble_draw_prior(&ensemble, &fx->bath, pool, &err), 0);
	assert_int_equal(ensemble_generate(&ensemble, &fx->protocol, step, pool, NULL, &err), 0);
	assert_int_equal(ensemble_read_out(&ensemble, &fx->protocol, samples, &n_diverged, pool, &err), 0);
	ensemble_fini(&ensemble);
	return samples;
}

/* catches: noise addressed by thread or by place in the block, replicas that depend on how many there are */
static void results_do_not_depend_on_threads_nor_on_how_replicas_are_shared_out(void **state)
{
	struct fixture *fx = *state;
	float *one = generate(fx, fx->pool[0], 1000, 0, 0.01);
	float *two = generate(fx, fx->pool[1], 1000, 0, 0.01);
	float *tail = generate(fx, fx->pool[1], 1000 - 320, 320, 0.01);
	float *odd = generate(fx, fx->pool[0], 33, 7, 0.01);

	assert_memory_equal(one, two, 1000 * N_SITES * sizeof(float));
	assert_memory_equal(one + 320 * N_SITES, tail, (1000 - 320) * N_SITES * sizeof(float));
	assert_memory_equal(one + 7 * N_SITES, odd, 33 * N_SITES * sizeof(float));
	free(one);
	free(two);
	free(tail);
	free(odd);
}

/** 40 steps of a network with every kind of coupling that the engine has a fast path for, with the kernels of a target. */
static void generate_on_a_lattice(struct fixture *fx, size_t target, size_t nx, struct ensemble *ensemble)
{
	const char *const specs[] = {"onsite-power powers=1-4", "bilinear range=all", "bilinear range=2.3",
				     "pair-power exponents=2,1 range=2", "pair-power exponents=2,2 range=1"};
	const double t[2] = {0.6, 1.0};
	struct network network;
	struct protocol protocol;
	struct err err;

	assert_int_equal(network_init(&network, nx, 5, specs, 5, &err), 0);
	assert_int_equal(protocol_init(&protocol, &network, t, 2, &err), 0);
	for (size_t k = 0; k < 2 * network.n_parameters; k++) {
		const size_t parameter = k % network.n_parameters, power = parameter / (nx * 5);

		protocol.theta[k] = power < 4 ? (double[]){0.1, 0.5, 0.0, 0.2}[power] : 0.02 * sin((double)k);
	}
	/* Near enough for some replicas to be beyond it at any time. */
	for (size_t k = 0; k < 2; k++)
		protocol.wall[k] = (struct wall){.position = 2.0, .stiffness = 10.0};
	assert_int_equal(ensemble_init(ensemble, 200, nx * 5, 21, 0, &err), 0);
	ensemble->kernels = network_kernels_all()[target];
	ensemble->engine = engine_kernels_all()[target];
	assert_int_equal(ensemble_draw_prior(ensemble, &fx->bath, fx->pool[1], &err), 0);
	assert_int_equal(ensemble_generate(ensemble, &protocol, 0.01, fx->pool[1], NULL, &err), 0);
	protocol_fini(&protocol);
}

/* catches: a vector kernel that leaves out lanes, sites or terms, or takes theta of another step */
static void every_target_generates_the_same_to_rounding(void **state)
{
	struct fixture *fx = *state;
	size_t n_targets = 0;

	while (engine_kernels_all()[n_targets] && network_kernels_all()[n_targets])
		n_targets++;
	assert_null(engine_kernels_all()[n_targets]);
	assert_null(network_kernels_all()[n_targets]);
	for (size_t nx = 3; nx <= 6; nx += 3) {
		struct ensemble portable, other;

		generate_on_a_lattice(fx, n_targets - 1, nx, &portable);
		for (size_t target = 0; target + 1 < n_targets; target++) {
			assert_string_equal(engine_kernels_all()[target]->name, network_kernels_all()[target]->name);
			generate_on_a_lattice(fx, target, nx, &other);
			for (size_t i = 0; i < other.n_blocks * other.n_variables * BLOCK_LANES; i++)
				assert_true(fabsf(other.x[i] - portable.x[i]) < 2e-5f);
			ensemble_fini(&other);
		}
		ensemble_fini(&portable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_words_are_random123s_bit_for_bit),
		cmocka_unit_test(a_kick_is_a_step_with_the_normals_of_its_address),
		cmocka_unit_test(block_normals_are_those_of_the_reference_to_single_precision),
		cmocka_unit_test(block_normals_have_the_moments_tails_and_independence_of_normal_numbers),
		cmocka_unit_test_setup_teardown(forward_transitions_are_exact_at_any_step, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gaussian_protocol_generates_its_gaussian, setup, teardown),
		cmocka_unit_test_setup_teardown(results_do_not_depend_on_threads_nor_on_how_replicas_are_shared_out,
						setup, teardown),
		cmocka_unit_test_setup_teardown(every_target_generates_the_same_to_rounding, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
