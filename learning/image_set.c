#include "learning/image_set.h"

#include <stdlib.h>

#include "base/err.h"
#include "learning/idx.h"

/** Whether the two files belong together and have what is asked for. */
static int check(const struct idx *images, const struct idx *labels, const char *images_path, const char *labels_path,
		 size_t n_train, size_t n_held, size_t crop, struct err *err)
{
	const size_t n = images->dims[0], side = images->dims[1];

	if (images->dims[2] != side)
		return err_at(err, JOSTLE_EFORMAT, images_path, 0, 0,
			      "dimension 3: expected square images, found %zu × %zu pixels", side, images->dims[2]);
	if (labels->dims[0] != n)
		return err_at(err, JOSTLE_EFORMAT, labels_path, 0, 0,
			      "dimension 1: expected a label for each of %zu images, found %zu", n, labels->dims[0]);
	for (size_t i = 0; i < n; i++)
		if (labels->values[i] >= IMAGE_SET_LABELS)
			return err_at(err, JOSTLE_EFORMAT, labels_path, 0, 0,
				      "value %zu: expected a label from 0 to %d, found %d", i + 1, IMAGE_SET_LABELS - 1,
				      labels->values[i]);
	if (n_train == 0 || n_held == 0 || n_train > n || n_held > n - n_train)
		return err_set(
			err, JOSTLE_ECONFIG,
			"train, held: expected at least 1 each and at most the %zu images of %.100s together, found "
			"%zu and %zu",
			n, images_path, n_train, n_held);
	if (crop > side)
		return err_set(err, JOSTLE_ECONFIG, "crop: expected at most the images' %zu pixels, found %zu", side,
			       crop);
	if ((crop ? crop : side) > IMAGE_SET_MAX_SIDE)
		return err_set(err, JOSTLE_ECONFIG, "crop: expected images of at most %d × %d pixels, found %zu × %zu",
			       IMAGE_SET_MAX_SIDE, IMAGE_SET_MAX_SIDE, crop ? crop : side, crop ? crop : side);
	return 0;
}

/** Images [first, first + n) of the file, cropped, and their labels. */
static void take(const struct image_set *set, const struct idx *images, const struct idx *labels, size_t first,
		 size_t n, float pixels[], uint8_t kept[])
{
	const size_t full = images->dims[1], edge = (full - set->side) / 2;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *image = images->values + (first + i) * full * full;

		for (size_t row = 0; row < set->side; row++)
			for (size_t column = 0; column < set->side; column++)
				*pixels++ = 2.0f * (float)image[(row + edge) * full + column + edge] / 255.0f - 1.0f;
		kept[i] = labels->values[first + i];
	}
}

static void count_labels(struct image_set *set)
{
	const double one = 1.0 / (double)(set->n_train + set->n_held);

	for (size_t i = 0; i < set->n_train; i++)
		set->share[set->train_labels[i]] += one;
	for (size_t i = 0; i < set->n_held; i++)
		set->share[set->held_labels[i]] += one;
}

int image_set_load(struct image_set *set, const char *images_path, const char *labels_path, size_t n_train,
		   size_t n_held, size_t crop, struct err *err)
{
	struct idx images = {0}, labels = {0};
	int status;

	*set = (struct image_set){.n_train = n_train, .n_held = n_held};
	if ((status = idx_load(&images, images_path, 3, err)) || (status = idx_load(&labels, labels_path, 1, err)) ||
	    (status = check(&images, &labels, images_path, labels_path, n_train, n_held, crop, err)))
		goto done;
	set->side = crop ? crop : images.dims[1];
	set->n_pixels = set->side * set->side;
	set->train = malloc(n_train * set->n_pixels * sizeof(*set->train));
	set->held = malloc(n_held * set->n_pixels * sizeof(*set->held));
	set->train_labels = malloc(n_train);
	set->held_labels = malloc(n_held);
	if (!set->train || !set->held || !set->train_labels || !set->held_labels) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for %zu images", n_train + n_held);
		goto done;
	}
	take(set, &images, &labels, 0, n_train, set->train, set->train_labels);
	take(set, &images, &labels, images.dims[0] - n_held, n_held, set->held, set->held_labels);
	count_labels(set);
done:
	idx_fini(&labels);
	idx_fini(&images);
	if (status)
		image_set_fini(set);
	return status;
}

void image_set_fini(struct image_set *set)
{
	free(set->held_labels);
	free(set->train_labels);
	free(set->held);
	free(set->train);
	*set = (struct image_set){0};
}
