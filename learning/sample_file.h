#ifndef JOSTLE_SAMPLE_FILE_H
#define JOSTLE_SAMPLE_FILE_H
/*
 * The file of drawn samples: /samples, float32 [n × visible sites], natural units, after the read-out.
 * docs/file-formats.md describes it.
 */
#include <stddef.h>

struct err;
struct provenance;

#define SAMPLE_FILE_MAX_VALUES ((size_t)1 << 31)

struct sample_file {
	float *samples; /* [n][n_sites] */
	size_t n, n_sites;
	size_t n_asked;    /* n of a job that was not interrupted */
	size_t n_diverged; /* ensemble: samples that left the wall or the numbers */
	size_t n_missed;   /* loop: sample edges missed */
	size_t n_redone;   /* loop: samples drawn again because of one */
	size_t n_limited;  /* loop: outputs that a limit changed, summed over periods and channels */
	double step;       /* delta of the time grid in relaxation times; 0 for the accurate grid */
	double relaxation; /* relaxation times of rest before each sample; 0 for the engine, which draws the prior */
	double t_final;    /* diffusion time at which generations began; 0 for the engine, which takes the last knot */
	char drive[32];    /* "feedback", "parametric", or "ensemble" */
};

/** Write path (through path.partial). Errors: JOSTLE_EIO. Call from: setup. */
int sample_file_save(const struct sample_file *file, const char *path, const struct provenance *provenance,
		     struct err *err);

/**
 * Read and check. The caller ends it with sample_file_fini(). Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT,
 * JOSTLE_EVERSION. Call from: setup.
 */
int sample_file_load(struct sample_file *file, const char *path, struct err *err);
void sample_file_fini(struct sample_file *file);

#endif
