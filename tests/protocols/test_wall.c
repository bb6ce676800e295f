/*
 * The wall: whatever theta a learner reaches, a site outside is driven back, and no trajectory runs away.
 */
#include "term_cases.h"

#include <float.h>

#define POSITION  2.0
#define STIFFNESS 12.0

static const struct wall wall = {.position = POSITION, .stiffness = STIFFNESS};

struct bench {
	struct network network;
	const struct network_kernels *kernels;
	double *theta, *packed;
};

static void bench_open(struct bench *b, size_t index, double scale)
{
	build(&b->network, term_case(index));
	b->kernels = network_kernels_best();
	b->theta = calloc(b->network.n_parameters, sizeof(double));
	b->packed = calloc(b->kernels->packed_size(&b->network), sizeof(double));
	for (size_t k = 0; k < b->network.n_parameters; k++)
		b->theta[k] = scale * any_number(20, k);
	b->kernels->pack(&b->network, b->theta, &wall, b->packed);
}

static void bench_close(struct bench *b)
{
	free(b->theta);
	free(b->packed);
	network_fini(&b->network);
}

static double energy(const struct bench *b, const double x[])
{
	double u = NAN;

	b->kernels->energy(&b->network, b->packed, x, &u);
	return u;
}

/** Points of which about half the sites lie outside the wall. */
static void place(const struct bench *b, size_t draw, double x[])
{
	for (size_t i = 0; i < b->network.n_sites; i++)
		x[i] = 2.0 * POSITION * any_number(21 + draw, i);
}

/* catches: a wall that is added to the terms' force instead of taking its place */
static void outside_the_wall_the_force_is_the_walls_alone_for_any_theta(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;
		size_t n_outside = 0;

		bench_open(&b, c, 1e6);
		for (size_t draw = 0; draw < 20; draw++) {
			double x[CASE_MAX_SITES], f[CASE_MAX_SITES];

			place(&b, draw, x);
			b.kernels->force(&b.network, b.packed, x, f);
			for (size_t i = 0; i < b.network.n_sites; i++) {
				if (fabs(x[i]) <= POSITION)
					continue;
				assert_true(f[i] * x[i] < 0.0);
				check_near(f[i], -STIFFNESS * (x[i] - copysign(POSITION, x[i])), 1.0, 1e-12,
					   "wall force", term_case(c).spec, i);
				n_outside++;
			}
		}
		assert_true(n_outside > 3);
		bench_close(&b);
	}
}

/* catches: a step of the energy at the wall; sites inside that feel one outside where it is and not where it stands */
static void across_the_wall_the_energy_is_continuous_and_the_force_is_its_slope(void **state)
{
	const double h = 1e-5;

	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;

		bench_open(&b, c, 1.0);
		for (size_t draw = 0; draw < 10; draw++) {
			double x[CASE_MAX_SITES], f[CASE_MAX_SITES];

			place(&b, draw, x);
			b.kernels->force(&b.network, b.packed, x, f);
			for (size_t i = 0; i < b.network.n_sites; i++) {
				const double at = x[i];

				x[i] = at + h;
				const double above = energy(&b, x);
				x[i] = at - h;
				const double below = energy(&b, x);
				check_near(f[i], -(above - below) / (2.0 * h), fmax(fabs(f[i]), 0.1 * fabs(above)),
					   1e-6, "force on site", term_case(c).spec, i);
				x[i] = copysign(POSITION * (1.0 + 1e-12), at);
				const double outside = energy(&b, x);
				x[i] = copysign(POSITION * (1.0 - 1e-12), at);
				check_near(energy(&b, x), outside, fabs(outside), 1e-7, "energy at the wall",
					   term_case(c).spec, i);
				x[i] = at;
			}
		}
		bench_close(&b);
	}
}

/* catches: a learning rule fed with the residual of a site that theta does not move */
static void a_site_outside_the_wall_counts_in_no_gradient(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;
		double x[CASE_MAX_SITES], r[CASE_MAX_SITES];

		bench_open(&b, c, 1.0);
		double *g = calloc(b.network.n_parameters, sizeof(double));
		for (size_t i = 0; i < b.network.n_sites; i++) {
			x[i] = i % 2 ? 1.5 * POSITION : 0.3 * POSITION;
			r[i] = i % 2 ? 1.0 : 0.0;
		}
		b.kernels->gradient(&b.network, b.packed, x, r, g);
		for (size_t k = 0; k < b.network.n_parameters; k++)
			assert_true(g[k] == 0.0);
		free(g);
		bench_close(&b);
	}
}

/** The largest |x| of a noisy relaxation. */
static double wander(const struct bench *b, uint64_t seed, double step, size_t n_steps)
{
	double x[CASE_MAX_SITES] = {0}, f[CASE_MAX_SITES], largest = 0.0;

	for (size_t s = 0; s < n_steps; s++) {
		b->kernels->force(&b->network, b->packed, x, f);
		for (size_t i = 0; i < b->network.n_sites; i++) {
			double normals[4];

			random_normals(seed, RANDOM_BATH, 0, s, (uint32_t)i, normals);
			x[i] += step * f[i] + sqrt(2.0 * step) * normals[0];
			if (!isfinite(x[i]))
				return INFINITY;
			largest = fmax(largest, fabs(x[i]));
		}
	}
	return largest;
}

/*
 * catches: confinement that a learner can undo (a leading even power with a free sign, a wall that is added to the
 * terms' force). One step from inside goes as far as the largest force reaches; from outside, each is a contraction.
 */
static void trajectories_stay_bounded_for_random_theta(void **state)
{
	const double step = 0.002, steepest = 6.0 * pow(POSITION, 11.0); /* of x^6 y^6, the steepest of all cases */

	(void)state;
	for (size_t c = 0; c < n_cases(); c++)
		for (size_t draw = 0; draw < 4; draw++) {
			struct bench b;
			double reach = 0.0;

			bench_open(&b, c, draw % 2 ? 20.0 : -20.0);
			for (size_t k = 0; k < b.network.n_parameters; k++)
				reach += fabs(b.theta[k]) * steepest;
			assert_true(wander(&b, 100 + draw, step, 3000) <= POSITION + step * reach + 1.0);
			bench_close(&b);
		}
}

/* catches: a not-a-number that walks out of the arrays through an index, or is clamped into a number */
static void what_is_not_a_number_touches_no_memory_but_its_own(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		const double odd[] = {NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX};

		for (size_t o = 0; o < sizeof(odd) / sizeof(odd[0]); o++) {
			struct bench b;
			double x[CASE_MAX_SITES], f[CASE_MAX_SITES], r[CASE_MAX_SITES] = {0};

			bench_open(&b, c, 1.0);
			double *g = calloc(b.network.n_parameters, sizeof(double));
			for (size_t i = 0; i < b.network.n_sites; i++)
				x[i] = odd[o];
			b.kernels->force(&b.network, b.packed, x, f);
			b.kernels->gradient(&b.network, b.packed, x, r, g);
			b.kernels->laplacian(&b.network, b.packed, x, g);
			b.kernels->power(&b.network, b.packed, x, g);
			(void)energy(&b, x);
			/* The supervisor trips on what is not finite, so it must not look like a force in order. */
			if (isinf(odd[o]))
				assert_true(f[0] == -odd[o]);
			free(g);
			bench_close(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_the_wall_the_force_is_the_walls_alone_for_any_theta),
		cmocka_unit_test(across_the_wall_the_energy_is_continuous_and_the_force_is_its_slope),
		cmocka_unit_test(a_site_outside_the_wall_counts_in_no_gradient),
		cmocka_unit_test(trajectories_stay_bounded_for_random_theta),
		cmocka_unit_test(what_is_not_a_number_touches_no_memory_but_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
