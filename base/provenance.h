#ifndef JOSTLE_PROVENANCE_H
#define JOSTLE_PROVENANCE_H
/*
 * Where a file's numbers come from: written into every output file, so that simulated data can't be mistaken for
 * measured and any number can be made again. No wall-clock time: equal runs give equal files.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;
struct h5_file;

struct provenance {
	const char *version; /* filled by provenance_write() from the program when NULL */
	const char *command; /* the subcommand: "train", "sample" */
	const char *backend; /* "sim (in-process plant)", "ensemble", "comedi" … */
	bool simulated;      /* true for anything that no hardware produced */
	uint64_t seed;
	const char *task;                 /* as it was used, with every field; NULL where there is none */
	const char *bench, *plant;        /* files verbatim; NULL where there is none */
	const char *protocol_checksum;    /* hex, or NULL */
	const char *calibration_checksum; /* hex, or NULL */
};

/** Write all of it as attributes of "/". Call from: setup. */
int provenance_write(const struct h5_file *file, const struct provenance *provenance, struct err *err);

/** The program's version, as `jostle --version` prints it. Call from: any. */
const char *jostle_version(void);

#endif
