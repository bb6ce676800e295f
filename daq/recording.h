#ifndef JOSTLE_RECORDING_H
#define JOSTLE_RECORDING_H
/*
 * What a run file (docs/file-formats.md, "Run") says of its bench: what was read, edge by edge. For driver replay.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench;
struct err;

#define RECORDING_FORMAT  "jostle-run"
#define RECORDING_VERSION 1

struct recording {
	uint64_t n_rows;   /* at least 1 */
	double *in_V;      /* [n_rows][n_in] */
	int64_t *t_ns;     /* [n_rows]: the edge */
	uint64_t *tick;    /* [n_rows], ascending: its number on the time grid */
	int32_t *exchange; /* [n_rows]: 0 or an enum jostle_error */
	bool simulated;
	char backend[96]; /* where it was made */
};

/**
 * Read one file whole, up to a gigabyte of inputs. The caller ends it with recording_free(). Errors: those of opening it,
 * JOSTLE_EVERSION, JOSTLE_EFORMAT, JOSTLE_ECONFIG (a bench that differs from the recorded one in its channels or period),
 * JOSTLE_ENOMEM. Call from: setup.
 */
int recording_load(struct recording *recording, const struct bench *bench, const char *path, struct err *err);

/** Safe on zeroed memory, and twice. Call from: setup. */
void recording_free(struct recording *recording);

#endif
