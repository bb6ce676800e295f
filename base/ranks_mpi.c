/*
 * Ranks by Open MPI. Its own errors end all ranks, with a message of its own: no call here can fail and return.
 */
#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/ranks.h"

#define MAX_MESSAGE ((size_t)1 << 30) /* MPI counts in int */

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "reductions are of 64 bits");

/* There is one MPI in a process, and it has no handle either. */
static struct {
	size_t rank, count;
	size_t n_threads; /* this rank's part of the cores */
} ranks = {.count = 1};

/** Cores that this rank may use, shared with the ranks of this machine that may use them as well. */
static size_t part_of_cores(void)
{
	MPI_Comm machine;
	cpu_set_t mine, *all, common;
	int here, n_sharing = 0;

	CPU_ZERO(&mine);
	sched_getaffinity(0, sizeof(mine), &mine);
	MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
	MPI_Comm_size(machine, &here);
	all = calloc((size_t)here, sizeof(*all));
	if (!all)
		MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
	MPI_Allgather(&mine, sizeof(mine), MPI_BYTE, all, sizeof(mine), MPI_BYTE, machine);
	for (int i = 0; i < here; i++) {
		CPU_AND(&common, &mine, &all[i]);
		n_sharing += CPU_COUNT(&common) > 0;
	}
	free(all);
	MPI_Comm_free(&machine);
	return n_sharing > 0 && CPU_COUNT(&mine) > n_sharing ? (size_t)(CPU_COUNT(&mine) / n_sharing) : 1;
}

/** Only rank 0 speaks; a rank that dies is reported by mpirun. */
static void be_silent(void)
{
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere < 0)
		return;
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	close(nowhere);
}

/** At exit, so that a command line that is not understood leaves in order too: all ranks have the same one. */
static void leave(void)
{
	/* As soon as one rank has ended with an error mpirun ends the others, which are here too: it need not be said. */
	signal(SIGTERM, SIG_IGN);
	MPI_Finalize();
}

int ranks_init(struct err *err)
{
	int provided, rank, count;

	/* Without mpirun there is nobody to join: MPI would only take time and start threads. */
	if (!getenv("OMPI_COMM_WORLD_SIZE"))
		return 0;
	MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
	atexit(leave);
	if (provided < MPI_THREAD_FUNNELED)
		return err_set(err, JOSTLE_ECONFIG,
			       "expected an Open MPI that allows threads beside it, found one that does not");
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &count);
	ranks.rank = (size_t)rank;
	ranks.count = (size_t)count;
	ranks.n_threads = part_of_cores();
	if (rank > 0)
		be_silent();
	return 0;
}

size_t ranks_count(void)
{
	return ranks.count;
}

size_t ranks_rank(void)
{
	return ranks.rank;
}

size_t ranks_threads(size_t asked)
{
	return asked || ranks.count == 1 ? asked : ranks.n_threads;
}

static int part_of(size_t size, size_t done)
{
	return (int)(size - done < MAX_MESSAGE ? size - done : MAX_MESSAGE);
}

void ranks_broadcast(size_t from, void *data, size_t size)
{
	if (ranks.count == 1)
		return;
	for (size_t done = 0; done < size; done += MAX_MESSAGE)
		MPI_Bcast((char *)data + done, part_of(size, done), MPI_BYTE, (int)from, MPI_COMM_WORLD);
}

void ranks_send(size_t to, const void *data, size_t size)
{
	for (size_t done = 0; done < size; done += MAX_MESSAGE)
		MPI_Send((const char *)data + done, part_of(size, done), MPI_BYTE, (int)to, 0, MPI_COMM_WORLD);
}

void ranks_receive(size_t from, void *data, size_t size)
{
	for (size_t done = 0; done < size; done += MAX_MESSAGE)
		MPI_Recv((char *)data + done, part_of(size, done), MPI_BYTE, (int)from, 0, MPI_COMM_WORLD,
			 MPI_STATUS_IGNORE);
}

static size_t reduce(size_t value, MPI_Op operation)
{
	uint64_t mine = value, all = value;

	if (ranks.count > 1)
		MPI_Allreduce(&mine, &all, 1, MPI_UINT64_T, operation, MPI_COMM_WORLD);
	return (size_t)all;
}

size_t ranks_least(size_t value)
{
	return reduce(value, MPI_MIN);
}

size_t ranks_total(size_t value)
{
	return reduce(value, MPI_SUM);
}
