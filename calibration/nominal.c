#include "calibration/nominal.h"

#include <string.h>

#include "base/err.h"

static void copy_channels(struct channel_calibration to[], const struct nominal_channel from[], size_t n)
{
	for (size_t k = 0; k < n; k++)
		to[k] = (struct channel_calibration){.gain = from[k].gain, .offset_V = from[k].offset_V};
}

int calibration_nominal(struct calibration_record *record, const struct nominal_claim *claim, struct err *err)
{
	int code;

	if (strlen(claim->bench) >= sizeof(record->bench))
		return err_set(err, JOSTLE_EINVAL, "bench name: expected at most %zu characters, found %zu",
			       sizeof(record->bench) - 1, strlen(claim->bench));
	code = calibration_record_init(record, claim->n_in, claim->n_out, claim->n_sites, err);
	if (code)
		return code;
	memcpy(record->bench, claim->bench, strlen(claim->bench) + 1);
	record->nominal = true;
	record->stiffness_N_per_m = claim->stiffness_N_per_m;
	record->damping_N_s_per_m = claim->damping_N_s_per_m;
	record->temperature_K = claim->temperature_K;
	record->latency_periods = 0;
	copy_channels(record->in, claim->in, claim->n_in);
	copy_channels(record->out, claim->out, claim->n_out);
	for (size_t i = 0; i < claim->n_sites; i++)
		record->passive[i] = (struct passive_force){.c = {0, -1, 0, 0}};
	calibration_record_seal(record);
	code = calibration_record_check(record, err);
	if (code)
		calibration_record_fini(record);
	return code;
}
