#ifndef JOSTLE_CONTROL_CALIBRATION_H
#define JOSTLE_CONTROL_CALIBRATION_H
/*
 * The one place where volts become natural units and back: a calibration record laid out for the loop.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "control/state.h"
#include "daq/daq.h"

#define CALIBRATION_MAX_LATENCY 64.0 /* periods: beyond it nothing is left of a feedback */

struct bench;
struct calibration_record;
struct err;

/** natural = (V - offset_V) * scale. */
struct input_conversion {
	enum daq_role role;
	size_t site;
	double offset_V, scale;
	double unit; /* m or N in a natural unit; 1 for others */
};

/** V = offset_V + scale * natural. */
struct output_conversion {
	double offset_V, scale; /* scale 0, offset safe_V for an output that nobody commands: it rests */
	double unit;            /* N in a natural unit; 1 for others */
	double limit;           /* largest |natural| that the bench file allows; infinite for none */
	double min, max;        /* what the drive may ask for: that limit, and the limits in volts */
};

struct calibration {
	size_t n_in, n_out, n_sites;
	double damping_N_s_per_m; /* the record's */
	struct input_conversion *in;
	struct output_conversion *out;
	double period;  /* the loop's period in relaxation times: delta */
	double latency; /* periods from the edge that latches a command to its effect, beyond none */
};

/**
 * Precompute the conversions of a bench under a record; period_s is what the driver granted. The caller ends it with
 * calibration_fini(). Errors: JOSTLE_ECONFIG (the record is of another bench, by its name, its channels or its
 * oscillators; a latency of more than CALIBRATION_MAX_LATENCY periods; a site has no displacement input),
 * JOSTLE_EFORMAT, JOSTLE_ENOMEM. Call from: setup.
 */
int calibration_init(struct calibration *calibration, const struct bench *bench,
		     const struct calibration_record *record, double period_s, struct err *err);
void calibration_fini(struct calibration *calibration);

/**
 * in_V[n_in] to displacements, measured forces and the bath's temperature; auxiliary inputs are passed over. Returns
 * whether every result is finite. Clock and tick are left alone. RT_SAFE. Call from: loop.
 */
RT_SAFE bool calibration_to_state(const struct calibration *calibration, const double in_V[], struct state *state);

/**
 * When a record expires, by CLOCK_MONOTONIC, given the time now by it and by CLOCK_REALTIME; INT64_MAX for never, 1 for
 * before that clock began. A clock that is set later does not move it. Call from: setup.
 */
int64_t calibration_expires_ns(const struct calibration_record *record, int64_t now_ns, int64_t now_unix_ns);

/** What output k reads for a natural quantity. RT_SAFE. Call from: any. */
RT_SAFE static inline double calibration_output_V(const struct calibration *calibration, size_t k, double quantity)
{
	return calibration->out[k].scale == 0 ? calibration->out[k].offset_V
					      : calibration->out[k].offset_V + calibration->out[k].scale * quantity;
}

/** command to out_V[n_out]. Returns whether every result is finite. RT_SAFE. Call from: loop. */
RT_SAFE bool calibration_to_volts(const struct calibration *calibration, const struct command *command, double out_V[]);

#endif
