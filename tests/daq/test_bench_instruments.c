/* The instruments of a bench file: taken as they are written, refused with their place. */
#include "daq/daq_fixture.h"

#include "daq/instruments/setup.h"

#define HEAD                                                                                                           \
	"summary: a\ndriver: sim\ndevices: [a]\nperiod_s: 1e-3\ndrive: feedback\nlattice: [1, 1]\n"                    \
	"stiffness_N_per_m: 1\ndamping_N_s_per_m: 1\ntemperature_K: 300\n"                                             \
	"outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9]}\n"                                       \
	"inputs:\n  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e9]}\n"
#define BATH   "  - {role: temperature, range_V: [0, 5], gain_V_per_K: [0.01], first_channel: 1}\n"
#define FIRST  "instruments:\n  - name: noise\n    port: /dev/ttyUSB0\n    identity: \"ACME,NG-1\"\n"
#define SECOND "  - name: meter\n    port: /dev/ttyUSB1\n    identity: TM\n"
#define SET    "    set:\n      - {name: amplitude, unit: V, command: \"SOUR:VOLT {}\", limit: [0, 2]}\n"
#define READ   "    read:\n      - {name: bath, unit: K, query: \"MEAS:TEMP?\"}\n"

/* catches: a field that ends up in another's place, a default that is another, a unit or a line cut short */
static void instruments_are_what_their_file_says(void **state)
{
	struct bench bench;
	struct err err = {0};

	(void)state;
	const int code = bench_from(
		&bench,
		HEAD FIRST
		"    baud: 115200\n    timeout_s: 0.5\n    interval_s: 2\n    silent_s: 9\n    set:\n"
		"      - {name: amplitude, unit: V, command: \"SOUR:VOLT {}V\", limit: [-1, 2], safe: 0.5, gain: 3, "
		"offset: 4}\n"
		"      - {name: bias_2, unit: A, command: \"SOUR:CURR {}\", limit: [0, 0]}\n" SECOND
		"    read:\n      - {name: bath, unit: K, query: \"MEAS:TEMP?\", limit: [290, 310], offset: -273.15, "
		"bath_temperature: true}\n",
		&err);

	if (code)
		fail_msg("%s", err.text);
	assert_int_equal(bench.n_instruments, 2);
	const struct instrument_setup *noise = &bench.instruments[0], *meter = &bench.instruments[1];

	assert_string_equal(noise->name, "noise");
	assert_string_equal(noise->port, "/dev/ttyUSB0");
	assert_string_equal(noise->identity, "ACME,NG-1");
	assert_int_equal(noise->baud, 115200);
	assert_true(noise->timeout_s == 0.5 && noise->interval_s == 2 && noise->silent_s == 9);
	assert_int_equal(noise->n_sets, 2);
	assert_int_equal(noise->n_reads, 0);
	assert_string_equal(noise->set[0].name, "amplitude");
	assert_string_equal(noise->set[0].unit, "V");
	assert_string_equal(noise->set[0].line, "SOUR:VOLT {}V");
	assert_true(noise->set[0].gain == 3 && noise->set[0].offset == 4 && noise->set[0].safe == 0.5);
	assert_true(noise->set[0].min == -1 && noise->set[0].max == 2);
	assert_true(noise->set[1].gain == 1 && noise->set[1].offset == 0 && isnan(noise->set[1].safe));
	assert_int_equal(meter->baud, 9600);
	assert_true(meter->timeout_s == 1 && meter->interval_s == 1 && meter->silent_s == 8);
	assert_true(meter->read[0].bath_temperature && instrument_guards(&meter->read[0]));
	assert_true(meter->read[0].min == 290 && meter->read[0].offset == -273.15);
	bench_free(&bench);
	assert_int_equal(bench_from(&bench, HEAD FIRST READ, &err), 0);
	assert_false(instrument_guards(&bench.instruments[0].read[0]));
	assert_false(bench.instruments[0].read[0].bath_temperature);
	bench_free(&bench);
	assert_int_equal(bench_from(&bench, HEAD, &err), 0);
	assert_int_equal(bench.n_instruments, 0);
	bench_free(&bench);
}

#define SETS(value)  HEAD FIRST "    set:\n      - " value "\n"
#define READS(value) HEAD FIRST "    read:\n      - " value "\n"

/* catches: each check that is left out; a command that asks, a query that sets, two thermometers of one bath */
static void what_can_not_be_is_refused_with_its_field(void **state)
{
	static const struct {
		const char *yaml, *says;
	} cases[] = {
		{HEAD FIRST, "instruments[0]: expected something to set or to read"},
		{HEAD FIRST "    baud: 49\n" SET, "instruments[0].baud"},
		{HEAD FIRST "    timeout_s: 0\n" SET, "instruments[0].timeout_s"},
		{HEAD FIRST "    timeout_s: 11\n" SET, "instruments[0].timeout_s"},
		{HEAD FIRST "    interval_s: 0.01\n" SET, "instruments[0].interval_s"},
		{HEAD FIRST "    interval_s: 2\n    silent_s: 1\n" SET, "instruments[0].silent_s"},
		{HEAD
		 "instruments:\n  - {name: Noise, port: a, identity: b, read: [{name: a, unit: K, query: \"A?\"}]}\n",
		 "instruments[0].name: expected a-z"},
		{HEAD FIRST SET "  - name: noise\n    port: /dev/ttyUSB1\n    identity: TM\n" READ,
		 "instruments[1].name: expected names that differ"},
		{HEAD FIRST SET "  - name: meter\n    port: /dev/ttyUSB0\n    identity: TM\n" READ,
		 "instruments[1].port: expected ports that differ"},
		{SETS("{name: a, unit: V, command: \"SOUR:VOLT\", limit: [0, 1]}"), "instruments[0].set[0].command"},
		{SETS("{name: a, unit: V, command: \"VOLT {} {}\", limit: [0, 1]}"), "instruments[0].set[0].command"},
		{SETS("{name: a, unit: V, command: \"VOLT? {}\", limit: [0, 1]}"), "instruments[0].set[0].command"},
		{SETS("{name: a, unit: V, command: \"VOLT\\n {}\", limit: [0, 1]}"), "instruments[0].set[0].command"},
		{SETS("{name: a, unit: V, command: \"VOLT {}\"}"), "limit"},
		{SETS("{name: a, unit: V, command: \"VOLT {}\", limit: [1, 0]}"), "instruments[0].set[0].limit"},
		{SETS("{name: a, unit: V, command: \"VOLT {}\", limit: [0, 1e16]}"), "instruments[0].set[0].limit"},
		{SETS("{name: a, unit: V, command: \"VOLT {}\", limit: [0]}"), "limit"},
		{SETS("{name: a, unit: V, command: \"VOLT {}\", limit: [0, 1], safe: 2}"),
		 "instruments[0].set[0].safe"},
		{SETS("{name: a, unit: V, command: \"VOLT {}\", limit: [0, 1], gain: 0}"),
		 "instruments[0].set[0].gain"},
		{SETS("{name: a, unit: µV, command: \"VOLT {}\", limit: [0, 1]}"), "instruments[0].set[0].unit"},
		{HEAD FIRST SET "      - {name: amplitude, unit: V, command: \"B {}\", limit: [0, 2]}\n",
		 "instruments[0].set[1].name: expected names that differ"},
		{READS("{name: a, unit: V, query: \"MEAS:VOLT\"}"), "instruments[0].read[0].query"},
		{READS("{name: a, unit: V, query: \"MEAS:VOLT? {}\"}"), "instruments[0].read[0].query"},
		{READS("{name: a, unit: V, query: \"MEAS:VOLT?\", safe: 1}"), "safe"},
		{READS("{name: a, unit: C, query: \"T?\", bath_temperature: true}"), "instruments[0].read[0].unit"},
		{READS("{name: a, unit: K, query: \"T?\", bath_temperature: true}\n      - {name: b, unit: K, query: "
		       "\"T?\", bath_temperature: true}"),
		 "instruments[0].read[1].bath_temperature"},
		{HEAD BATH FIRST "    read:\n      - {name: b, unit: K, query: \"T?\", bath_temperature: true}\n",
		 "instruments[0].read[0].bath_temperature"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench bench;
		struct err err = {0};

		if (bench_from(&bench, cases[i].yaml, &err) != JOSTLE_ECONFIG)
			fail_msg("case %zu was taken, expected \"%s\"", i, cases[i].says);
		if (!strstr(err.text, cases[i].says) || err.line < 10)
			fail_msg("case %zu: expected \"%s\", found line %d: \"%s\"", i, cases[i].says, err.line,
				 err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instruments_are_what_their_file_says),
		cmocka_unit_test(what_can_not_be_is_refused_with_its_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
