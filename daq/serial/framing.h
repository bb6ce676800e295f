#ifndef JOSTLE_FRAMING_H
#define JOSTLE_FRAMING_H
/*
 * Frames on a serial line: COBS between zero bytes, CRC-32, version, session, sequence number.
 *
 * Shared by this program and a device's firmware: C99, no allocation, nothing of the C library but string.h, no state but
 * the caller's. docs/serial-protocol.md is the contract on the wire. Whatever bytes come, the functions here end, write
 * nothing outside what they are given, and take a frame only when all of it is right.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_VERSION 2

/* Channels of one direction. Firmware with little memory may define it smaller: 2 bytes each, in three buffers. */
#ifndef FRAMING_MAX_CHANNELS
#define FRAMING_MAX_CHANNELS 512
#endif

#define FRAMING_HEAD        8 /* version, kind, session, sequence */
#define FRAMING_TAIL        4 /* CRC-32 */
#define FRAMING_MAX_NAME    31
#define FRAMING_MAX_PAYLOAD (2 * FRAMING_MAX_CHANNELS + 48)
#define FRAMING_MAX_CONTENT (FRAMING_HEAD + FRAMING_MAX_PAYLOAD + FRAMING_TAIL)
#define FRAMING_MAX_STUFFED (FRAMING_MAX_CONTENT + FRAMING_MAX_CONTENT / 254 + 1)
#define FRAMING_MAX_CODED   (FRAMING_MAX_STUFFED + 2) /* with a zero byte before and after */

/** What a frame is. A question's answer has the question's number + FRAMING_ANSWER, its session and its sequence. */
enum framing_kind {
	FRAMING_HELLO = 1,   /* nothing */
	FRAMING_CHANNEL = 2, /* u8 direction (0 input, 1 output), u16 channel */
	FRAMING_START = 3,   /* u32 watchdog, microseconds; u16 code of each output when safe */
	FRAMING_OUTPUTS = 4, /* u16 code of each output */
	FRAMING_STOP = 5,    /* nothing */
	FRAMING_ANSWER = 0x80,
	FRAMING_DESCRIPTION = 0x81, /* u16 inputs, u16 outputs, u32 shortest period, microseconds; name, the rest */
	FRAMING_RANGE = 0x82,       /* i32 lower, i32 upper end of the converter's span, microvolts; u8 bits, 1 to 16 */
	FRAMING_STARTED = 0x83,     /* nothing */
	FRAMING_INPUTS = 0x84,      /* u8 enum framing_device_state; u16 code of each input */
	FRAMING_STOPPED = 0x85      /* nothing */
};

/** Idle: outputs at rest. Expired: the watchdog has driven them to safe; they stay there until the next start. */
enum framing_device_state { FRAMING_IDLE, FRAMING_RUNNING, FRAMING_EXPIRED, FRAMING_N_STATES };

/** Why bytes between two zero bytes are no frame. */
enum framing_fault {
	FRAMING_GOOD,
	FRAMING_BAD_STUFFING, /* COBS: a block that reaches beyond the end, or a zero byte inside */
	FRAMING_BAD_LENGTH,   /* shorter than the least frame, or longer than the largest */
	FRAMING_BAD_CHECKSUM,
	FRAMING_BAD_VERSION, /* all right otherwise, but of a version that is not ours */
	FRAMING_N_FAULTS
};

struct framing_frame {
	uint8_t kind;
	uint16_t session;
	uint32_t sequence;
	size_t size;            /* of the payload */
	const uint8_t *payload; /* in the caller's or the reader's buffer; NULL when empty, in a frame to be coded */
};

/** Bytes of a line on their way to frames. Zeroed is ready. */
struct framing_reader {
	size_t n; /* since the last zero byte */
	bool overflow;
	uint32_t refused[FRAMING_N_FAULTS]; /* by reason */
	uint8_t version;                    /* of the last frame refused for it */
	uint8_t bytes[FRAMING_MAX_STUFFED];
};

/** CRC-32 of ISO 3309 and zlib (polynomial 0x04c11db7 reflected). Call from: any. */
uint32_t framing_crc32(const uint8_t bytes[], size_t n);

/**
 * COBS: n bytes to at most n + n / 254 + 1 without a zero byte. `stuffed` does not overlap `bytes`. Returns how many.
 * Call from: any.
 */
size_t framing_stuff(const uint8_t bytes[], size_t n, uint8_t stuffed[]);

/**
 * The way back, in place: n bytes that stood between two zero bytes. *n becomes the number of bytes they stand for, at
 * most n - 1. Returns false when they are not COBS. Call from: any.
 */
bool framing_unstuff(uint8_t bytes[], size_t *n);

/**
 * Read one frame out of the n bytes that stood between two zero bytes, in place. The frame's payload points into `bytes`.
 * Fills `frame` when it is good; with FRAMING_BAD_VERSION too, but then only kind, session and sequence mean anything and
 * bytes[0] is the version. Call from: any.
 */
enum framing_fault framing_decode(uint8_t bytes[], size_t n, struct framing_frame *frame);

/**
 * Take the next byte of a line. True: it ended a good frame, which `frame` describes until the next call. What is no frame
 * is counted and forgotten, and the one after it is found. Call from: any.
 */
bool framing_take(struct framing_reader *reader, uint8_t byte, struct framing_frame *frame);

/**
 * Code a frame, zero bytes before and after it included, into coded[FRAMING_MAX_CODED]. Returns the number of bytes, 0 when
 * its payload is larger than FRAMING_MAX_PAYLOAD. Call from: any.
 */
size_t framing_encode(const struct framing_frame *frame, uint8_t coded[FRAMING_MAX_CODED]);

/** Whether a sequence number comes after another, through the wrap. Call from: any. */
static inline bool framing_after(uint32_t sequence, uint32_t before)
{
	return sequence != before && sequence - before < 0x80000000u;
}

/* Numbers are little-endian on the wire. */
static inline void framing_put16(uint8_t bytes[2], uint16_t value)
{
	bytes[0] = (uint8_t)(value & 0xff);
	bytes[1] = (uint8_t)(value >> 8);
}

static inline void framing_put32(uint8_t bytes[4], uint32_t value)
{
	framing_put16(bytes, (uint16_t)(value & 0xffff));
	framing_put16(bytes + 2, (uint16_t)(value >> 16));
}

static inline uint16_t framing_get16(const uint8_t bytes[2])
{
	return (uint16_t)(bytes[0] | (unsigned)bytes[1] << 8);
}

static inline uint32_t framing_get32(const uint8_t bytes[4])
{
	return framing_get16(bytes) | (uint32_t)framing_get16(bytes + 2) << 16;
}

#endif
