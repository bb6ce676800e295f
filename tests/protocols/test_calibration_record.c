/*
 * The calibration record and its file: what is written comes back bit for bit; what was tampered with does not.
 */
#include "file_support.h"
#include "support/hdf5_leaks.h"

#include <math.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/provenance.h"
#include "protocols/calibration_record.h"

#define N_IN    5
#define N_OUT   3
#define N_SITES 4

static const struct provenance provenance = {.command = "calibrate", .backend = "none", .simulated = true};

struct fixture {
	struct calibration_record record;
	char directory[256], good[300], bad[300];
};

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct err err = {0};

	assert_non_null(fx);
	strcpy(fx->directory, "/tmp/jostle-calibration-XXXXXX");
	assert_non_null(mkdtemp(fx->directory));
	snprintf(fx->good, sizeof(fx->good), "%s/good.h5", fx->directory);
	snprintf(fx->bad, sizeof(fx->bad), "%s/bad.h5", fx->directory);

	assert_int_equal(calibration_record_init(&fx->record, N_IN, N_OUT, N_SITES, &err), 0);
	strcpy(fx->record.bench, "sim-2");
	fx->record.nominal = false;
	fx->record.stiffness_N_per_m = 1.1e-6;
	fx->record.damping_N_s_per_m = 1.0 / 3.0 * 1e-8;
	fx->record.temperature_K = 295.3;
	fx->record.latency_periods = 0.37;
	fx->record.expires_unix_s = 2000000000;
	for (size_t i = 0; i < N_IN; i++)
		fx->record.in[i] = (struct channel_calibration){1e6 / (double)(i + 3), 0.1 * (double)i, 12.5, 1e-4};
	for (size_t i = 0; i < N_OUT; i++)
		fx->record.out[i] = (struct channel_calibration){-1e12 / (double)(i + 7), 0.01, 0.5 * (double)i, 0.0};
	for (size_t i = 0; i < N_SITES; i++)
		fx->record.passive[i] = (struct passive_force){{0.01 * (double)i, -1.0 / 3.0, 0.002, -0.1}};
	assert_int_equal(calibration_record_save(&fx->record, fx->good, &provenance, &err), 0);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	calibration_record_fini(&fx->record);
	unlink(fx->good);
	unlink(fx->bad);
	rmdir(fx->directory);
	free(fx);
	return 0;
}

static bool same_content(const struct calibration_record *a, const struct calibration_record *b)
{
	return strcmp(a->bench, b->bench) == 0 && a->nominal == b->nominal &&
	       a->stiffness_N_per_m == b->stiffness_N_per_m && a->damping_N_s_per_m == b->damping_N_s_per_m &&
	       a->temperature_K == b->temperature_K && a->latency_periods == b->latency_periods &&
	       a->expires_unix_s == b->expires_unix_s && a->n_in == b->n_in && a->n_out == b->n_out &&
	       a->n_sites == b->n_sites && memcmp(&a->units, &b->units, sizeof(a->units)) == 0 &&
	       memcmp(a->in, b->in, a->n_in * sizeof(*a->in)) == 0 &&
	       memcmp(a->out, b->out, a->n_out * sizeof(*a->out)) == 0 &&
	       memcmp(a->passive, b->passive, a->n_sites * sizeof(*a->passive)) == 0 &&
	       strcmp(a->checksum, b->checksum) == 0;
}

/* catches: a new record that is not usable as it is, a passive force with the wrong sign */
static void a_new_record_has_unit_gains_and_a_restoring_force(void **state)
{
	struct calibration_record record;
	struct err err = {0};

	(void)state;
	assert_int_equal(calibration_record_init(&record, 2, 1, 3, &err), 0);
	assert_int_equal(calibration_record_check(&record, &err), 0);
	assert_true(record.nominal);
	assert_true(record.in[1].gain == 1.0 && record.out[0].gain == 1.0 && record.in[1].offset_V == 0.0);
	for (size_t i = 0; i < 3; i++)
		assert_true(record.passive[i].c[0] == 0.0 && record.passive[i].c[1] == -1.0 &&
			    record.passive[i].c[2] == 0.0 && record.passive[i].c[3] == 0.0);
	calibration_record_fini(&record);
}

/* catches: sizes of a bench file trusted */
static void records_of_impossible_size_are_refused(void **state)
{
	const size_t sizes[][3] = {{0, 1, 1},        {1, 0, 1},
				   {1, 1, 0},        {CALIBRATION_MAX_CHANNELS + 1, 1, 1},
				   {1, SIZE_MAX, 1}, {1, 1, CALIBRATION_MAX_SITES + 1}};
	struct calibration_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct err err = {0};

		assert_int_equal(calibration_record_init(&record, sizes[i][0], sizes[i][1], sizes[i][2], &err),
				 JOSTLE_EINVAL);
		calibration_record_fini(&record); /* safe after an init that failed */
	}
}

/* catches: units computed from other fields than those of the record: kT = kappa length^2, time = gamma / kappa */
static void sealing_computes_the_natural_units(void **state)
{
	struct fixture *fx = *state;
	const struct calibration_record *r = &fx->record;

	const double kT = BOLTZMANN_J_PER_K * r->temperature_K;
	assert_true(fabs(r->units.energy_J / kT - 1.0) < 1e-14);
	assert_true(fabs(r->stiffness_N_per_m * r->units.length_m * r->units.length_m / kT - 1.0) < 1e-14);
	assert_true(fabs(r->units.time_s * r->stiffness_N_per_m / r->damping_N_s_per_m - 1.0) < 1e-14);
	assert_true(fabs(r->units.force_N / (r->stiffness_N_per_m * r->units.length_m) - 1.0) < 1e-14);
}

/* catches: a field that is not written, a column read into its neighbour */
static void a_record_comes_back_bit_for_bit(void **state)
{
	struct fixture *fx = *state;
	struct calibration_record back;
	struct err err = {0};

	if (calibration_record_load(&back, fx->good, &err))
		fail_msg("%s", err.text);
	assert_true(same_content(&fx->record, &back));
	calibration_record_fini(&back);
}

/* catches: a checksum that leaves a field out */
static void every_field_changes_the_checksum(void **state)
{
	struct fixture *fx = *state;
	struct calibration_record *r = &fx->record;
	double *fields[] = {&r->stiffness_N_per_m, &r->damping_N_s_per_m, &r->temperature_K,   &r->latency_periods,
			    &r->in[4].gain,        &r->in[0].offset_V,    &r->in[2].gain_sd,   &r->in[1].offset_sd_V,
			    &r->out[0].gain,       &r->out[2].offset_V,   &r->passive[3].c[3], &r->passive[0].c[0]};
	char before[HASH_HEX_SIZE];

	memcpy(before, r->checksum, sizeof(before));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const double kept = *fields[i];

		*fields[i] = nextafter(kept, INFINITY);
		calibration_record_seal(r);
		assert_string_not_equal(r->checksum, before);
		*fields[i] = kept;
	}
	r->nominal = true;
	calibration_record_seal(r);
	assert_string_not_equal(r->checksum, before);
	r->nominal = false;
	r->expires_unix_s++;
	calibration_record_seal(r);
	assert_string_not_equal(r->checksum, before);
	r->expires_unix_s = 0;
	calibration_record_seal(r);
	assert_string_not_equal(r->checksum, before);
	r->expires_unix_s = 2000000000;
	calibration_record_seal(r);
	assert_string_equal(r->checksum, before);
	strcpy(r->bench, "sim-3");
	calibration_record_seal(r);
	assert_string_not_equal(r->checksum, before);
}

/* catches: records from before there was an expiry refused, or given one; an expiry lost by calling the file old */
static void version_1_is_read_as_a_record_that_never_expires(void **state)
{
	struct fixture *fx = *state;
	struct calibration_record back;
	struct err err = {0};

	for (uint64_t expires = 0; expires < 2; expires++) {
		fx->record.expires_unix_s = expires;
		assert_int_equal(calibration_record_save(&fx->record, fx->good, &provenance, &err), 0);
		const hid_t file = copy_open(fx->good, fx->bad);

		put_u64(file, "/", "format_version", 1);
		assert_true(H5Adelete(file, "expires_unix_s") >= 0);
		H5Fclose(file);
		assert_int_equal(calibration_record_load(&back, fx->bad, &err), expires ? JOSTLE_ECHECKSUM : 0);
		if (!expires)
			assert_true(same_content(&fx->record, &back));
		calibration_record_fini(&back);
	}
}

/* catches: a file read past its end, or half of one taken for a whole */
static void a_truncated_file_is_refused_wherever_it_ends(void **state)
{
	struct fixture *fx = *state;
	const struct bytes whole = bytes_read(fx->good);

	bytes_write(fx->bad, whole.data, whole.size);
	for (size_t size = (whole.size - 1) / 97 * 97; size < whole.size; size -= 97) { /* wraps round below 0 */
		struct calibration_record back;
		struct err err = {0};

		assert_int_equal(truncate(fx->bad, (off_t)size), 0);
		if (calibration_record_load(&back, fx->bad, &err) == 0)
			fail_msg("%zu of %zu bytes were taken for a calibration", size, whole.size);
	}
	free(whole.data);
}

/* catches: content that differs from what was written and is taken for it; a crash of any kind */
static void a_flipped_byte_is_found_or_changes_nothing(void **state)
{
	struct fixture *fx = *state;
	const struct bytes whole = bytes_read(fx->good);
	size_t n_found = 0, n_flipped = 0;

	bytes_write(fx->bad, whole.data, whole.size);
	for (size_t at = 0; at < whole.size; at += 3, n_flipped++) {
		struct calibration_record back;
		struct err err = {0};

		poke(fx->bad, at, (unsigned char)(whole.data[at] ^ (1u << at % 8)));
		if (calibration_record_load(&back, fx->bad, &err)) {
			n_found++;
		} else {
			if (!same_content(&fx->record, &back))
				fail_msg("byte %zu was flipped and other content loaded", at);
			calibration_record_fini(&back);
		}
		poke(fx->bad, at, whole.data[at]);
	}
	assert_true(n_found > n_flipped / 3);
	free(whole.data);
}

static void no_gain(hid_t file)
{
	drop(file, "inputs/gain");
}

static void zero_gain(hid_t file)
{
	put_number(file, "outputs/gain", 1, 0.0);
}

static void subnormal_gain(hid_t file)
{
	put_number(file, "inputs/gain", 1, 0x1p-1070);
}

static void nan_offset(hid_t file)
{
	put_number(file, "inputs/offset_V", 0, NAN);
}

static void negative_sd(hid_t file)
{
	put_number(file, "inputs/gain_sd", 0, -1.0);
}

static void negative_offset_sd(hid_t file)
{
	put_number(file, "outputs/offset_sd_V", 2, -1e-9);
}

static void changed_gain(hid_t file)
{
	put_number(file, "inputs/gain", 1, 2.0);
}

static void fewer_offsets(hid_t file)
{
	put_dataset(file, "inputs/offset_V", 1, (const hsize_t[]){N_IN - 1}, H5T_IEEE_F64LE, 0);
}

static void many_channels(hid_t file)
{
	put_dataset(file, "outputs/gain", 1, (const hsize_t[]){1ull << 60}, H5T_IEEE_F64LE, 1);
}

static void too_many_channels(hid_t file)
{
	put_dataset(file, "outputs/gain", 1, (const hsize_t[]){CALIBRATION_MAX_CHANNELS + 1}, H5T_IEEE_F64LE, 0);
}

static void no_channels(hid_t file)
{
	put_dataset(file, "outputs/gain", 1, (const hsize_t[]){0}, H5T_IEEE_F64LE, 0);
}

static void quintic_passive(hid_t file)
{
	put_dataset(file, "passive", 2, (const hsize_t[]){N_SITES, 6}, H5T_IEEE_F64LE, 0);
}

static void nan_passive(hid_t file)
{
	put_number(file, "passive", 5, NAN);
}

static void zero_stiffness(hid_t file)
{
	put_double(file, "/", "stiffness_N_per_m", 0.0);
}

static void negative_damping(hid_t file)
{
	put_double(file, "/", "damping_N_s_per_m", -1e-8);
}

static void infinite_temperature(hid_t file)
{
	put_double(file, "/", "temperature_K", INFINITY);
}

static void vanishing_units(hid_t file)
{
	put_double(file, "/", "stiffness_N_per_m", 1e300);
	put_double(file, "/", "damping_N_s_per_m", 1e-30);
}

static void negative_latency(hid_t file)
{
	put_double(file, "/", "latency_periods", -0.1);
}

static void odd_nominal(hid_t file)
{
	put_u64(file, "/", "nominal", 2);
}

static void turned_nominal(hid_t file)
{
	put_u64(file, "/", "nominal", 1);
}

static void long_bench(hid_t file)
{
	char text[200];

	memset(text, 'b', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	put_text(file, "/", "bench_name", text);
}

static void newer_version(hid_t file)
{
	put_u64(file, "/", "format_version", 3);
}

static void version_zero(hid_t file)
{
	put_u64(file, "/", "format_version", 0);
}

static void no_expiry(hid_t file)
{
	assert_true(H5Adelete(file, "expires_unix_s") >= 0);
}

static void later_expiry(hid_t file)
{
	put_u64(file, "/", "expires_unix_s", 2100000000);
}

static void another_format(hid_t file)
{
	put_text(file, "/", "format", "jostle-protocol");
}

static void no_checksum(hid_t file)
{
	H5Adelete(file, "checksum");
}

/* catches: any of these being believed, or refused without a word about where */
static void a_hostile_file_is_refused_with_its_name_and_field(void **state)
{
	static const struct {
		const char *name;
		void (*spoil)(hid_t file);
		int code;
		const char *names;
	} cases[] = {
		{"no gain", no_gain, JOSTLE_EFORMAT, "inputs/gain"},
		{"zero gain", zero_gain, JOSTLE_EFORMAT, "outputs/gain"},
		{"subnormal gain", subnormal_gain, JOSTLE_EFORMAT, "inputs/gain"},
		{"NaN offset", nan_offset, JOSTLE_EFORMAT, "inputs/offset_V"},
		{"negative gain_sd", negative_sd, JOSTLE_EFORMAT, "inputs/gain_sd"},
		{"negative offset_sd_V", negative_offset_sd, JOSTLE_EFORMAT, "outputs/offset_sd_V"},
		{"changed gain", changed_gain, JOSTLE_ECHECKSUM, "checksum"},
		{"fewer offsets than gains", fewer_offsets, JOSTLE_EFORMAT, "inputs/offset_V"},
		{"2^60 channels", many_channels, JOSTLE_EFORMAT, "outputs/gain"},
		{"one channel too many", too_many_channels, JOSTLE_EFORMAT, "outputs/gain"},
		{"no channels", no_channels, JOSTLE_EFORMAT, "outputs/gain"},
		{"passive force of another degree", quintic_passive, JOSTLE_EFORMAT, "passive"},
		{"NaN in the passive force", nan_passive, JOSTLE_EFORMAT, "passive"},
		{"zero stiffness", zero_stiffness, JOSTLE_EFORMAT, "stiffness_N_per_m"},
		{"negative damping", negative_damping, JOSTLE_EFORMAT, "damping_N_s_per_m"},
		{"infinite temperature", infinite_temperature, JOSTLE_EFORMAT, "temperature_K"},
		{"units that vanish", vanishing_units, JOSTLE_EFORMAT, "natural units"},
		{"negative latency", negative_latency, JOSTLE_EFORMAT, "latency_periods"},
		{"nominal of 2", odd_nominal, JOSTLE_EFORMAT, "nominal"},
		{"measured turned nominal", turned_nominal, JOSTLE_ECHECKSUM, "checksum"},
		{"long bench name", long_bench, JOSTLE_EFORMAT, "bench_name"},
		{"newer version", newer_version, JOSTLE_EVERSION, "format_version: expected 1 to 2, found 3"},
		{"version zero", version_zero, JOSTLE_EVERSION, "format_version"},
		{"no expiry", no_expiry, JOSTLE_EFORMAT, "expires_unix_s"},
		{"later expiry", later_expiry, JOSTLE_ECHECKSUM, "checksum"},
		{"another format", another_format, JOSTLE_EFORMAT, "format"},
		{"no checksum", no_checksum, JOSTLE_EFORMAT, "checksum"},
	};
	struct fixture *fx = *state;

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct calibration_record back;
		struct err err = {0};
		char text[1200];
		const hid_t file = copy_open(fx->good, fx->bad);

		cases[c].spoil(file);
		assert_true(H5Fclose(file) >= 0);
		const int status = calibration_record_load(&back, fx->bad, &err);
		err_format(&err, text, sizeof(text));
		if (status != cases[c].code)
			fail_msg("%s: expected error %d, found %d: %s", cases[c].name, cases[c].code, status, text);
		if (!strstr(text, fx->bad) || !strstr(text, cases[c].names))
			fail_msg("%s: expected file and \"%s\" to be named, found: %s", cases[c].name, cases[c].names,
				 text);
	}
}

/* catches: a fit that failed written into a file that nothing will read */
static void what_loading_would_refuse_is_not_saved(void **state)
{
	struct fixture *fx = *state;
	struct err err = {0};

	fx->record.out[1].gain = 0.0;
	assert_int_equal(calibration_record_save(&fx->record, fx->bad, &provenance, &err), JOSTLE_EFORMAT);
	assert_non_null(strstr(err.text, "outputs/gain"));
	assert_int_not_equal(access(fx->bad, F_OK), 0);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_record_has_unit_gains_and_a_restoring_force),
		cmocka_unit_test(records_of_impossible_size_are_refused),
		WITH_FILE(sealing_computes_the_natural_units),
		WITH_FILE(a_record_comes_back_bit_for_bit),
		WITH_FILE(every_field_changes_the_checksum),
		WITH_FILE(version_1_is_read_as_a_record_that_never_expires),
		WITH_FILE(a_truncated_file_is_refused_wherever_it_ends),
		WITH_FILE(a_flipped_byte_is_found_or_changes_nothing),
		WITH_FILE(a_hostile_file_is_refused_with_its_name_and_field),
		WITH_FILE(what_loading_would_refuse_is_not_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
