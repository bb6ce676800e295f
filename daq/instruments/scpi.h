#ifndef JOSTLE_INSTRUMENTS_SCPI_H
#define JOSTLE_INSTRUMENTS_SCPI_H
/*
 * Lines of SCPI over a serial port: commands, queries and their answers, each with a time-out.
 *
 * An answer says nothing of its question. One that comes after its time-out would be taken for the answer to the next query; so
 * after every query that went wrong the two are out of step, and nothing is asked any more before scpi_identify() has found the
 * instrument again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daq/instruments/reply.h"
#include "daq/serial/port.h"

struct err;

struct scpi {
	struct serial_port port;
	double timeout_s;
	bool in_step; /* what comes next answers what is asked next */
	int n_owed;   /* answers to *IDN? that have been asked for and not come */
	struct reply_line line;
	size_t n_read, next; /* bytes that the port has given and nobody has looked at */
	uint8_t read[256];
};

/** Open the port; nothing is said yet. The caller ends it with scpi_close(). Errors: those of serial_port_open(). Call from: setup. */
int scpi_open(struct scpi *scpi, const char *path, int baud, double timeout_s, struct err *err);

/** Safe on a zeroed struct, and twice. Call from: setup. */
void scpi_close(struct scpi *scpi);

/**
 * Find out who is there: ask `*IDN?` and pass over lines until one begins with `identity`, for one time-out; what was
 * found instead is in the error. Where it was asked before in vain, its answers to that are waited for as well, for
 * a time-out each. In step from then on. Errors: JOSTLE_ENODEV (another instrument, or none that answers), JOSTLE_EIO
 * (the port is gone). Call from: setup.
 */
int scpi_identify(struct scpi *scpi, const char *identity, char found[REPLY_MAX_LINE], struct err *err);

/** Send a command, without its end. Errors: JOSTLE_EIO (the port is gone, or takes nothing). Call from: setup. */
int scpi_send(struct scpi *scpi, const char *command, struct err *err);

/**
 * Ask, and take the next line as the answer. Errors: JOSTLE_EMISSED (none within the time-out, or out of step), JOSTLE_EFORMAT (garbage;
 * or something has come that nobody asked for, and the question was not put), JOSTLE_EIO (the port is gone). Call from: setup.
 */
int scpi_ask(struct scpi *scpi, const char *query, char answer[REPLY_MAX_LINE], struct err *err);

/**
 * Ask for a number. Errors: those of scpi_ask(); JOSTLE_EFORMAT (something else; still in step where that is SCPI's number for
 * "overrange" or "not a number"). Call from: setup.
 */
int scpi_ask_number(struct scpi *scpi, const char *query, double *value, struct err *err);

/**
 * Empty the instrument's error queue (`SYST:ERR?`, as often as it has one, at most 32 times). *n is how many there were, and
 * *first the first of them. Errors: those of scpi_ask(); JOSTLE_EFORMAT (an answer that is no error, or more than 32). Call from: setup.
 */
int scpi_ask_errors(struct scpi *scpi, struct reply_error *first, size_t *n, struct err *err);

#endif
