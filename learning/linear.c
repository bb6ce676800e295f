/*
 * |a - b|^2 = |a|^2 + |b|^2 - 2 a.b: a matrix product, and a rounding error of a few 10^-7 (|a|^2 + |b|^2), which is 10^-5 for
 * images of 144 pixels where unlike images are 20 apart.
 */
#include "learning/linear.h"

#include <cblas.h>
#include <lapacke.h>

#include "base/err.h"

void linear_begin(void)
{
	openblas_set_num_threads(1);
}

void linear_product(size_t m, size_t n, size_t k, const float a[], const float b[], float c[])
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1.0f, a, (int)k, b, (int)k, 0.0f,
		    c, (int)n);
}

void linear_gram(size_t m, size_t n, const double a[], double c[])
{
	cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)m, 1.0, a, (int)n, 0.0, c, (int)n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			c[i * n + j] = c[j * n + i];
}

int linear_eigen(size_t n, double a[], double values[], struct err *err)
{
	/* A symmetric matrix reads the same in columns, and eigenvectors in columns are the rows of this house. */
	const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int)n, a, (lapack_int)n, values);

	if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the eigenvectors of %zu variables", n);
	if (info)
		return err_set(err, JOSTLE_EDIVERGED, "the eigenvalues of %zu variables could not be found", n);
	return 0;
}

static float square_of(const float x[], size_t k)
{
	float sum = 0.0f;

	for (size_t i = 0; i < k; i++)
		sum += x[i] * x[i];
	return sum;
}

void linear_distances(size_t n_a, size_t n_b, size_t k, const float a[], const float b[], float d[])
{
	float squares[LINEAR_MAX_COLUMNS];

	linear_product(n_a, n_b, k, a, b, d);
	for (size_t j = 0; j < n_b; j++)
		squares[j] = square_of(b + j * k, k);
	for (size_t i = 0; i < n_a; i++) {
		const float square = square_of(a + i * k, k);

		for (size_t j = 0; j < n_b; j++) {
			const float sum = square + squares[j] - 2.0f * d[i * n_b + j];

			d[i * n_b + j] = sum < 0.0f ? 0.0f : sum;
		}
	}
}
