#include "learning/sample_file.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/provenance.h"
#include "protocols/file_format.h"

#define FORMAT  "jostle-samples"
#define VERSION 1

int sample_file_save(const struct sample_file *file, const char *path, const struct provenance *provenance,
		     struct err *err)
{
	const size_t dims[] = {file->n, file->n_sites};
	const struct h5_label label = {"natural length", "samples after the read-out, [sample][site]"};
	struct h5_file h5;
	int status = h5_create(&h5, path, err);

	if (status)
		return status;
	if ((status = file_format_write(&h5, FORMAT, VERSION, err)) ||
	    (status = provenance_write(&h5, provenance, err)) ||
	    (status = h5_set_text(&h5, "/", "units", "natural: sqrt(kT/kappa)", err)) ||
	    (status = h5_set_u64(&h5, "/", "samples_asked", file->n_asked, err)) ||
	    (status = h5_set_u64(&h5, "/", "samples_diverged", file->n_diverged, err)) ||
	    (status = h5_set_u64(&h5, "/", "edges_missed", file->n_missed, err)) ||
	    (status = h5_set_u64(&h5, "/", "samples_redone", file->n_redone, err)) ||
	    (status = h5_set_u64(&h5, "/", "outputs_limited", file->n_limited, err)) ||
	    (status = h5_set_double(&h5, "/", "step_relaxation_times", file->step, err)) ||
	    (status = h5_set_double(&h5, "/", "rest_relaxation_times", file->relaxation, err)) ||
	    (status = h5_set_double(&h5, "/", "t_final", file->t_final, err)) ||
	    (status = h5_set_text(&h5, "/", "drive", file->drive, err)) ||
	    (status = h5_write_floats(&h5, "/samples", 2, dims, file->samples, label, err))) {
		h5_close(&h5);
		return status;
	}
	return h5_commit(&h5, err);
}

int sample_file_load(struct sample_file *file, const char *path, struct err *err)
{
	uint64_t asked, diverged;
	size_t dims[2] = {0, 0};
	struct h5_file h5;
	int status;

	*file = (struct sample_file){0};
	if ((status = h5_open(&h5, path, err)))
		return status;
	if ((status = file_format_check(&h5, FORMAT, VERSION, err)) ||
	    (status = h5_get_u64(&h5, "/", "samples_asked", &asked, err)) ||
	    (status = h5_get_u64(&h5, "/", "samples_diverged", &diverged, err)) ||
	    (status = h5_get_double(&h5, "/", "step_relaxation_times", &file->step, err)) ||
	    (status = h5_get_double(&h5, "/", "rest_relaxation_times", &file->relaxation, err)) ||
	    (status = h5_get_text(&h5, "/", "drive", file->drive, sizeof(file->drive), err)) ||
	    (status = h5_read_floats(&h5, "/samples", 2, dims, SAMPLE_FILE_MAX_VALUES, &file->samples, err)))
		goto done;
	file->n = dims[0];
	file->n_sites = dims[1];
	file->n_asked = (size_t)asked;
	file->n_diverged = (size_t)diverged;
done:
	h5_close(&h5);
	return status;
}

void sample_file_fini(struct sample_file *file)
{
	free(file->samples);
	file->samples = NULL;
}
