#include "daq/instruments/instrument.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define TRIES 3 /* at finding it: opening the port resets some, and they take their time to wake up */

void instrument_init(struct instrument *instrument, const struct instrument_setup *setup)
{
	*instrument = (struct instrument){.setup = setup};
}

static int identify(struct instrument *instrument, struct err *err)
{
	return scpi_identify(&instrument->scpi, instrument->setup->identity, instrument->identity, err);
}

/** Get into step, and empty its queue of errors: what it complained of before is not ours. */
static int clear(struct instrument *instrument, bool status, struct err *err)
{
	struct reply_error error;
	size_t n;
	int code = instrument_regain(instrument, err);

	if (!code && status)
		code = scpi_send(&instrument->scpi, "*CLS", err);
	return code ? code : scpi_ask_errors(&instrument->scpi, &error, &n, err);
}

int instrument_connect(struct instrument *instrument, struct err *err)
{
	const struct instrument_setup *setup = instrument->setup;
	int code = scpi_open(&instrument->scpi, setup->port, setup->baud, setup->timeout_s, err);

	if (code)
		return code;
	for (int i = 0; i < TRIES; i++) {
		code = clear(instrument, true, err);
		if (!code || code == JOSTLE_EIO)
			break;
	}
	instrument->connected = !code;
	if (code)
		instrument_disconnect(instrument);
	return code;
}

void instrument_disconnect(struct instrument *instrument)
{
	scpi_close(&instrument->scpi);
	instrument->connected = false;
}

int instrument_regain(struct instrument *instrument, struct err *err)
{
	return instrument->scpi.in_step ? 0 : identify(instrument, err);
}

int instrument_read(struct instrument *instrument, const struct instrument_value *reading, double *quantity,
		    struct err *err)
{
	double number;
	const int code = scpi_ask_number(&instrument->scpi, reading->line, &number, err);

	if (!code)
		*quantity = (number - reading->offset) / reading->gain;
	return code;
}

/** The command with its number in place; returns whether it fits. */
static bool put_number(const char *line, double number, char *command, size_t size)
{
	const char *place = strstr(line, INSTRUMENT_NUMBER);
	const int n = snprintf(command, size, "%.*s%.9G%s", (int)(place - line), line, number,
			       place + strlen(INSTRUMENT_NUMBER));

	return n > 0 && (size_t)n < size;
}

int instrument_set(struct instrument *instrument, const struct instrument_value *value, double quantity,
		   struct err *err)
{
	char command[2 * INSTRUMENT_LINE_SIZE];
	int code;

	/* Not ">": what is not a number is within no limits. */
	if (!(quantity >= value->min && quantity <= value->max))
		return err_set(err, JOSTLE_EINVAL, "%s: expected %g to %g %s, found %g", value->name, value->min,
			       value->max, value->unit, quantity);
	if (!put_number(value->line, value->offset + value->gain * quantity, command, sizeof(command)))
		return err_set(err, JOSTLE_EINVAL, "%s: the command is too long", value->name);
	code = clear(instrument, false, err);
	if (code == JOSTLE_EFORMAT) /* it was found out of step just now */
		code = clear(instrument, false, err);
	if (!code)
		code = scpi_send(&instrument->scpi, command, err);
	return code ? code : instrument_errors(instrument, err);
}

int instrument_errors(struct instrument *instrument, struct err *err)
{
	struct reply_error error;
	size_t n;
	const int code = scpi_ask_errors(&instrument->scpi, &error, &n, err);

	if (code || n == 0)
		return code;
	return err_set(err, JOSTLE_EINVAL, "%s refused: %d, %s%s", instrument->setup->name, error.code, error.words,
		       n > 1 ? ", and more" : "");
}
