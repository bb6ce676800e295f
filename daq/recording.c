/*
 * Nothing in the file is trusted: shapes and sizes are checked before memory is taken, and a recording of another bench is
 * refused, for a wrong channel must not pass for a signal.
 */
#include "daq/recording.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/h5_column.h"
#include "daq/bench.h"
#include "protocols/file_format.h"

#define MAX_BYTES  1073741824 /* of inputs */
#define MAX_TEXT   1048576    /* of a bench file */
#define MAX_COUNTS 64
#define MAX_TICK   UINT64_C(1000000000000000)

/** The first number of the recording's own count: rows beyond it may be torn. */
static int read_acknowledged(const struct h5_file *file, uint64_t *n_rows, struct err *err)
{
	uint64_t *counts = NULL;
	size_t n = 0;
	int code = h5_read_u64s(file, "acknowledged", 1, &n, MAX_COUNTS, &counts, err);

	if (!code && n == 0)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "acknowledged: expected counts, found none");
	*n_rows = code ? 0 : counts[0];
	free(counts);
	return code;
}

/** A whole column into fresh memory, *values. */
static int read_column(const struct h5_file *file, const struct h5_column_kind *kind, uint64_t n_rows, size_t size,
		       void *values, struct err *err)
{
	struct h5_column column = {0};
	void *fresh = NULL;
	int code = h5_column_open(&column, file, kind, n_rows, err);

	if (!code && !(fresh = malloc((size_t)n_rows * kind->width * size)))
		code = err_at(err, JOSTLE_ENOMEM, file->path, 0, 0, "%s: no memory for %" PRIu64 " rows", kind->name,
			      n_rows);
	if (!code)
		code = h5_column_read(&column, file, 0, (size_t)n_rows, fresh, err);
	h5_column_close(&column);
	memcpy(values, &fresh, sizeof(fresh));
	return code;
}

static int check_rows(const struct recording *recording, const char *path, struct err *err)
{
	for (uint64_t i = 0; i < recording->n_rows; i++) {
		if (recording->exchange[i] > 0 || recording->exchange[i] < JOSTLE_ERROR_LAST)
			return err_at(err, JOSTLE_EFORMAT, path, 0, 0,
				      "tick/exchange, row %" PRIu64 ": expected 0 or an error of ours, found %d", i,
				      (int)recording->exchange[i]);
		if (recording->tick[i] > MAX_TICK || (i > 0 && recording->tick[i] <= recording->tick[i - 1]))
			return err_at(err, JOSTLE_EFORMAT, path, 0, 0,
				      "tick/tick, row %" PRIu64 ": expected numbers that ascend, found %" PRIu64, i,
				      recording->tick[i]);
	}
	return 0;
}

static int read_rows(struct recording *recording, const struct h5_file *file, size_t n_in, struct err *err)
{
	const struct h5_column_kind in_V = {.name = "in_V", .value = H5_F64, .width = n_in};
	const struct h5_column_kind t_ns = {.name = "tick/t_ns", .value = H5_I64, .width = 1, .flat = true};
	const struct h5_column_kind tick = {.name = "tick/tick", .value = H5_U64, .width = 1, .flat = true};
	const struct h5_column_kind exchange = {.name = "tick/exchange", .value = H5_I32, .width = 1, .flat = true};
	int code = read_acknowledged(file, &recording->n_rows, err);

	if (code)
		return code;
	if (recording->n_rows == 0 || recording->n_rows > MAX_BYTES / sizeof(double) / n_in)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "expected 1 to %zu rows of %zu inputs for a bench, found %" PRIu64,
			      MAX_BYTES / sizeof(double) / n_in, n_in, recording->n_rows);
	if ((code = read_column(file, &in_V, recording->n_rows, sizeof(double), &recording->in_V, err)) ||
	    (code = read_column(file, &t_ns, recording->n_rows, sizeof(int64_t), &recording->t_ns, err)) ||
	    (code = read_column(file, &tick, recording->n_rows, sizeof(uint64_t), &recording->tick, err)) ||
	    (code = read_column(file, &exchange, recording->n_rows, sizeof(int32_t), &recording->exchange, err)))
		return code;
	return check_rows(recording, file->path, err);
}

static int compare_channels(const struct bench *bench, bool inputs, const struct bench *recorded, struct err *err)
{
	const char *side = inputs ? "inputs" : "outputs";
	const struct bench_channel *here = inputs ? bench->in : bench->out;
	const struct bench_channel *there = inputs ? recorded->in : recorded->out;
	const size_t n = inputs ? bench->n_in : bench->n_out, expected = inputs ? recorded->n_in : recorded->n_out;

	if (n != expected)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
			      "%s: expected %zu channels as the recording %s has, found %zu", side, expected,
			      recorded->path, n);
	for (size_t k = 0; k < n; k++) {
		if (here[k].role != there[k].role || here[k].index != there[k].index)
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				      "%s: channel %zu: expected %s %zu as in the recording, found %s %zu", side, k,
				      daq_role_name(there[k].role), there[k].index, daq_role_name(here[k].role),
				      here[k].index);
		if (here[k].min_V != there[k].min_V || here[k].max_V != there[k].max_V)
			return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0,
				      "%s: channel %zu: range_V: expected %g to %g as in the recording, found %g to %g",
				      side, k, there[k].min_V, there[k].max_V, here[k].min_V, here[k].max_V);
	}
	return 0;
}

/** Whether the recording is of such a bench, by the bench file that it holds. */
static int check_bench(const struct bench *bench, const struct h5_file *file, struct err *err)
{
	struct bench recorded = {0};
	double period_s = 0;
	char *text = NULL;
	int code = h5_get_double(file, "/", "period_s", &period_s, err);

	if (!code)
		code = h5_get_long_text(file, "/", "bench", MAX_TEXT, &text, err);
	if (!code)
		code = bench_parse(&recorded, "recorded", file->path, text, err);
	if (!code) {
		code = compare_channels(bench, true, &recorded, err);
		code = code ? code : compare_channels(bench, false, &recorded, err);
		bench_free(&recorded);
	}
	free(text);
	if (!code && !(fabs(period_s / bench->period_s - 1) <= 1e-9))
		code = err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "period_s: %g, but %s was recorded at %g",
			      bench->period_s, file->path, period_s);
	return code;
}

static int read_origin(struct recording *recording, const struct h5_file *file, struct err *err)
{
	uint64_t simulated = 1;
	int code = h5_get_u64(file, "/", "simulated", &simulated, err);

	recording->simulated = simulated != 0;
	return code ? code : h5_get_text(file, "/", "backend", recording->backend, sizeof(recording->backend), err);
}

int recording_load(struct recording *recording, const struct bench *bench, const char *path, struct err *err)
{
	struct h5_file file;
	int code = h5_open_growing(&file, path, err);

	*recording = (struct recording){0};
	if (code)
		return code;
	if (!(code = file_format_check(&file, RECORDING_FORMAT, RECORDING_VERSION, err)) &&
	    !(code = check_bench(bench, &file, err)) && !(code = read_origin(recording, &file, err)))
		code = read_rows(recording, &file, bench->n_in, err);
	h5_close(&file);
	if (code)
		recording_free(recording);
	return code;
}

void recording_free(struct recording *recording)
{
	free(recording->in_V);
	free(recording->t_ns);
	free(recording->tick);
	free(recording->exchange);
	*recording = (struct recording){0};
}
