/*
 * The frames of a serial line, against a second decoder that shares nothing with the first: zlib's checksum, and
 * unstuffing into another buffer. The bytes are taken three ways: as what stands between two zero bytes, as a line
 * between two good frames, and as the content of a frame that is sealed here, since no fuzzer guesses a CRC.
 */
#include <stdbool.h>

#include <zlib.h>

#include "daq/serial/framing.h"
#include "fuzz/target.h"

#define LARGEST 4096
#define LONGEST 0xff /* the first byte of a block after which no zero byte was */

/** What n bytes between two zero bytes are worth; their content in content[LARGEST], *m bytes of it. */
static enum framing_fault judge(const uint8_t *bytes, size_t n, uint8_t content[], size_t *m)
{
	bool zero = false;

	*m = 0;
	for (size_t at = 0; at < n; at += bytes[at]) {
		if (bytes[at] == 0 || at + bytes[at] > n || memchr(bytes + at, 0, bytes[at]))
			return FRAMING_BAD_STUFFING;
		if (zero)
			content[(*m)++] = 0;
		memcpy(content + *m, bytes + at + 1, bytes[at] - 1u);
		*m += bytes[at] - 1u;
		zero = bytes[at] != LONGEST;
	}
	if (n == 0)
		return FRAMING_BAD_STUFFING;
	if (*m < 12 || *m > FRAMING_MAX_CONTENT)
		return FRAMING_BAD_LENGTH;
	const uint8_t *tail = content + *m - 4;
	const uint32_t sum = tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 | (uint32_t)tail[3] << 24;
	if (crc32(0, content, (uInt)(*m - 4)) != sum)
		return FRAMING_BAD_CHECKSUM;
	return content[0] == 2 ? FRAMING_GOOD : FRAMING_BAD_VERSION;
}

/** A frame is its content, field by field. */
static void check_fields(const struct framing_frame *frame, const uint8_t content[], size_t m)
{
	REQUIRE(frame->kind == content[1]);
	REQUIRE(frame->session == (content[2] | content[3] << 8));
	REQUIRE(frame->sequence ==
		(content[4] | (uint32_t)content[5] << 8 | (uint32_t)content[6] << 16 | (uint32_t)content[7] << 24));
	REQUIRE(frame->size == m - 12 && frame->size <= FRAMING_MAX_PAYLOAD);
	REQUIRE(memcmp(frame->payload, content + 8, frame->size) == 0);
}

/**
 * A good frame coded again is the same bytes. One spelling more is taken than written: a last block of nothing behind a
 * full one, which other implementations of COBS write.
 */
static void check_coded_again(const struct framing_frame *frame, const uint8_t *bytes, size_t n)
{
	uint8_t coded[FRAMING_MAX_CODED];
	const size_t m = framing_encode(frame, coded);

	REQUIRE(m >= 2 && coded[0] == 0 && coded[m - 1] == 0);
	REQUIRE(m - 2 == n || (m - 1 == n && bytes[n - 1] == 1));
	REQUIRE(memcmp(coded + 1, bytes, m - 2) == 0);
}

/** The bytes as all there is between two zero bytes. Returns the verdict. */
static enum framing_fault take_block(const uint8_t *bytes, size_t n)
{
	static uint8_t content[LARGEST];
	struct framing_frame frame = {0};
	uint8_t *copy = fuzz_copy(bytes, n);
	size_t m;
	const enum framing_fault verdict = judge(bytes, n, content, &m);

	REQUIRE(framing_decode(copy, n, &frame) == verdict);
	if (verdict == FRAMING_GOOD) {
		check_fields(&frame, content, m);
		check_coded_again(&frame, bytes, n);
	}
	if (verdict == FRAMING_BAD_VERSION)
		REQUIRE(copy[0] == content[0] && frame.kind == content[1]);
	free(copy);
	return verdict;
}

/** A reader, and how often each verdict ought to have come of it. */
struct line {
	struct framing_reader *reader;
	uint32_t verdict[FRAMING_N_FAULTS];
};

/** Bytes without a zero byte among them, and the one that ends them. */
static void feed_block(struct line *line, const uint8_t *bytes, size_t n)
{
	static uint8_t content[LARGEST];
	struct framing_frame frame = {0};
	size_t m;
	const enum framing_fault verdict = n > FRAMING_MAX_STUFFED ? FRAMING_BAD_LENGTH : judge(bytes, n, content, &m);

	for (size_t i = 0; i < n; i++)
		REQUIRE(!framing_take(line->reader, bytes[i], &frame));
	REQUIRE(framing_take(line->reader, 0, &frame) == (n > 0 && verdict == FRAMING_GOOD));
	if (n == 0)
		return;
	line->verdict[verdict]++;
	if (verdict == FRAMING_GOOD)
		check_fields(&frame, content, m);
	if (verdict == FRAMING_BAD_VERSION)
		REQUIRE(line->reader->version == content[0]);
	for (int i = FRAMING_BAD_STUFFING; i < FRAMING_N_FAULTS; i++)
		REQUIRE(line->reader->refused[i] == line->verdict[i]);
}

static void feed_good_frame(struct framing_reader *reader, uint32_t sequence)
{
	const struct framing_frame sent = {.kind = FRAMING_OUTPUTS,
					   .session = 7,
					   .sequence = sequence,
					   .size = 2,
					   .payload = (const uint8_t *)"\0x"};
	uint8_t coded[FRAMING_MAX_CODED];
	const size_t n = framing_encode(&sent, coded);
	struct framing_frame frame;

	for (size_t i = 1; i < n - 1; i++) /* its first zero byte has ended what was before */
		REQUIRE(!framing_take(reader, coded[i], &frame));
	REQUIRE(framing_take(reader, 0, &frame));
	REQUIRE(frame.sequence == sequence && frame.kind == sent.kind && frame.size == 2);
}

/** The bytes as a line, with a good frame before and after: neither is lost, whatever is between. */
static void take_line(const uint8_t *bytes, size_t n)
{
	struct line line = {.reader = calloc(1, sizeof(*line.reader))};
	const uint8_t *const end = bytes + n, *at = bytes;

	REQUIRE(line.reader != NULL);
	feed_good_frame(line.reader, 1);
	for (const uint8_t *zero; at < end && (zero = memchr(at, 0, (size_t)(end - at))); at = zero + 1)
		feed_block(&line, at, (size_t)(zero - at));
	feed_block(&line, at, (size_t)(end - at));
	feed_good_frame(line.reader, 2);
	free(line.reader);
}

/** The bytes as the content of a frame: sealed, they are taken for what they are; one bit off, never. */
static void take_sealed(const uint8_t *bytes, size_t n)
{
	static uint8_t content[LARGEST + FRAMING_TAIL], stuffed[2 * LARGEST];
	const uint32_t sum = (uint32_t)crc32(0, bytes, (uInt)n);
	const size_t m = n + FRAMING_TAIL;
	const uint64_t bit = sum % (8 * m);
	size_t coded;
	enum framing_fault verdict;

	memcpy(content, bytes, n);
	framing_put32(content + n, sum);
	REQUIRE(framing_crc32(content, n) == sum);
	coded = framing_stuff(content, m, stuffed);
	REQUIRE(coded > m && coded <= m + m / 254 + 1 && !memchr(stuffed, 0, coded));
	verdict = take_block(stuffed, coded);
	REQUIRE(verdict == (m < 12 || m > FRAMING_MAX_CONTENT ? FRAMING_BAD_LENGTH
			    : bytes[0] != FRAMING_VERSION     ? FRAMING_BAD_VERSION
							      : FRAMING_GOOD));
	content[bit / 8] ^= (uint8_t)(1u << bit % 8);
	coded = framing_stuff(content, m, stuffed);
	if (verdict != FRAMING_BAD_LENGTH)
		REQUIRE(take_block(stuffed, coded) == FRAMING_BAD_CHECKSUM);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0 || n > LARGEST - 64)
		return 0;
	take_block(bytes, n);
	take_line(bytes, n);
	take_sealed(bytes, n);
	return 0;
}
