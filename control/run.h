#ifndef JOSTLE_RUN_H
#define JOSTLE_RUN_H
/*
 * The bench process: one loop, its guardian, its recorder and its service, put together, started in order and ended in order.
 */
#include <stddef.h>

#include "daq/daq.h"

struct bench;
struct calibration_record;
struct err;

struct run_options {
	const struct bench *bench;
	const struct calibration_record *record;
	struct daq_options daq; /* paced whatever it says */
	const char *plant;      /* the file of a plant simulated in this process, or NULL */
	const char *name;       /* of the run: heartbeat page, run files, telemetry */
	const char *protocol;   /* path, or NULL: a client loads one */
	const char *telemetry, *commands, *key_file, *allow_file; /* struct service_setup's */
	const char *record_folder;                                /* NULL: nothing is recorded */
	int cpu;                                                  /* of the loop; -1: any */
	double doctor_s;                                          /* of its latency measurement; 0 leaves that out */
	const char *override_text; /* why hardware may be armed over a failed check; NULL: it may not */
	double duration_s;         /* 0: until somebody ends it */
};

/**
 * Operate a bench until a client asks for shutdown, the person interrupts, or the time is up. Whichever way it ends, the
 * outputs are at safe_V, by the loop, or by the guardian that watches it. Errors: those of daq_open(), instruments_open(), heartbeat_create(),
 * recorder_open(), service_open(), loop_init(), service_load(); the loop's own. Call from: setup.
 */
int run_bench(const struct run_options *options, struct err *err);

#endif
