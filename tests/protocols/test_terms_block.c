/*
 * Conformance of the energy terms, in the layout of the engine: 32 replicas in single precision, in every variant that
 * this CPU can run. The single-replica kernels are the reference; test_terms.c holds those against finite differences.
 */
#include "term_cases.h"

#include "reference.h"

/* Some lanes lie outside the wall. */
static const struct wall wall = {.position = 1.6, .stiffness = 7.0};

/** What one variant gives for one network at one block of points. */
struct result {
	float u[LANES], f[CASE_MAX_SITES * LANES];
	double *g, *l, *p;
};

struct block {
	struct network network;
	const char *spec;
	double *theta;
	float x[CASE_MAX_SITES * LANES], r[CASE_MAX_SITES * LANES];
};

static void block_open(struct block *b, size_t index)
{
	const struct term_case c = term_case(index);

	build(&b->network, c);
	b->spec = c.spec;
	b->theta = calloc(b->network.n_parameters, sizeof(double));
	for (size_t k = 0; k < b->network.n_parameters; k++)
		b->theta[k] = (double)(float)any_number(1, k);
	for (size_t i = 0; i < b->network.n_sites * LANES; i++) {
		b->x[i] = (float)(1.7 * any_number(2, i));
		b->r[i] = (float)any_number(3, i);
	}
}

static void block_close(struct block *b)
{
	free(b->theta);
	network_fini(&b->network);
}

static void result_open(struct result *result, const struct block *b, const struct network_kernels *kernels)
{
	const size_t n = b->network.n_parameters;
	float *packed = calloc(kernels->packed_size(&b->network), sizeof(*packed));

	result->g = calloc(n, sizeof(double));
	result->l = calloc(n, sizeof(double));
	result->p = calloc(n, sizeof(double));
	kernels->pack(&b->network, b->theta, &wall, packed);
	kernels->energy(&b->network, packed, b->x, result->u);
	kernels->force(&b->network, packed, b->x, result->f);
	kernels->gradient(&b->network, packed, b->x, b->r, result->g);
	kernels->laplacian(&b->network, packed, b->x, result->l);
	kernels->power(&b->network, packed, b->x, result->p);
	free(packed);
}

static void result_close(struct result *result)
{
	free(result->g);
	free(result->l);
	free(result->p);
}

/** The largest magnitude of n numbers: what a rounding error is to be compared with. */
static double largest(const double v[], size_t n)
{
	double max = 0.0;

	for (size_t k = 0; k < n; k++)
		max = fmax(max, fabs(v[k]));
	return max;
}

/* catches: registries of different order: a network keeps the row of a term, and each target looks it up in its own */
static void the_registries_of_all_layouts_agree(void **state)
{
	(void)state;
	for (size_t i = 0; reference_name(i) || TARGET(term_registry)[i]; i++) {
		assert_true(reference_name(i) && TARGET(term_registry)[i]);
		assert_string_equal(TARGET(term_registry)[i]->name, reference_name(i));
	}
}

/* catches: an index [lane][site] for [site][lane], a lane left out of a sum, a kernel of another layout in the table */
static void every_block_variant_agrees_with_the_single_replica_to_single_precision(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct block b;

		block_open(&b, c);
		const size_t n = b.network.n_parameters, n_sites = b.network.n_sites;
		double *sums = calloc(3 * n, sizeof(double)), u[LANES], f[LANES][CASE_MAX_SITES];
		struct reference at = {.g = sums, .l = sums + n, .p = sums + 2 * n};
		for (size_t l = 0; l < LANES; l++) {
			double x[CASE_MAX_SITES], r[CASE_MAX_SITES];

			for (size_t i = 0; i < n_sites; i++) {
				x[i] = (double)b.x[i * LANES + l];
				r[i] = (double)b.r[i * LANES + l];
			}
			at.u = &u[l];
			at.f = f[l];
			reference_at(&b.network, b.theta, &(struct wall){(double)(float)wall.position, wall.stiffness},
				     x, r, &at);
		}
		for (size_t v = 0; network_kernels_all()[v]; v++) {
			struct result found;

			result_open(&found, &b, network_kernels_all()[v]);
			for (size_t l = 0; l < LANES; l++) {
				check_near((double)found.u[l], u[l], largest(u, LANES), 2e-5, "energy of lane", b.spec,
					   l);
				for (size_t i = 0; i < n_sites; i++)
					check_near((double)found.f[i * LANES + l], f[l][i], largest(f[l], n_sites),
						   2e-5, "force on site", b.spec, i);
			}
			for (size_t k = 0; k < n; k++) {
				check_near(found.g[k], at.g[k], largest(at.g, n), 2e-5, "gradient", b.spec, k);
				check_near(found.l[k], at.l[k], largest(at.l, n), 2e-5, "Laplacian", b.spec, k);
				check_near(found.p[k], at.p[k], largest(at.p, n), 2e-5, "power", b.spec, k);
			}
			result_close(&found);
		}
		free(sums);
		block_close(&b);
	}
}

/* catches: a variant built from other code, or with other constants, than the portable one */
static void all_block_variants_agree_to_rounding(void **state)
{
	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct block b;
		struct result first;

		block_open(&b, c);
		const size_t n = b.network.n_parameters, n_sites = b.network.n_sites;
		result_open(&first, &b, network_kernels_all()[0]);
		for (size_t v = 1; network_kernels_all()[v]; v++) {
			struct result other;

			result_open(&other, &b, network_kernels_all()[v]);
			for (size_t l = 0; l < LANES; l++) {
				check_near((double)other.u[l], (double)first.u[l], (double)first.u[l], 1e-5,
					   "energy of lane", b.spec, l);
				for (size_t i = 0; i < n_sites; i++)
					check_near((double)other.f[i * LANES + l], (double)first.f[i * LANES + l],
						   (double)first.f[i * LANES + l], 1e-5, "force on site", b.spec, i);
			}
			for (size_t k = 0; k < n; k++) {
				check_near(other.g[k], first.g[k], largest(first.g, n), 1e-5, "gradient", b.spec, k);
				check_near(other.l[k], first.l[k], largest(first.l, n), 1e-5, "Laplacian", b.spec, k);
				check_near(other.p[k], first.p[k], largest(first.p, n), 1e-5, "power", b.spec, k);
			}
			result_close(&other);
		}
		result_close(&first);
		block_close(&b);
	}
}

/* catches: a vector read or written across the edge of a site's lanes, a broadcast of one lane to all */
static void a_lane_does_not_see_its_neighbours(void **state)
{
	const size_t moved = 7;

	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct block b;

		block_open(&b, c);
		for (size_t v = 0; network_kernels_all()[v]; v++) {
			const struct network_kernels *kernels = network_kernels_all()[v];
			struct result before, after;

			result_open(&before, &b, kernels);
			for (size_t i = 0; i < b.network.n_sites; i++)
				b.x[i * LANES + moved] += 0.03f * (float)(i + 1);
			result_open(&after, &b, kernels);
			for (size_t i = 0; i < b.network.n_sites; i++)
				b.x[i * LANES + moved] -= 0.03f * (float)(i + 1);
			assert_true(before.u[moved] != after.u[moved]);
			for (size_t l = 0; l < LANES; l++) {
				if (l == moved)
					continue;
				assert_true(before.u[l] == after.u[l]);
				for (size_t i = 0; i < b.network.n_sites; i++)
					assert_true(before.f[i * LANES + l] == after.f[i * LANES + l]);
			}
			result_close(&before);
			result_close(&after);
		}
		block_close(&b);
	}
}

/* catches: a lane that is not a number and reaches another's, or an index into memory that is not its own */
static void a_lane_that_is_not_a_number_spoils_no_other(void **state)
{
	const size_t spoilt = 30;

	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct block b;

		block_open(&b, c);
		for (size_t v = 0; network_kernels_all()[v]; v++) {
			const struct network_kernels *kernels = network_kernels_all()[v];
			struct result before, after;
			float kept[CASE_MAX_SITES];

			result_open(&before, &b, kernels);
			for (size_t i = 0; i < b.network.n_sites; i++) {
				kept[i] = b.x[i * LANES + spoilt];
				b.x[i * LANES + spoilt] = NAN;
			}
			result_open(&after, &b, kernels);
			for (size_t i = 0; i < b.network.n_sites; i++)
				b.x[i * LANES + spoilt] = kept[i];
			for (size_t l = 0; l < LANES; l++)
				assert_true(l == spoilt ? isnan(after.u[l]) : before.u[l] == after.u[l]);
			result_close(&before);
			result_close(&after);
		}
		block_close(&b);
	}
}

/* catches: pack() of the block layout that writes more or less than packed_size() says */
static void pack_writes_as_much_as_packed_size_says(void **state)
{
	const float guard = 12345.0f;

	(void)state;
	for (size_t c = 0; c < n_cases(); c++) {
		struct block b;

		block_open(&b, c);
		const struct energy_term_type *type = TARGET(term_registry)[b.network.term_types[0]];
		const size_t n = type->packed_size(&b.network.terms[0]);
		float *packed = malloc((n + 8) * sizeof(float));
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
		block_close(&b);
	}
}

/* catches: a sine that loses its period, its sign at the folds, or its precision far from zero */
static void the_features_cosine_holds_single_precision_over_many_periods(void **state)
{
	const char *const spec = "random-features count=1";
	const double theta[] = {1.0};
	const struct wall far = {.position = 100.0, .stiffness = 1.0};
	struct network network;
	struct err err;

	(void)state;
	assert_int_equal(network_init(&network, 1, 1, &spec, 1, &err), 0);
	for (size_t v = 0; network_kernels_all()[v]; v++) {
		const struct network_kernels *kernels = network_kernels_all()[v];
		float *packed = calloc(kernels->packed_size(&network), sizeof(*packed));

		kernels->pack(&network, theta, &far, packed);
		for (size_t n = 0; n < 400; n++) {
			float x[LANES], r[LANES] = {0}, u[LANES];

			for (size_t l = 0; l < LANES; l++)
				x[l] = (float)(40.0 * any_number(5, n * LANES + l));
			kernels->energy(&network, packed, x, u);
			for (size_t l = 0; l < LANES; l++) {
				double exact, f, g = 0.0, lap = 0.0, p = 0.0;
				struct reference at = {&exact, &f, &g, &lap, &p};

				reference_at(&network, theta, &far, &(double){(double)x[l]}, &(double){(double)r[l]},
					     &at);
				/* The argument, of up to 100, is itself rounded: twice, to 6e-8 of its size. */
				check_near((double)u[l], exact, 1.0, 8e-6, "cosine of lane", spec, l);
			}
		}
		free(packed);
	}
	network_fini(&network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_registries_of_all_layouts_agree),
		cmocka_unit_test(every_block_variant_agrees_with_the_single_replica_to_single_precision),
		cmocka_unit_test(all_block_variants_agree_to_rounding),
		cmocka_unit_test(a_lane_does_not_see_its_neighbours),
		cmocka_unit_test(a_lane_that_is_not_a_number_spoils_no_other),
		cmocka_unit_test(pack_writes_as_much_as_packed_size_says),
		cmocka_unit_test(the_features_cosine_holds_single_precision_over_many_periods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
