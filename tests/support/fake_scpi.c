#include "support/fake_scpi.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void say(const struct fake_scpi *fake, const char *text)
{
	const ssize_t done = write(fake->master, text, strlen(text));
	(void)done;
}

static void complain(struct fake_scpi *fake, int code)
{
	if (fake->n_errors < sizeof(fake->errors) / sizeof(fake->errors[0]))
		fake->errors[fake->n_errors++] = code;
}

static void say_error(struct fake_scpi *fake)
{
	static const struct {
		int code;
		const char *line;
	} lines[] = {{-113, "-113,\"Undefined header\"\r\n"},
		     {-222, "-222,\"Data out of range\"\r\n"},
		     {-350, "-350,\"Queue overflow\"\r\n"}};
	const int extra = atomic_exchange(&fake->complaint, 0);

	if (extra)
		complain(fake, extra);
	if (fake->n_errors == 0) {
		say(fake, "0,\"No error\"\r\n");
		return;
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].code == fake->errors[0])
			say(fake, lines[i].line);
	memmove(fake->errors, fake->errors + 1, --fake->n_errors * sizeof(fake->errors[0]));
}

static void answer(struct fake_scpi *fake, const char *question)
{
	char text[64];

	if (strcmp(question, "*IDN?") == 0) {
		say(fake, fake->other ? "OTHER,X-9,1,2\r\n" : "ACME,NG-1,0815,1.02\r\n");
	} else if (strcmp(question, "SYST:ERR?") == 0) {
		say_error(fake);
	} else if (fake->manner == FAKE_WORDS) {
		say(fake, "not ready\r\n");
	} else if (fake->manner == FAKE_OVER) {
		say(fake, "+9.910000E+37\r\n");
	} else {
		snprintf(text, sizeof(text), "%+.6E\r\n%s",
			 strcmp(question, "MEAS:TEMP?") == 0 ? fake->temperature_C : fake->volts,
			 fake->manner == FAKE_TALKING ? "+1.000000E+00\r\n" : "");
		say(fake, text);
	}
}

static void take(struct fake_scpi *fake, const char *line)
{
	const struct timespec late = {fake->late_ms / 1000, fake->late_ms % 1000 * 1000000};
	char *end;

	if (line[0] && line[strlen(line) - 1] == '?') {
		atomic_fetch_add(&fake->n_questions, 1);
		nanosleep(&late, NULL);
		if (fake->n_late > 0 && atomic_fetch_sub(&fake->n_late, 1) == 1)
			atomic_store(&fake->late_ms, 0);
		if (fake->manner == FAKE_GARBAGE)
			say(fake, "\x80\x13\xff?\r\n");
		else if (fake->manner == FAKE_ENDLESS)
			say(fake, "1.0000000");
		else if (fake->manner != FAKE_SILENT)
			answer(fake, line);
		return;
	}
	atomic_fetch_add(&fake->n_commands, 1);
	if (strcmp(line, "*CLS") == 0) {
		fake->n_errors = 0;
	} else if (strncmp(line, "SOUR:VOLT ", 10) == 0) {
		const double volts = strtod(line + 10, &end);

		if (*end || volts < 0 || volts > 5)
			complain(fake, -222);
		else
			fake->volts = volts;
	} else {
		complain(fake, -113);
	}
}

static void *serve(void *argument)
{
	struct fake_scpi *fake = argument;
	struct pollfd ready[2] = {{.fd = fake->master, .events = POLLIN}, {.fd = fake->wake[0], .events = POLLIN}};
	char line[256];
	size_t n = 0;

	for (;;) {
		char c;

		if (poll(ready, 2, -1) < 0 || ready[1].revents)
			return NULL;
		/* Nobody has the other side open: that is POLLHUP, for as long as it lasts. */
		if (!(ready[0].revents & POLLIN)) {
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
			continue;
		}
		if (read(fake->master, &c, 1) != 1)
			continue;
		if (c == '\n') {
			line[n] = '\0';
			n = 0;
			take(fake, line);
		} else if (n < sizeof(line) - 1) {
			line[n++] = c;
		}
	}
}

void fake_scpi_begin(struct fake_scpi *fake)
{
	struct termios raw;

	memset(fake, 0, sizeof(*fake));
	fake->temperature_C = 26.85;
	fake->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(fake->master >= 0);
	assert_int_equal(grantpt(fake->master), 0);
	assert_int_equal(unlockpt(fake->master), 0);
	assert_int_equal(ptsname_r(fake->master, fake->port, sizeof(fake->port)), 0);
	assert_int_equal(tcgetattr(fake->master, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(fake->master, TCSANOW, &raw), 0);
	assert_int_equal(pipe(fake->wake), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

void fake_scpi_end(struct fake_scpi *fake)
{
	if (fake->master < 0)
		return;
	assert_int_equal(write(fake->wake[1], "", 1), 1);
	pthread_join(fake->thread, NULL);
	close(fake->master);
	close(fake->wake[0]);
	close(fake->wake[1]);
	fake->master = -1;
}
