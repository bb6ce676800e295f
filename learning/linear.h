#ifndef JOSTLE_LINEAR_H
#define JOSTLE_LINEAR_H
/*
 * The little linear algebra that metrics need, from OpenBLAS and LAPACKE. Matrices are row by row.
 *
 * Everything runs in the thread that calls it: the pool shares out the work, in pieces that do not depend on the number
 * of threads, and results stay the same. linear_begin() sees to that, before the pieces are handed out.
 */
#include <stddef.h>

struct err;

#define LINEAR_MAX_COLUMNS 512 /* points b that linear_distances() takes at once */

/** Keep the libraries to the calling thread. Call from: setup, before a pool's pieces call what follows. */
void linear_begin(void);

/** c[m][n] = a[m][k] b[n][k]^T. Call from: any. */
void linear_product(size_t m, size_t n, size_t k, const float a[], const float b[], float c[]);

/** c[n][n] = a[m][n]^T a[m][n], all of it. Call from: any. */
void linear_gram(size_t m, size_t n, const double a[], double c[]);

/**
 * Eigenvalues, ascending, of the symmetric a[n][n]; a's rows become the eigenvectors, of length 1, in the same order.
 * Errors: JOSTLE_ENOMEM, JOSTLE_EDIVERGED. Call from: setup.
 */
int linear_eigen(size_t n, double a[], double values[], struct err *err);

/**
 * d[n_a][n_b] = |a_i - b_j|^2 by way of a product, for a[n_a][k] and b[n_b][k], n_b at most LINEAR_MAX_COLUMNS;
 * never negative. Call from: any.
 */
void linear_distances(size_t n_a, size_t n_b, size_t k, const float a[], const float b[], float d[]);

#endif
