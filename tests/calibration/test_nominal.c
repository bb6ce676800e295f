/* The nominal calibration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "calibration/nominal.h"

static const struct nominal_channel in[] = {{.gain = 5e6, .offset_V = -0.5}, {.gain = -4e6, .offset_V = 0.125}};
static const struct nominal_channel out[] = {{.gain = 1e12, .offset_V = 0.25}};

static struct nominal_claim claim(void)
{
	return (struct nominal_claim){
		.bench = "two",
		.stiffness_N_per_m = 1e-6,
		.damping_N_s_per_m = 1e-8,
		.temperature_K = 300,
		.n_in = 2,
		.n_out = 1,
		.n_sites = 2,
		.in = in,
		.out = out,
	};
}

/* catches: inputs and outputs exchanged, an offset dropped, a passive force of the wrong sign */
static void record_states_what_was_claimed_and_no_more(void **state)
{
	const struct nominal_claim c = claim();
	struct calibration_record record;
	struct err err = {0};

	(void)state;
	assert_int_equal(calibration_nominal(&record, &c, &err), 0);
	assert_string_equal(record.bench, "two");
	assert_true(record.nominal);
	assert_int_equal(record.n_in, 2);
	assert_int_equal(record.n_out, 1);
	assert_int_equal(record.n_sites, 2);
	for (size_t k = 0; k < 2; k++) {
		assert_true(record.in[k].gain == in[k].gain && record.in[k].offset_V == in[k].offset_V);
		assert_true(record.in[k].gain_sd == 0 && record.in[k].offset_sd_V == 0);
	}
	assert_true(record.out[0].gain == 1e12 && record.out[0].offset_V == 0.25);
	for (size_t i = 0; i < 2; i++) {
		const double *coefficients = record.passive[i].c;

		assert_true(coefficients[0] == 0 && coefficients[1] == -1 && coefficients[2] == 0 &&
			    coefficients[3] == 0);
	}
	assert_true(record.latency_periods == 0);
	calibration_record_fini(&record);
}

/* catches: units not computed, gamma and kappa exchanged (the time would be 100 s) */
static void units_follow_from_stiffness_damping_and_temperature(void **state)
{
	const struct nominal_claim c = claim();
	struct calibration_record record;
	struct err err = {0};

	(void)state;
	assert_int_equal(calibration_nominal(&record, &c, &err), 0);
	assert_true(fabs(record.units.time_s / 0.01 - 1) < 1e-12);
	/* sqrt(1.380649e-23 * 300 / 1e-6) m */
	assert_true(fabs(record.units.length_m / 6.435795988e-8 - 1) < 1e-8);
	calibration_record_fini(&record);
}

/* catches: a record handed out without its seal, a seal that leaves the gains out */
static void checksum_depends_on_the_gains(void **state)
{
	struct nominal_channel other[] = {in[0], in[1]};
	struct nominal_claim c = claim();
	struct calibration_record first, second;
	struct err err = {0};

	(void)state;
	assert_int_equal(calibration_nominal(&first, &c, &err), 0);
	other[1].gain *= 1.01;
	c.in = other;
	assert_int_equal(calibration_nominal(&second, &c, &err), 0);
	assert_int_equal(strlen(first.checksum), HASH_HEX_SIZE - 1);
	assert_string_not_equal(first.checksum, second.checksum);
	calibration_record_fini(&first);
	calibration_record_fini(&second);
}

static void assert_refused(const struct nominal_claim *c, int code)
{
	struct calibration_record record;
	struct err err = {0};

	assert_int_equal(calibration_nominal(&record, c, &err), code);
	assert_true(strlen(err.text) > 0);
}

/* catches: a claim taken over unchecked; with the leak sanitizer, arrays left behind by a refused one */
static void impossible_claims_are_refused(void **state)
{
	struct nominal_channel dead[] = {in[0], {.gain = 0}};
	struct nominal_claim c = claim();
	char name[80];

	(void)state;
	c.in = dead;
	assert_refused(&c, JOSTLE_EFORMAT);
	c = claim();
	c.stiffness_N_per_m = NAN;
	assert_refused(&c, JOSTLE_EFORMAT);
	c = claim();
	c.temperature_K = -1;
	assert_refused(&c, JOSTLE_EFORMAT);
	c = claim();
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	c.bench = name;
	assert_refused(&c, JOSTLE_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_states_what_was_claimed_and_no_more),
		cmocka_unit_test(units_follow_from_stiffness_damping_and_temperature),
		cmocka_unit_test(checksum_depends_on_the_gains),
		cmocka_unit_test(impossible_claims_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
