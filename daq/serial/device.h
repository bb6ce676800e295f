#ifndef JOSTLE_SERIAL_DEVICE_H
#define JOSTLE_SERIAL_DEVICE_H
/*
 * The device's side of the serial line: what a microcontroller runs to be a bench.
 *
 * Portable C99 over framing.h alone: no allocation, no clock, no interrupts of its own. Firmware gives it the bytes that
 * come, the time, and a board of four functions; it answers, drives the outputs and, when the host falls silent, makes them
 * safe. Call everything from one context (a main loop, or an interrupt that nothing here interrupts).
 *
 *	serial_device_init(&device, &board);
 *	for (;;) {
 *		if (uart_has_byte())
 *			serial_device_take(&device, uart_byte(), micros());
 *		serial_device_tick(&device, micros());
 *	}
 */
#include "framing.h"

#define SERIAL_DEVICE_MAX_WATCHDOG_US 0x7fffffffu /* the microseconds may wrap */

/** A channel's converter: code c stands for min + c (max - min) / 65536; its low 16 - bits are zero. */
struct serial_device_channel {
	int32_t min_uV, max_uV;
	uint8_t bits; /* 1 to 16; of a converter with more, the upper 16 count */
};

/** What the firmware has. The functions are called by serial_device_take() and serial_device_tick(), and must return. */
struct serial_device_board {
	const char *name; /* FRAMING_MAX_NAME characters count */
	void *context;
	size_t n_in, n_out;
	const struct serial_device_channel *in, *out;
	uint32_t period_us; /* the shortest between two exchanges */
	/** Read all inputs now. */
	void (*sample)(void *context, uint16_t in[]);
	/** Write all outputs now. */
	void (*drive)(void *context, const uint16_t out[]);
	/** Send bytes to the host; what finds no room is lost, and the host asks again. */
	void (*send)(void *context, const uint8_t bytes[], size_t n);
};

struct serial_device {
	const struct serial_device_board *board;
	enum framing_device_state state;
	bool met; /* session and sequence mean something */
	uint16_t session;
	uint32_t sequence;               /* the last that was taken */
	uint32_t watchdog_us, last_us;   /* running: the last start or exchange */
	uint32_t n_exchanges, n_refused; /* frames that were whole and not to be obeyed; both wrap */
	uint16_t safe[FRAMING_MAX_CHANNELS], values[FRAMING_MAX_CHANNELS];
	struct framing_reader reader;
	uint8_t payload[FRAMING_MAX_PAYLOAD], coded[FRAMING_MAX_CODED];
};

/**
 * Begin idle; touches no output. `board` outlives the device. Returns false when it has more channels than
 * FRAMING_MAX_CHANNELS. Call from: setup.
 */
bool serial_device_init(struct serial_device *device, const struct serial_device_board *board);

/** Take a byte that came from the host; the one that ends a frame is answered before this returns. */
void serial_device_take(struct serial_device *device, uint8_t byte, uint32_t now_us);

/** Look at the time: at least every millisecond. The watchdog fires by as much too late as this is. */
void serial_device_tick(struct serial_device *device, uint32_t now_us);

#endif
