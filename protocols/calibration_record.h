#ifndef JOSTLE_CALIBRATION_RECORD_H
#define JOSTLE_CALIBRATION_RECORD_H
/*
 * What is known of a bench: how volts, SI and natural units convert, and the force it supplies unasked.
 *
 * A nominal record states what the bench file claims; a measured one carries uncertainties and may expire. The file
 * (HDF5, docs/file-formats.md) is written and read here; the conversions themselves are control/calibration.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/units.h"

struct err;
struct provenance;

#define CALIBRATION_MAX_CHANNELS 4096
#define CALIBRATION_MAX_SITES    4096

/** V = offset_V + gain * quantity; quantity in SI for displacement (m) and force (N), natural for parameters. */
struct channel_calibration {
	double gain; /* V per m, V per N, V per unit of theta; never 0 */
	double offset_V;
	double gain_sd, offset_sd_V; /* one standard deviation; 0 in a nominal record */
};

/** The passive force on a site, natural units: f = c0 + c1 x + c2 x^2 + c3 x^3; nominal {0, -1, 0, 0}. */
struct passive_force {
	double c[4];
};

struct calibration_record {
	char bench[64];
	bool nominal; /* stated, not measured */
	double stiffness_N_per_m, damping_N_s_per_m, temperature_K;
	struct units units;      /* from the three above */
	double latency_periods;  /* beyond the one period that every bench has */
	uint64_t expires_unix_s; /* CLOCK_REALTIME from which on it is not to be trusted; 0: never */
	size_t n_in, n_out, n_sites;
	struct channel_calibration *in, *out; /* [n_in], [n_out], in the order of the bench file */
	struct passive_force *passive;        /* [n_sites] */
	char checksum[HASH_HEX_SIZE];         /* set by seal, save and load */
};

/** Memory for the arrays, gains 1, passive force -x. The caller ends it with calibration_record_fini(). Call from: setup. */
int calibration_record_init(struct calibration_record *record, size_t n_in, size_t n_out, size_t n_sites,
			    struct err *err);
void calibration_record_fini(struct calibration_record *record);

/** Compute units and checksum from the content. Call from: setup. */
void calibration_record_seal(struct calibration_record *record);

/** Check ranges: finite, gains not zero, positive stiffness, damping, temperature. Errors: JOSTLE_EFORMAT. Call from: setup. */
int calibration_record_check(const struct calibration_record *record, struct err *err);

/** Errors: as protocol_save() and protocol_load(). Call from: setup. */
int calibration_record_save(struct calibration_record *record, const char *path, const struct provenance *provenance,
			    struct err *err);
int calibration_record_load(struct calibration_record *record, const char *path, struct err *err);

/** The same file in memory: bytes[size], the caller's to free(); `name` is for error texts. Call from: setup. */
int calibration_record_save_image(const struct calibration_record *record, const char *name,
				  const struct provenance *provenance, unsigned char **bytes, size_t *size,
				  struct err *err);
int calibration_record_load_image(struct calibration_record *record, const char *name, const unsigned char *bytes,
				  size_t size, struct err *err);

#endif
