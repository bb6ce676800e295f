#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static _Noreturn void refuse(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

static _Noreturn void refuse(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "jostle %s: ", command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\ntry: jostle %s --help\n", command);
	exit(EXIT_USAGE);
}

static bool is_word(const struct option_row *row)
{
	return row->kind == OPTION_ARGUMENT || row->kind == OPTION_ARGUMENTS;
}

static const char *dashes(const struct option_row *row)
{
	if (is_word(row))
		return "";
	return row->name[1] ? "--" : "-";
}

static void print_help(const char *command, const char *help, const struct option_row rows[], size_t n_rows)
{
	printf("jostle %s: %s\n\n", command, help);
	for (size_t i = 0; i < n_rows; i++) {
		char left[64];
		const char *what = rows[i].kind == OPTION_FLAG ? "" : rows[i].what;

		if (is_word(&rows[i]))
			snprintf(left, sizeof(left), "%s", rows[i].what);
		else
			snprintf(left, sizeof(left), "%s%s%s%s", dashes(&rows[i]), rows[i].name, what[0] ? " " : "",
				 what);
		printf("  %-22s %s%s\n", left, rows[i].help, rows[i].required ? " (required)" : "");
	}
	printf("  %-22s %s\n", "--help", "this text");
}

static uint64_t whole_number(const char *command, const struct option_row *row, const char *text, uint64_t max)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || value > max ||
	    (row->kind == OPTION_SIZE && (double)value < row->min))
		refuse(command, "%s%s: expected a whole number from %.0f to %llu, found \"%s\"", dashes(row), row->name,
		       row->min, (unsigned long long)max, text);
	return value;
}

static void store(const char *command, const struct option_row *row, const char *text)
{
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->value = true;
		break;
	case OPTION_TEXT:
	case OPTION_ARGUMENT:
		if (!text[0])
			refuse(command, "%s%s: expected %s, found nothing", dashes(row), row->name, row->what);
		*(const char **)row->value = text;
		break;
	case OPTION_LIST:
	case OPTION_ARGUMENTS: {
		struct option_list *list = row->value;

		if (list->n == OPTION_LIST_MAX)
			refuse(command, "%s%s: expected at most %d", dashes(row), row->name, OPTION_LIST_MAX);
		list->text[list->n++] = text;
		break;
	}
	case OPTION_SIZE:
		*(size_t *)row->value = whole_number(command, row, text, (uint64_t)row->max);
		break;
	case OPTION_SEED:
		*(uint64_t *)row->value = whole_number(command, row, text, UINT64_MAX);
		break;
	case OPTION_DOUBLE: {
		char *end;
		double value = strtod(text, &end);

		if (end == text || *end || !isfinite(value) || value < row->min || value > row->max)
			refuse(command, "%s%s: expected a number from %g to %g, found \"%s\"", dashes(row), row->name,
			       row->min, row->max, text);
		*(double *)row->value = value;
		break;
	}
	}
}

static const struct option_row *find(const struct option_row rows[], size_t n_rows, const char *name, size_t length)
{
	for (size_t i = 0; i < n_rows; i++)
		if (!is_word(&rows[i]) && strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0)
			return &rows[i];
	return NULL;
}

void options_parse(const char *command, const char *help, const struct option_row rows[], size_t n_rows, int argc,
		   char **argv)
{
	bool given[64] = {false};
	size_t argument = 0;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help(command, help, rows, n_rows);
			exit(EXIT_SUCCESS);
		}
		if (word[0] != '-' || !word[1]) {
			while (argument < n_rows && !is_word(&rows[argument]))
				argument++;
			if (argument == n_rows)
				refuse(command, "unexpected \"%s\"", word);
			given[argument] = true;
			store(command, &rows[argument], word);
			argument += rows[argument].kind == OPTION_ARGUMENT;
			continue;
		}
		const char *name = word + (word[1] == '-' ? 2 : 1);
		const size_t length = strcspn(name, "=");
		const struct option_row *row = find(rows, n_rows, name, length);
		const char *text = name[length] == '=' ? name + length + 1 : NULL;

		if (!row || (word[1] == '-') != (row->name[1] != '\0'))
			refuse(command, "unknown option \"%s\"", word);
		if (row->kind == OPTION_FLAG && text)
			refuse(command, "--%s takes no value", row->name);
		if (row->kind != OPTION_FLAG && !text && ++i == argc)
			refuse(command, "%s%s: expected %s, found nothing", dashes(row), row->name, row->what);
		if (given[row - rows] && row->kind != OPTION_LIST)
			refuse(command, "%s%s is given twice", dashes(row), row->name);
		given[row - rows] = true;
		store(command, row, text ? text : argv[i]);
	}
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].required && !given[i])
			refuse(command, "%s%s %s is required", dashes(&rows[i]), is_word(&rows[i]) ? "" : rows[i].name,
			       rows[i].what);
}
