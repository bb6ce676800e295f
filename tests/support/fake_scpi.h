#ifndef JOSTLE_TEST_FAKE_SCPI_H
#define JOSTLE_TEST_FAKE_SCPI_H
/*
 * An instrument on a pseudo terminal: a source of volts and a thermometer that speak SCPI, rightly or not. Its thread
 * answers; the test says how.
 *
 *	*IDN?  *CLS  SYST:ERR?  MEAS:TEMP? (in Celsius)  SOUR:VOLT number (0 to 5)  SOUR:VOLT?
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum fake_scpi_manner {
	FAKE_RIGHT,
	FAKE_SILENT,  /* takes commands, answers nothing */
	FAKE_GARBAGE, /* answers bytes that are no text */
	FAKE_WORDS,   /* answers a query for a number with words */
	FAKE_ENDLESS, /* answers, and does not come to the end of its line */
	FAKE_TALKING, /* says a line more after each reading */
	FAKE_OVER     /* answers a query for a number with SCPI's overrange */
};

struct fake_scpi {
	char port[128]; /* to be opened by the other side */
	int master, wake[2];
	pthread_t thread;
	_Atomic(enum fake_scpi_manner) manner;
	_Atomic double temperature_C, volts;
	atomic_int late_ms;                 /* from a question to its answer */
	atomic_bool other;                  /* it is another instrument */
	atomic_int n_late;                  /* so many questions only are answered late; 0: all */
	atomic_int complaint;               /* one more entry of its error queue, or 0 */
	atomic_int n_questions, n_commands; /* taken so far; questions end with a question mark */
	int errors[8];
	size_t n_errors;
};

/** Plug it in; right, at 26.85 C, 0 V. */
void fake_scpi_begin(struct fake_scpi *fake);

/** Pull the plug, or end. Safe twice. */
void fake_scpi_end(struct fake_scpi *fake);

#endif
