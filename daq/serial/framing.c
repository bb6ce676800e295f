/*
 * COBS: S. Cheshire, M. Baker, "Consistent overhead byte stuffing", IEEE/ACM Trans. Networking 7 (1999) 159. A block is a
 * byte that says where the next one begins, and the bytes up to there; between blocks stands a zero byte of the original,
 * unless the block is as long as blocks get, 255.
 */
#include "framing.h"

#include <string.h>

#define LONGEST 0xff

uint32_t framing_crc32(const uint8_t bytes[], size_t n)
{
	/* Half a byte at a time: 64 bytes of table, for firmware's sake. */
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

size_t framing_stuff(const uint8_t bytes[], size_t n, uint8_t stuffed[])
{
	size_t block = 0, end = 1; /* where the block's first byte is, where its next goes */

	for (size_t i = 0; i < n; i++) {
		if (end - block == LONGEST) { /* full, and more to come */
			stuffed[block] = LONGEST;
			block = end++;
		}
		if (bytes[i]) {
			stuffed[end++] = bytes[i];
		} else {
			stuffed[block] = (uint8_t)(end - block);
			block = end++;
		}
	}
	stuffed[block] = (uint8_t)(end - block);
	return end;
}

bool framing_unstuff(uint8_t bytes[], size_t *n)
{
	size_t from = 0, to = 0;

	while (from < *n) {
		const size_t length = bytes[from];

		if (length == 0 || length > *n - from)
			return false;
		for (size_t i = 1; i < length; i++)
			if (!(bytes[to++] = bytes[from + i]))
				return false;
		from += length;
		if (length < LONGEST && from < *n)
			bytes[to++] = 0;
	}
	if (from == 0)
		return false;
	*n = to;
	return true;
}

enum framing_fault framing_decode(uint8_t bytes[], size_t n, struct framing_frame *frame)
{
	if (!framing_unstuff(bytes, &n))
		return FRAMING_BAD_STUFFING;
	if (n < FRAMING_HEAD + FRAMING_TAIL || n > FRAMING_MAX_CONTENT)
		return FRAMING_BAD_LENGTH;
	if (framing_crc32(bytes, n - FRAMING_TAIL) != framing_get32(bytes + n - FRAMING_TAIL))
		return FRAMING_BAD_CHECKSUM;
	frame->kind = bytes[1];
	frame->session = framing_get16(bytes + 2);
	frame->sequence = framing_get32(bytes + 4);
	frame->size = n - FRAMING_HEAD - FRAMING_TAIL;
	frame->payload = bytes + FRAMING_HEAD;
	return bytes[0] == FRAMING_VERSION ? FRAMING_GOOD : FRAMING_BAD_VERSION;
}

bool framing_take(struct framing_reader *reader, uint8_t byte, struct framing_frame *frame)
{
	const size_t n = reader->n;
	const bool overflow = reader->overflow;
	enum framing_fault fault;

	if (byte) {
		reader->overflow = overflow || n == sizeof(reader->bytes);
		if (!reader->overflow)
			reader->bytes[reader->n++] = byte;
		return false;
	}
	reader->n = 0;
	reader->overflow = false;
	if (n == 0) /* nothing between two zero bytes: frames have one before and one after */
		return false;
	fault = overflow ? FRAMING_BAD_LENGTH : framing_decode(reader->bytes, n, frame);
	if (fault == FRAMING_BAD_VERSION)
		reader->version = reader->bytes[0];
	if (fault != FRAMING_GOOD)
		reader->refused[fault]++;
	return fault == FRAMING_GOOD;
}

size_t framing_encode(const struct framing_frame *frame, uint8_t coded[FRAMING_MAX_CODED])
{
	uint8_t content[FRAMING_MAX_CONTENT];
	size_t n = FRAMING_HEAD + frame->size;

	if (frame->size > FRAMING_MAX_PAYLOAD)
		return 0;
	content[0] = FRAMING_VERSION;
	content[1] = frame->kind;
	framing_put16(content + 2, frame->session);
	framing_put32(content + 4, frame->sequence);
	if (frame->size)
		memcpy(content + FRAMING_HEAD, frame->payload, frame->size);
	framing_put32(content + n, framing_crc32(content, n));
	n += FRAMING_TAIL;
	coded[0] = 0;
	n = framing_stuff(content, n, coded + 1);
	coded[n + 1] = 0;
	return n + 2;
}
