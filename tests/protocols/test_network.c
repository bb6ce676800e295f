/*
 * Building a network: what is refused and how it is said, which sites couple, what parameters are called.
 */
#include "term_cases.h"

#include "protocols/pairs.h"

/* catches: a lattice or a list of terms accepted without bounds; an error that does not say which term it is about */
static void networks_that_cannot_be_are_refused_in_words(void **state)
{
	const char *const good = "bilinear range=1", *const bad = "bilinear range=0";
	const char *terms[NETWORK_MAX_TERMS + 1];
	const struct {
		size_t nx, ny, n_terms, bad_at;
		int code;
		const char *names;
	} cases[] = {
		{0, 1, 1, SIZE_MAX, JOSTLE_ECONFIG, "lattice"},
		{1, 0, 1, SIZE_MAX, JOSTLE_ECONFIG, "lattice"},
		{NETWORK_MAX_SIDE + 1, 1, 1, SIZE_MAX, JOSTLE_ECONFIG, "lattice"},
		{SIZE_MAX, SIZE_MAX, 1, SIZE_MAX, JOSTLE_ECONFIG, "lattice"},
		{2, 2, 0, SIZE_MAX, JOSTLE_ECONFIG, "terms"},
		{2, 2, NETWORK_MAX_TERMS + 1, SIZE_MAX, JOSTLE_ECONFIG, "terms"},
		{2, 2, 3, 0, JOSTLE_ECONFIG, "energy term 1"},
		{2, 2, 3, 2, JOSTLE_ECONFIG, "energy term 3"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct network network;
		struct err err = {0};

		for (size_t i = 0; i <= NETWORK_MAX_TERMS; i++)
			terms[i] = i == cases[c].bad_at ? bad : good;
		assert_int_equal(network_init(&network, cases[c].nx, cases[c].ny, terms, cases[c].n_terms, &err),
				 cases[c].code);
		if (!strstr(err.text, cases[c].names))
			fail_msg("case %zu: expected \"%s\" to be named, found: %s", c, cases[c].names, err.text);
	}
}

/* catches: the limit on parameters applied to each term alone */
static void the_parameters_of_all_terms_together_are_limited(void **state)
{
	const char *terms[] = {"bilinear range=all", "bilinear range=all"};
	struct network network;
	struct err err = {0};

	(void)state;
	/* 32 by 32 sites: 523 776 pairs, twice. */
	assert_int_equal(network_init(&network, 32, 32, terms, 1, &err), 0);
	assert_int_equal(network.n_parameters, 523776);
	network_fini(&network);
	assert_int_equal(network_init(&network, 32, 32, terms, 2, &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "1047552"));
}

/* catches: offsets that overlap or leave gaps; a name taken from the neighbouring term */
static void parameters_of_several_terms_follow_each_other(void **state)
{
	const char *terms[] = {"onsite-power powers=1,3", "bilinear range=1", "pair-power exponents=2,1 range=1"};
	const char *names[] = {"x0",    "x1",    "x2",      "x0^3",    "x1^3",    "x2^3",
			       "x0 x1", "x1 x2", "x0^2 x1", "x0 x1^2", "x1^2 x2", "x1 x2^2"};
	struct network network;
	struct err err = {0};

	(void)state;
	assert_int_equal(network_init(&network, 3, 1, terms, 3, &err), 0);
	assert_int_equal(network.n_parameters, 12);
	for (size_t k = 0; k < 12; k++) {
		char name[PARAMETER_NAME_SIZE];

		network_parameter_name(&network, k, name, sizeof(name));
		assert_string_equal(name, names[k]);
	}
	network_fini(&network);
}

/* catches: a variable that starts with mobility or temperature 0 */
static void sites_start_visible_with_unit_mobility_and_temperature(void **state)
{
	const char *term = "onsite-power powers=2";
	struct network network;
	struct err err = {0};

	(void)state;
	assert_int_equal(network_init(&network, 3, 2, &term, 1, &err), 0);
	assert_int_equal(network.n_sites, 6);
	assert_int_equal(network.n_variables, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(network.variables[i].role, VARIABLE_VISIBLE);
		assert_true(network.variables[i].mobility == 1.0 && network.variables[i].temperature == 1.0);
	}
	network_fini(&network);
}

/* catches: a range compared with its square, a lattice read column by column, a diagonal or an edge left out */
static void pairs_within_a_range_are_those_counted_by_hand(void **state)
{
	const char *term = "onsite-power powers=2";
	struct network network;
	struct pairs *pairs, *ordered;
	struct err err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(network_init(&network, 12, 12, &term, 1, &err), 0);
	assert_int_equal(pairs_new(&pairs, &network, 2.3, false, &err), 0);
	assert_int_equal(pairs_new(&ordered, &network, 2.3, true, &err), 0);

	/* Neighbours at (1,0), (0,1), (1,1), (1,-1), (2,0), (0,2), (2,1), (2,-1), (1,2), (1,-2). */
	assert_int_equal(pairs->n, 2 * 11 * 12 + 2 * 11 * 11 + 2 * 10 * 12 + 4 * 10 * 11);
	assert_int_equal(ordered->n, 2 * pairs->n);
	for (int i = 0; i < 144; i++)
		for (int j = i + 1; j < 144; j++) {
			const int dx = j % 12 - i % 12, dy = j / 12 - i / 12;

			if (dx * dx + dy * dy > 5)
				continue;
			assert_int_equal(pairs->pair[n].i, i);
			assert_int_equal(pairs->pair[n].j, j);
			assert_int_equal(ordered->pair[2 * n].i, i);
			assert_int_equal(ordered->pair[2 * n].j, j);
			assert_int_equal(ordered->pair[2 * n + 1].i, j);
			assert_int_equal(ordered->pair[2 * n + 1].j, i);
			n++;
		}
	assert_int_equal(n, pairs->n);
	free(pairs);
	free(ordered);
	network_fini(&network);
}

/* catches: a lattice that is wider than high read the other way round */
static void a_lattice_is_numbered_row_by_row(void **state)
{
	const char *term = "bilinear range=1";
	const char *names[] = {"x0 x1", "x0 x3", "x1 x2", "x1 x4", "x2 x5", "x3 x4", "x4 x5"};
	struct network network;
	struct err err = {0};

	(void)state;
	assert_int_equal(network_init(&network, 3, 2, &term, 1, &err), 0);
	assert_int_equal(network.n_parameters, 7);
	for (size_t k = 0; k < 7; k++) {
		char name[PARAMETER_NAME_SIZE];

		network_parameter_name(&network, k, name, sizeof(name));
		assert_string_equal(name, names[k]);
	}
	network_fini(&network);
}

/* catches: a distance typed to three digits that leaves out the pairs it means */
static void a_range_rounded_to_three_digits_still_includes_its_pairs(void **state)
{
	const char *terms[] = {"bilinear range=1.414", "bilinear range=1.41421356237"};
	struct network network;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(network_init(&network, 2, 2, &terms[i], 1, &err), 0);
		assert_int_equal(network.n_parameters, 6);
		network_fini(&network);
	}
}

/* catches: a name that is cut, or two numbers with one name */
static void numbers_are_named_so_that_they_read_back(void **state)
{
	const double numbers[] = {1.0, 0.1, 1.0 / 3.0, 1000.0, 0.001, 1.25, 1.2500000000000002, 123456.789};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char name[NUMBER_NAME_SIZE];

		number_name(numbers[i], name);
		assert_true(strtod(name, NULL) == numbers[i]);
	}
	char name[NUMBER_NAME_SIZE];
	number_name(0.1, name);
	assert_string_equal(name, "0.1");
}

/* catches: a hidden unit, or a site that moves or is heated otherwise, run as if it were like the others */
static void a_network_is_plain_until_any_variable_differs(void **state)
{
	const char *spec = "onsite-power powers=2";
	struct network network;
	struct err err = {0};

	(void)state;
	assert_int_equal(network_init(&network, 2, 1, &spec, 1, &err), 0);
	assert_true(network_is_plain(&network));
	for (size_t i = 0; i < 2; i++) {
		struct variable *v = &network.variables[i];
		const struct variable plain = *v;

		v->role = VARIABLE_HIDDEN;
		assert_false(network_is_plain(&network));
		*v = plain;
		v->role = VARIABLE_NOISE;
		assert_false(network_is_plain(&network));
		*v = plain;
		v->mobility = 2.0;
		assert_false(network_is_plain(&network));
		*v = plain;
		v->temperature = 0.0;
		assert_false(network_is_plain(&network));
		*v = plain;
	}
	assert_true(network_is_plain(&network));
	network_fini(&network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_that_cannot_be_are_refused_in_words),
		cmocka_unit_test(the_parameters_of_all_terms_together_are_limited),
		cmocka_unit_test(parameters_of_several_terms_follow_each_other),
		cmocka_unit_test(sites_start_visible_with_unit_mobility_and_temperature),
		cmocka_unit_test(pairs_within_a_range_are_those_counted_by_hand),
		cmocka_unit_test(a_lattice_is_numbered_row_by_row),
		cmocka_unit_test(a_range_rounded_to_three_digits_still_includes_its_pairs),
		cmocka_unit_test(numbers_are_named_so_that_they_read_back),
		cmocka_unit_test(a_network_is_plain_until_any_variable_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
