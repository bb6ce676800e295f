#include "protocols/calibration_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int calibration_record_init(struct calibration_record *record, size_t n_in, size_t n_out, size_t n_sites,
			    struct err *err)
{
	*record = (struct calibration_record){
		.nominal = true,
		.stiffness_N_per_m = 1.0,
		.damping_N_s_per_m = 1.0,
		.temperature_K = 1.0,
		.n_in = n_in,
		.n_out = n_out,
		.n_sites = n_sites,
	};
	if (n_in < 1 || n_in > CALIBRATION_MAX_CHANNELS || n_out < 1 || n_out > CALIBRATION_MAX_CHANNELS)
		return err_set(err, JOSTLE_EINVAL, "expected 1 to %d channels each way, found %zu in, %zu out",
			       CALIBRATION_MAX_CHANNELS, n_in, n_out);
	if (n_sites < 1 || n_sites > CALIBRATION_MAX_SITES)
		return err_set(err, JOSTLE_EINVAL, "expected 1 to %d sites, found %zu", CALIBRATION_MAX_SITES, n_sites);
	record->in = calloc(n_in, sizeof(*record->in));
	record->out = calloc(n_out, sizeof(*record->out));
	record->passive = calloc(n_sites, sizeof(*record->passive));
	if (!record->in || !record->out || !record->passive) {
		calibration_record_fini(record);
		return err_set(err, JOSTLE_ENOMEM, "no memory for a calibration of %zu sites", n_sites);
	}
	for (size_t i = 0; i < n_in; i++)
		record->in[i].gain = 1.0;
	for (size_t i = 0; i < n_out; i++)
		record->out[i].gain = 1.0;
	for (size_t i = 0; i < n_sites; i++)
		record->passive[i].c[1] = -1.0;
	calibration_record_seal(record);
	return 0;
}

void calibration_record_fini(struct calibration_record *record)
{
	free(record->in);
	free(record->out);
	free(record->passive);
	*record = (struct calibration_record){0};
}

void calibration_record_seal(struct calibration_record *record)
{
	const uint64_t sizes[] = {record->nominal, record->n_in, record->n_out, record->n_sites};
	const double numbers[] = {record->stiffness_N_per_m, record->damping_N_s_per_m, record->temperature_K,
				  record->latency_periods};
	struct hash hash;

	record->units = units_of(record->stiffness_N_per_m, record->damping_N_s_per_m, record->temperature_K);
	hash_begin(&hash);
	hash_text(&hash, record->bench);
	hash_bytes(&hash, sizes, sizeof(sizes));
	hash_bytes(&hash, numbers, sizeof(numbers));
	hash_bytes(&hash, record->in, record->n_in * sizeof(*record->in));
	hash_bytes(&hash, record->out, record->n_out * sizeof(*record->out));
	hash_bytes(&hash, record->passive, record->n_sites * sizeof(*record->passive));
	/* So that records from before there was an expiry keep their checksum. */
	if (record->expires_unix_s)
		hash_bytes(&hash, &record->expires_unix_s, sizeof(record->expires_unix_s));
	hash_end(&hash, record->checksum);
}

static int check_positive(double value, const char *field, struct err *err)
{
	if (isfinite(value) && value > 0.0)
		return 0;
	return err_set(err, JOSTLE_EFORMAT, "%s: expected a positive number, found %g", field, value);
}

static int check_channels(const struct channel_calibration channels[], size_t n, const char *group, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct channel_calibration *c = &channels[i];

		/* A subnormal gain would turn a volt into an infinite quantity. */
		if (!isnormal(c->gain))
			return err_set(err, JOSTLE_EFORMAT,
				       "%s/gain: expected a finite number other than 0, found %g at %zu", group,
				       c->gain, i);
		if (!isfinite(c->offset_V))
			return err_set(err, JOSTLE_EFORMAT, "%s/offset_V: expected a finite number, found %g at %zu",
				       group, c->offset_V, i);
		if (!isfinite(c->gain_sd) || c->gain_sd < 0.0)
			return err_set(err, JOSTLE_EFORMAT, "%s/gain_sd: expected 0 or more, found %g at %zu", group,
				       c->gain_sd, i);
		if (!isfinite(c->offset_sd_V) || c->offset_sd_V < 0.0)
			return err_set(err, JOSTLE_EFORMAT, "%s/offset_sd_V: expected 0 or more, found %g at %zu",
				       group, c->offset_sd_V, i);
	}
	return 0;
}

/** Units that overflow or vanish are as unusable as a bad number in the file. */
static int check_units(const struct calibration_record *record, struct err *err)
{
	const struct units units =
		units_of(record->stiffness_N_per_m, record->damping_N_s_per_m, record->temperature_K);

	if (isnormal(units.length_m) && isnormal(units.time_s) && isnormal(units.force_N) && isnormal(units.energy_J))
		return 0;
	return err_set(
		err, JOSTLE_EFORMAT,
		"stiffness_N_per_m %g, damping_N_s_per_m %g, temperature_K %g: expected natural units within the "
		"range of numbers, found length %g m, time %g s, force %g N",
		record->stiffness_N_per_m, record->damping_N_s_per_m, record->temperature_K, units.length_m,
		units.time_s, units.force_N);
}

int calibration_record_check(const struct calibration_record *record, struct err *err)
{
	int status;

	if ((status = check_positive(record->stiffness_N_per_m, "stiffness_N_per_m", err)) ||
	    (status = check_positive(record->damping_N_s_per_m, "damping_N_s_per_m", err)) ||
	    (status = check_positive(record->temperature_K, "temperature_K", err)) ||
	    (status = check_units(record, err)) || (status = check_channels(record->in, record->n_in, "inputs", err)) ||
	    (status = check_channels(record->out, record->n_out, "outputs", err)))
		return status;
	if (!isfinite(record->latency_periods) || record->latency_periods < 0.0)
		return err_set(err, JOSTLE_EFORMAT, "latency_periods: expected 0 or more, found %g",
			       record->latency_periods);
	for (size_t i = 0; i < record->n_sites; i++)
		for (size_t p = 0; p < 4; p++)
			if (!isfinite(record->passive[i].c[p]))
				return err_set(err, JOSTLE_EFORMAT,
					       "passive: expected finite numbers, found %g at site %zu, power %zu",
					       record->passive[i].c[p], i, p);
	return 0;
}
