/* A serial device's converters: what their codes stand for at the ends of the range and of the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daq/serial/fit.h"

static const unsigned bits[] = {1, 8, 10, 12, 16};

#define N_BITS (sizeof(bits) / sizeof(bits[0]))

static struct serial_converter converter(unsigned n)
{
	const struct serial_range range = {-10, 10, n};

	return serial_converter_make(&range);
}

/* catches: the upper rail of a converter of few bits, one step short of the end of the range, taken for a value */
static void a_converter_at_either_end_of_its_codes_is_at_the_end_of_its_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BITS; i++) {
		const struct serial_converter c = converter(bits[i]);
		const double step_V = 20.0 / (double)(1u << bits[i]);

		assert_true(serial_converter_volts(&c, (uint16_t)(65536u - (1u << (16 - bits[i])))) == 10.0);
		assert_true(serial_converter_volts(&c, UINT16_MAX) == 10.0);
		assert_true(serial_converter_volts(&c, 0) == -10.0);
		assert_true(serial_converter_volts(&c, (uint16_t)(65536u - (2u << (16 - bits[i])))) <=
			    10.0 - 2 * step_V + 1e-9);
	}
}

/* catches: a code that the converter hasn't, one that isn't the nearest, a wrap at the upper end */
static void volts_become_the_nearest_code_that_the_converter_has(void **state)
{
	const struct serial_converter c = converter(8);

	(void)state;
	assert_int_equal(serial_converter_code(&c, 0), 32768);
	assert_int_equal(serial_converter_code(&c, 0.03), 32768);
	assert_int_equal(serial_converter_code(&c, 0.05), 32768 + 256);
	assert_int_equal(serial_converter_code(&c, 10), 65536 - 256);
	assert_int_equal(serial_converter_code(&c, 1e300), 65536 - 256);
	assert_int_equal(serial_converter_code(&c, -1e300), 0);
}

/* catches: rounding that drives half a step beyond a limit; limits that lie on a code and lose it; limits with no code within */
static void no_rounding_leaves_the_limits(void **state)
{
	(void)state;
	for (size_t i = 1; i < N_BITS; i++) {
		const double step_V = 20.0 / (double)(1u << bits[i]);

		for (int k = 0; k < 10; k++) {
			struct serial_converter c = converter(bits[i]);
			const double at_V = (3 + 0.1 * k) * step_V;

			assert_true(serial_converter_limit(&c, -at_V, at_V));
			assert_true(serial_converter_volts(&c, serial_converter_code(&c, at_V)) <=
				    at_V + 1e-5 * step_V);
			assert_true(serial_converter_volts(&c, serial_converter_code(&c, at_V)) >= 2.999 * step_V);
			assert_true(serial_converter_volts(&c, serial_converter_code(&c, -at_V)) >=
				    -at_V - 1e-5 * step_V);
			assert_true(serial_converter_volts(&c, serial_converter_code(&c, -at_V)) <= -2.999 * step_V);
		}
	}
	struct serial_converter c = converter(8);

	assert_false(serial_converter_limit(&c, 0.01, 0.02));
	assert_true(serial_converter_limit(&c, -10, 10));
	assert_int_equal(c.least, 0);
	assert_int_equal(c.most, 65536 - 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_converter_at_either_end_of_its_codes_is_at_the_end_of_its_range),
		cmocka_unit_test(volts_become_the_nearest_code_that_the_converter_has),
		cmocka_unit_test(no_rounding_leaves_the_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
