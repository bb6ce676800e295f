#ifndef JOSTLE_OPTIONS_H
#define JOSTLE_OPTIONS_H
/*
 * Command-line options as a table: parsed, range-checked and explained from the same rows.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

#define OPTION_LIST_MAX 32

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_LIST,     /* struct option_list; may be given several times */
	OPTION_SIZE,     /* size_t within [min, max] */
	OPTION_SEED,     /* uint64_t */
	OPTION_DOUBLE,   /* double within [min, max] */
	OPTION_ARGUMENT, /* const char *: a word without a dash, in the order of the rows */
	OPTION_ARGUMENTS /* struct option_list: all words without a dash that remain */
};

struct option_list {
	size_t n;
	const char *text[OPTION_LIST_MAX];
};

struct option_row {
	const char *name; /* "out" for --out; one letter for -n */
	enum option_kind kind;
	void *value;
	const char *what; /* what the help calls the value: "FILE" */
	const char *help;
	bool required;
	double min, max;
};

/**
 * Parse argv[1 …]. Values keep what they held when an option is not given.
 * "--help" prints the table and ends the process with status 0. A mistake is said on standard error, with the way to the
 * help, and ends the process with EXIT_USAGE. Call from: setup.
 */
void options_parse(const char *command, const char *help, const struct option_row rows[], size_t n_rows, int argc,
		   char **argv);

#define OPTIONS_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#endif
