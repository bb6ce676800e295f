#ifndef JOSTLE_PLANT_PROCESS_H
#define JOSTLE_PLANT_PROCESS_H
/*
 * The plant as a process of its own: it keeps its own clock, goes on integrating and holds the last outputs whatever
 * becomes of its client, and keeps its own log of what it received.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;

struct plant_process_options {
	const char *plant; /* name or path of a plant file */
	const char *name;  /* what a client attaches to; NULL: the plant file's own name */
	double period_s;
	uint64_t seed;
	double duration_s;    /* 0: until interrupted */
	const char *log_path; /* HDF5, or NULL for none */
	bool realtime;        /* SCHED_FIFO and locked memory, as far as they are granted */
};

/**
 * Run a plant until interrupt_asked() or for duration_s. Edges stand on an absolute grid of CLOCK_MONOTONIC: one that was
 * missed is counted, integrated all the same, and the grid kept. Says on standard error when it is ready, and at the end
 * how many edges there were. Faults that wait for a signal begin at SIGUSR1 and end at SIGUSR2.
 * Errors: those of find_file(), plant_load(), plant_init(), plant_page_create(), plant_log_open(). Call from: setup.
 */
int plant_process_run(const struct plant_process_options *options, struct err *err);

#endif
