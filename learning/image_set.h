#ifndef JOSTLE_IMAGE_SET_H
#define JOSTLE_IMAGE_SET_H
/*
 * A finite set of labelled square images: some to learn from, others held out. For images it is what a mixture is for
 * densities: the truth that metrics compare with.
 */
#include <stddef.h>
#include <stdint.h>

struct err;

#define IMAGE_SET_LABELS     10 /* labels are 0 to 9 */
#define IMAGE_SET_MAX_SIDE   32
#define IMAGE_SET_MAX_PIXELS (IMAGE_SET_MAX_SIDE * IMAGE_SET_MAX_SIDE)

struct image_set {
	size_t side, n_pixels; /* n_pixels is side^2 */
	size_t n_train, n_held;
	float *train, *held;                 /* [n][n_pixels], row by row, values in [-1, 1]: 2 pixel / 255 - 1 */
	uint8_t *train_labels, *held_labels; /* [n] */
	double share[IMAGE_SET_LABELS];      /* of each label among all these images */
};

/**
 * Read the images and labels of two IDX files: the first n_train to train, the last n_held held out, of each the central
 * `crop` × `crop` pixels; crop 0 keeps all. The caller ends it with image_set_fini().
 * Errors: JOSTLE_ECONFIG (fewer images than asked for, a crop larger than they are, images
 * of more than IMAGE_SET_MAX_SIDE pixels either way), JOSTLE_EFORMAT (files that are not
 * IDX, do not belong together or hold images that are not square, labels above 9), JOSTLE_ENOENT, JOSTLE_EIO,
 * JOSTLE_ENOMEM. Call from: setup.
 */
int image_set_load(struct image_set *set, const char *images_path, const char *labels_path, size_t n_train,
		   size_t n_held, size_t crop, struct err *err);
void image_set_fini(struct image_set *set);

#endif
