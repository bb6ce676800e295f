/*
 * The shipped digits as a target: what is in the set, how it is divided, cropped and drawn, and what is refused.
 */
#include "learning/assertions.h"

#include <stdbool.h>

#include "base/find.h"
#include "learning/idx.h"
#include "learning/image_set.h"
#include "learning/target.h"

#define IMAGES "mnist01-12x12-train-images-idx3-ubyte.gz"
#define LABELS "mnist01-12x12-train-labels-idx1-ubyte.gz"
#define SPEC   "images file=" IMAGES " labels=" LABELS " train=10665 held=2000"

static void build(struct target *target, const char *spec, size_t n_sites)
{
	struct err err = {0};

	assert_ok(target_init(target, spec, n_sites, &err), err);
}

static void load_file(struct idx *idx, const char *name, size_t rank)
{
	char path[4096];
	struct err err = {0};

	assert_ok(find_file(FIND_DATA, name, path, sizeof(path), &err), err);
	assert_ok(idx_load(idx, path, rank, &err), err);
}

/* catches: a data file that lost images, a division that is not the one figures are stated for */
static void the_shipped_set_has_the_counts_it_is_stated_with(void **state)
{
	struct target target;
	double zeros = 0.0;

	(void)state;
	build(&target, SPEC, 144);
	const struct image_set *set = target.images;
	assert_int_equal(target.n_train, 10665);
	assert_int_equal(target.n_held, 2000);
	assert_int_equal(set->n_train, 10665);
	assert_int_equal(set->n_held, 2000);
	assert_int_equal(set->side, 12);
	for (size_t i = 0; i < set->n_train; i++)
		zeros += set->train_labels[i] == 0;
	for (size_t i = 0; i < set->n_held; i++)
		zeros += set->held_labels[i] == 0;
	assert_near(zeros, 5923.0, 0.0);
	assert_near(set->share[0], 0.46767, 1e-5);
	assert_near(set->share[0] + set->share[1], 1.0, 1e-9);
	target_fini(&target);
}

/* catches: held-out images that are also trained on, pixels not mapped onto [-1, 1], labels of other images */
static void the_first_images_train_and_the_last_are_held_out(void **state)
{
	struct target target;
	struct idx images, labels;

	(void)state;
	load_file(&images, IMAGES, 3);
	load_file(&labels, LABELS, 1);
	build(&target, SPEC, 144);
	for (size_t i = 0; i < 12665; i++) {
		const bool held = i >= 10665;
		const float *x = held ? target.images->held + (i - 10665) * 144 : target.images->train + i * 144;

		for (size_t p = 0; p < 144; p++)
			assert_near((double)x[p], 2.0 * images.values[i * 144 + p] / 255.0 - 1.0, 1e-6);
		assert_int_equal(held ? target.images->held_labels[i - 10665] : target.images->train_labels[i],
				 labels.values[i]);
	}
	target_fini(&target);
	idx_fini(&labels);
	idx_fini(&images);
}

/* catches: a crop from the corner, or one that keeps the rows and loses the columns */
static void a_crop_is_central(void **state)
{
	struct target full, crop;

	(void)state;
	build(&full, SPEC, 144);
	build(&crop, SPEC " crop=10", 100);
	for (size_t i = 0; i < 2000; i++)
		for (size_t row = 0; row < 10; row++)
			assert_memory_equal(crop.images->held + i * 100 + row * 10,
					    full.images->held + i * 144 + (row + 1) * 12 + 1, 10 * sizeof(float));
	target_fini(&crop);
	target_fini(&full);
}

/** Which image of a list this is; n if none. */
static size_t find_image(const float x[], const float images[], size_t n)
{
	size_t i = 0;

	while (i < n && memcmp(x, images + i * 144, 144 * sizeof(float)) != 0)
		i++;
	return i;
}

/* catches: training on held-out images, draws that favour a part of the set */
static void draws_come_from_their_own_part_and_from_all_of_it(void **state)
{
	struct target target;
	double mean = 0.0;
	const size_t n = 1000;
	float x[144];

	(void)state;
	build(&target, SPEC, 144);
	for (uint32_t i = 0; i < n; i++) {
		target.type->draw(&target, 3, RANDOM_DATA, i, 7, x);
		const size_t found = find_image(x, target.images->train, 10665);
		assert_true(found < 10665);
		mean += ((double)found / 10665.0 - 0.5) / (double)n;
		target.type->draw(&target, 3, RANDOM_HELD_DATA, i, 7, x);
		assert_true(find_image(x, target.images->held, 2000) < 2000);
	}
	/* uniform on [-1/2, 1/2]: standard deviation 1 / sqrt(12) */
	assert_near(mean, 0.0, 4.0 / sqrt(12.0 * (double)n));
	target_fini(&target);
}

/* catches: a set that can't be what is asked for and is taken all the same; memory kept (with ASan) */
static void what_makes_no_set_is_refused(void **state)
{
	const struct {
		const char *spec, *says;
		size_t n_sites;
		int code;
	} cases[] = {
		{SPEC, "as many pixels as sites, 143, found 144", 143, JOSTLE_ECONFIG},
		{SPEC " crop=13", "crop: expected at most the images' 12 pixels, found 13", 169, JOSTLE_ECONFIG},
		{SPEC " crop=0", "crop", 144, JOSTLE_ECONFIG},
		{"images file=" IMAGES " labels=" LABELS " train=10666 held=2000", "12665 images", 144, JOSTLE_ECONFIG},
		{"images file=" IMAGES " labels=" LABELS " train=12665", "held", 144, JOSTLE_ECONFIG},
		{"images file=" IMAGES " train=10665 held=2000", "labels", 144, JOSTLE_ECONFIG},
		{"images file=" LABELS " labels=" LABELS " train=1 held=1", "rank: expected 3, found 1", 144,
		 JOSTLE_EFORMAT},
		{"images file=" IMAGES " labels=" IMAGES " train=1 held=1", "rank: expected 1, found 3", 144,
		 JOSTLE_EFORMAT},
		{"images file=nothing.gz labels=" LABELS " train=1 held=1", "file: no data file \"nothing.gz\"", 144,
		 JOSTLE_ENOENT},
		{"images file=README.md labels=" LABELS " train=1 held=1", "magic number", 144, JOSTLE_EFORMAT},
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
		cmocka_unit_test(the_shipped_set_has_the_counts_it_is_stated_with),
		cmocka_unit_test(the_first_images_train_and_the_last_are_held_out),
		cmocka_unit_test(a_crop_is_central),
		cmocka_unit_test(draws_come_from_their_own_part_and_from_all_of_it),
		cmocka_unit_test(what_makes_no_set_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
