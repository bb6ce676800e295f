/*
 * Targets and their mixtures: every member of the registry keeps the contract, and masses, draws and densities agree.
 */
#include "learning/assertions.h"

#include "learning/metrics.h"
#include "learning/target.h"

#define N_BINS    (MIXTURE_BINS * MIXTURE_BINS)
#define MAX_SITES 144 /* of the examples */

static void build(struct target *target, const char *spec, size_t n_sites)
{
	struct err err = {0};

	assert_ok(target_init(target, spec, n_sites, &err), err);
}

/* catches: a member that leaves out a field, or whose own example can't be built */
static void every_target_is_complete_and_builds_its_example(void **state)
{
	(void)state;
	assert_non_null(target_registry[0]);
	for (size_t i = 0; target_registry[i]; i++) {
		const struct target_type *type = target_registry[i];
		struct target target;

		assert_true(type->name && type->summary && type->settings && type->example);
		assert_true(type->example_sites > 0 && type->example_sites <= MAX_SITES);
		assert_true(type->init && type->fini && type->draw && type->extent);
		build(&target, type->example, type->example_sites);
		assert_ptr_equal(target.type, type);
		target_fini(&target);
	}
}

/* catches: draws that depend on the order they are asked in, streams or steps that share numbers */
static void a_datum_depends_on_its_address_and_on_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; target_registry[i]; i++) {
		struct target target;
		float first[MAX_SITES], again[MAX_SITES], other[MAX_SITES];
		const size_t size = target_registry[i]->example_sites * sizeof(float);

		build(&target, target_registry[i]->example, target_registry[i]->example_sites);
		target.type->draw(&target, 5, RANDOM_DATA, 17, 3, first);
		target.type->draw(&target, 5, RANDOM_DATA, 18, 3, other);
		target.type->draw(&target, 5, RANDOM_DATA, 17, 3, again);
		assert_memory_equal(first, again, size);
		assert_memory_not_equal(first, other, size);
		target.type->draw(&target, 5, RANDOM_HELD_DATA, 17, 3, other);
		assert_memory_not_equal(first, other, size);
		target.type->draw(&target, 5, RANDOM_DATA, 17, 4, other);
		assert_memory_not_equal(first, other, size);
		target.type->draw(&target, 6, RANDOM_DATA, 17, 3, other);
		assert_memory_not_equal(first, other, size);
		target_fini(&target);
	}
}

/* catches: an extent that ignores the noise or the modes' width, so that the wall stands among the data */
static void the_data_lie_within_the_extent(void **state)
{
	(void)state;
	for (size_t i = 0; target_registry[i]; i++) {
		struct target target;
		double limit;

		build(&target, target_registry[i]->example, target_registry[i]->example_sites);
		limit = target.type->extent(&target, 1.0, 0.0, 5.0);
		for (uint32_t n = 0; n < 20000; n++) {
			float x[MAX_SITES];

			target.type->draw(&target, 1, RANDOM_DATA, n, 0, x);
			for (size_t s = 0; s < target.n_sites; s++)
				assert_true(fabs((double)x[s]) <= limit);
		}
		assert_near(target.type->extent(&target, 0.0, 1.0, 4.0), 4.0, 1e-12);
		target_fini(&target);
	}
}

/* catches: bins that overlap or leave gaps, an outside mass that counts the corners twice, weights that are not shares */
static void bin_masses_and_the_outside_sum_to_one(void **state)
{
	const char *const specs[] = {
		"gaussians means=1.2,1.2,-1.2,-1.2 sigma=0.4 weights=0.3,0.7",
		"gaussians means=2.8,-2.8,4,0 sigma=0.7,2",
		"ring radius=1.5 sigma=0.15",
		"ring radius=3 sigma=0.4",
		"swiss-roll turns=1.5 radius=2 sigma=0.1",
	};

	(void)state;
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++) {
		struct target target;
		double mass[N_BINS], sum = 0.0;

		build(&target, specs[s], 2);
		const double outside = mixture_bin_masses(&target.mixture, mass);
		for (size_t b = 0; b < N_BINS; b++)
			sum += mass[b];
		assert_near(sum + outside, 1.0, 1e-12);
		assert_true(outside >= 0.0);
		target_fini(&target);
	}
}

/* catches: a mass outside that is a difference from one (rounding), a tail on one side only */
static void the_mass_outside_is_that_of_the_normal_tails(void **state)
{
	struct target target;
	double mass[N_BINS];

	(void)state;
	build(&target, "gaussians means=0,0 sigma=0.5", 2);
	const double tail = erfc(6.0 / sqrt(2.0)); /* both sides of one axis, at six standard deviations */
	assert_near(mixture_bin_masses(&target.mixture, mass) / (2.0 * tail), 1.0, 1e-8);
	target_fini(&target);
}

/* catches: axes exchanged between bins and masses, a bin index off by one, a wrong weight or width in the draw */
static void draws_fall_into_bins_as_their_masses_say(void **state)
{
	const size_t n = 200000;

	(void)state;
	for (size_t i = 0; target_registry[i]; i++) {
		struct target target;
		double mass[N_BINS + 1], chi_square = 0.0, cells = 0.0, pooled = 0.0, pooled_count = 0.0;
		size_t count[N_BINS + 1] = {0};

		build(&target, target_registry[i]->example, target_registry[i]->example_sites);
		if (target.mixture.n_modes == 0) {
			target_fini(&target);
			continue;
		}
		mass[N_BINS] = mixture_bin_masses(&target.mixture, mass);
		for (uint32_t d = 0; d < n; d++) {
			float x[2];

			target.type->draw(&target, 11, RANDOM_REFERENCE, d, 0, x);
			count[mixture_bin(x)]++;
		}
		for (size_t b = 0; b <= N_BINS; b++) {
			const double expected = mass[b] * (double)n, off = (double)count[b] - expected;

			if (expected >= 5.0) {
				chi_square += off * off / expected;
				cells += 1.0;
			} else {
				pooled += expected;
				pooled_count += (double)count[b];
			}
		}
		chi_square += (pooled_count - pooled) * (pooled_count - pooled) / pooled;
		/* cells degrees of freedom: mean `cells`, standard deviation sqrt(2 cells) */
		assert_near(chi_square, cells, 5.0 * sqrt(2.0 * cells));
		target_fini(&target);
	}
}

/* catches: a density without its normalisation, or with the wrong power of sigma */
static void the_density_integrates_to_a_bins_mass(void **state)
{
	struct target target;
	double mass[N_BINS], sum = 0.0;
	const double width = 2.0 * MIXTURE_HALF_SIDE / MIXTURE_BINS;
	const size_t i = 28, j = 25, n = 40;

	(void)state;
	build(&target, "gaussians means=1.2,0.9,-1.2,-1.2 sigma=0.4,0.2 weights=0.3,0.7", 2);
	mixture_bin_masses(&target.mixture, mass);
	for (size_t u = 0; u < n; u++)
		for (size_t v = 0; v < n; v++) {
			const double x[2] = {
				((double)i + ((double)u + 0.5) / (double)n) * width - MIXTURE_HALF_SIDE,
				((double)j + ((double)v + 0.5) / (double)n) * width - MIXTURE_HALF_SIDE,
			};

			sum += mixture_density(&target.mixture, x) * width * width / (double)(n * n);
		}
	assert_near(sum, mass[i * MIXTURE_BINS + j], 1e-6);
	target_fini(&target);
}

/* catches: points on the upper edge, outside, or not finite that land in some bin */
static void points_outside_have_no_bin(void **state)
{
	const float outside[][2] = {{3.0f, 0.0f}, {0.0f, -3.01f}, {NAN, 0.0f}, {0.0f, INFINITY}, {-1e30f, 0.0f}};

	(void)state;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_int_equal(mixture_bin(outside[i]), N_BINS);
	assert_int_equal(mixture_bin((const float[2]){-3.0f, -3.0f}), 0);
	assert_int_equal(mixture_bin((const float[2]){-3.0f, 2.99f}), MIXTURE_BINS - 1);
}

/* catches: modes of a curve so far apart that the curve becomes a row of beads */
static void a_ring_is_the_same_in_every_direction(void **state)
{
	struct target target;

	(void)state;
	build(&target, "ring radius=1.5 sigma=0.15", 2);
	const double at_mode = mixture_density(&target.mixture, (const double[2]){1.5, 0.0});
	for (double angle = 0.0; angle < 7.0; angle += 0.013) {
		const double x[2] = {1.5 * cos(angle), 1.5 * sin(angle)};

		assert_near(mixture_density(&target.mixture, x) / at_mode, 1.0, 1e-5);
	}
	target_fini(&target);
}

/* catches: a roll with the wrong number of turns or radii, or filled unevenly along its length */
static void a_roll_is_evenly_filled_from_a_third_of_its_radius(void **state)
{
	struct target target;

	(void)state;
	build(&target, "swiss-roll turns=1.5 radius=2 sigma=0.1", 2);
	const struct mixture *m = &target.mixture;
	const double *inner = m->mean, *outer = m->mean + 2 * (m->n_modes - 1);
	double turned = 0.0, spacing = 0.0;

	assert_near(hypot(outer[0], outer[1]), 2.0, 1e-9);
	assert_near(hypot(inner[0], inner[1]), 2.0 / 3.0, 1e-9);
	for (size_t k = 1; k < m->n_modes; k++) {
		const double *a = m->mean + 2 * (k - 1), *b = m->mean + 2 * k;
		const double apart = hypot(b[0] - a[0], b[1] - a[1]);

		turned += atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]);
		assert_true(apart <= m->sigma[0] * 1.001);
		if (k > 1)
			assert_near(apart, spacing, 2e-3 * spacing);
		spacing = apart;
	}
	assert_near(turned, 3.0 * M_PI, 1e-9);
	target_fini(&target);
}

/* catches: modes of more than two or of one dimension that mix up sites */
static void gaussians_fit_any_number_of_sites(void **state)
{
	struct target target;
	double mean[5] = {0.0};

	(void)state;
	build(&target, "gaussians means=1,2,3,4,5 sigma=0.5", 5);
	for (uint32_t n = 0; n < 4000; n++) {
		float x[5];

		target.type->draw(&target, 3, RANDOM_DATA, n, 0, x);
		for (size_t i = 0; i < 5; i++)
			mean[i] += (double)x[i] / 4000.0;
	}
	for (size_t i = 0; i < 5; i++)
		assert_near(mean[i], (double)(i + 1), 5.0 * 0.5 / sqrt(4000.0));
	target_fini(&target);
}

/* catches: a specification that is taken although it makes no target; memory kept on the way out (with ASan) */
static void specifications_that_make_no_target_are_refused(void **state)
{
	const struct {
		const char *spec, *says;
		size_t n_sites;
		int code;
	} cases[] = {
		{"", "name", 2, JOSTLE_ECONFIG},
		{"triangle", "gaussians, ring", 2, JOSTLE_ENOENT},
		{"gaussians", "means", 2, JOSTLE_ECONFIG},
		{"gaussians means=1,2,3", "2 numbers for each mode, found 3", 2, JOSTLE_ECONFIG},
		{"gaussians means=1,nan", "means", 2, JOSTLE_ECONFIG},
		{"gaussians means=1,2 sigma=0", "sigma", 2, JOSTLE_ECONFIG},
		{"gaussians means=1,2 sigma=1,1", "expected 1 or 1 numbers, found 2", 2, JOSTLE_ECONFIG},
		{"gaussians means=1,2,3,4 weights=-1,1", "weights", 2, JOSTLE_ECONFIG},
		{"gaussians means=1,2 colour=red", "no setting \"colour\"", 2, JOSTLE_ECONFIG},
		{"ring", "2 sites, found 3", 3, JOSTLE_ECONFIG},
		{"ring radius=100 sigma=0.001", "sigma: expected at least", 2, JOSTLE_ECONFIG},
		{"swiss-roll", "2 sites, found 1", 1, JOSTLE_ECONFIG},
		{"swiss-roll radius=100 sigma=0.001", "sigma: expected at least", 2, JOSTLE_ECONFIG},
		{"swiss-roll turns=1e9", "turns", 2, JOSTLE_ECONFIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target target;
		struct err err = {0};

		assert_int_equal(target_init(&target, cases[i].spec, cases[i].n_sites, &err), cases[i].code);
		assert_contains(err.text, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_target_is_complete_and_builds_its_example),
		cmocka_unit_test(a_datum_depends_on_its_address_and_on_nothing_else),
		cmocka_unit_test(the_data_lie_within_the_extent),
		cmocka_unit_test(bin_masses_and_the_outside_sum_to_one),
		cmocka_unit_test(the_mass_outside_is_that_of_the_normal_tails),
		cmocka_unit_test(draws_fall_into_bins_as_their_masses_say),
		cmocka_unit_test(the_density_integrates_to_a_bins_mass),
		cmocka_unit_test(points_outside_have_no_bin),
		cmocka_unit_test(a_ring_is_the_same_in_every_direction),
		cmocka_unit_test(a_roll_is_evenly_filled_from_a_third_of_its_radius),
		cmocka_unit_test(gaussians_fit_any_number_of_sites),
		cmocka_unit_test(specifications_that_make_no_target_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
