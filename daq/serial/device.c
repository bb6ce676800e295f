/*
 * What a frame makes a device do. An exchange samples first and drives then, so that what the host computes from a sample
 * acts from the next one: one period of delay, as on every bench.
 *
 * Once it runs, a device obeys the session that started it alone, and every sequence number once, in order: nothing that
 * a line kept back, repeated or turned round is driven. The watchdog's end is latched: outputs stay safe, whatever outputs
 * come, until the host starts anew and so shows that it knows.
 */
#include "device.h"

#include <string.h>

#define START_HEAD 4

bool serial_device_init(struct serial_device *device, const struct serial_device_board *board)
{
	memset(device, 0, sizeof(*device));
	device->board = board;
	return board->n_in <= FRAMING_MAX_CHANNELS && board->n_out <= FRAMING_MAX_CHANNELS;
}

static void go_safe(struct serial_device *device, enum framing_device_state state)
{
	device->state = state;
	device->board->drive(device->board->context, device->safe);
}

void serial_device_tick(struct serial_device *device, uint32_t now_us)
{
	if (device->state == FRAMING_RUNNING && now_us - device->last_us > device->watchdog_us)
		go_safe(device, FRAMING_EXPIRED);
}

/** Answer a frame with `size` bytes of device->payload. */
static void answer(struct serial_device *device, const struct framing_frame *question, size_t size)
{
	const struct framing_frame frame = {
		.kind = (uint8_t)(question->kind | FRAMING_ANSWER),
		.session = question->session,
		.sequence = question->sequence,
		.size = size,
		.payload = device->payload,
	};
	const size_t n = framing_encode(&frame, device->coded);

	device->board->send(device->board->context, device->coded, n);
}

/** Codes of the outputs from a payload that has been found long enough. */
static void get_codes(const uint8_t from[], size_t n, uint16_t codes[])
{
	for (size_t i = 0; i < n; i++)
		codes[i] = framing_get16(from + 2 * i);
}

static bool describe(struct serial_device *device, const struct framing_frame *frame)
{
	const struct serial_device_board *board = device->board;
	size_t length = strlen(board->name);

	if (frame->size != 0)
		return false;
	if (length > FRAMING_MAX_NAME)
		length = FRAMING_MAX_NAME;
	framing_put16(device->payload, (uint16_t)board->n_in);
	framing_put16(device->payload + 2, (uint16_t)board->n_out);
	framing_put32(device->payload + 4, board->period_us);
	memcpy(device->payload + 8, board->name, length);
	answer(device, frame, 8 + length);
	return true;
}

static bool describe_channel(struct serial_device *device, const struct framing_frame *frame)
{
	const struct serial_device_board *board = device->board;
	const struct serial_device_channel *channels;
	size_t channel, n;

	if (frame->size != 3 || frame->payload[0] > 1)
		return false;
	channels = frame->payload[0] ? board->out : board->in;
	n = frame->payload[0] ? board->n_out : board->n_in;
	channel = framing_get16(frame->payload + 1);
	if (channel >= n)
		return false;
	framing_put32(device->payload, (uint32_t)channels[channel].min_uV);
	framing_put32(device->payload + 4, (uint32_t)channels[channel].max_uV);
	device->payload[8] = channels[channel].bits;
	answer(device, frame, 9);
	return true;
}

/** Of the session that is under way, and later than all that was taken of it. */
static bool in_order(const struct serial_device *device, const struct framing_frame *frame)
{
	return device->met && frame->session == device->session && framing_after(frame->sequence, device->sequence);
}

static bool start(struct serial_device *device, const struct framing_frame *frame, uint32_t now_us)
{
	const size_t n_out = device->board->n_out;
	const bool known = device->met && frame->session == device->session;

	if ((known || device->state == FRAMING_RUNNING) && !in_order(device, frame))
		return false;
	if (frame->size != START_HEAD + 2 * n_out)
		return false;
	const uint32_t watchdog_us = framing_get32(frame->payload);
	if (watchdog_us == 0 || watchdog_us > SERIAL_DEVICE_MAX_WATCHDOG_US)
		return false;
	device->met = true;
	device->session = frame->session;
	device->sequence = frame->sequence;
	device->watchdog_us = watchdog_us;
	device->last_us = now_us;
	get_codes(frame->payload + START_HEAD, n_out, device->safe);
	go_safe(device, FRAMING_RUNNING);
	answer(device, frame, 0);
	return true;
}

static bool exchange(struct serial_device *device, const struct framing_frame *frame, uint32_t now_us)
{
	const struct serial_device_board *board = device->board;

	if (!in_order(device, frame) || frame->size != 2 * board->n_out)
		return false;
	device->sequence = frame->sequence;
	device->n_exchanges++;
	board->sample(board->context, device->values);
	device->payload[0] = (uint8_t)device->state;
	for (size_t i = 0; i < board->n_in; i++)
		framing_put16(device->payload + 1 + 2 * i, device->values[i]);
	if (device->state == FRAMING_RUNNING) {
		device->last_us = now_us;
		get_codes(frame->payload, board->n_out, device->values);
		board->drive(board->context, device->values);
	}
	answer(device, frame, 1 + 2 * board->n_in);
	return true;
}

static bool stop(struct serial_device *device, const struct framing_frame *frame)
{
	if (!in_order(device, frame) || frame->size != 0)
		return false;
	device->sequence = frame->sequence;
	go_safe(device, FRAMING_IDLE);
	answer(device, frame, 0);
	return true;
}

void serial_device_take(struct serial_device *device, uint8_t byte, uint32_t now_us)
{
	struct framing_frame frame;
	bool obeyed = false;

	if (!framing_take(&device->reader, byte, &frame))
		return;
	serial_device_tick(device, now_us); /* a frame that comes too late doesn't undo that it did */
	switch (frame.kind) {
	case FRAMING_HELLO:
		obeyed = describe(device, &frame);
		break;
	case FRAMING_CHANNEL:
		obeyed = describe_channel(device, &frame);
		break;
	case FRAMING_START:
		obeyed = start(device, &frame, now_us);
		break;
	case FRAMING_OUTPUTS:
		obeyed = exchange(device, &frame, now_us);
		break;
	case FRAMING_STOP:
		obeyed = stop(device, &frame);
		break;
	default:
		break;
	}
	if (!obeyed)
		device->n_refused++;
}
