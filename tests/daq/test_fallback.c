/* A plant in place of hardware that is missing: where it may stand in, for what, and that nobody takes it for the hardware. */
#include "daq/daq_fixture.h"

#include "base/err.h"
#include "daq/fallback.h"

static const struct daq_options unpaced = {.seed = 1};

#define HEAD                                                                                                           \
	"summary: a\ndriver: serial\ndevices: [/dev/absent]\nperiod_s: 1e-3\ndrive: feedback\n"                        \
	"stiffness_N_per_m: 4.141947e-3\ndamping_N_s_per_m: 4.141947e-3\ntemperature_K: 300\n"
#define TWO "lattice: [2, 1]\n"
#define IN  "inputs:\n  - {role: displacement, first_channel: 40, range_V: [-10, 10], gain_V_per_m: [1e9]}\n"
#define OUT "outputs:\n  - {role: force, first_channel: 50, range_V: [-10, 10], gain_V_per_N: [2.414323e10]}\n"

/** A bench whose driver, of whatever name, has no device. */
static void bench_without_hardware(struct bench *bench, const char *driver, const char *yaml)
{
	struct err err = {0};

	if (bench_from(bench, yaml, &err) < 0)
		fail_msg("%s", err.text);
	free(bench->driver);
	bench->driver = strdup(driver);
}

extern const struct daq_driver driver_sim;
static int found = JOSTLE_ENODEV; /* by the hardware's driver */

static int find(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	(void)daq;
	(void)options;
	return err_set(err, found, "%s: found %d", bench->devices[0], found);
}

static void do_nothing(struct daq *daq)
{
	(void)daq;
}

static const struct daq_driver hardware = {.name = "serial", .state_size = 1, .open = find, .close = do_nothing};

/* In place of the program's own: one that was built without driver comedi. */
const struct daq_driver *const driver_registry[] = {&driver_sim, &hardware, NULL};

/* catches: signals crossed on their way to the plant, a stand-in that does not say so, devices left on the bench */
static void missing_hardware_is_stood_in_for_signal_by_signal(void **state)
{
	const char *const drivers[] = {"serial", "comedi"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench bench;
		struct daq daq;
		struct err missing = {0}, err = {0};

		bench_without_hardware(
			&bench, drivers[i],
			HEAD TWO
			"fallback: two-oscillators-guarded\n" IN
			"  - {role: temperature, first_channel: 9, range_V: [-10, 10], gain_V_per_K: [0.01]}\n"
			"  - {role: force, sites: [\"1\"], first_channel: 60, range_V: [-10, 10], gain_V_per_N: "
			"[2.414323e10]}\n" OUT "  - {role: heartbeat, range_V: [-10, 10], limit_V: [0, 5]}\n"
			"  - {role: parameter, terms: [\"monomials degree=4\"], first_channel: 70, range_V: [-10, "
			"10], gain_V_per_theta: [0.05]}\n");
		assert_int_equal(fallback_to_plant(&bench, &missing, &err), 1);
		assert_non_null(strstr(missing.text, i == 0 ? "/dev/absent" : "comedi"));
		assert_string_equal(bench.driver, "sim");
		assert_int_equal(bench.n_devices, 1);
		assert_int_equal(bench.in[0].channel, 0);
		assert_int_equal(bench.in[1].channel, 1);
		assert_int_equal(bench.in[2].channel, 4);
		assert_int_equal(bench.in[3].channel, 3);
		assert_int_equal(bench.out[0].channel, 0);
		assert_int_equal(bench.out[1].channel, 1);
		assert_int_equal(bench.out[2].channel, 17);
		assert_int_equal(bench.out[3].channel, 2);
		if (daq_open(&daq, &bench, &unpaced, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(daq.simulated);
		assert_non_null(strstr(daq.backend, "two-oscillators-guarded in place of "));
		assert_non_null(strstr(daq.backend, drivers[i]));
		daq_close(&daq);
		bench_free(&bench);
	}
}

static void assert_no_fallback(const char *driver, const char *yaml, int code, const char *text)
{
	struct bench bench;
	struct err missing = {0}, err = {0};

	bench_without_hardware(&bench, driver, yaml);
	const int code_found = fallback_to_plant(&bench, &missing, &err);

	if (code_found != code || !strstr(err.text, text))
		fail_msg("expected %d with \"%s\", found %d: %s", code, text, code_found, err.text);
	assert_null(bench.stands_for);
	assert_string_equal(bench.driver, driver);
	bench_free(&bench);
}

/* catches: a plant that nobody named, one of other sites, signals dropped or invented */
static void what_no_plant_can_stand_in_for_is_refused(void **state)
{
	(void)state;
	assert_no_fallback("comedi", HEAD TWO IN OUT, JOSTLE_ENODEV, "names no plant in its field fallback");
	assert_no_fallback("comedi", HEAD TWO "fallback: no-such-plant\n" IN OUT, JOSTLE_ENOENT, "no-such-plant");
	assert_no_fallback("comedi", HEAD TWO "fallback: lattice-12x12\n" IN OUT, JOSTLE_ECONFIG,
			   "expected a plant of 2 sites, found 144");
	assert_no_fallback("comedi",
			   HEAD TWO "fallback: two-oscillators\n" IN OUT "  - {role: auxiliary, range_V: [-10, 10]}\n",
			   JOSTLE_ECONFIG, "nothing for auxiliary 0 of the outputs");
	assert_no_fallback("comedi",
			   HEAD TWO "fallback: two-oscillators-fast\n" IN OUT
				    "  - {role: parameter, terms: [\"monomials degree=4\"], range_V: [-10, 10], "
				    "gain_V_per_theta: [0.05]}\n",
			   JOSTLE_ECONFIG, "nothing for parameter 0");
	assert_no_fallback("comdei", HEAD TWO "fallback: two-oscillators\n" IN OUT, JOSTLE_ENOENT, "comdei");
	assert_no_fallback("sim", HEAD TWO "fallback: two-oscillators\n" IN OUT, JOSTLE_EINVAL,
			   "there is no hardware to fall back from");
}

/* catches: hardware that another program uses, that this user may not open or that answers wrongly, simulated instead */
static void hardware_that_is_there_is_never_stood_in_for(void **state)
{
	static const int there[] = {JOSTLE_EBUSY, JOSTLE_EIO, JOSTLE_EFORMAT, JOSTLE_ECONFIG};

	(void)state;
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		found = there[i];
		assert_no_fallback("serial", HEAD TWO "fallback: two-oscillators\n" IN OUT, found,
				   "/dev/absent: found");
	}
	found = JOSTLE_ENODEV;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_hardware_is_stood_in_for_signal_by_signal),
		cmocka_unit_test(what_no_plant_can_stand_in_for_is_refused),
		cmocka_unit_test(hardware_that_is_there_is_never_stood_in_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
