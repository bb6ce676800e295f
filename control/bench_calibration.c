#include "control/bench_calibration.h"

#include <stdlib.h>

#include "base/err.h"
#include "calibration/nominal.h"
#include "daq/bench.h"

static struct nominal_channel *claims_of(const struct bench_channel channels[], size_t n)
{
	struct nominal_channel *claims = calloc(n ? n : 1, sizeof(*claims));

	for (size_t k = 0; claims && k < n; k++)
		claims[k] = (struct nominal_channel){.gain = channels[k].gain, .offset_V = channels[k].offset_V};
	return claims;
}

int bench_calibration_nominal(struct calibration_record *record, const struct bench *bench, struct err *err)
{
	struct nominal_channel *in = claims_of(bench->in, bench->n_in);
	struct nominal_channel *out = claims_of(bench->out, bench->n_out);
	int code;

	if (!in || !out)
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the calibration of bench %s", bench->name);
	else
		code = calibration_nominal(record,
					   &(struct nominal_claim){
						   .bench = bench->name,
						   .stiffness_N_per_m = bench->stiffness_N_per_m,
						   .damping_N_s_per_m = bench->damping_N_s_per_m,
						   .temperature_K = bench->temperature_K,
						   .n_in = bench->n_in,
						   .n_out = bench->n_out,
						   .n_sites = bench->nx * bench->ny,
						   .in = in,
						   .out = out,
					   },
					   err);
	free(in);
	free(out);
	return code;
}
