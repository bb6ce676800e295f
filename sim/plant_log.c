#include "sim/plant_log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/provenance.h"

#define CHUNK_RECORDS 256
#define RING_SECONDS  8.0
#define RING_BYTES    (64u << 20)
#define WAKE_NS       50000000 /* how long the writer rests when there is nothing to write */

static const struct column {
	const char *name, *units, *long_name;
} columns[] = {{"edge", "1", "number of the sample edge"},
	       {"t_ns", "ns", "CLOCK_MONOTONIC at the edge"},
	       {"out_V", "V", "outputs latched at the edge"},
	       {"x_m", "m", "true displacement at the edge"}};

static size_t width(const struct plant_log *log, int column)
{
	return column < 2 ? 1 : column == 2 ? log->n_out : log->n_sites;
}

static int log_fail(struct plant_log *log, struct err *err, const char *what)
{
	H5Eclear2(H5E_DEFAULT);
	return err_at(err, JOSTLE_EIO, log->file.path, 0, 0, "%s cannot be written", what);
}

/** An empty dataset that grows by records. */
static int make_column(struct plant_log *log, int column, struct err *err)
{
	const int rank = column < 2 ? 1 : 2;
	const hsize_t none[2] = {0, width(log, column)}, most[2] = {H5S_UNLIMITED, width(log, column)};
	const hsize_t chunk[2] = {CHUNK_RECORDS, width(log, column)};
	const hid_t type = column == 0 ? H5T_STD_U64LE : column == 1 ? H5T_STD_I64LE : H5T_IEEE_F64LE;
	const hid_t space = H5Screate_simple(rank, none, most);
	const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
	hid_t set = H5I_INVALID_HID;
	int code = JOSTLE_EIO;

	if (space >= 0 && creation >= 0 && H5Pset_chunk(creation, rank, chunk) >= 0 &&
	    H5Pset_obj_track_times(creation, false) >= 0)
		set = H5Dcreate2(log->file.id, columns[column].name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
	if (set >= 0) {
		H5Dclose(set);
		code = h5_set_text(&log->file, columns[column].name, "units", columns[column].units, err);
		if (code == 0)
			code = h5_set_text(&log->file, columns[column].name, "long_name", columns[column].long_name,
					   err);
	} else {
		log_fail(log, err, columns[column].name);
	}
	H5Pclose(creation);
	H5Sclose(space);
	return code;
}

/** Append n records of one column, taken from `values` with a stride of record_size. */
static bool append_column(struct plant_log *log, int column, const void *values, size_t n)
{
	const size_t w = width(log, column);
	const int rank = column < 2 ? 1 : 2;
	const hsize_t size[2] = {log->n_written + n, w}, start[2] = {log->n_written, 0}, count[2] = {n, w};
	const hid_t type = column == 0 ? H5T_NATIVE_UINT64 : column == 1 ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
	const hid_t set = H5Dopen2(log->file.id, columns[column].name, H5P_DEFAULT);
	bool written = false;

	if (set >= 0 && H5Dset_extent(set, size) >= 0) {
		const hid_t there = H5Dget_space(set), here = H5Screate_simple(rank, count, NULL);

		written = there >= 0 && here >= 0 &&
			  H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
			  H5Dwrite(set, type, here, there, H5P_DEFAULT, values) >= 0;
		H5Sclose(here);
		H5Sclose(there);
	}
	H5Dclose(set);
	return written;
}

/** Take up to a chunk of records off the ring and append them. Returns how many. */
static size_t write_chunk(struct plant_log *log)
{
	const size_t length = log->record_size / sizeof(double);
	const size_t first[] = {0, 1, 2, 2 + log->n_out};
	size_t n = 0;

	while (n < CHUNK_RECORDS && ring_pop(&log->ring, log->chunk + n * length))
		n++;
	for (int column = 0; n && column < 4 && !atomic_load(&log->failed); column++) {
		const size_t w = width(log, column);

		for (size_t i = 0; i < n; i++)
			memcpy(log->column + i * w, log->chunk + i * length + first[column], w * sizeof(double));
		if (!append_column(log, column, log->column, n)) {
			log_fail(log, log->err, columns[column].name);
			atomic_store(&log->failed, true);
		}
	}
	log->n_written += n;
	return n;
}

static void *write_records(void *context)
{
	struct plant_log *log = context;
	struct timespec now, flushed = {0};

	/* HDF5 would print its errors, and its setting is per thread. */
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	for (;;) {
		const bool last = atomic_load(&log->stopping);

		while (write_chunk(log) == CHUNK_RECORDS)
			;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec != flushed.tv_sec) {
			H5Fflush(log->file.id, H5F_SCOPE_LOCAL);
			flushed = now;
		}
		if (last)
			return NULL;
		nanosleep(&(struct timespec){.tv_nsec = WAKE_NS}, NULL);
	}
}

static int take_memory(struct plant_log *log, double period_s, struct err *err)
{
	const size_t wide = log->n_out > log->n_sites ? log->n_out : log->n_sites;
	double records = RING_SECONDS / period_s;

	if (records > (double)(RING_BYTES / log->record_size))
		records = (double)(RING_BYTES / log->record_size);
	log->record = calloc(1, log->record_size);
	log->chunk = calloc(CHUNK_RECORDS, log->record_size);
	log->column = calloc(CHUNK_RECORDS * wide, sizeof(double));
	log->err = calloc(1, sizeof(*log->err));
	if (!log->record || !log->chunk || !log->column || !log->err)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the plant's log");
	return ring_init(&log->ring, log->record_size, (size_t)records + CHUNK_RECORDS, err);
}

static void give_back(struct plant_log *log)
{
	h5_close(&log->file);
	ring_fini(&log->ring);
	free(log->record);
	free(log->chunk);
	free(log->column);
	free(log->err);
}

int plant_log_open(struct plant_log *log, const char *path, size_t n_out, size_t n_sites, double period_s,
		   const struct provenance *provenance, struct err *err)
{
	int code;

	memset(log, 0, sizeof(*log));
	log->n_out = n_out;
	log->n_sites = n_sites;
	log->record_size = (2 + n_out + n_sites) * sizeof(double);
	code = h5_create(&log->file, path, err);
	if (code < 0)
		return code;
	code = take_memory(log, period_s, err);
	code = code < 0 ? code : provenance_write(&log->file, provenance, err);
	code = code < 0 ? code : h5_set_text(&log->file, "/", "format", "jostle-plant-log", err);
	code = code < 0 ? code : h5_set_u64(&log->file, "/", "format_version", 1, err);
	code = code < 0 ? code : h5_set_double(&log->file, "/", "period_s", period_s, err);
	for (int column = 0; code == 0 && column < 4; column++)
		code = make_column(log, column, err);
	if (code == 0 && pthread_create(&log->thread, NULL, write_records, log) != 0)
		code = err_set(err, JOSTLE_ENOMEM, "no thread for the plant's log");
	if (code < 0)
		give_back(log);
	else
		log->running = true;
	return code;
}

void plant_log_push(struct plant_log *log, uint64_t edge, int64_t t_ns, const double out_V[], const double x_m[])
{
	memcpy(&log->record[0], &edge, sizeof(edge));
	memcpy(&log->record[1], &t_ns, sizeof(t_ns));
	memcpy(log->record + 2, out_V, log->n_out * sizeof(*out_V));
	memcpy(log->record + 2 + log->n_out, x_m, log->n_sites * sizeof(*x_m));
	ring_push(&log->ring, log->record);
}

int plant_log_close(struct plant_log *log, struct err *err)
{
	int code = 0;

	if (!log->running)
		return 0;
	atomic_store(&log->stopping, true);
	pthread_join(log->thread, NULL);
	log->running = false;
	if (atomic_load(&log->failed)) {
		code = log->err->code;
		if (err)
			*err = *log->err;
	}
	if (code == 0)
		code = h5_set_u64(&log->file, "/", "dropped", atomic_load(&log->ring.n_dropped), err);
	if (code == 0)
		code = h5_commit(&log->file, err);
	give_back(log);
	return code;
}
