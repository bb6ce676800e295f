/* Frames on a serial line: known values, round trips, and everything that is no frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daq/serial/framing.h"

static uint64_t random_state = 1;

/** splitmix64 */
static uint32_t draw(uint32_t below)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

/* catches: another polynomial, bit order, start value or final complement */
static void the_checksum_is_that_of_zlib(void **state)
{
	(void)state;
	assert_int_equal(framing_crc32((const uint8_t *)"123456789", 9), 0xcbf43926);
	assert_int_equal(framing_crc32((const uint8_t *)"", 0), 0);
	assert_int_equal(framing_crc32((const uint8_t *)"The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

/* catches: blocks that are counted one off, a block of 254 that gets a zero byte which was not there */
static void stuffing_gives_the_known_values(void **state)
{
	const struct {
		uint8_t plain[8], stuffed[8];
		size_t n, m;
	} cases[] = {
		{{0}, {1, 1}, 1, 2},
		{{0, 0}, {1, 1, 1}, 2, 3},
		{{0x11, 0x22, 0, 0x33}, {3, 0x11, 0x22, 2, 0x33}, 4, 5},
		{{0x11, 0x22, 0x33, 0x44}, {5, 0x11, 0x22, 0x33, 0x44}, 4, 5},
		{{0x11, 0, 0, 0}, {2, 0x11, 1, 1, 1}, 4, 5},
		{{0}, {1}, 0, 1},
	};
	uint8_t plain[512], stuffed[600];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(framing_stuff(cases[i].plain, cases[i].n, stuffed), cases[i].m);
		assert_memory_equal(stuffed, cases[i].stuffed, cases[i].m);
	}
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(1 + i % 255);
	assert_int_equal(framing_stuff(plain, 254, stuffed), 255);
	assert_int_equal(stuffed[0], 255);
	assert_int_equal(framing_stuff(plain, 255, stuffed), 257);
	assert_int_equal(stuffed[0], 255);
	assert_int_equal(stuffed[255], 2);
	assert_int_equal(stuffed[256], 255);
}

/* catches: any length, or place of zero bytes, at which coding and decoding are not each other's inverse; output that is too long */
static void every_length_comes_back(void **state)
{
	static uint8_t plain[FRAMING_MAX_PAYLOAD], coded[FRAMING_MAX_CODED];

	(void)state;
	for (size_t size = 0; size <= FRAMING_MAX_PAYLOAD; size++) {
		for (uint32_t zeros = 0; zeros < 3; zeros++) { /* none, some, most */
			const struct framing_frame frame = {.kind = (uint8_t)(size * 7 + zeros),
							    .session = (uint16_t)draw(65536),
							    .sequence = draw(UINT32_MAX),
							    .size = size,
							    .payload = plain};
			static struct framing_reader reader;
			struct framing_frame found;
			int n_found = 0;

			for (size_t i = 0; i < size; i++)
				plain[i] = draw(3) < zeros ? 0 : (uint8_t)(1 + draw(255));
			const size_t n = framing_encode(&frame, coded);
			assert_in_range(n, size + 15, FRAMING_MAX_CODED);
			assert_null(memchr(coded + 1, 0, n - 2));
			for (size_t i = 0; i < n; i++)
				n_found += framing_take(&reader, coded[i], &found);
			assert_int_equal(n_found, 1);
			assert_int_equal(found.kind, frame.kind);
			assert_int_equal(found.session, frame.session);
			assert_int_equal(found.sequence, frame.sequence);
			assert_int_equal(found.size, size);
			if (size)
				assert_memory_equal(found.payload, plain, size);
		}
	}
}

/* catches: a payload that is cut or overruns where it is larger than a frame carries */
static void a_payload_that_is_too_large_is_refused(void **state)
{
	static uint8_t payload[FRAMING_MAX_PAYLOAD + 1], coded[FRAMING_MAX_CODED];
	const struct framing_frame frame = {.size = sizeof(payload), .payload = payload};

	(void)state;
	assert_int_equal(framing_encode(&frame, coded), 0);
}

/** A frame of random content, between its zero bytes. Returns its length. */
static size_t random_frame(uint8_t coded[FRAMING_MAX_CODED])
{
	uint8_t payload[64];
	const struct framing_frame frame = {.kind = (uint8_t)draw(256),
					    .session = (uint16_t)draw(65536),
					    .sequence = draw(UINT32_MAX),
					    .size = draw(sizeof(payload) + 1),
					    .payload = payload};

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)draw(draw(2) ? 256 : 3);
	return framing_encode(&frame, coded);
}

/** Spoil the n bytes of a frame so that they are another row of bytes; returns how many there are then. */
static size_t spoil(uint8_t coded[], size_t n)
{
	switch (draw(5)) {
	case 0: /* a bit turned */
		coded[1 + draw((uint32_t)n - 2)] ^= (uint8_t)(1u << draw(8));
		return n;
	case 1: { /* cut short */
		const size_t m = 1 + draw((uint32_t)n - 2);

		coded[m] = 0;
		return m + 1;
	}
	case 2: { /* bytes lost in the middle */
		const size_t from = 1 + draw((uint32_t)n - 2), lost = 1 + draw((uint32_t)(n - 1 - from));

		memmove(coded + from, coded + from + lost, n - from - lost);
		return n - lost;
	}
	case 3: { /* a burst of garbage over it */
		const size_t from = 1 + draw((uint32_t)n - 2);

		for (size_t i = from; i < n - 1 && i < from + 8; i++)
			coded[i] = (uint8_t)(coded[i] + 1 + draw(254));
		return n;
	}
	default: /* nothing but garbage */
		for (size_t i = 0; i < n; i++)
			coded[i] = (uint8_t)draw(256);
		return n;
	}
}

/* catches: a checksum that covers less than all of a frame, a reader that garbage takes out of step */
static void none_of_a_million_spoilt_frames_is_taken_and_the_good_ones_between_are(void **state)
{
	static struct framing_reader reader;
	uint8_t coded[FRAMING_MAX_CODED];
	struct framing_frame frame;
	uint32_t taken = 0;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		size_t n = spoil(coded, random_frame(coded));

		for (size_t k = 0; k < n; k++)
			assert_false(framing_take(&reader, coded[k], &frame));
		if (i % 100)
			continue;
		n = random_frame(coded); /* its own zero byte ends whatever came before */
		for (size_t k = 0; k < n; k++)
			taken += framing_take(&reader, coded[k], &frame);
	}
	assert_int_equal(taken, 10000);
	/* and each was refused for a reason that can be told */
	assert_true(reader.refused[FRAMING_BAD_STUFFING] && reader.refused[FRAMING_BAD_LENGTH] &&
		    reader.refused[FRAMING_BAD_CHECKSUM]);
}

/* catches: a version that is looked at before the checksum, or not at all */
static void another_version_is_refused_and_said(void **state)
{
	static struct framing_reader reader;
	uint8_t content[FRAMING_HEAD + FRAMING_TAIL] = {FRAMING_VERSION + 1, FRAMING_HELLO}, stuffed[32];
	struct framing_frame frame;

	(void)state;
	framing_put32(content + FRAMING_HEAD, framing_crc32(content, FRAMING_HEAD));
	const size_t n = framing_stuff(content, sizeof(content), stuffed);
	for (size_t i = 0; i < n; i++)
		assert_false(framing_take(&reader, stuffed[i], &frame));
	assert_false(framing_take(&reader, 0, &frame));
	assert_int_equal(reader.refused[FRAMING_BAD_VERSION], 1);
	assert_int_equal(reader.version, FRAMING_VERSION + 1);
}

/* catches: a line that never sends a zero byte and runs over the reader's end; a frame after it that is lost */
static void an_endless_line_is_bounded_and_forgotten(void **state)
{
	struct {
		struct framing_reader reader;
		uint8_t after[64];
	} *s = calloc(1, sizeof(*s));
	uint8_t coded[FRAMING_MAX_CODED];
	struct framing_frame frame;
	int taken = 0;

	(void)state;
	assert_non_null(s);
	for (int i = 0; i < 100000; i++)
		assert_false(framing_take(&s->reader, 0x55, &frame));
	assert_in_range(s->reader.n, 0, sizeof(s->reader.bytes));
	for (size_t i = 0; i < sizeof(s->after); i++)
		assert_int_equal(s->after[i], 0);
	const size_t n = random_frame(coded);
	for (size_t i = 0; i < n; i++)
		taken += framing_take(&s->reader, coded[i], &frame);
	assert_int_equal(taken, 1);
	assert_int_equal(s->reader.refused[FRAMING_BAD_LENGTH], 1);
	free(s);
}

/* catches: an order of numbers that breaks where they wrap */
static void sequence_numbers_are_in_order_through_the_wrap(void **state)
{
	(void)state;
	assert_true(framing_after(1, 0));
	assert_true(framing_after(0, 0xffffffff));
	assert_true(framing_after(0x7fffffff, 0));
	assert_false(framing_after(0, 0));
	assert_false(framing_after(0, 1));
	assert_false(framing_after(0xffffffff, 0));
	assert_false(framing_after(0x80000000, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_that_of_zlib),
		cmocka_unit_test(stuffing_gives_the_known_values),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(a_payload_that_is_too_large_is_refused),
		cmocka_unit_test(none_of_a_million_spoilt_frames_is_taken_and_the_good_ones_between_are),
		cmocka_unit_test(another_version_is_refused_and_said),
		cmocka_unit_test(an_endless_line_is_bounded_and_forgotten),
		cmocka_unit_test(sequence_numbers_are_in_order_through_the_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
