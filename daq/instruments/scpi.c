#include "daq/instruments/scpi.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"

#define MAX_ERRORS 32     /* in the queue: instruments keep 10 to 30 */
#define MAX_OWED   8      /* answers to *IDN? that are waited for; one that was off for a day owes no more */
#define LOOK_NS    100000 /* at what has come already */

int scpi_open(struct scpi *scpi, const char *path, int baud, double timeout_s, struct err *err)
{
	*scpi = (struct scpi){.timeout_s = timeout_s};
	return serial_port_open(&scpi->port, path, baud, err);
}

void scpi_close(struct scpi *scpi)
{
	serial_port_close(&scpi->port);
	scpi->in_step = false;
}

static int64_t timeout_from_now(const struct scpi *scpi)
{
	return clock_now_ns() + (int64_t)(scpi->timeout_s * 1e9);
}

int scpi_send(struct scpi *scpi, const char *command, struct err *err)
{
	uint8_t line[REPLY_MAX_LINE];
	const int n = snprintf((char *)line, sizeof(line), "%s\n", command);
	int code;

	if (n < 0 || (size_t)n >= sizeof(line))
		return err_set(err, JOSTLE_EINVAL, "expected a command of at most %zu bytes, found %d",
			       sizeof(line) - 2, n);
	code = serial_port_write(&scpi->port, line, (size_t)n, timeout_from_now(scpi));
	if (!code)
		return 0;
	scpi->in_step = false; /* half a line may have gone */
	return err_set(err, JOSTLE_EIO, "%s: %s: %s", scpi->port.path, command,
		       code == JOSTLE_EIO ? "the instrument has hung up" : "the port takes nothing");
}

/** The next line that is not empty. Returns 0, JOSTLE_EFORMAT (it is garbage), JOSTLE_EMISSED or JOSTLE_EIO. */
static int next_line(struct scpi *scpi, int64_t until_ns)
{
	for (;;) {
		while (scpi->next < scpi->n_read) {
			const enum reply_taken taken = reply_take(&scpi->line, scpi->read[scpi->next++]);

			if (taken != REPLY_MORE)
				return taken == REPLY_LINE ? 0 : JOSTLE_EFORMAT;
		}
		const int n = serial_port_read(&scpi->port, scpi->read, sizeof(scpi->read), until_ns);

		if (n < 0)
			return n;
		scpi->n_read = (size_t)n;
		scpi->next = 0;
		/* An instrument that never stops talking is not waited for, and neither is a line without an end. */
		if (clock_now_ns() > until_ns)
			return JOSTLE_EMISSED;
	}
}

static int refuse_answer(struct scpi *scpi, int code, const char *query, struct err *err)
{
	scpi->in_step = false;
	if (code == JOSTLE_EMISSED)
		return err_set(err, code, "%s: %s: no answer within %g s", scpi->port.path, query, scpi->timeout_s);
	if (code == JOSTLE_EIO)
		return err_set(err, code, "%s: %s: the instrument has hung up", scpi->port.path, query);
	return err_set(err, code, "%s: %s: expected a line of text, found garbage, or a baud rate that is another",
		       scpi->port.path, query);
}

/** Whatever has come so far answers nothing. */
static void forget(struct scpi *scpi)
{
	serial_port_drop(&scpi->port);
	scpi->n_read = scpi->next = 0;
	scpi->line = (struct reply_line){0};
}

int scpi_identify(struct scpi *scpi, const char *identity, char found[REPLY_MAX_LINE], struct err *err)
{
	int64_t until_ns;
	char other[REPLY_MAX_LINE] = "";
	bool known = false;
	int code;

	forget(scpi);
	scpi->in_step = false;
	if ((code = scpi_send(scpi, "*IDN?", err)))
		return code;
	if (scpi->n_owed < MAX_OWED)
		scpi->n_owed++;
	until_ns = timeout_from_now(scpi);
	while (!(code = next_line(scpi, until_ns)) || code == JOSTLE_EFORMAT) {
		if (code)
			continue;
		if (strncmp(scpi->line.text, identity, strlen(identity)) != 0) {
			memcpy(other, scpi->line.text, sizeof(other));
			continue;
		}
		snprintf(found, REPLY_MAX_LINE, "%s", scpi->line.text);
		known = true;
		if (--scpi->n_owed <= 0)
			break;
		until_ns = timeout_from_now(scpi);
	}
	if (code == JOSTLE_EIO)
		return refuse_answer(scpi, code, "*IDN?", err);
	if (known) {
		scpi->n_owed = 0; /* what has not come by now was lost while it woke up */
		scpi->in_step = true;
		return 0;
	}
	if (other[0])
		return err_set(err, JOSTLE_ENODEV, "%s: expected an instrument that is \"%s\", found \"%.100s\"",
			       scpi->port.path, identity, other);
	return err_set(err, JOSTLE_ENODEV, "%s: expected an instrument that is \"%s\", found no answer within %g s",
		       scpi->port.path, identity, scpi->timeout_s);
}

/** Whether nothing has come since the last answer. Returns 0, JOSTLE_EFORMAT (something has) or JOSTLE_EIO. */
static int look_for_more(struct scpi *scpi)
{
	const int64_t until_ns = clock_now_ns() + LOOK_NS;
	int code;

	do
		code = next_line(scpi, until_ns);
	while (code == JOSTLE_EMISSED && scpi->next < scpi->n_read);
	if (code == JOSTLE_EIO)
		return code;
	return code == JOSTLE_EMISSED && scpi->line.n == 0 && !scpi->line.spoiled ? 0 : JOSTLE_EFORMAT;
}

int scpi_ask(struct scpi *scpi, const char *query, char answer[REPLY_MAX_LINE], struct err *err)
{
	int code;

	if (!scpi->in_step)
		return err_set(err, JOSTLE_EMISSED, "%s: %s: not asked, an earlier answer is still missing",
			       scpi->port.path, query);
	code = look_for_more(scpi);
	if (code == JOSTLE_EFORMAT) {
		scpi->in_step = false;
		return err_set(err, code, "%s: %s: not asked, the instrument has said what it was not asked for",
			       scpi->port.path, query);
	}
	if (code)
		return refuse_answer(scpi, code, query, err);
	if ((code = scpi_send(scpi, query, err)))
		return code;
	code = next_line(scpi, timeout_from_now(scpi));
	if (code)
		return refuse_answer(scpi, code, query, err);
	memcpy(answer, scpi->line.text, REPLY_MAX_LINE);
	return 0;
}

int scpi_ask_number(struct scpi *scpi, const char *query, double *value, struct err *err)
{
	char answer[REPLY_MAX_LINE];
	const int code = scpi_ask(scpi, query, answer, err);

	if (code || reply_number(answer, value))
		return code;
	/* Overrange is an answer, and the right one's. */
	scpi->in_step = reply_no_number(answer);
	return err_set(err, JOSTLE_EFORMAT, "%s: %s: expected a number, found \"%.100s\"", scpi->port.path, query,
		       answer);
}

int scpi_ask_errors(struct scpi *scpi, struct reply_error *first, size_t *n, struct err *err)
{
	char answer[REPLY_MAX_LINE];
	struct reply_error error;

	for (*n = 0; *n <= MAX_ERRORS; ++*n) {
		const int code = scpi_ask(scpi, "SYST:ERR?", answer, err);

		if (code)
			return code;
		if (!reply_error(answer, &error)) {
			scpi->in_step = false;
			return err_set(err, JOSTLE_EFORMAT,
				       "%s: SYST:ERR?: expected a number and words, found \"%.100s\"", scpi->port.path,
				       answer);
		}
		if (error.code == 0)
			return 0;
		if (*n == 0)
			*first = error;
	}
	return err_set(err, JOSTLE_EFORMAT, "%s: SYST:ERR?: expected an end of the errors, found more than %d",
		       scpi->port.path, MAX_ERRORS);
}
