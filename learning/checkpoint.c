#include "learning/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "learning/training_report.h"
#include "protocols/file_format.h"

#define FORMAT  "jostle-checkpoint"
#define VERSION 1

static const struct h5_label natural = {"1", "natural units"};

/** The report's arrays, by the names they have in the file. */
static const char *const report_names[] = {"/loss", "/standard_error", "/training_loss"};
#define N_REPORT (sizeof(report_names) / sizeof(report_names[0]))

static double *report_array(const struct training_report *report, size_t i)
{
	double *const arrays[N_REPORT] = {report->loss, report->standard_error, report->training_loss};

	return arrays[i];
}

static int write_content(const struct checkpoint *c, const struct h5_file *file, struct err *err)
{
	const size_t theta[] = {c->n_knots, c->n_parameters};
	int status;

	if ((status = file_format_write(file, FORMAT, VERSION, err)) ||
	    (status = h5_set_text(file, "/", "rule", c->configuration.rule, err)) ||
	    (status = h5_set_text(file, "/", "optimiser", c->configuration.optimiser, err)) ||
	    (status = h5_set_u64(file, "/", "seed", c->configuration.seed, err)) ||
	    (status = h5_set_text(file, "/", "task_checksum", c->configuration.task, err)) ||
	    (status = h5_set_u64(file, "/", "left", c->left, err)) ||
	    (status = h5_set_u64(file, "/", "begun", c->begun, err)) ||
	    (status = h5_write_doubles(file, "/theta", 2, theta, c->theta, natural, err)) ||
	    (status = h5_write_doubles(file, "/state", 1, &c->n_state, c->state, natural, err)))
		return status;
	for (size_t i = 0; i < N_REPORT && !status; i++)
		status = h5_write_doubles(file, report_names[i], 1, &c->n_knots, report_array(c->report, i), natural,
					  err);
	return status;
}

int checkpoint_save(const struct checkpoint *checkpoint, const char *path, struct err *err)
{
	struct h5_file file;
	int status;

	if ((status = h5_create(&file, path, err)))
		return status;
	status = write_content(checkpoint, &file, err);
	if (!status)
		return h5_commit(&file, err);
	h5_close(&file);
	return status;
}

static int check_text(const struct h5_file *file, const char *name, const char *wanted, struct err *err)
{
	char found[128];
	int status;

	if ((status = h5_get_text(file, "/", name, found, sizeof(found), err)))
		return status;
	if (strcmp(found, wanted) != 0)
		return err_set(err, JOSTLE_ECONFIG,
			       "%s: the checkpoint is of another configuration: expected %s %s, found %s", file->path,
			       name, wanted, found);
	return 0;
}

static int check_configuration(const struct checkpoint_configuration *wanted, const struct h5_file *file,
			       struct err *err)
{
	uint64_t seed;
	char task[HASH_HEX_SIZE];
	int status;

	if ((status = check_text(file, "rule", wanted->rule, err)) ||
	    (status = check_text(file, "optimiser", wanted->optimiser, err)) ||
	    (status = h5_get_u64(file, "/", "seed", &seed, err)) ||
	    (status = h5_get_text(file, "/", "task_checksum", task, sizeof(task), err)))
		return status;
	if (seed != wanted->seed)
		return err_set(err, JOSTLE_ECONFIG,
			       "%s: the checkpoint is of another configuration: expected seed %" PRIu64
			       ", found %" PRIu64,
			       file->path, wanted->seed, seed);
	if (strcmp(task, wanted->task) != 0)
		return err_set(err, JOSTLE_ECONFIG,
			       "%s: the checkpoint is of another configuration: its target, terms, knots or training "
			       "settings are not those of this task",
			       file->path);
	return 0;
}

static int read_array(const struct h5_file *file, const char *name, size_t rank, const size_t dims[], double out[],
		      struct err *err)
{
	size_t found[2] = {dims[0], rank > 1 ? dims[1] : 1};
	size_t n = found[0] * found[1];
	double *values;
	int status;

	if ((status = h5_read_doubles(file, name, rank, found, n, &values, err)))
		return status;
	memcpy(out, values, n * sizeof(*out));
	free(values);
	return 0;
}

static int read_content(struct checkpoint *c, const struct h5_file *file, struct err *err)
{
	const size_t theta[] = {c->n_knots, c->n_parameters};
	uint64_t left, begun;
	int status;

	if ((status = h5_get_u64(file, "/", "left", &left, err)) ||
	    (status = h5_get_u64(file, "/", "begun", &begun, err)))
		return status;
	if (left > c->n_knots)
		return err_set(err, JOSTLE_EFORMAT, "%s: left: expected at most %zu knots, found %" PRIu64, file->path,
			       c->n_knots, left);
	if (begun > 1)
		return err_set(err, JOSTLE_EFORMAT, "%s: begun: expected 0 or 1, found %" PRIu64, file->path, begun);
	c->left = (size_t)left;
	c->begun = begun == 1;
	if ((status = read_array(file, "/theta", 2, theta, c->theta, err)) ||
	    (status = read_array(file, "/state", 1, &c->n_state, c->state, err)))
		return status;
	for (size_t i = 0; i < N_REPORT && !status; i++)
		status = read_array(file, report_names[i], 1, &c->n_knots, report_array(c->report, i), err);
	return status;
}

int checkpoint_load(struct checkpoint *checkpoint, const char *path, struct err *err)
{
	struct h5_file file;
	int status;

	if ((status = h5_open(&file, path, err)))
		return status;
	if (!(status = file_format_check(&file, FORMAT, VERSION, err)) &&
	    !(status = check_configuration(&checkpoint->configuration, &file, err)))
		status = read_content(checkpoint, &file, err);
	h5_close(&file);
	return status;
}
