#ifndef JOSTLE_CALIBRATION_NOMINAL_H
#define JOSTLE_CALIBRATION_NOMINAL_H
/*
 * The nominal calibration: what is claimed of a bench, taken at its word.
 */
#include <stddef.h>

#include "protocols/calibration_record.h"

struct err;

/** The claimed conversion of one channel: V = offset_V + gain * quantity, as in struct channel_calibration. */
struct nominal_channel {
	double gain;
	double offset_V;
};

/** What is claimed. The arrays are the caller's and are only read. */
struct nominal_claim {
	const char *bench; /* its name, shorter than calibration_record.bench */
	double stiffness_N_per_m, damping_N_s_per_m, temperature_K;
	size_t n_in, n_out, n_sites;
	const struct nominal_channel *in, *out; /* [n_in], [n_out], in the order of the bench file */
};

/**
 * Build the sealed record of a claim: no uncertainties, no latency beyond the one period, passive force -x at every
 * site. The caller ends it with calibration_record_fini(); on error nothing is held. Errors: JOSTLE_EINVAL (name too
 * long), JOSTLE_ENOMEM, JOSTLE_EFORMAT (a claim out of its range). Call from: setup.
 */
int calibration_nominal(struct calibration_record *record, const struct nominal_claim *claim, struct err *err);

#endif
