/*
 * Ranks in a build without Open MPI: there is one.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/ranks.h"

int ranks_init(struct err *err)
{
	const char *count = getenv("OMPI_COMM_WORLD_SIZE");

	/* Each would take itself for the only one and write the same files. */
	if (count && atol(count) > 1)
		return err_set(err, JOSTLE_ECONFIG,
			       "mpirun started %s of these, and this jostle was built without Open MPI", count);
	return 0;
}

size_t ranks_count(void)
{
	return 1;
}

size_t ranks_rank(void)
{
	return 0;
}

size_t ranks_threads(size_t asked)
{
	return asked;
}

void ranks_broadcast(size_t from, void *data, size_t size)
{
	(void)from;
	(void)data;
	(void)size;
}

size_t ranks_least(size_t value)
{
	return value;
}

size_t ranks_total(size_t value)
{
	return value;
}

void ranks_send(size_t to, const void *data, size_t size)
{
	(void)to;
	(void)data;
	(void)size;
	assert(!"there is no other rank");
}

void ranks_receive(size_t from, void *data, size_t size)
{
	(void)from;
	(void)data;
	(void)size;
	assert(!"there is no other rank");
}
