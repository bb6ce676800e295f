/*
 * Images: a finite set from IDX files, drawn with replacement. There is no density to know; the metrics of images compare
 * with the held-out images instead.
 */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/find.h"
#include "base/spec.h"
#include "learning/image_set.h"
#include "learning/target.h"

#define MAX_IMAGES ((size_t)1 << 24)

/** Read a setting that names a data file. */
static int data_path(struct spec *spec, const char *key, char path[PATH_MAX], struct err *err)
{
	const char *name = NULL;
	int status = spec_text(spec, key, true, &name, err);

	if (!status && (status = find_file(FIND_DATA, name, path, PATH_MAX, err)))
		err_context(err, "%s", key);
	return status;
}

static int init(struct target *target, struct spec *spec, struct err *err)
{
	char images[PATH_MAX], labels[PATH_MAX];
	size_t n_train = 0, n_held = 0, crop = 0;
	int status;

	if ((status = spec_size(spec, "train", true, 1, MAX_IMAGES, &n_train, err)) ||
	    (status = spec_size(spec, "held", true, 1, MAX_IMAGES, &n_held, err)) ||
	    (status = spec_size(spec, "crop", false, 1, IMAGE_SET_MAX_SIDE, &crop, err)) ||
	    (status = data_path(spec, "file", images, err)) || (status = data_path(spec, "labels", labels, err)))
		return status;
	target->images = calloc(1, sizeof(*target->images));
	if (!target->images)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a set of images");
	if ((status = image_set_load(target->images, images, labels, n_train, n_held, crop, err)))
		return status;
	if (target->images->n_pixels != target->n_sites)
		return err_set(err, JOSTLE_ECONFIG, "expected images of as many pixels as sites, %zu, found %zu",
			       target->n_sites, target->images->n_pixels);
	target->n_train = n_train;
	target->n_held = n_held;
	return 0;
}

static void fini(struct target *target)
{
	if (target->images)
		image_set_fini(target->images);
	free(target->images);
}

/** One of n with equal chance, to 2^-64: the whole part of n u with u uniform on [0, 1). */
static size_t pick(const uint32_t words[4], size_t n)
{
	const uint64_t u = (uint64_t)words[0] << 32 | words[1];

	return (size_t)(((unsigned __int128)u * n) >> 64);
}

static void draw(const struct target *target, uint64_t seed, enum random_stream stream, uint32_t index, uint64_t step,
		 float x0[])
{
	const struct image_set *set = target->images;
	uint32_t words[4];

	random_words(seed, stream, index, step, 0, words);
	const float *image = stream == RANDOM_HELD_DATA ? set->held + pick(words, set->n_held) * set->n_pixels
							: set->train + pick(words, set->n_train) * set->n_pixels;
	for (size_t i = 0; i < set->n_pixels; i++)
		x0[i] = image[i];
}

/** Pixels are within [-1, 1] for certain; only the noise has tails. */
static double extent(const struct target *target, double a, double sigma, double n_deviations)
{
	(void)target;
	return a + n_deviations * sigma;
}

/* The only global symbol of this file. */
const struct target_type target_images = {
	.name = "images",
	.summary = "labelled images from IDX files, a pixel for each site",
	.settings = "file=IMAGES labels=LABELS train=N (the first) held=N (the last) crop=SIDE (central; all)",
	.example =
		"images file=mnist01-12x12-train-images-idx3-ubyte.gz labels=mnist01-12x12-train-labels-idx1-ubyte.gz "
		"train=10665 held=2000 crop=10",
	.example_sites = 100,
	.init = init,
	.fini = fini,
	.draw = draw,
	.extent = extent,
};
