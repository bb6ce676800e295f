#ifndef JOSTLE_BENCH_FILE_H
#define JOSTLE_BENCH_FILE_H
/*
 * The bench file as it is written: groups of channels, not yet checked beyond their types. For bench.c only.
 */
#include <stdint.h>

#include "daq/bench.h"
#include "daq/bench_instruments.h"

struct bench_numbers {
	double *values;
	uint32_t n;
};

struct bench_texts {
	char **values;
	uint32_t n;
};

/** Channels of one kind on one device, from first_channel on. */
struct bench_group {
	enum daq_role role;
	struct bench_texts sites; /* "all", "3", "4-7"; absent: all */
	struct bench_texts terms; /* role parameter: whose parameters these are */
	size_t count;             /* role auxiliary: how many; 0 in the file means 1 */
	size_t device, first_channel;
	struct bench_numbers range_V;                                                    /* [min, max] */
	struct bench_numbers gain_V_per_m, gain_V_per_N, gain_V_per_theta, gain_V_per_K; /* the one of the role */
	struct bench_numbers offset_V;
	double *safe_V;               /* NULL where the file gives none */
	struct bench_numbers limit_V; /* [min, max] */
	double limit_m, limit_N, limit_theta, slew_V_per_s;
	struct bench_numbers limit_K; /* [min, max] */
	size_t *subdevice;            /* NULL where the file gives none */
	enum bench_reference reference;
	enum bench_conversion conversion;
	struct bench_numbers skew_s;
};

struct bench_file {
	char *summary, *driver;
	struct bench_texts devices;
	double period_s;
	enum drive drive;
	size_t lattice[2];
	double stiffness_N_per_m, damping_N_s_per_m, temperature_K;
	size_t stale_periods;
	/* NULL where the file gives none */
	size_t *saturated_periods, *rail_periods, *missed_periods, *guardian_periods;
	size_t *baud; /* the same */
	enum bench_acquisition acquisition;
	char *fallback;
	double limit_difference_N, limit_difference_V, limit_drive_W, limit_drive_V2; /* 0 for none */
	struct bench_instrument *instruments;                                         /* NULL for none */
	uint32_t n_instruments;
	struct bench_group *inputs, *outputs;
	uint32_t n_inputs, n_outputs;
};

/** Read the file; *text is it verbatim. End with bench_file_free() and free(). Errors: as yaml_load(). Call from: setup. */
int bench_file_load(struct bench_file **file, const char *path, char **text, struct err *err);
/** The same from text that another file holds; `origin` names it in errors. Call from: setup. */
int bench_file_parse(struct bench_file **file, const char *origin, const char *text, struct err *err);
void bench_file_free(struct bench_file *file);

#endif
