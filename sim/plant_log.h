#ifndef JOSTLE_PLANT_LOG_H
#define JOSTLE_PLANT_LOG_H
/*
 * The plant's own log of what it received, in HDF5: datasets /edge, /t_ns, /out_V [edge][output], /x_m [edge][site].
 *
 * The plant pushes, a thread writes, and flushes to disk at least every second. A full ring drops and counts.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/h5.h"
#include "base/ring.h"
#include "base/rt.h"

struct err;
struct provenance;

struct plant_log {
	struct h5_file file;
	struct ring ring;
	size_t n_out, n_sites, record_size;
	double *record;   /* the producer's: edge and t_ns as bits, outputs, displacements */
	double *chunk;    /* the writer's: records on their way to the file */
	uint64_t *column; /* the writer's: one integer of each */
	uint64_t n_written;
	pthread_t thread;
	atomic_bool stopping, failed;
	bool running;
	struct err *err; /* the writer's, read after it has ended */
};

/**
 * Create the file and start the writer. period_s sizes the ring. The caller ends it with plant_log_close().
 * Errors: JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup.
 */
int plant_log_open(struct plant_log *log, const char *path, size_t n_out, size_t n_sites, double period_s,
		   const struct provenance *provenance, struct err *err);

/** Log an edge. out_V[n_out], x_m[n_sites]. RT_SAFE. Call from: the plant. */
RT_SAFE void plant_log_push(struct plant_log *log, uint64_t edge, int64_t t_ns, const double out_V[],
			    const double x_m[]);

/**
 * Write what is left, the number of dropped records (attribute "dropped"), and give the file its final name. Returns
 * the first error of the writer, if it met one. Call from: setup.
 */
int plant_log_close(struct plant_log *log, struct err *err);

#endif
