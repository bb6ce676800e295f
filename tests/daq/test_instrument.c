/* One instrument over a serial port, by one that answers rightly, late, wrongly or not at all. */
#include "daq/daq_fixture.h"

#include "base/clock.h"
#include "daq/instruments/instrument.h"
#include "support/fake_scpi.h"

#define PATIENT_S 5.0 /* a time-out that a busy machine keeps */
#define HASTY_S   0.1 /* one that is to be missed */

static struct fake_scpi fake;
static struct instrument_setup setup;
static struct instrument instrument;
static struct err err;

static const struct instrument_value *const temperature = &setup.read[0], *const volts = &setup.set[0];

static int begin(void **state)
{
	(void)state;
	fake_scpi_begin(&fake);
	err = (struct err){0};
	setup = (struct instrument_setup){
		.name = "noise",
		.baud = 9600,
		.identity = "ACME,NG-1",
		.timeout_s = PATIENT_S,
		.n_sets = 1,
		.n_reads = 1,
		.set = {{.name = "amplitude", .unit = "V", .line = "SOUR:VOLT {}", .gain = 2, .offset = 1, .max = 10}},
		.read = {{.name = "bath", .unit = "K", .line = "MEAS:TEMP?", .gain = 1, .offset = -273.15}},
	};
	snprintf(setup.port, sizeof(setup.port), "%s", fake.port);
	instrument_init(&instrument, &setup);
	return 0;
}

static int end(void **state)
{
	(void)state;
	instrument_disconnect(&instrument);
	fake_scpi_end(&fake);
	return 0;
}

static void connect_it(void)
{
	if (instrument_connect(&instrument, &err))
		fail_msg("%s", err.text);
}

static void be_hasty(void)
{
	instrument.scpi.timeout_s = HASTY_S;
}

static void assert_says(const char *words)
{
	if (!strstr(err.text, words))
		fail_msg("expected \"%s\" in \"%s\"", words, err.text);
}

/* catches: gain and offset taken the wrong way round, a number that is not the instrument's own, errors left in its queue from before */
static void readings_and_settings_are_in_the_benchs_quantities(void **state)
{
	double quantity;

	(void)state;
	atomic_store(&fake.complaint, -350);
	connect_it();
	assert_true(instrument.connected);
	assert_string_equal(instrument.identity, "ACME,NG-1,0815,1.02");
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
	assert_near(quantity, 300, 1e-9);
	assert_int_equal(instrument_set(&instrument, volts, 1.25, &err), 0);
	assert_true(fake.volts == 3.5);
	assert_int_equal(instrument_errors(&instrument, &err), 0);
}

/* catches: another instrument that is set to what this one can bear, a comparison of too little, a wait without end */
static void another_instrument_is_refused_by_name(void **state)
{
	(void)state;
	atomic_store(&fake.other, true);
	setup.timeout_s = HASTY_S;
	assert_int_equal(instrument_connect(&instrument, &err), JOSTLE_ENODEV);
	assert_says("ACME,NG-1");
	assert_says("OTHER,X-9");
	assert_false(instrument.connected);
	assert_int_equal(fake.n_commands, 0);
}

/* catches: a port without an instrument taken for one with, an absent port's name left out */
static void a_silent_port_and_an_absent_one_are_refused(void **state)
{
	(void)state;
	atomic_store(&fake.manner, FAKE_SILENT);
	setup.timeout_s = HASTY_S;
	assert_int_equal(instrument_connect(&instrument, &err), JOSTLE_ENODEV);
	assert_says("no answer");
	snprintf(setup.port, sizeof(setup.port), "/dev/jostle-no-such-port");
	assert_int_equal(instrument_connect(&instrument, &err), JOSTLE_ENODEV);
	assert_says("/dev/jostle-no-such-port");
}

/* catches: a port's link that is not followed: those by which adapters are told apart */
static void a_link_to_the_port_is_followed(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/jostle-port-%ld", (long)getpid());
	assert_int_equal(symlink(fake.port, path), 0);
	snprintf(setup.port, sizeof(setup.port), "%s", path);
	const int code = instrument_connect(&instrument, &err);

	unlink(path);
	assert_int_equal(code, 0);
}

/* catches: an order that the instrument refused taken for carried out, its words lost, the queue left full for the next */
static void what_the_instrument_refuses_is_told_in_its_words(void **state)
{
	(void)state;
	connect_it();
	assert_int_equal(instrument_set(&instrument, volts, 1, &err), 0);
	assert_int_equal(instrument_set(&instrument, volts, 3, &err), JOSTLE_EINVAL);
	assert_says("-222");
	assert_says("Data out of range");
	assert_true(fake.volts == 3);
	assert_int_equal(instrument_set(&instrument, volts, 0, &err), 0);
	assert_true(fake.volts == 1);
}

/* catches: limits that are not checked, or against the instrument's own number; NaN within all limits */
static void settings_outside_their_limits_never_reach_the_instrument(void **state)
{
	static const double outside[] = {-1e-9, 10.001, NAN, INFINITY};

	(void)state;
	connect_it();
	const int n_commands = fake.n_commands;

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		assert_int_equal(instrument_set(&instrument, volts, outside[i], &err), JOSTLE_EINVAL);
		assert_says("0 to 10 V");
	}
	assert_int_equal(fake.n_commands, n_commands);
}

/*
 * catches: the answer to one query taken for the answer to the next, in any of its ways: after a silence, in the middle of
 * another number, while finding the instrument again
 */
static void a_late_answer_is_never_taken_for_the_next_one(void **state)
{
	size_t n_read = 0, n_late = 0;

	(void)state;
	connect_it();
	be_hasty();
	assert_int_equal(instrument_set(&instrument, volts, 1, &err), 0);
	for (int i = 0; i < 12; i++) {
		const struct instrument_value source = {.line = "SOUR:VOLT?", .gain = 1};
		double quantity;

		atomic_store(&fake.late_ms, i % 3 == 1 ? (int)(HASTY_S * 1500) : 0);
		if (!instrument_regain(&instrument, &err)) {
			const int code = instrument_read(&instrument, temperature, &quantity, &err);

			assert_true(code == 0 || code == JOSTLE_EMISSED || code == JOSTLE_EFORMAT);
			if (!code)
				assert_near(quantity, 300, 1e-9);
			n_late += code == JOSTLE_EMISSED;
		}
		if (!instrument_read(&instrument, &source, &quantity, &err)) {
			assert_near(quantity, 3, 1e-9);
			n_read++;
		}
	}
	assert_true(n_late > 0);
	atomic_store(&fake.late_ms, 0);
	instrument.scpi.timeout_s = PATIENT_S;
	for (int i = 0; i < 3; i++) {
		double quantity;

		/* What is still under way may cost one more round. */
		if (instrument_regain(&instrument, &err) || instrument_read(&instrument, temperature, &quantity, &err))
			continue;
		assert_near(quantity, 300, 1e-9);
		return;
	}
	fail_msg("it was not found again: %s (%zu read)", err.text, n_read);
}

/* catches: an answer to the first "who are you", come while the second is waited for, that leaves the second's to be taken for an error */
static void an_instrument_that_wakes_up_slowly_is_connected(void **state)
{
	double quantity;

	(void)state;
	setup.timeout_s = 0.4;
	atomic_store(&fake.n_late, 1);
	atomic_store(&fake.late_ms, 600);
	connect_it();
	assert_int_equal(fake.n_commands, 1); /* one *CLS: nothing was asked before it was in step */
	instrument_disconnect(&instrument);
	atomic_store(&fake.n_late, 2); /* the second one comes when it is not waited for any more */
	atomic_store(&fake.late_ms, 600);
	connect_it();
	instrument.scpi.timeout_s = PATIENT_S;
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
	assert_near(quantity, 300, 1e-9);
}

/* catches: an order told as refused because of what the instrument complained of before */
static void an_old_complaint_is_not_the_orders(void **state)
{
	(void)state;
	connect_it();
	atomic_store(&fake.complaint, -350);
	assert_int_equal(instrument_set(&instrument, volts, 1, &err), 0);
	assert_true(fake.volts == 3);
}

/* catches: lines that nobody asked for, taken for the next answer */
static void what_was_said_unasked_answers_nothing(void **state)
{
	double quantity = -1;

	(void)state;
	connect_it();
	atomic_store(&fake.manner, FAKE_TALKING);
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
	assert_near(quantity, 300, 1e-9);
	atomic_store(&fake.manner, FAKE_RIGHT);
	usleep(20000); /* for the line more */
	quantity = -1;
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), JOSTLE_EFORMAT);
	assert_says("not asked for");
	assert_true(quantity == -1);
	assert_int_equal(instrument_regain(&instrument, &err), 0);
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
	assert_near(quantity, 300, 1e-9);
	atomic_store(&fake.manner, FAKE_TALKING);
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
	atomic_store(&fake.manner, FAKE_RIGHT);
	usleep(20000);
	assert_int_equal(instrument_set(&instrument, volts, 1, &err), 0);
	assert_true(fake.volts == 3);
}

/* catches: a sensor beyond its range that keeps the readings after it from being asked for */
static void overrange_is_no_reading_and_the_next_one_is_asked_for(void **state)
{
	double quantity = -1;

	(void)state;
	connect_it();
	atomic_store(&fake.manner, FAKE_OVER);
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), JOSTLE_EFORMAT);
	assert_says("9.91");
	assert_true(quantity == -1);
	atomic_store(&fake.manner, FAKE_RIGHT);
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
	assert_near(quantity, 300, 1e-9);
}

/* catches: a reading out of garbage or words, a wait for the end of a line that never comes, an instrument that stays lost afterwards */
static void garbage_words_and_endless_lines_are_no_readings(void **state)
{
	static const struct {
		enum fake_scpi_manner manner;
		int code;
		const char *says;
	} cases[] = {{FAKE_GARBAGE, JOSTLE_EFORMAT, "garbage"},
		     {FAKE_WORDS, JOSTLE_EFORMAT, "not ready"},
		     {FAKE_SILENT, JOSTLE_EMISSED, "no answer within"},
		     {FAKE_ENDLESS, JOSTLE_EMISSED, "no answer within"}};

	(void)state;
	connect_it();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double quantity = -1;

		atomic_store(&fake.manner, cases[i].manner);
		instrument.scpi.timeout_s = cases[i].code == JOSTLE_EMISSED ? HASTY_S : PATIENT_S;
		assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), cases[i].code);
		assert_says(cases[i].says);
		assert_true(quantity == -1);
		/* Out of step nothing is asked: what it says next answers nothing. */
		const int n_questions = fake.n_questions;

		assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), JOSTLE_EMISSED);
		assert_int_equal(fake.n_questions, n_questions);
		atomic_store(&fake.manner, FAKE_RIGHT);
		instrument.scpi.timeout_s = PATIENT_S;
		assert_int_equal(instrument_regain(&instrument, &err), 0);
		assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), 0);
		assert_near(quantity, 300, 1e-9);
	}
}

/* catches: a plug that was pulled taken for silence, a wait for it, a use of the port after it */
static void a_pulled_plug_is_told_at_once(void **state)
{
	double quantity;
	const int64_t begun_ns = clock_now_ns();

	(void)state;
	connect_it();
	instrument.scpi.timeout_s = 60;
	fake_scpi_end(&fake);
	assert_int_equal(instrument_read(&instrument, temperature, &quantity, &err), JOSTLE_EIO);
	assert_int_equal(instrument_set(&instrument, volts, 1, &err), JOSTLE_EIO);
	assert_true(clock_now_ns() - begun_ns < INT64_C(30000000000));
	instrument_disconnect(&instrument);
	assert_false(instrument.connected);
	setup.timeout_s = HASTY_S;
	assert_true(instrument_connect(&instrument, &err) < 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(readings_and_settings_are_in_the_benchs_quantities),
		TEST(another_instrument_is_refused_by_name),
		TEST(a_silent_port_and_an_absent_one_are_refused),
		TEST(a_link_to_the_port_is_followed),
		TEST(what_the_instrument_refuses_is_told_in_its_words),
		TEST(settings_outside_their_limits_never_reach_the_instrument),
		TEST(a_late_answer_is_never_taken_for_the_next_one),
		TEST(an_instrument_that_wakes_up_slowly_is_connected),
		TEST(an_old_complaint_is_not_the_orders),
		TEST(what_was_said_unasked_answers_nothing),
		TEST(overrange_is_no_reading_and_the_next_one_is_asked_for),
		TEST(garbage_words_and_endless_lines_are_no_readings),
		TEST(a_pulled_plug_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
