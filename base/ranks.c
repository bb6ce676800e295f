/*
 * What both implementations share: how work is divided, how sums are taken, how errors are agreed on.
 */
#include "base/ranks.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

bool ranks_first(void)
{
	return ranks_rank() == 0;
}

size_t ranks_share(size_t n, size_t rank)
{
	return rank * n / ranks_count();
}

/** The inverse: the greatest rank with rank n / count <= i, in whole numbers. */
size_t ranks_owner(size_t n, size_t i)
{
	return ((i + 1) * ranks_count() - 1) / n;
}

static void add(double sum[], const double term[], size_t n)
{
	for (size_t k = 0; k < n; k++)
		sum[k] += term[k];
}

/*
 * A binary tree over the rows, whose edges cross between ranks only where the rows of one end and those of the next
 * begin: with a power of two of ranks each adds its own rows and log2(ranks) messages of n numbers go up and down.
 *
 * An all-reduce by the library costs as little, but adds in an order of its own that changes with the number of ranks; a
 * gradient of 20 000 parameters in 32 rows would be 5 MB to gather everywhere, and is 160 kB here.
 *
 * Every rank goes through the same list of additions and skips those that are not its own, so that no two wait for
 * each other.
 */
void ranks_sum(double terms[], size_t n_terms, size_t n)
{
	const size_t me = ranks_rank();

	for (size_t apart = 1; apart < n_terms; apart *= 2)
		for (size_t i = 0; i + apart < n_terms; i += 2 * apart) {
			const size_t to = ranks_owner(n_terms, i), from = ranks_owner(n_terms, i + apart);
			double *sum = terms + i * n, *term = terms + (i + apart) * n;

			if (from != to && from == me)
				ranks_send(to, term, n * sizeof(*term));
			if (from != to && to == me)
				ranks_receive(from, term, n * sizeof(*term));
			if (to == me)
				add(sum, term, n);
		}
	ranks_broadcast(ranks_owner(n_terms, 0), terms, n * sizeof(*terms));
}

void ranks_gather(void *rows, size_t n, size_t row_size)
{
	const size_t me = ranks_rank();

	if (me > 0) {
		ranks_send(0, rows, (ranks_share(n, me + 1) - ranks_share(n, me)) * row_size);
		return;
	}
	for (size_t rank = 1; rank < ranks_count(); rank++) {
		const size_t begin = ranks_share(n, rank), end = ranks_share(n, rank + 1);

		ranks_receive(rank, (char *)rows + begin * row_size, (end - begin) * row_size);
	}
}

int ranks_agree(int status, struct err *err)
{
	const size_t count = ranks_count(), me = ranks_rank();
	struct err found = {.code = status};

	if (count == 1)
		return status;
	const size_t failed = ranks_least(status ? me : count);
	if (failed == count)
		return 0;
	if (failed == me && err)
		found = *err;
	ranks_broadcast(failed, &found, sizeof(found));
	if (err)
		*err = found;
	/* Rank 0 is where the person is; another's error may be of another machine. */
	return failed > 0 ? err_context(err, "rank %zu", failed), found.code : found.code;
}

int ranks_same(const char *text, const char *what, struct err *err)
{
	char first[256];
	int status = 0;

	if (ranks_count() == 1)
		return 0;
	snprintf(first, sizeof(first), "%s", text);
	ranks_broadcast(0, first, sizeof(first));
	if (strncmp(first, text, sizeof(first) - 1) != 0)
		status = err_set(err, JOSTLE_ECONFIG, "expected the same %s on all ranks, found %s where rank 0 has %s",
				 what, text, first);
	return ranks_agree(status, err);
}
