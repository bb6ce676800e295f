/* The device library: what a board obeys, in which order, and what it does when nobody speaks to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daq/serial/device.h"

#define N_IN        3
#define N_OUT       2
#define WATCHDOG_US 50000

/** A board that remembers. */
struct bench_top {
	struct serial_device device;
	struct serial_device_board board;
	struct serial_device_channel in[N_IN], out[N_OUT];
	uint16_t driven[N_OUT];
	int n_drives, n_samples, n_drives_at_sample;
	uint8_t answer[FRAMING_MAX_CODED];
	size_t n_answer;
	uint32_t now_us, sequence;
	uint16_t session;
	struct framing_reader reader;
	struct framing_frame said;
};

static void sample(void *context, uint16_t in[])
{
	struct bench_top *top = context;

	for (int i = 0; i < N_IN; i++)
		in[i] = (uint16_t)(1000 * i + top->driven[0]);
	top->n_samples++;
	top->n_drives_at_sample = top->n_drives;
}

static void drive(void *context, const uint16_t out[])
{
	struct bench_top *top = context;

	memcpy(top->driven, out, sizeof(top->driven));
	top->n_drives++;
}

static void send(void *context, const uint8_t bytes[], size_t n)
{
	struct bench_top *top = context;

	memcpy(top->answer, bytes, n);
	top->n_answer = n;
}

static struct bench_top *begin(void)
{
	struct bench_top *top = calloc(1, sizeof(*top));

	assert_non_null(top);
	top->in[2] = (struct serial_device_channel){-5000000, 5000000, 12};
	top->out[1] = (struct serial_device_channel){0, 2500000, 16};
	top->board = (struct serial_device_board){"bench top", top, N_IN,   N_OUT, top->in,
						  top->out,    500, sample, drive, send};
	top->now_us = 0xfffffff0; /* the clock wraps soon */
	top->session = 7;
	top->sequence = 0xfffffffe; /* so do the numbers */
	assert_true(serial_device_init(&top->device, &top->board));
	return top;
}

/** Send a frame as it is said; whether it was answered, the answer in top->said. */
static bool say(struct bench_top *top, uint8_t kind, uint16_t session, uint32_t sequence, const uint8_t *payload,
		size_t size)
{
	const struct framing_frame frame = {kind, session, sequence, size, payload};
	uint8_t coded[FRAMING_MAX_CODED];
	const size_t n = framing_encode(&frame, coded);
	bool answered = false;

	top->n_answer = 0;
	for (size_t i = 0; i < n; i++)
		serial_device_take(&top->device, coded[i], top->now_us);
	for (size_t i = 0; i < top->n_answer; i++)
		answered |= framing_take(&top->reader, top->answer[i], &top->said);
	if (answered) {
		assert_int_equal(top->said.kind, kind | FRAMING_ANSWER);
		assert_int_equal(top->said.session, session);
		assert_int_equal(top->said.sequence, sequence);
	}
	return answered;
}

static bool say_start(struct bench_top *top, uint16_t session, uint32_t sequence, uint32_t watchdog_us)
{
	uint8_t payload[4 + 2 * N_OUT];

	framing_put32(payload, watchdog_us);
	framing_put16(payload + 4, 111);
	framing_put16(payload + 6, 222);
	return say(top, FRAMING_START, session, sequence, payload, sizeof(payload));
}

static bool say_outputs(struct bench_top *top, uint16_t session, uint32_t sequence, uint16_t first)
{
	uint8_t payload[2 * N_OUT];

	framing_put16(payload, first);
	framing_put16(payload + 2, (uint16_t)(first + 1));
	return say(top, FRAMING_OUTPUTS, session, sequence, payload, sizeof(payload));
}

static struct bench_top *begin_running(void)
{
	struct bench_top *top = begin();

	assert_true(say_start(top, top->session, ++top->sequence, WATCHDOG_US));
	return top;
}

/* catches: a greeting that moves an output, a description that is not the board's */
static void a_device_says_what_it_is_and_touches_nothing(void **state)
{
	struct bench_top *top = begin();
	uint8_t channel[3] = {1, 1, 0};

	(void)state;
	assert_true(say(top, FRAMING_HELLO, 9, 5, NULL, 0));
	assert_int_equal(top->said.size, 8 + strlen("bench top"));
	assert_int_equal(framing_get16(top->said.payload), N_IN);
	assert_int_equal(framing_get16(top->said.payload + 2), N_OUT);
	assert_int_equal(framing_get32(top->said.payload + 4), 500);
	assert_memory_equal(top->said.payload + 8, "bench top", 9);
	assert_true(say(top, FRAMING_CHANNEL, 9, 6, channel, 3));
	assert_int_equal(framing_get32(top->said.payload), 0);
	assert_int_equal(framing_get32(top->said.payload + 4), 2500000);
	channel[0] = 0;
	channel[1] = 2;
	assert_true(say(top, FRAMING_CHANNEL, 9, 7, channel, 3));
	assert_int_equal((int32_t)framing_get32(top->said.payload), -5000000);
	assert_int_equal(top->said.size, 9);
	assert_int_equal(top->said.payload[8], 12);
	channel[1] = 3; /* there is none */
	assert_false(say(top, FRAMING_CHANNEL, 9, 8, channel, 3));
	assert_int_equal(top->n_drives, 0);
	free(top);
}

/* catches: an exchange that drives before it samples, a start that leaves outputs where they were */
static void an_exchange_samples_first_and_drives_then(void **state)
{
	struct bench_top *top = begin_running();

	(void)state;
	assert_int_equal(top->driven[0], 111);
	assert_int_equal(top->driven[1], 222);
	assert_true(say_outputs(top, top->session, ++top->sequence, 500));
	assert_int_equal(top->n_drives_at_sample, 1);
	assert_int_equal(top->said.size, 1 + 2 * N_IN);
	assert_int_equal(top->said.payload[0], FRAMING_RUNNING);
	assert_int_equal(framing_get16(top->said.payload + 5), 2000 + 111); /* of what was driven before */
	assert_int_equal(top->driven[0], 500);
	assert_int_equal(top->driven[1], 501);
	free(top);
}

/* catches: outputs obeyed before a start, of another session, out of order, twice, of another number of channels */
static void what_is_out_of_order_is_neither_driven_nor_answered(void **state)
{
	struct bench_top *top = begin();
	uint8_t payload[2 * N_OUT + 2] = {0};

	(void)state;
	assert_false(say_outputs(top, top->session, ++top->sequence, 500));
	assert_false(say(top, FRAMING_STOP, top->session, ++top->sequence, NULL, 0));
	assert_int_equal(top->n_drives, 0);
	assert_true(say_start(top, top->session, ++top->sequence, WATCHDOG_US));
	assert_true(say_outputs(top, top->session, top->sequence + 5, 500));
	const int n_drives = top->n_drives;
	assert_false(say_outputs(top, top->session, top->sequence + 5, 600));
	assert_false(say_outputs(top, top->session, top->sequence + 4, 600));
	assert_false(say_outputs(top, (uint16_t)(top->session + 1), top->sequence + 6, 600));
	assert_false(say_start(top, (uint16_t)(top->session + 1), top->sequence + 6, WATCHDOG_US));
	assert_false(say_start(top, top->session, top->sequence, WATCHDOG_US));
	assert_false(say(top, FRAMING_STOP, top->session, top->sequence, NULL, 0));
	assert_false(say(top, FRAMING_OUTPUTS, top->session, top->sequence + 6, payload, 2 * N_OUT + 2));
	assert_false(say(top, FRAMING_OUTPUTS, top->session, top->sequence + 6, payload, 2 * N_OUT - 2));
	assert_false(say(top, FRAMING_OUTPUTS | FRAMING_ANSWER, top->session, top->sequence + 6, payload, 2 * N_OUT));
	assert_int_equal(top->n_drives, n_drives);
	assert_int_equal(top->device.n_refused, 11);
	assert_true(say_outputs(top, top->session, top->sequence + 6, 600));
	assert_int_equal(top->driven[0], 600);
	free(top);
}

/* catches: a watchdog that garbage, greetings or refused frames feed; one that fires early; outputs obeyed after it has */
static void a_device_that_nobody_drives_goes_safe_and_stays_there(void **state)
{
	struct bench_top *top = begin_running();

	(void)state;
	for (int i = 0; i < 5; i++) { /* across the wrap of the clock */
		assert_true(say_outputs(top, top->session, ++top->sequence, 500));
		top->now_us += WATCHDOG_US;
		serial_device_tick(&top->device, top->now_us);
		assert_int_equal(top->driven[0], 500);
	}
	assert_true(say(top, FRAMING_HELLO, 1, 1, NULL, 0));
	assert_false(say_outputs(top, top->session, top->sequence, 500));
	serial_device_take(&top->device, 0x55, top->now_us);
	top->now_us++;
	serial_device_tick(&top->device, top->now_us);
	assert_int_equal(top->device.state, FRAMING_EXPIRED);
	assert_int_equal(top->driven[0], 111);
	const int n_drives = top->n_drives;
	assert_true(say_outputs(top, top->session, ++top->sequence, 500)); /* answered: the host must learn of it */
	assert_int_equal(top->said.payload[0], FRAMING_EXPIRED);
	assert_int_equal(top->n_drives, n_drives);
	assert_true(say_start(top, top->session, ++top->sequence, WATCHDOG_US));
	assert_true(say_outputs(top, top->session, ++top->sequence, 500));
	assert_int_equal(top->driven[0], 500);
	free(top);
}

/* catches: a frame that comes after the watchdog's time and is obeyed because nobody looked at the clock in between */
static void a_frame_that_comes_too_late_is_not_driven(void **state)
{
	struct bench_top *top = begin_running();

	(void)state;
	top->now_us += WATCHDOG_US + 1;
	assert_true(say_outputs(top, top->session, ++top->sequence, 500));
	assert_int_equal(top->said.payload[0], FRAMING_EXPIRED);
	assert_int_equal(top->driven[0], 111);
	free(top);
}

/* catches: a stop that leaves outputs, a session that can't be followed by another, a watchdog of no time or of too much */
static void after_a_stop_another_host_may_start(void **state)
{
	struct bench_top *top = begin_running();

	(void)state;
	assert_true(say_outputs(top, top->session, ++top->sequence, 500));
	assert_true(say(top, FRAMING_STOP, top->session, ++top->sequence, NULL, 0));
	assert_int_equal(top->driven[0], 111);
	assert_int_equal(top->device.state, FRAMING_IDLE);
	assert_false(say_start(top, 8, 1, 0));
	assert_false(say_start(top, 8, 1, 0x80000000));
	assert_true(say_start(top, 8, 1, WATCHDOG_US));
	assert_false(say_outputs(top, top->session, ++top->sequence, 500)); /* the first host's time is over */
	assert_true(say_outputs(top, 8, 2, 700));
	assert_int_equal(top->driven[0], 700);
	free(top);
}

/* catches: anything among old, repeated, turned round, foreign and broken frames that moves an output */
static void none_of_a_million_stale_frames_is_driven(void **state)
{
	struct bench_top *top = begin_running();
	uint32_t random = 12345, first = top->sequence;
	uint8_t garbage[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_true(say_outputs(top, top->session, top->sequence += 1 + random % 3, 500));
		const int n_drives = top->n_drives;
		const uint32_t age = top->sequence - first;

		for (int k = 0; k < 1000; k++) {
			random = random * 1664525u + 1013904223u;
			switch (random >> 30) {
			case 0: /* the last one again */
				say_outputs(top, top->session, top->sequence, (uint16_t)random);
				break;
			case 1: /* an older one */
				say_outputs(top, top->session, top->sequence - (random >> 8) % age, (uint16_t)random);
				break;
			case 2: /* another host's */
				say_outputs(top, (uint16_t)(top->session + 1 + (random & 0xfff)), top->sequence + 1,
					    (uint16_t)random);
				break;
			default:
				for (size_t b = 0; b < sizeof(garbage); b++)
					garbage[b] = (uint8_t)((random ^ b * 2654435761u) >> (b % 24));
				for (size_t b = 0; b < sizeof(garbage); b++)
					serial_device_take(&top->device, garbage[b], top->now_us);
			}
		}
		assert_int_equal(top->n_drives, n_drives);
	}
	free(top);
}

/* catches: a board with more channels than there is room for that is driven beyond it */
static void a_board_with_too_many_channels_is_refused(void **state)
{
	struct bench_top *top = begin();

	(void)state;
	top->board.n_in = FRAMING_MAX_CHANNELS + 1;
	assert_false(serial_device_init(&top->device, &top->board));
	top->board.n_in = FRAMING_MAX_CHANNELS;
	top->board.n_out = FRAMING_MAX_CHANNELS + 1;
	assert_false(serial_device_init(&top->device, &top->board));
	free(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_says_what_it_is_and_touches_nothing),
		cmocka_unit_test(an_exchange_samples_first_and_drives_then),
		cmocka_unit_test(what_is_out_of_order_is_neither_driven_nor_answered),
		cmocka_unit_test(a_device_that_nobody_drives_goes_safe_and_stays_there),
		cmocka_unit_test(a_frame_that_comes_too_late_is_not_driven),
		cmocka_unit_test(after_a_stop_another_host_may_start),
		cmocka_unit_test(none_of_a_million_stale_frames_is_driven),
		cmocka_unit_test(a_board_with_too_many_channels_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
