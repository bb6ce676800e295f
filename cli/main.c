/*
 * jostle: runs a bench of thermally driven oscillators that learns to generate. See README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/provenance.h"
#include "base/ranks.h"
#include "cli/command.h"

int command_failed(const struct err *err)
{
	char text[1100];

	err_format(err, text, sizeof(text));
	if (err->code == JOSTLE_EINTR) {
		log_info("%s", text);
		return EXIT_INTERRUPTED;
	}
	log_error("%s", text);
	return EXIT_FAILED;
}

static void print_help(FILE *out)
{
	fprintf(out, "jostle %s: runs a bench of thermally driven oscillators that learns to generate\n\n",
		jostle_version());
	fprintf(out, "usage: jostle COMMAND [OPTIONS]; jostle COMMAND --help explains one\n\n");
	for (size_t i = 0; command_registry[i]; i++)
		fprintf(out, "  %-10s %s\n", command_registry[i]->name, command_registry[i]->help);
}

static int run(const struct subcommand *command, int argc, char **argv)
{
	struct err err = {0};

	interrupt_watch();
	if (ranks_init(&err))
		return command_failed(&err);
	if (ranks_count() > 1 && !command->shared) {
		log_error("%s is the work of one process: start it without mpirun", command->name);
		return EXIT_USAGE;
	}
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		printf("jostle %s\n", jostle_version());
		return EXIT_SUCCESS;
	}
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; command_registry[i]; i++)
		if (strcmp(argv[1], command_registry[i]->name) == 0)
			return run(command_registry[i], argc - 1, argv + 1);
	log_error("no command \"%s\"; jostle --help lists them", argv[1]);
	return EXIT_USAGE;
}
