/* Instruments polled by their threads: what the loop hears of them, what becomes of orders, what is written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <math.h>

#include "base/clock.h"
#include "base/err.h"
#include "control/instruments.h"
#include "control/tick.h"
#include "daq/bench.h"
#include "support/fake_scpi.h"

#define PATIENCE_NS INT64_C(30000000000)
#define SILENT_S    1.0

static struct fake_scpi noise, meter;
static struct instrument_setup setups[2];
static struct bench bench;
static struct instruments *instruments;
static struct err err;

static int begin(void **state)
{
	(void)state;
	fake_scpi_begin(&noise);
	fake_scpi_begin(&meter);
	err = (struct err){0};
	setups[0] = (struct instrument_setup){
		.name = "noise",
		.baud = 9600,
		.identity = "ACME",
		.timeout_s = 1, /* which a busy machine keeps */
		.interval_s = 0.05,
		.silent_s = SILENT_S,
		.n_sets = 1,
		.set = {{.name = "amplitude", .unit = "V", .line = "SOUR:VOLT {}", .gain = 1, .max = 9, .safe = 0.25}},
	};
	setups[1] = setups[0];
	snprintf(setups[1].name, sizeof(setups[1].name), "meter");
	setups[1].n_sets = 0;
	setups[1].n_reads = 1;
	setups[1].read[0] = (struct instrument_value){.name = "bath",
						      .unit = "K",
						      .line = "MEAS:TEMP?",
						      .gain = 1,
						      .offset = -273.15,
						      .min = 295,
						      .max = 305,
						      .bath_temperature = true};
	snprintf(setups[0].port, sizeof(setups[0].port), "%s", noise.port);
	snprintf(setups[1].port, sizeof(setups[1].port), "%s", meter.port);
	bench = (struct bench){.n_instruments = 2, .instruments = setups};
	return 0;
}

static int end(void **state)
{
	(void)state;
	instruments_close(instruments);
	instruments = NULL;
	fake_scpi_end(&noise);
	fake_scpi_end(&meter);
	return 0;
}

static void open_them(void)
{
	if (instruments_open(&instruments, &bench, &err))
		fail_msg("%s", err.text);
}

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void wait_for_outside(uint32_t outside)
{
	for (const int64_t until_ns = clock_now_ns() + PATIENCE_NS;
	     instruments_outside(instruments, clock_now_ns()) != outside; pause_ms(5))
		if (clock_now_ns() > until_ns)
			fail_msg("outside is %u, expected %u", instruments_outside(instruments, clock_now_ns()),
				 outside);
}

/** Order, and wait for what becomes of it. */
static int order(double value)
{
	uint64_t ticket;
	int code = instruments_order(instruments, "noise", "amplitude", value, &ticket, &err);

	if (code)
		return code;
	for (const int64_t until_ns = clock_now_ns() + PATIENCE_NS;
	     instruments_outcome(instruments, ticket, false, &code, &err) != ORDER_DONE; pause_ms(2))
		assert_true(clock_now_ns() < until_ns);
	return code;
}

static void assert_says(const char *words)
{
	if (!strstr(err.text, words))
		fail_msg("expected \"%s\" in \"%s\"", words, err.text);
}

/*
 * catches: a bit for another, a limit taken in the instrument's own unit, a reading that stays good after it has left its limits, one
 * that nobody has read taken for good
 */
static void a_reading_outside_its_limits_is_told_until_it_is_back(void **state)
{
	(void)state;
	atomic_store(&meter.manner, FAKE_WORDS);
	open_them();
	assert_int_equal(instruments_outside(instruments, clock_now_ns()), OUTSIDE_SILENT);
	assert_int_equal(instruments_await(instruments, &err), JOSTLE_ENODEV);
	assert_true(isnan(instruments_temperature_K(instruments)));
	atomic_store(&meter.manner, FAKE_RIGHT);
	wait_for_outside(0);
	assert_true(fabs(instruments_temperature_K(instruments) - 300) < 1e-9);
	assert_int_equal(instruments_await(instruments, &err), 0);
	atomic_store(&meter.temperature_C, 40);
	wait_for_outside(OUTSIDE_READING);
	assert_true(fabs(instruments_temperature_K(instruments) - 313.15) < 1e-9);
	atomic_store(&meter.temperature_C, 10);
	pause_ms(300);
	wait_for_outside(OUTSIDE_READING);
	atomic_store(&meter.temperature_C, 25);
	wait_for_outside(0);
}

/* catches: an old reading taken for a new one for ever, or a moment too early; one instrument's silence that holds up another's readings */
static void silence_is_told_after_its_time_and_no_earlier(void **state)
{
	(void)state;
	setups[0].timeout_s = setups[1].timeout_s = 0.2;
	open_them();
	wait_for_outside(0);
	const int64_t now_ns = clock_now_ns();

	/* The newest answer is older than now, and at most the readings' interval and a time-out older, on a patient machine. */
	assert_int_equal(instruments_outside(instruments, now_ns + (int64_t)(SILENT_S * 2e9)), OUTSIDE_SILENT);
	atomic_store(&noise.manner, FAKE_SILENT);
	pause_ms((int)(SILENT_S * 1500));
	wait_for_outside(0);
	atomic_store(&meter.manner, FAKE_SILENT);
	wait_for_outside(OUTSIDE_SILENT);
	assert_true(isnan(instruments_temperature_K(instruments)));
	assert_true(clock_now_ns() - now_ns > (int64_t)(SILENT_S * 2e9));
	atomic_store(&meter.manner, FAKE_GARBAGE);
	pause_ms(100);
	assert_int_equal(instruments_outside(instruments, clock_now_ns()), OUTSIDE_SILENT);
	atomic_store(&meter.manner, FAKE_RIGHT);
	wait_for_outside(0);
}

/* catches: an order without effect, one outside its limits that reaches the instrument, refusals told as done, names that match by halves */
static void orders_are_carried_out_or_refused_with_a_reason(void **state)
{
	struct instruments_view view;
	uint64_t ticket;

	(void)state;
	open_them();
	assert_int_equal(order(1.5), 0);
	assert_true(noise.volts == 1.5);
	instruments_look(instruments, 0, &view);
	assert_true(view.set[0].quantity == 1.5 && view.connected);
	assert_int_equal(order(9.5), JOSTLE_EINVAL);
	assert_says("0 to 9 V");
	assert_int_equal(order(NAN), JOSTLE_EINVAL);
	assert_int_equal(order(7), JOSTLE_EINVAL); /* beyond what the instrument itself can */
	assert_says("Data out of range");
	assert_true(noise.volts == 1.5);
	instruments_look(instruments, 0, &view);
	assert_true(isnan(view.set[0].quantity)); /* others take the nearest that they can, and say so */
	assert_int_equal(instruments_order(instruments, "nois", "amplitude", 1, &ticket, &err), JOSTLE_EINVAL);
	assert_says("nois");
	assert_int_equal(instruments_order(instruments, "meter", "bath", 1, &ticket, &err), JOSTLE_EINVAL);
	assert_says("bath");
	atomic_store(&noise.manner, FAKE_SILENT);
	assert_int_equal(order(2), JOSTLE_EMISSED);
	instruments_look(instruments, 0, &view);
	assert_true(isnan(view.set[0].quantity)); /* who knows */
	atomic_store(&noise.manner, FAKE_RIGHT);
}

/* catches: an order that is carried out after it was cancelled, room for orders that is never given back */
static void an_order_that_waits_can_be_cancelled_and_too_many_are_refused(void **state)
{
	uint64_t ticket[64];
	size_t n = 0;
	int code;

	(void)state;
	open_them();
	atomic_store(&noise.late_ms, 300);
	while (n < 64 && !instruments_order(instruments, "noise", "amplitude", n ? 3 : 1, &ticket[n], &err))
		n++;
	assert_true(n < 64);
	assert_int_equal(err.code, JOSTLE_EBUSY);
	/* From the last on, so that none of them comes to be carried out while this goes on: but the first may. */
	for (size_t i = n; i-- > 3;) {
		assert_int_equal(instruments_outcome(instruments, ticket[i], true, &code, &err), ORDER_DONE);
		assert_int_equal(code, JOSTLE_EIO);
		assert_says("not carried out");
	}
	for (size_t i = 0; i < 3; i++)
		while (instruments_outcome(instruments, ticket[i], false, &code, &err) != ORDER_DONE)
			pause_ms(2);
	atomic_store(&noise.late_ms, 0);
	const int n_commands = noise.n_commands;

	assert_int_equal(order(2), 0);
	assert_int_equal(noise.n_commands, n_commands + 1);
	assert_true(noise.volts == 2);
}

/* catches: a pulled plug that nobody says, an instrument that nobody looks for again, values held for set after it was away */
static void one_that_has_gone_is_told_and_looked_for(void **state)
{
	struct instruments_view view;
	const int64_t until_ns = clock_now_ns() + PATIENCE_NS;

	(void)state;
	setups[1].n_sets = 1;
	setups[1].set[0] = setups[0].set[0];
	setups[1].set[0].safe = NAN;
	open_them();
	wait_for_outside(0);
	fake_scpi_end(&meter);
	do {
		assert_true(clock_now_ns() < until_ns);
		pause_ms(5);
		instruments_look(instruments, 1, &view);
	} while (view.connected);
	assert_true(strstr(view.words, "hung up") || strstr(view.words, "expected a serial port"));
	assert_true(view.n_errors > 0);
	wait_for_outside(OUTSIDE_SILENT);
	uint64_t ticket;
	int code;

	assert_int_equal(instruments_order(instruments, "meter", "amplitude", 1, &ticket, &err), 0);
	while (instruments_outcome(instruments, ticket, false, &code, &err) != ORDER_DONE)
		pause_ms(2);
	assert_int_equal(code, JOSTLE_ENODEV);
	assert_says("not there");
	assert_int_equal(order(1), 0); /* the other one is not concerned */
}

/* catches: a run that begins with an instrument missing or another one in its place, threads left behind by it */
static void a_missing_instrument_is_named(void **state)
{
	(void)state;
	setups[1].timeout_s = 0.2;
	atomic_store(&meter.other, true);
	assert_int_equal(instruments_open(&instruments, &bench, &err), JOSTLE_ENODEV);
	assert_says("instrument meter: ");
	assert_says("OTHER,X-9");
	assert_null(instruments);
	bench.n_instruments = 0;
	assert_int_equal(instruments_open(&instruments, &bench, &err), 0);
	assert_null(instruments);
	assert_int_equal(instruments_outside(NULL, 1), 0);
	assert_true(isnan(instruments_temperature_K(NULL)));
	instruments_stop(NULL);
}

/* catches: readings and settings that nobody writes down, in another order, and a safe value that is not set at the end */
static void everything_is_noted_and_safe_values_are_set_at_the_end(void **state)
{
	struct instruments_view view = {0};
	struct instruments_note note;
	size_t n_connected = 0, n_readings = 0, n_set = 0;
	int64_t last_ns = 0;
	double last = NAN;

	(void)state;
	open_them();
	assert_int_equal(order(3), 0);
	wait_for_outside(0);
	atomic_store(&noise.complaint, -350);
	for (const int64_t until_ns = clock_now_ns() + PATIENCE_NS; noise.complaint || view.n_errors == 0;
	     instruments_look(instruments, 0, &view), pause_ms(5))
		assert_true(clock_now_ns() < until_ns);
	instruments_stop(instruments);
	assert_true(noise.volts == 0.25);
	bool complained = false;

	while (instruments_take(instruments, &note)) {
		assert_true(note.t_ns >= last_ns);
		last_ns = note.t_ns;
		n_connected += note.kind == NOTE_WORDS && strstr(note.words, "connected: ACME") != NULL;
		complained = complained || (note.kind == NOTE_WORDS && strstr(note.words, "Queue overflow"));
		if (note.kind == NOTE_READING) {
			assert_string_equal(note.instrument, "meter");
			assert_string_equal(note.name, "bath");
			assert_true(fabs(note.quantity - 300) < 1e-9);
			n_readings++;
		}
		if (note.kind == NOTE_SET) {
			assert_string_equal(note.instrument, "noise");
			assert_string_equal(note.name, "amplitude");
			last = note.quantity;
			n_set++;
		}
	}
	assert_int_equal(n_connected, 2);
	assert_true(n_readings >= 1 && complained);
	assert_int_equal(n_set, 2);
	assert_true(last == 0.25);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_reading_outside_its_limits_is_told_until_it_is_back),
		TEST(silence_is_told_after_its_time_and_no_earlier),
		TEST(orders_are_carried_out_or_refused_with_a_reason),
		TEST(an_order_that_waits_can_be_cancelled_and_too_many_are_refused),
		TEST(one_that_has_gone_is_told_and_looked_for),
		TEST(a_missing_instrument_is_named),
		TEST(everything_is_noted_and_safe_values_are_set_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
