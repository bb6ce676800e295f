#ifndef JOSTLE_SAMPLING_H
#define JOSTLE_SAMPLING_H
/*
 * Drawing samples through the loop: relax, generate, read out, n times over, on a bench.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/histogram.h"
#include "control/supervisor.h"
#include "daq/daq.h"

struct bench;
struct calibration_record;
struct err;
struct protocol;

struct sampling_options {
	const struct bench *bench;
	struct daq_options daq;
	const struct protocol *protocol;
	const struct calibration_record *record;
	size_t n_samples;  /* at least 1 */
	double relax_time; /* before each sample, relaxation times; at least 4 */
	double t_final, t_minimum;
	/**
	 * NULL, or what is handed every sample as it arrives, in order: sample[n_sites], natural units. An error ends the
	 * run, without this sample. While it takes its time an unpaced bench waits; a paced one goes on, and does samples
	 * again that find no room. Called in the thread of sampling_run().
	 */
	int (*take)(void *context, const float sample[], struct err *err);
	void *context;
	bool arm; /* a person allows outputs on hardware; a simulated bench needs no leave */
};

/** What became of a run of the loop. */
struct loop_report {
	char backend[96]; /* struct daq's */
	bool simulated;
	double period_s; /* as the driver granted it */
	double step;     /* the same in relaxation times */
	uint64_t n_ticks, n_missed;
	uint64_t n_driven;  /* ticks under the protocol */
	uint64_t n_spoiled; /* generations done again since slots were missed in them */
	uint64_t n_refused; /* and since nobody had taken the samples before them */
	size_t n_out;
	uint64_t *n_saturated; /* [n_out]: ticks at which the drive met the channel's limit of force or parameter */
	uint64_t *n_limited;   /* [n_out]: ticks at which the supervisor changed the voltage */
	uint64_t *n_slewed;    /* [n_out]: those at which its slew limit did */
	struct trip trip;      /* cause TRIP_NONE when nothing tripped */
	struct histogram execution; /* of a tick's computation, ns */
};

/** Free the arrays; safe on a zeroed report and on one of a run that failed. Call from: setup. */
void loop_report_fini(struct loop_report *report);

/**
 * Whether an output was cut short at more than one driven tick in a hundred: the bench then did something else than the
 * protocol. `text` names the worst such output and its limit. Call from: setup.
 */
bool loop_report_limits(const struct loop_report *report, const struct bench *bench, char *text, size_t size);

/**
 * Whether sampling_run() would have anything to object to before it touches the device: builds everything, opens nothing.
 * What only the device can say (channels that it lacks, another period, whether it is there) is not among it; leave to arm
 * is not asked for. Errors: JOSTLE_EINVAL, JOSTLE_ECONFIG, those of daq_describe() and loop_init(). Call from: setup.
 */
int sampling_check(const struct sampling_options *options, struct err *err);

/**
 * Draw samples[n_samples][n_sites], natural units, in the order of their making, with progress on standard error;
 * *n_done is how many there are, also after an error. Unpaced on a simulated bench they depend on the seed alone.
 * Warns of what loop_report_limits() finds. Whichever way it ends, the outputs are at safe_V. The caller ends `report` with loop_report_fini(), also after an
 * error. Errors: JOSTLE_EINVAL, JOSTLE_ECONFIG (options; hardware without `arm`), those of daq_open(), instruments_open(), instruments_await(), loop_init() and
 * `take`,
 * JOSTLE_ETRIP (err says why), JOSTLE_EINTR (the person asked), JOSTLE_EMISSED (the machine can't keep the period).
 * Call from: setup.
 */
int sampling_run(const struct sampling_options *options, float samples[], size_t *n_done, struct loop_report *report,
		 struct err *err);

#endif
