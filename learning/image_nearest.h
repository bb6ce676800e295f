#ifndef JOSTLE_IMAGE_NEAREST_H
#define JOSTLE_IMAGE_NEAREST_H
/*
 * The training image nearest to each sample: how far it is shows memorising, its label is the sample's.
 */
#include <stddef.h>

struct pool;

/**
 * For each of x[n][n_pixels] the index of the nearest of train[n_train][n_pixels] and the Euclidean distance to it, which
 * is 0 for a copy and nothing else. Candidates within 10^-5 of the smallest squared distance count as equally near.
 * index[n], distance[n]. n_train >= 1. Call from: setup.
 */
void image_nearest(const float x[], size_t n, const float train[], size_t n_train, size_t n_pixels, struct pool *pool,
		   size_t index[], double distance[]);

#endif
