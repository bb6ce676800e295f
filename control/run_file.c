#include "control/run_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "control/run_table.h"
#include "protocols/calibration_record.h"
#include "protocols/file_format.h"

#define N_ACKNOWLEDGED   5  /* that are read */
#define MAX_ACKNOWLEDGED 64 /* there were fewer once, and may be more */
#define MAX_TEXT         (1u << 20)
#define MAX_RECORD       (64u << 20) /* bytes of a calibration record's file */

/** The width of a dataset of rank 2, 0 where there is none: how many channels a run has. */
static int read_width(const struct h5_file *file, const char *name, size_t *width, struct err *err)
{
	hsize_t dims[2] = {0, 0};

	*width = 0;
	if (!h5_has(file, name))
		return 0;
	const hid_t set = H5Dopen2(file->id, name, H5P_DEFAULT);
	const hid_t space = set < 0 ? H5I_INVALID_HID : H5Dget_space(set);
	int code = 0;

	if (space < 0 || H5Sget_simple_extent_ndims(space) != 2 || H5Sget_simple_extent_dims(space, dims, NULL) < 0 ||
	    dims[1] < 1 || dims[1] > BENCH_MAX_CHANNELS)
		code = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected rows of 1 to %d values", name,
			      BENCH_MAX_CHANNELS);
	*width = (size_t)dims[1];
	if (space >= 0)
		H5Sclose(space);
	if (set >= 0)
		H5Dclose(set);
	H5Eclear2(H5E_DEFAULT);
	return code;
}

static int read_drive(struct run_file *file, struct err *err)
{
	char text[16];
	const int code = h5_get_text(&file->h5, "/", "drive", text, sizeof(text), err);

	if (code)
		return code;
	for (int drive = DRIVE_FEEDBACK; drive <= DRIVE_PARAMETRIC; drive++)
		if (strcmp(text, bench_drive_name((enum drive)drive)) == 0) {
			file->drive = (enum drive)drive;
			return 0;
		}
	return err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
		      "/: attribute drive: expected feedback or parametric, found \"%s\"", text);
}

static int read_attributes(struct run_file *file, struct err *err)
{
	const struct h5_file *h5 = &file->h5;
	uint64_t simulated = 0;
	int code;

	if ((code = file_format_check(h5, RUN_FILE_FORMAT, RUN_FILE_VERSION, err)) ||
	    (code = h5_get_text(h5, "/", "run", file->run, sizeof(file->run), err)) ||
	    (code = h5_get_text(h5, "/", "previous", file->previous, sizeof(file->previous), err)) ||
	    (code = h5_get_text(h5, "/", "bench_name", file->bench_name, sizeof(file->bench_name), err)) ||
	    (code = h5_get_text(h5, "/", "backend", file->backend, sizeof(file->backend), err)) ||
	    (code = read_drive(file, err)) || (code = h5_get_u64(h5, "/", "segment", &file->segment, err)) ||
	    (code = h5_get_u64(h5, "/", "simulated", &simulated, err)) ||
	    (code = h5_get_u64(h5, "/", "seed", &file->seed, err)) ||
	    (code = h5_get_double(h5, "/", "period_s", &file->period_s, err)))
		return code;
	if (simulated > 1 || !(file->period_s > 0))
		return err_at(err, JOSTLE_EFORMAT, h5->path, 0, 0,
			      "/: expected simulated 0 or 1 and a period above 0, found %llu and %g s",
			      (unsigned long long)simulated, file->period_s);
	file->simulated = simulated == 1;
	return 0;
}

static int read_counts(struct run_file *file, struct err *err)
{
	size_t n = 0;
	uint64_t *counts = NULL;
	int code = h5_read_u64s(&file->h5, "acknowledged", 1, &n, MAX_ACKNOWLEDGED, &counts, err);

	if (!code && n < N_ACKNOWLEDGED)
		code = err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
			      "acknowledged: expected at least %d counts, found %zu", N_ACKNOWLEDGED, n);
	if (!code) {
		file->n_rows = counts[0];
		file->n_events = counts[1];
		file->n_commands = counts[2];
		file->n_samples = counts[3];
		file->n_programs = counts[4];
	}
	free(counts);
	return code;
}

static int open_tables(struct run_file *file, struct err *err)
{
	struct run_column columns[RUN_MAX_COLUMNS];
	int code;

	if ((code = read_width(&file->h5, "in_V", &file->n_in, err)) ||
	    (code = read_width(&file->h5, "out_V", &file->n_out, err)) ||
	    (code = read_width(&file->h5, "x_m", &file->n_sites, err)))
		return code;
	/* A bench may be without outputs, but not without a site that is seen. */
	if (!file->n_in || !file->n_sites)
		return err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0, "expected datasets in_V and x_m, found none");
	const struct run_shape shape = {.n_in = file->n_in, .n_out = file->n_out, .n_sites = file->n_sites};

	file->rows = calloc(1, sizeof(*file->rows));
	file->events = calloc(1, sizeof(*file->events));
	if (!file->rows || !file->events)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a run file");
	size_t n = run_row_columns(&shape, false, columns);

	code = run_table_open(file->rows, &file->h5, columns, n, run_row_size(&shape, false), file->n_rows, err);
	if (code)
		return code;
	n = run_event_columns(false, columns);
	return run_table_open(file->events, &file->h5, columns, n, sizeof(struct run_event), file->n_events, err);
}

int run_file_open(struct run_file *file, const char *path, struct err *err)
{
	*file = (struct run_file){0};
	int code = h5_open_growing(&file->h5, path, err);

	if (!code)
		code = read_attributes(file, err);
	if (!code)
		code = read_counts(file, err);
	if (!code)
		code = open_tables(file, err);
	if (code)
		run_file_close(file);
	return code;
}

void run_file_close(struct run_file *file)
{
	if (file->rows)
		run_table_close(file->rows);
	if (file->events)
		run_table_close(file->events);
	free(file->rows);
	free(file->events);
	file->rows = file->events = NULL;
	h5_close(&file->h5);
}

int run_file_row(struct run_file *file, const struct tick_record **row, struct err *err)
{
	const void *record = NULL;
	const int code = run_table_next(file->rows, &file->h5, &record, err);

	*row = record;
	return code;
}

int run_file_event(struct run_file *file, struct loop_event *event, struct err *err)
{
	const void *record = NULL;
	const int code = run_table_next(file->events, &file->h5, &record, err);

	if (code == 1)
		*event = ((const struct run_event *)record)->event;
	return code;
}

bool run_file_request(const struct loop_event *event, struct request *request)
{
	if (event->kind != EVENT_REQUEST || event->a >= REQUEST_N_KINDS ||
	    (event->a == REQUEST_EVENT && event->c >= SUPERVISOR_N_EVENTS))
		return false;
	*request = (struct request){.id = event->request, .kind = (enum request_kind)event->a};
	switch (request->kind) {
	case REQUEST_EVENT:
		request->event = (enum supervisor_event)event->c;
		break;
	case REQUEST_MANUAL:
		request->output = (size_t)event->c;
		request->value_V = event->value;
		break;
	case REQUEST_LIMITS:
		request->output = (size_t)event->c;
		request->min_V = event->value;
		request->max_V = event->limit;
		request->slew_V_per_s = event->slew;
		break;
	default:
		break;
	}
	return true;
}

int run_file_calibration(const struct run_file *file, struct calibration_record *record, struct err *err)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	int code = h5_read_bytes(&file->h5, &run_calibration_kind, MAX_RECORD, &bytes, &size, err);

	if (code)
		return code;
	char name[sizeof(file->h5.path) + 16];

	snprintf(name, sizeof(name), "%s: calibration", file->h5.path);
	code = calibration_record_load_image(record, name, bytes, size, err);
	free(bytes);
	return code;
}

int run_file_text(const struct run_file *file, const char *attribute, char **text, struct err *err)
{
	*text = NULL;
	if (H5Aexists_by_name(file->h5.id, "/", attribute, H5P_DEFAULT) <= 0)
		return 0;
	return h5_get_long_text(&file->h5, "/", attribute, MAX_TEXT + 1, text, err);
}
