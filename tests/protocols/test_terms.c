/*
 * Conformance of the energy terms, in the layout of the loop: one replica, double precision. Everything is held against
 * finite differences of the energy alone.
 */
#include "term_cases.h"

static const struct wall far_wall = {.position = 50.0, .stiffness = 1.0};

/** A network with its kernels, a point, a residual and parameters. */
struct bench {
	struct network network;
	const struct network_kernels *kernels;
	const char *spec;
	double *theta, *packed;
	double x[CASE_MAX_SITES], r[CASE_MAX_SITES];
};

static void bench_open(struct bench *b, size_t index)
{
	const struct term_case c = term_case(index);

	build(&b->network, c);
	b->spec = c.spec;
	b->kernels = network_kernels_best();
	b->theta = calloc(b->network.n_parameters, sizeof(double));
	b->packed = calloc(b->kernels->packed_size(&b->network), sizeof(double));
	for (size_t k = 0; k < b->network.n_parameters; k++)
		b->theta[k] = any_number(1, k);
	for (size_t i = 0; i < b->network.n_sites; i++) {
		b->x[i] = 1.7 * any_number(2, i);
		b->r[i] = any_number(3, i);
	}
	b->kernels->pack(&b->network, b->theta, &far_wall, b->packed);
}

static void bench_close(struct bench *b)
{
	free(b->theta);
	free(b->packed);
	network_fini(&b->network);
}

static double energy(const struct bench *b)
{
	double u = NAN;

	b->kernels->energy(&b->network, b->packed, b->x, &u);
	return u;
}

/** From here the energy is phi_k alone. */
static void select_feature(struct bench *b, size_t k)
{
	memset(b->theta, 0, b->network.n_parameters * sizeof(double));
	b->theta[k] = 1.0;
	b->kernels->pack(&b->network, b->theta, &far_wall, b->packed);
}

static double slope(struct bench *b, size_t i)
{
	const double h = 1e-5, at = b->x[i];

	b->x[i] = at + h;
	const double above = energy(b);
	b->x[i] = at - h;
	const double below = energy(b);
	b->x[i] = at;
	return (above - below) / (2.0 * h);
}

static double curvature(struct bench *b, size_t i)
{
	const double h = 1e-4, at = b->x[i], middle = energy(b);

	b->x[i] = at + h;
	const double above = energy(b);
	b->x[i] = at - h;
	const double below = energy(b);
	b->x[i] = at;
	return (above - 2.0 * middle + below) / (h * h);
}

/* catches: a member registered with an operation missing, an example under another name, or a key nobody refuses */
static void every_member_is_complete_and_refuses_settings_it_does_not_know(void **state)
{
	(void)state;
	for (size_t i = 0; TARGET(term_registry)[i]; i++) {
		const struct energy_term_type *type = TARGET(term_registry)[i];
		struct network network;
		struct err err = {0};
		char text[SPEC_MAX_TEXT];
		const char *spec = text;

		assert_true(type->name && type->name[0] && type->summary && type->summary[0] && type->settings);
		assert_true(type->init && type->fini && type->parameter_name && type->packed_size && type->pack);
		assert_true(type->energy && type->force && type->gradient && type->laplacian && type->power);
		assert_int_equal(strncmp(type->example, type->name, strlen(type->name)), 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(type->name, TARGET(term_registry)[j]->name);

		snprintf(text, sizeof(text), "%s colour=red", type->example);
		assert_int_equal(network_init(&network, 2, 1, &spec, 1, &err), JOSTLE_ECONFIG);
		assert_non_null(strstr(err.text, "colour"));
	}
}

/* catches: a missing factor of an exponent, a wrong sign, a force that lands on the wrong site of a pair */
static void force_is_minus_the_slope_of_the_energy(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;
		double f[CASE_MAX_SITES];

		bench_open(&b, c);
		b.kernels->force(&b.network, b.packed, b.x, f);
		for (size_t i = 0; i < b.network.n_sites; i++)
			check_near(f[i], -slope(&b, i), f[i], 1e-6, "force on site", b.spec, i);
		bench_close(&b);
	}
}

/* catches: an energy that is zero, or whose parameters do not all count once */
static void energy_is_the_sum_of_the_features_times_theta(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;
		double sum = 0.0, size = 0.0;

		bench_open(&b, c);
		const double whole = energy(&b);
		for (size_t k = 0; k < b.network.n_parameters; k++) {
			const double theta = any_number(1, k);

			select_feature(&b, k);
			sum += theta * energy(&b);
			size += fabs(theta * energy(&b));
		}
		assert_true(size > 1e-3);
		check_near(whole, sum, size, 1e-12, "energy", b.spec, 0);
		bench_close(&b);
	}
}

/* catches: a gradient with the sign of the force, one that forgets what was in g, a residual of the wrong site */
static void gradient_is_minus_the_residual_along_the_slope_of_each_feature(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;

		bench_open(&b, c);
		double *g = calloc(b.network.n_parameters, sizeof(double));
		for (size_t k = 0; k < b.network.n_parameters; k++)
			g[k] = 0.25;
		b.kernels->gradient(&b.network, b.packed, b.x, b.r, g);
		for (size_t k = 0; k < b.network.n_parameters; k++) {
			double along = 0.0;

			select_feature(&b, k);
			for (size_t i = 0; i < b.network.n_sites; i++)
				along += b.r[i] * slope(&b, i);
			check_near(g[k], 0.25 - along, g[k], 1e-6, "gradient of parameter", b.spec, k);
		}
		free(g);
		bench_close(&b);
	}
}

/* catches: p (p - 1) written as p^2, a mixed derivative, a Laplacian of one site of a pair only */
static void laplacian_is_the_sum_of_second_derivatives_of_each_feature(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;

		bench_open(&b, c);
		double *l = calloc(b.network.n_parameters, sizeof(double));
		for (size_t k = 0; k < b.network.n_parameters; k++)
			l[k] = -0.5;
		b.kernels->laplacian(&b.network, b.packed, b.x, l);
		for (size_t k = 0; k < b.network.n_parameters; k++) {
			double sum = -0.5, size = 0.0;

			select_feature(&b, k);
			for (size_t i = 0; i < b.network.n_sites; i++) {
				sum += curvature(&b, i);
				size += fabs(curvature(&b, i));
			}
			check_near(l[k], sum, fmax(size, fabs(energy(&b))), 1e-5, "Laplacian of parameter", b.spec, k);
		}
		free(l);
		bench_close(&b);
	}
}

/* catches: a power that is the slope and not its square, or leaves a site out */
static void power_is_the_squared_slope_of_each_feature(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;

		bench_open(&b, c);
		double *p = calloc(b.network.n_parameters, sizeof(double));
		for (size_t k = 0; k < b.network.n_parameters; k++)
			p[k] = 2.0;
		b.kernels->power(&b.network, b.packed, b.x, p);
		for (size_t k = 0; k < b.network.n_parameters; k++) {
			double sum = 2.0;

			select_feature(&b, k);
			for (size_t i = 0; i < b.network.n_sites; i++)
				sum += slope(&b, i) * slope(&b, i);
			check_near(p[k], sum, sum, 1e-6, "power of parameter", b.spec, k);
		}
		free(p);
		bench_close(&b);
	}
}

/* catches: pack() that writes more or less than packed_size() says */
static void pack_writes_as_much_as_packed_size_says(void **state)
{
	const double guard = 12345.0;

	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct bench b;

		bench_open(&b, c);
		const struct energy_term_type *type = TARGET(term_registry)[b.network.term_types[0]];
		const size_t n = type->packed_size(&b.network.terms[0]);
		double *packed = malloc((n + 8) * sizeof(double));
		for (size_t k = 0; k < n; k++)
			packed[k] = NAN;
		for (size_t k = n; k < n + 8; k++)
			packed[k] = guard;
		type->pack(&b.network.terms[0], b.theta, packed);
		for (size_t k = 0; k < n; k++)
			assert_true(isfinite(packed[k]));
		for (size_t k = n; k < n + 8; k++)
			assert_true(packed[k] == guard);
		free(packed);
		bench_close(&b);
	}
}

/* catches: an index made from a point that is no number, or lies at the edge of what a table covers */
static void a_term_given_what_is_not_a_number_stays_inside_its_memory(void **state)
{
	const double odd[] = {NAN, INFINITY, -INFINITY, 4.0, -4.0, 2.5, -2.5};

	(void)state;
	for (size_t c = 0; c < n_cases(); c++)
		for (size_t o = 0; o < sizeof(odd) / sizeof(odd[0]); o++) {
			struct bench b;
			double u = 0.0, f[CASE_MAX_SITES] = {0};

			bench_open(&b, c);
			const struct energy_term_type *type = TARGET(term_registry)[b.network.term_types[0]];
			const struct energy_term *term = &b.network.terms[0];
			double *sums = calloc(b.network.n_parameters, sizeof(double));
			/* Exactly as large as it says, so that a sanitizer sees the first step beyond. */
			double *packed = malloc(type->packed_size(term) * sizeof(double));
			type->pack(term, b.theta, packed);
			for (size_t i = 0; i < b.network.n_sites; i++)
				b.x[i] = odd[o];
			type->energy(term, packed, b.x, &u);
			type->force(term, packed, b.x, f);
			type->gradient(term, b.x, b.r, sums);
			type->laplacian(term, b.x, sums);
			type->power(term, b.x, sums);
			if (isfinite(odd[o]))
				assert_true(isfinite(u) && isfinite(f[0]));
			free(packed);
			free(sums);
			bench_close(&b);
		}
}

#define MAX_FEATURES 600
#define N_POINTS     8

/** A feature of some network on two sites: its name, and its values at a few points. */
struct feature {
	char name[PARAMETER_NAME_SIZE];
	size_t from;
	double value[N_POINTS];
};

static size_t collect(const char *const specs[], size_t n_specs, struct feature features[])
{
	size_t n = 0;

	for (size_t s = 0; s < n_specs; s++) {
		struct bench b = {.kernels = network_kernels_best()};

		build(&b.network, (struct term_case){specs[s], 2, 1});
		b.theta = calloc(b.network.n_parameters, sizeof(double));
		b.packed = calloc(b.kernels->packed_size(&b.network), sizeof(double));
		for (size_t k = 0; k < b.network.n_parameters; k++, n++) {
			assert_true(n < MAX_FEATURES);
			features[n].from = s;
			network_parameter_name(&b.network, k, features[n].name, sizeof(features[n].name));
			select_feature(&b, k);
			for (size_t p = 0; p < N_POINTS; p++) {
				b.x[0] = 1.9 * any_number(11, p);
				b.x[1] = 1.9 * any_number(12, p);
				features[n].value[p] = energy(&b);
			}
		}
		bench_close(&b);
	}
	return n;
}

static bool same_values(const struct feature *a, const struct feature *b)
{
	bool zero = true;

	for (size_t p = 0; p < N_POINTS; p++) {
		if (fabs(a->value[p] - b->value[p]) > 1e-9)
			return false;
		zero = zero && fabs(a->value[p]) < 1e-6;
	}
	return !zero; /* splines whose support holds none of the points can't be told apart */
}

/*
 * catches: a pair named in the order it was met ("x1 x0^2"), a family's own spelling of a monomial, a name that leaves
 * out the seed, the scale, the bins or the extent
 */
static void equal_names_mean_equal_functions_in_every_family(void **state)
{
	const char *const specs[] = {
		"onsite-power powers=1-6",
		"monomials degree=6",
		"bilinear range=all",
		"bilinear range=1",
		"pair-power exponents=2,1 range=1",
		"pair-power exponents=1,2 range=all",
		"pair-power exponents=2,2 range=1",
		"pair-power exponents=3,1 range=1",
		"difference-power range=1",
		"random-features count=5",
		"random-features count=3 seed=1 scale=1.0",
		"random-features count=3 seed=2",
		"random-features count=3 scale=1.25",
		"random-features count=3 scale=1.2500000000000002",
		"spline-table bins=3 extent=2",
		"spline-table bins=4 extent=2",
		"spline-table bins=3 extent=2.5",
	};
	struct feature *features = calloc(MAX_FEATURES, sizeof(*features));
	const size_t n = collect(specs, sizeof(specs) / sizeof(specs[0]), features);
	size_t n_shared = 0;

	(void)state;
	for (size_t a = 0; a < n; a++) {
		assert_true(features[a].name[0] != '\0');
		assert_true(strlen(features[a].name) < PARAMETER_NAME_SIZE - 1);
		for (size_t b = 0; b < a; b++) {
			const bool same_name = strcmp(features[a].name, features[b].name) == 0;

			if (same_name && features[a].from == features[b].from)
				fail_msg("\"%s\" names two parameters \"%s\"", specs[features[a].from],
					 features[a].name);
			if (same_name && !same_values(&features[a], &features[b]) && features[a].value[0] != 0.0)
				fail_msg("\"%s\" is one function in \"%s\", another in \"%s\"", features[a].name,
					 specs[features[a].from], specs[features[b].from]);
			/* Scales that differ in the last digit give functions that can't be told apart here. */
			if (!same_name && same_values(&features[a], &features[b]) && !strstr(features[a].name, "1.25"))
				fail_msg("one function is \"%s\" in \"%s\" and \"%s\" in \"%s\"", features[a].name,
					 specs[features[a].from], features[b].name, specs[features[b].from]);
			n_shared += same_name ? 1 : 0;
		}
	}
	/* onsite in monomials 12; x0 x1 among three families 3; the pair powers 2 + 3 + 1 + 2 …; features 3. */
	assert_int_equal(n_shared, 12 + 3 + 3 * 2 + 1 + 2 + 3);
	free(features);
}

/* catches: one phase for all features, a phase in half the circle, weights of variance scale, one weight for all sites */
static void random_features_are_drawn_from_their_laws(void **state)
{
	const double scale = 1.5;
	const size_t n = 4096, n_sites = 4;
	struct bench b = {.kernels = network_kernels_best()};
	double cosine = 0.0, cosine_squared = 0.0, square = 0.0;

	(void)state;
	build(&b.network, (struct term_case){"random-features count=4096 scale=1.5", 2, 2});
	assert_int_equal(b.network.n_parameters, n);
	b.theta = calloc(n, sizeof(double));
	b.packed = calloc(b.kernels->packed_size(&b.network), sizeof(double));
	b.kernels->pack(&b.network, b.theta, &far_wall, b.packed);
	double *l = calloc(n, sizeof(double)), *p = calloc(n, sizeof(double));
	b.kernels->laplacian(&b.network, b.packed, b.x, l);
	b.kernels->power(&b.network, b.packed, b.x, p);
	/* At x = 0: Laplacian -|w|^2 cos b, power |w|^2 sin^2 b; so with c = cos b, c / (1 - c^2) = -l / p. */
	for (size_t k = 0; k < n; k++) {
		const double ratio = -l[k] / p[k];
		const double c = 2.0 * ratio / (1.0 + sqrt(1.0 + 4.0 * ratio * ratio));

		cosine += c / (double)n;
		cosine_squared += c * c / (double)n;
		square += p[k] / (1.0 - c * c) / (double)n;
	}
	/* Five standard errors: of cos b, of cos^2 b, and of |w|^2, whose variance is 2 n_sites scale^4. */
	assert_true(fabs(cosine) < 5.0 * sqrt(0.5 / (double)n));
	assert_true(fabs(cosine_squared - 0.5) < 5.0 * sqrt(0.125 / (double)n));
	assert_true(fabs(square - (double)n_sites * scale * scale) <
		    5.0 * scale * scale * sqrt(2.0 * (double)n_sites / (double)n));
	free(l);
	free(p);
	bench_close(&b);
}

/* catches: weights drawn once for every four sites */
static void no_two_sites_share_a_features_weight(void **state)
{
	struct bench b = {.kernels = network_kernels_best()};
	double f[CASE_MAX_SITES];

	(void)state;
	build(&b.network, (struct term_case){"random-features count=3", 4, 4});
	b.theta = calloc(b.network.n_parameters, sizeof(double));
	b.packed = calloc(b.kernels->packed_size(&b.network), sizeof(double));
	for (size_t k = 0; k < b.network.n_parameters; k++) {
		select_feature(&b, k);
		b.kernels->force(&b.network, b.packed, b.x, f);
		for (size_t i = 0; i < b.network.n_sites; i++)
			for (size_t j = 0; j < i; j++)
				assert_true(f[i] != f[j]);
	}
	bench_close(&b);
}

/* catches: a setting read without its bounds, a message that does not say which setting it means */
static void hostile_settings_are_refused_by_name(void **state)
{
	static const struct {
		const char *spec;
		size_t nx, ny;
		int code;
		const char *names;
	} cases[] = {
		{"onsite-power", 2, 1, JOSTLE_ECONFIG, "powers"},
		{"onsite-power powers=0", 2, 1, JOSTLE_ECONFIG, "powers"},
		{"onsite-power powers=1-7", 2, 1, JOSTLE_ECONFIG, "powers"},
		{"onsite-power powers=2,2", 2, 1, JOSTLE_ECONFIG, "powers"},
		{"onsite-power powers=18446744073709551615", 2, 1, JOSTLE_ECONFIG, "powers"},
		{"onsite-power powers=2 colour=red", 2, 1, JOSTLE_ECONFIG, "colour"},
		{"monomials degree=7", 2, 1, JOSTLE_ECONFIG, "degree"},
		{"monomials degree=4", 3, 3, JOSTLE_ECONFIG, "9"},
		{"bilinear", 2, 1, JOSTLE_ECONFIG, "range"},
		{"bilinear range=0.5", 2, 1, JOSTLE_ECONFIG, "range"},
		{"bilinear range=-1", 2, 1, JOSTLE_ECONFIG, "range"},
		{"bilinear range=nan", 2, 1, JOSTLE_ECONFIG, "range"},
		{"bilinear range=inf", 2, 1, JOSTLE_ECONFIG, "range"},
		{"bilinear range=1e300", 2, 1, JOSTLE_ECONFIG, "range"},
		{"bilinear range=all", 1, 1, JOSTLE_ECONFIG, "range"},
		{"pair-power exponents=2,1 range=all", 32, 32, JOSTLE_ECONFIG, "range"},
		{"bilinear range=1 range=2", 2, 1, JOSTLE_ECONFIG, "range"},
		{"pair-power range=1", 2, 1, JOSTLE_ECONFIG, "exponents"},
		{"pair-power exponents=1,1 range=1", 2, 1, JOSTLE_ECONFIG, "bilinear"},
		{"pair-power exponents=2 range=1", 2, 1, JOSTLE_ECONFIG, "exponents"},
		{"pair-power exponents=2,1,1 range=1", 2, 1, JOSTLE_ECONFIG, "exponents"},
		{"pair-power exponents=2,7 range=1", 2, 1, JOSTLE_ECONFIG, "exponents"},
		{"pair-power exponents=0,2 range=1", 2, 1, JOSTLE_ECONFIG, "exponents"},
		{"pair-power exponents=2,1", 2, 1, JOSTLE_ECONFIG, "range"},
		{"difference-power", 2, 1, JOSTLE_ECONFIG, "range"},
		{"spline-table bins=0", 2, 1, JOSTLE_ECONFIG, "bins"},
		{"spline-table bins=65", 2, 1, JOSTLE_ECONFIG, "bins"},
		{"spline-table extent=0", 2, 1, JOSTLE_ECONFIG, "extent"},
		{"spline-table extent=inf", 2, 1, JOSTLE_ECONFIG, "extent"},
		{"spline-table", 3, 1, JOSTLE_ECONFIG, "spline-table"},
		{"random-features count=0", 2, 1, JOSTLE_ECONFIG, "count"},
		{"random-features count=65537", 2, 1, JOSTLE_ECONFIG, "count"},
		{"random-features count=65536", 32, 32, JOSTLE_ECONFIG, "count"},
		{"random-features seed=-1", 2, 1, JOSTLE_ECONFIG, "seed"},
		{"random-features seed=4294967296", 2, 1, JOSTLE_ECONFIG, "seed"},
		{"random-features scale=0", 2, 1, JOSTLE_ECONFIG, "scale"},
		{"random-features scale=nan", 2, 1, JOSTLE_ECONFIG, "scale"},
		{"springs", 2, 1, JOSTLE_ENOENT, "onsite-power"},
		{"", 2, 1, JOSTLE_ECONFIG, "name"},
		{"=", 2, 1, JOSTLE_ECONFIG, "name"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct network network;
		struct err err = {0};

		if (network_init(&network, cases[c].nx, cases[c].ny, &cases[c].spec, 1, &err) != cases[c].code)
			fail_msg("\"%s\": expected error %d, found %d", cases[c].spec, cases[c].code, err.code);
		if (!strstr(err.text, cases[c].names))
			fail_msg("\"%s\": expected \"%s\" to be named, found: %s", cases[c].spec, cases[c].names,
				 err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_complete_and_refuses_settings_it_does_not_know),
		cmocka_unit_test(force_is_minus_the_slope_of_the_energy),
		cmocka_unit_test(energy_is_the_sum_of_the_features_times_theta),
		cmocka_unit_test(gradient_is_minus_the_residual_along_the_slope_of_each_feature),
		cmocka_unit_test(laplacian_is_the_sum_of_second_derivatives_of_each_feature),
		cmocka_unit_test(power_is_the_squared_slope_of_each_feature),
		cmocka_unit_test(pack_writes_as_much_as_packed_size_says),
		cmocka_unit_test(a_term_given_what_is_not_a_number_stays_inside_its_memory),
		cmocka_unit_test(equal_names_mean_equal_functions_in_every_family),
		cmocka_unit_test(random_features_are_drawn_from_their_laws),
		cmocka_unit_test(no_two_sites_share_a_features_weight),
		cmocka_unit_test(hostile_settings_are_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
