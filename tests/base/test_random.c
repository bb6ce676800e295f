#include "base/scratch.h"

#include <math.h>

#include "base/random.h"

/* catches: counter or key in another order, another number of rounds (vectors: kat_vectors of Random123) */
static void words_are_those_of_philox4x32_10(void **state)
{
	static const struct {
		uint64_t seed;
		unsigned stream;
		uint32_t replica;
		uint64_t step;
		uint32_t block, words[4];
	} known[] = {
		{0, 0, 0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{UINT64_MAX, 0xff, UINT32_MAX, UINT64_MAX, 0xffffff, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{0x299f31d0a4093822,
		 0x13,
		 0x243f6a88,
		 0x0370734485a308d3,
		 0x198a2e,
		 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t words[4];

		random_words(known[i].seed, (enum random_stream)known[i].stream, known[i].replica, known[i].step,
			     known[i].block, words);
		assert_memory_equal(words, known[i].words, sizeof(words));
	}
}

/* catches: a part of the address that is dropped, so that two addresses share a number */
static void every_part_of_the_address_counts(void **state)
{
	uint32_t first[4], other[4];

	(void)state;
	random_words(1, RANDOM_BATH, 2, 3, 4, first);
	for (int bit = 0; bit < 64; bit++) {
		const uint64_t flip = (uint64_t)1 << bit;

		random_words(1 ^ flip, RANDOM_BATH, 2, 3, 4, other);
		assert_memory_not_equal(first, other, sizeof(first));
		random_words(1, RANDOM_BATH, 2, 3 ^ flip, 4, other);
		assert_memory_not_equal(first, other, sizeof(first));
		if (bit < 32) {
			random_words(1, RANDOM_BATH, 2 ^ (uint32_t)flip, 3, 4, other);
			assert_memory_not_equal(first, other, sizeof(first));
		}
		if (bit < 24) {
			random_words(1, RANDOM_BATH, 2, 3, 4 ^ (uint32_t)flip, other);
			assert_memory_not_equal(first, other, sizeof(first));
		}
	}
	random_words(1, RANDOM_PRIOR, 2, 3, 4, other);
	assert_memory_not_equal(first, other, sizeof(first));
}

/* catches: 0 or 1 possible, words used twice or out of order */
static void uniforms_are_the_middles_of_the_words_cells(void **state)
{
	uint32_t words[4];
	double uniforms[4];

	(void)state;
	random_words(5, RANDOM_DATA, 6, 7, 8, words);
	random_uniforms(5, RANDOM_DATA, 6, 7, 8, uniforms);
	for (int i = 0; i < 4; i++)
		assert_true(uniforms[i] == (words[i] + 0.5) / 4294967296.0);
}

#define N_BLOCKS 500000

/* catches: a wrong scale or angle in Box and Muller, a float logarithm that thins the tail, pairs that are correlated */
static void normals_have_the_moments_and_tails_of_a_gaussian(void **state)
{
	const double n = 4.0 * N_BLOCKS;
	double sum[5] = {0}, neighbours[4] = {0};
	double beyond[5] = {0}, expected[5];

	(void)state;
	for (uint32_t replica = 0; replica < N_BLOCKS; replica++) {
		double z[4];

		random_normals(11, RANDOM_BATH, replica, 3, 1, z);
		for (int i = 0; i < 4; i++) {
			sum[1] += z[i];
			sum[2] += z[i] * z[i];
			sum[3] += z[i] * z[i] * z[i];
			sum[4] += z[i] * z[i] * z[i] * z[i];
			neighbours[i] += z[i] * z[(i + 1) % 4];
			for (int k = 1; k < 5; k++)
				beyond[k] += fabs(z[i]) > k;
		}
	}
	/* Each within four and a half standard errors: Var x = 1, x^2: 2, x^3: 15, x^4: 96. */
	assert_true(fabs(sum[1] / n) < 4.5 * sqrt(1.0 / n));
	assert_true(fabs(sum[2] / n - 1.0) < 4.5 * sqrt(2.0 / n));
	assert_true(fabs(sum[3] / n) < 4.5 * sqrt(15.0 / n));
	assert_true(fabs(sum[4] / n - 3.0) < 4.5 * sqrt(96.0 / n));
	for (int i = 0; i < 4; i++)
		assert_true(fabs(neighbours[i] / N_BLOCKS) < 4.5 / sqrt(N_BLOCKS));
	for (int k = 1; k < 5; k++) {
		expected[k] = n * erfc(k / sqrt(2.0));
		assert_true(fabs(beyond[k] - expected[k]) < 4.5 * sqrt(expected[k]));
	}
}

/* catches: a sub-seed that ignores the seed, or half of the part */
static void subseeds_differ_in_seed_and_in_all_of_the_part(void **state)
{
	(void)state;
	assert_true(random_subseed(1, 0) != random_subseed(2, 0));
	assert_true(random_subseed(1, 0) != 1);
	for (int bit = 0; bit < 64; bit++)
		assert_true(random_subseed(1, 0) != random_subseed(1, (uint64_t)1 << bit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_philox4x32_10),
		cmocka_unit_test(every_part_of_the_address_counts),
		cmocka_unit_test(uniforms_are_the_middles_of_the_words_cells),
		cmocka_unit_test(normals_have_the_moments_and_tails_of_a_gaussian),
		cmocka_unit_test(subseeds_differ_in_seed_and_in_all_of_the_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
