/*
 * The learning rules: gradients against finite differences of the loss they descend, for every energy term, and the exact
 * value of the one-dimensional check.
 */
#include "learning/assertions.h"

#include "base/random.h"
#include "learning/estimator.h"
#include "learning/loss_in_double.h"
#include "learning/target.h"
#include "protocols/diffusion.h"
#include "protocols/energy_term.h"

#define N_BLOCKS  3
#define MAX_SITES 4
#define MAX_SIZE  (N_BLOCKS * MAX_SITES * BLOCK_LANES)
#define T         0.3
#define TOLERANCE 2e-4 /* single precision, and central differences for the divergence */

/** A batch of arbitrary moments: what the gradient is compared on need not come from any target. */
struct sample {
	_Alignas(64) float x0[MAX_SIZE], x[MAX_SIZE], force[MAX_SIZE], passive[MAX_SIZE];
	struct observation_batch batch;
};

static void fill(struct sample *sample, size_t n_sites)
{
	const float a = (float)exp(-T), sigma = (float)sqrt(diffusion_variance(T));

	for (size_t i = 0; i < N_BLOCKS * n_sites * BLOCK_LANES; i++) {
		double n[4];

		random_normals(9, RANDOM_DATA, (uint32_t)i, 0, 0, n);
		sample->x0[i] = (float)(0.7 * n[0]);
		sample->x[i] = a * sample->x0[i] + sigma * (float)n[1];
		sample->passive[i] = -sample->x[i];
	}
	sample->batch = (struct observation_batch){
		.t = T,
		.n_blocks = N_BLOCKS,
		.n_sites = n_sites,
		.x_before = sample->x,
		.force = sample->force,
		.x0 = sample->x0,
		.passive = sample->passive,
	};
}

static float *new_packed(const struct network *network)
{
	return aligned_alloc(64, (network_kernels_best()->packed_size(network) * sizeof(float) + 63) / 64 * 64);
}

typedef double loss_of_a_moment(const struct network *network, const double theta[], const struct wall *wall,
				const struct moment *moment);

static double mean_loss(loss_of_a_moment *loss, const struct network *network, const double theta[],
			const struct wall *wall, const struct sample *sample)
{
	double sum = 0.0;

	for (size_t b = 0; b < N_BLOCKS; b++)
		for (size_t l = 0; l < BLOCK_LANES; l++) {
			double x[MAX_SITES], x0[MAX_SITES];

			for (size_t i = 0; i < network->n_sites; i++) {
				const size_t at = (b * network->n_sites + i) * BLOCK_LANES + l;

				x[i] = sample->x[at];
				x0[i] = sample->x0[at];
			}
			sum += loss(network, theta, wall, &(struct moment){.t = T, .x = x, .x0 = x0});
		}
	return sum / (N_BLOCKS * BLOCK_LANES);
}

/** The largest |rule's gradient - sign × loss's slope| over parameters, relative to 1 + |slope|. */
static double disagreement(const struct estimator_type *rule, loss_of_a_moment *loss, const char *spec, double sign)
{
	static struct sample sample;
	const struct wall wall = {.position = 8.0, .stiffness = 10.0};
	struct network network;
	struct err err = {0};
	double worst = 0.0;

	assert_ok(network_init(&network, 2, 1, &spec, 1, &err), err);
	const size_t n = network.n_parameters;
	double *theta = calloc(n, sizeof(*theta)), *g = calloc(n, sizeof(*g));
	float *packed = new_packed(&network);
	for (size_t k = 0; k < n; k++)
		theta[k] = 0.1 * sin(1.0 + (double)k) / (1.0 + (double)k);
	fill(&sample, network.n_sites);
	network_kernels_best()->pack(&network, theta, &wall, packed);
	for (size_t b = 0; b < N_BLOCKS; b++)
		network_kernels_best()->force(&network, packed, sample.x + b * network.n_sites * BLOCK_LANES,
					      sample.force + b * network.n_sites * BLOCK_LANES);
	struct estimator_sum sum = {.gradient = g};
	rule->observe(&network, packed, &sample.batch, 0, 1, &sum);
	rule->observe(&network, packed, &sample.batch, 1, N_BLOCKS, &sum);
	assert_near(sum.n_moments, N_BLOCKS * BLOCK_LANES, 0.0);

	for (size_t k = 0; k < n; k++) {
		/* The losses are quadratic in theta: central differences are exact at any step. */
		const double h = 0.05, here = theta[k];

		theta[k] = here + h;
		const double above = mean_loss(loss, &network, theta, &wall, &sample);
		theta[k] = here - h;
		const double below = mean_loss(loss, &network, theta, &wall, &sample);
		theta[k] = here;
		const double slope = (above - below) / (2.0 * h);
		worst = fmax(worst, fabs(g[k] / sum.n_moments - sign * slope) / (1.0 + fabs(slope)));
	}
	free(packed);
	free(g);
	free(theta);
	network_fini(&network);
	return worst;
}

static const struct {
	const char *rule;
	loss_of_a_moment *loss;
} rules[] = {{"denoising", denoising_loss}, {"implicit", implicit_loss}};

/* catches: a sign, a factor, f* with the wrong power of sigma, a Laplacian counted once, blocks skipped or seen twice */
static void gradients_agree_with_finite_differences_for_every_term(void **state)
{
	(void)state;
	for (size_t i = 0; TARGET(term_registry)[i]; i++)
		for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
			const struct estimator_type *rule;
			struct err err = {0};
			const char *spec = TARGET(term_registry)[i]->example;

			assert_ok(estimator_find(rules[r].rule, &rule, &err), err);
			const double off = disagreement(rule, rules[r].loss, spec, 1.0);
			if (!(off < TOLERANCE))
				fail_msg("%s, \"%s\": off by %.3g", rules[r].rule, spec, off);
		}
}

/* catches: a comparison above that would pass whatever the gradient is */
static void a_flipped_sign_does_not_agree(void **state)
{
	(void)state;
	for (size_t i = 0; TARGET(term_registry)[i]; i++)
		for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
			const struct estimator_type *rule;
			struct err err = {0};

			assert_ok(estimator_find(rules[r].rule, &rule, &err), err);
			const double off = disagreement(rule, rules[r].loss, TARGET(term_registry)[i]->example, -1.0);
			if (!(off > 50.0 * TOLERANCE))
				fail_msg("%s, \"%s\": off by only %.3g", rules[r].rule,
					 TARGET(term_registry)[i]->example, off);
		}
}

/* catches: a member that leaves out a field, or needs nothing */
static void every_rule_is_complete(void **state)
{
	(void)state;
	assert_non_null(estimator_registry[0]);
	for (size_t i = 0; estimator_registry[i]; i++) {
		const struct estimator_type *rule = estimator_registry[i], *found;
		struct err err = {0};

		assert_true(rule->name && rule->summary && rule->observe);
		assert_true(rule->needs & OBSERVED_X_BEFORE);
		assert_ok(estimator_find(rule->name, &found, &err), err);
		assert_ptr_equal(found, rule);
	}
}

/*
 * catches: a rule that reads a field it does not declare (a crash), that overwrites instead of adding, or whose residual
 * is not where it says
 */
static void a_rule_reads_only_what_it_needs_and_adds(void **state)
{
	static struct sample sample;
	const struct wall wall = {.position = 8.0, .stiffness = 10.0};
	const char *spec = "monomials degree=3";
	struct network network;
	struct err err = {0};
	double theta[16] = {0.2, -0.1}, once[16], twice[16];

	(void)state;
	assert_ok(network_init(&network, 2, 1, &spec, 1, &err), err);
	assert_true(network.n_parameters <= 16);
	float *packed = new_packed(&network);
	network_kernels_best()->pack(&network, theta, &wall, packed);
	for (size_t i = 0; estimator_registry[i]; i++) {
		const struct estimator_type *rule = estimator_registry[i];
		struct estimator_sum sum = {.gradient = once}, both = {.gradient = twice};

		fill(&sample, 2);
		memset(once, 0, sizeof(once));
		memset(twice, 0, sizeof(twice));
		sample.batch.x0 = rule->needs & OBSERVED_X0 ? sample.batch.x0 : NULL;
		sample.batch.passive = rule->needs & OBSERVED_PASSIVE ? sample.batch.passive : NULL;
		sample.batch.x_after = rule->needs & OBSERVED_X_AFTER ? sample.batch.x_before : NULL;
		rule->observe(&network, packed, &sample.batch, 0, N_BLOCKS, &sum);
		rule->observe(&network, packed, &sample.batch, 0, N_BLOCKS, &both);
		rule->observe(&network, packed, &sample.batch, 0, N_BLOCKS, &both);
		for (size_t k = 0; k < network.n_parameters; k++)
			assert_near(twice[k], 2.0 * once[k], 1e-9 * (1.0 + fabs(once[k])));
		assert_true((sum.residual > 0.0) == rule->has_residual);
		assert_near(both.residual, 2.0 * sum.residual, 1e-9 * sum.residual);
	}
	free(packed);
	network_fini(&network);
}

/* catches: a passive force that is taken to be -x whatever the bench says, or that enters with the wrong sign */
static void the_implicit_rule_uses_the_benchs_own_passive_force(void **state)
{
	static struct sample sample;
	const struct wall wall = {.position = 8.0, .stiffness = 10.0};
	const char *spec = "onsite-power powers=2";
	struct network network;
	struct err err = {0};
	double theta[2] = {0}, ideal[2] = {0}, assumed[2] = {0}, stiffer[2] = {0}, square[2] = {0};
	const struct estimator_type *rule;

	(void)state;
	assert_ok(estimator_find("implicit", &rule, &err), err);
	assert_ok(network_init(&network, 2, 1, &spec, 1, &err), err);
	float *packed = new_packed(&network);
	network_kernels_best()->pack(&network, theta, &wall, packed);
	fill(&sample, 2);
	memset(sample.force, 0, sizeof(sample.force));
	rule->observe(&network, packed, &sample.batch, 0, N_BLOCKS, &(struct estimator_sum){.gradient = ideal});
	sample.batch.passive = NULL;
	rule->observe(&network, packed, &sample.batch, 0, N_BLOCKS, &(struct estimator_sum){.gradient = assumed});
	assert_memory_equal(ideal, assumed, sizeof(ideal));

	sample.batch.passive = sample.passive;
	for (size_t b = 0, i = 0; b < N_BLOCKS; b++)
		for (size_t s = 0; s < 2; s++)
			for (size_t l = 0; l < BLOCK_LANES; l++, i++) {
				sample.passive[i] = -1.5f * sample.x[i];
				square[s] += (double)sample.x[i] * (double)sample.x[i];
			}
	rule->observe(&network, packed, &sample.batch, 0, N_BLOCKS, &(struct estimator_sum){.gradient = stiffer});
	/* -f_pass . grad x^2 grows by 0.5 x . 2 x */
	for (size_t s = 0; s < 2; s++)
		assert_near(stiffer[s] - ideal[s], square[s], 1e-3);
	free(packed);
	network_fini(&network);
}

/* x0 from (N(1.5, 0.4^2) + N(-1.5, 0.4^2)) / 2, t = 0.3, U = 0.3 x^2 + 0.05 x^4, phi = x^2. */
#define EXACT_GRADIENT 4.2321

/** Mean and standard deviation of the per-moment gradient, from the spread of blocks. */
static void one_dimensional_run(const char *name, size_t n_blocks, double *mean, double *deviation)
{
	const char *spec = "onsite-power powers=2,4";
	const struct wall wall = {.position = 20.0, .stiffness = 10.0};
	const double theta[2] = {0.3, 0.05}, a = exp(-T), sigma = sqrt(diffusion_variance(T));
	const struct estimator_type *rule;
	struct network network;
	struct target target;
	struct err err = {0};
	char parameter[PARAMETER_NAME_SIZE];
	_Alignas(64) float x0[BLOCK_LANES], x[BLOCK_LANES], force[BLOCK_LANES];
	double sum = 0.0, square = 0.0;

	assert_ok(estimator_find(name, &rule, &err), err);
	assert_ok(target_init(&target, "gaussians means=1.5,-1.5 sigma=0.4", 1, &err), err);
	assert_ok(network_init(&network, 1, 1, &spec, 1, &err), err);
	network_parameter_name(&network, 0, parameter, sizeof(parameter));
	assert_string_equal(parameter, "x0^2");
	float *packed = new_packed(&network);
	network_kernels_best()->pack(&network, theta, &wall, packed);
	const struct observation_batch batch = {
		.t = T, .n_blocks = 1, .n_sites = 1, .x_before = x, .force = force, .x0 = x0};
	for (size_t b = 0; b < n_blocks; b++) {
		double g[2] = {0.0};

		for (size_t l = 0; l < BLOCK_LANES; l++) {
			const uint32_t index = (uint32_t)(b * BLOCK_LANES + l);
			double noise[4];

			target.type->draw(&target, 31, RANDOM_DATA, index, 0, x0 + l);
			random_normals(31, RANDOM_NOISING, index, 0, 0, noise);
			x[l] = (float)(a * (double)x0[l] + sigma * noise[0]);
		}
		network_kernels_best()->force(&network, packed, x, force);
		rule->observe(&network, packed, &batch, 0, 1, &(struct estimator_sum){.gradient = g});
		sum += g[0] / BLOCK_LANES;
		square += g[0] / BLOCK_LANES * g[0] / BLOCK_LANES;
	}
	*mean = sum / (double)n_blocks;
	*deviation = sqrt((square / (double)n_blocks - *mean * *mean) * BLOCK_LANES);
	free(packed);
	network_fini(&network);
	target_fini(&target);
}

/* catches: any wrong factor in either rule; the two rules exchanged (their spreads differ) */
static void both_rules_find_the_exact_gradient_in_one_dimension(void **state)
{
	const struct {
		const char *rule;
		double deviation;
	} cases[] = {{"denoising", 4.7}, {"implicit", 10.7}};
	const size_t n_blocks = 16384;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		double mean, deviation;

		one_dimensional_run(cases[i].rule, n_blocks, &mean, &deviation);
		assert_near(deviation, cases[i].deviation, 0.05 * cases[i].deviation);
		assert_near(mean, EXACT_GRADIENT, 4.0 * deviation / sqrt((double)n_blocks * BLOCK_LANES));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_is_complete),
		cmocka_unit_test(gradients_agree_with_finite_differences_for_every_term),
		cmocka_unit_test(a_flipped_sign_does_not_agree),
		cmocka_unit_test(a_rule_reads_only_what_it_needs_and_adds),
		cmocka_unit_test(the_implicit_rule_uses_the_benchs_own_passive_force),
		cmocka_unit_test(both_rules_find_the_exact_gradient_in_one_dimension),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
