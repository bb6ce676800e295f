#ifndef JOSTLE_RANKS_H
#define JOSTLE_RANKS_H
/*
 * One program on several processes, perhaps on several machines: ranks 0 … n - 1, started by mpirun. Started without it
 * there is one rank, and all of this costs nothing.
 *
 * Every rank runs the same program on its share of the work. Rank 0 alone speaks and writes files: the others' standard
 * output and error go nowhere, and their errors come to rank 0 through ranks_agree(). A function marked "together" is
 * called by all ranks in the same order; between two such calls a rank must not leave.
 *
 * ranks_mpi.c carries this out with Open MPI, ranks_one.c in a build without it.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

/**
 * Join the other ranks if mpirun started this process, and leave them when it exits.
 * Errors: JOSTLE_ECONFIG (mpirun started several, and this build has no Open MPI). Call from: setup, before threads.
 */
int ranks_init(struct err *err);

size_t ranks_count(void);
size_t ranks_rank(void);

/** Whether this is rank 0, which speaks and writes. Call from: any. */
bool ranks_first(void);

/**
 * Threads for a pool of this rank: as asked for, or for 0 its part of the cores that it may use and shares with other
 * ranks of this machine. One rank alone gets what it asked for. Call from: any.
 */
size_t ranks_threads(size_t asked);

/** Where the share of `rank` in n things begins; it ends where that of rank + 1 begins, and may be empty. Call from: any. */
size_t ranks_share(size_t n, size_t rank);

/** The rank whose share holds thing i of n. Call from: any. */
size_t ranks_owner(size_t n, size_t i);

/** Together: data[size] of rank `from` comes to all. Call from: setup. */
void ranks_broadcast(size_t from, void *data, size_t size);

/** Together: the least of all ranks' values. Call from: setup. */
size_t ranks_least(size_t value);

/** Together: the sum of all ranks' values. Call from: setup. */
size_t ranks_total(size_t value);

/** data[size] from this rank to another, which receives it. Call from: setup. */
void ranks_send(size_t to, const void *data, size_t size);
void ranks_receive(size_t from, void *data, size_t size);

/**
 * Together: add up terms[n_terms][n], of which each rank has filled its share of the n_terms rows, into terms[0] of
 * every rank. The order of the additions depends on n_terms alone, so that the bits do not depend on the number of
 * ranks. The other rows are scratch. Call from: setup.
 */
void ranks_sum(double terms[], size_t n_terms, size_t n);

/**
 * Together: rows [n] of so many bytes, of which each rank holds its share, come to rank 0, which holds all n, its own
 * share in place. Call from: setup.
 */
void ranks_gather(void *rows, size_t n, size_t row_size);

/**
 * Together: 0 if all ranks come with status 0; otherwise the status and error of the first that does not, on all.
 * Call from: setup.
 */
int ranks_agree(int status, struct err *err);

/**
 * Together: whether a text is the same on all ranks, such as the checksum of what each has read.
 * Errors: JOSTLE_ECONFIG, on all: "expected the same `what` on all ranks". Call from: setup.
 */
int ranks_same(const char *text, const char *what, struct err *err);

#endif
