/*
 * The calibration record's file: HDF5, layout in docs/file-formats.md. As with a protocol's, what reading would refuse
 * is not written, sizes are compared with their bounds before memory is taken, and the checksum is computed anew.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/h5_image.h"
#include "base/provenance.h"
#include "protocols/calibration_record.h"
#include "protocols/file_format.h"

#define FORMAT         "jostle-calibration"
#define FORMAT_VERSION 2 /* 1 had no expiry */
#define POWERS         4 /* of the passive force, 0 to 3 */

/** The numbers of a channel, each a dataset of its own because each has its own unit. */
static const struct column {
	const char *name;
	size_t offset; /* in struct channel_calibration */
	struct h5_label label;
} columns[] = {
	{"gain",
	 offsetof(struct channel_calibration, gain),
	 {"V/m, V/N or V, by the channel's role", "volts per displacement, force or parameter"}},
	{"offset_V",
	 offsetof(struct channel_calibration, offset_V),
	 {"V", "volts at zero displacement, force or parameter"}},
	{"gain_sd",
	 offsetof(struct channel_calibration, gain_sd),
	 {"V/m, V/N or V, by the channel's role", "one standard deviation of gain"}},
	{"offset_sd_V", offsetof(struct channel_calibration, offset_sd_V), {"V", "one standard deviation of offset_V"}},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static double *number_of(struct channel_calibration *channel, const struct column *column)
{
	return (double *)((char *)channel + column->offset);
}

static void dataset_name(const char *group, const char *column, char name[64])
{
	snprintf(name, 64, "%s/%s", group, column);
}

static int write_channels(const struct h5_file *file, const char *group, struct channel_calibration channels[],
			  size_t n, struct err *err)
{
	double *values = malloc(n * sizeof(*values));
	char name[64];
	int status;

	if (!values)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu channels", n);
	status = h5_make_group(file, group, err);
	for (size_t c = 0; c < N_COLUMNS && status == 0; c++) {
		for (size_t i = 0; i < n; i++)
			values[i] = *number_of(&channels[i], &columns[c]);
		dataset_name(group, columns[c].name, name);
		status = h5_write_doubles(file, name, 1, &n, values, columns[c].label, err);
	}
	free(values);
	return status;
}

static int write_all(const struct h5_file *file, struct calibration_record *record, const struct provenance *provenance,
		     struct err *err)
{
	const size_t passive_dims[] = {record->n_sites, POWERS};
	int status;

	if ((status = file_format_write(file, FORMAT, FORMAT_VERSION, err)) ||
	    (status = h5_set_text(file, "/", "checksum", record->checksum, err)) ||
	    (status = h5_set_text(file, "/", "bench_name", record->bench, err)) ||
	    (status = h5_set_u64(file, "/", "nominal", record->nominal, err)) ||
	    (status = h5_set_double(file, "/", "stiffness_N_per_m", record->stiffness_N_per_m, err)) ||
	    (status = h5_set_double(file, "/", "damping_N_s_per_m", record->damping_N_s_per_m, err)) ||
	    (status = h5_set_double(file, "/", "temperature_K", record->temperature_K, err)) ||
	    (status = h5_set_double(file, "/", "latency_periods", record->latency_periods, err)) ||
	    (status = h5_set_u64(file, "/", "expires_unix_s", record->expires_unix_s, err)) ||
	    (status = write_channels(file, "inputs", record->in, record->n_in, err)) ||
	    (status = write_channels(file, "outputs", record->out, record->n_out, err)) ||
	    (status = h5_write_doubles(file, "passive", 2, passive_dims, record->passive[0].c,
				       (struct h5_label){"natural", "passive force [site][power of x]"}, err)))
		return status;
	return provenance_write(file, provenance, err);
}

int calibration_record_save(struct calibration_record *record, const char *path, const struct provenance *provenance,
			    struct err *err)
{
	struct h5_file file;
	int status = calibration_record_check(record, err);

	if (status) {
		err_context(err, "%s", path);
		return status;
	}
	calibration_record_seal(record);
	if ((status = h5_create(&file, path, err)))
		return status;
	if ((status = write_all(&file, record, provenance, err)) || (status = h5_commit(&file, err)))
		h5_close(&file);
	return status;
}

int calibration_record_save_image(const struct calibration_record *record, const char *name,
				  const struct provenance *provenance, unsigned char **bytes, size_t *size,
				  struct err *err)
{
	struct calibration_record sealed = *record;
	struct h5_file file;
	int status = calibration_record_check(record, err);

	*bytes = NULL;
	*size = 0;
	if (status) {
		err_context(err, "%s", name);
		return status;
	}
	calibration_record_seal(&sealed);
	if ((status = h5_create_image(&file, name, err)))
		return status;
	if ((status = write_all(&file, &sealed, provenance, err)))
		h5_close(&file);
	else
		status = h5_take_image(&file, bytes, size, err);
	return status;
}

/** How many channels a group has: the length of its gains. */
static int read_length(const struct h5_file *file, const char *name, size_t rank, size_t max, size_t *n,
		       struct err *err)
{
	size_t dims[2] = {0, POWERS};
	double *values = NULL;
	int status = h5_read_doubles(file, name, rank, dims, max * (rank == 2 ? POWERS : 1), &values, err);

	free(values);
	if (status == 0 && dims[0] == 0)
		status = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "%s: expected 1 to %zu rows, found none", name,
				max);
	*n = dims[0];
	return status;
}

static int read_channels(const struct h5_file *file, const char *group, struct channel_calibration channels[], size_t n,
			 struct err *err)
{
	char name[64];
	int status = 0;

	for (size_t c = 0; c < N_COLUMNS && status == 0; c++) {
		double *values = NULL;

		dataset_name(group, columns[c].name, name);
		status = h5_read_doubles(file, name, 1, &n, n, &values, err);
		for (size_t i = 0; i < n && status == 0; i++)
			*number_of(&channels[i], &columns[c]) = values[i];
		free(values);
	}
	return status;
}

static int read_attributes(const struct h5_file *file, uint64_t version, struct calibration_record *record,
			   struct err *err)
{
	uint64_t nominal = 0;
	int status;

	if ((status = h5_get_text(file, "/", "bench_name", record->bench, sizeof(record->bench), err)) ||
	    (status = h5_get_u64(file, "/", "nominal", &nominal, err)) ||
	    (status = h5_get_double(file, "/", "stiffness_N_per_m", &record->stiffness_N_per_m, err)) ||
	    (status = h5_get_double(file, "/", "damping_N_s_per_m", &record->damping_N_s_per_m, err)) ||
	    (status = h5_get_double(file, "/", "temperature_K", &record->temperature_K, err)) ||
	    (status = h5_get_double(file, "/", "latency_periods", &record->latency_periods, err)))
		return status;
	if (nominal > 1)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "/: attribute nominal: expected 0 or 1, found %llu", (unsigned long long)nominal);
	record->nominal = nominal == 1;
	return version < 2 ? 0 : h5_get_u64(file, "/", "expires_unix_s", &record->expires_unix_s, err);
}

static int read_passive(const struct h5_file *file, struct calibration_record *record, struct err *err)
{
	size_t dims[] = {record->n_sites, POWERS};
	double *values = NULL;
	int status = h5_read_doubles(file, "passive", 2, dims, record->n_sites * POWERS, &values, err);

	if (status == 0)
		memcpy(record->passive, values, record->n_sites * sizeof(*record->passive));
	free(values);
	return status;
}

/** Everything into a record that calibration_record_init() has made. */
static int read_all(const struct h5_file *file, uint64_t version, struct calibration_record *record, struct err *err)
{
	int status;

	if ((status = read_attributes(file, version, record, err)) ||
	    (status = read_channels(file, "inputs", record->in, record->n_in, err)) ||
	    (status = read_channels(file, "outputs", record->out, record->n_out, err)) ||
	    (status = read_passive(file, record, err)))
		return status;
	if ((status = calibration_record_check(record, err))) {
		err_context(err, "%s", file->path);
		return status;
	}
	calibration_record_seal(record);
	return file_checksum_check(file, record->checksum, err);
}

/** From an open file, which is closed whichever way it ends. */
static int load(struct calibration_record *record, struct h5_file *file, struct err *err)
{
	size_t n_in = 0, n_out = 0, n_sites = 0;
	uint64_t version = 0;
	int status;

	if ((status = file_format_find(file, FORMAT, FORMAT_VERSION, &version, err)) ||
	    (status = read_length(file, "inputs/gain", 1, CALIBRATION_MAX_CHANNELS, &n_in, err)) ||
	    (status = read_length(file, "outputs/gain", 1, CALIBRATION_MAX_CHANNELS, &n_out, err)) ||
	    (status = read_length(file, "passive", 2, CALIBRATION_MAX_SITES, &n_sites, err)) ||
	    (status = calibration_record_init(record, n_in, n_out, n_sites, err)))
		goto done;
	if ((status = read_all(file, version, record, err)))
		calibration_record_fini(record);
done:
	h5_close(file);
	return status;
}

int calibration_record_load(struct calibration_record *record, const char *path, struct err *err)
{
	struct h5_file file;
	const int status = h5_open(&file, path, err);

	*record = (struct calibration_record){0};
	return status ? status : load(record, &file, err);
}

int calibration_record_load_image(struct calibration_record *record, const char *name, const unsigned char *bytes,
				  size_t size, struct err *err)
{
	struct h5_file file;
	const int status = h5_open_image(&file, name, bytes, size, err);

	*record = (struct calibration_record){0};
	return status ? status : load(record, &file, err);
}
