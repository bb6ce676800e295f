/*
 * jostle guardian: the process that brings a bench's outputs to safe when its loop can't. `jostle run` starts its own.
 */
#include <stdlib.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/options.h"
#include "control/guardian.h"

static int run(int argc, char **argv)
{
	const char *name = NULL;
	const struct option_row rows[] = {
		{"name", OPTION_ARGUMENT, &name, "NAME", "of the run to guard", true, 0, 0},
	};
	struct err err = {0};

	options_parse("guardian", "drive a run's outputs to safe when it dies or stalls; jostle run starts its own",
		      rows, OPTIONS_COUNT(rows), argc, argv);
	return guardian_run(name, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_guardian = {
	.name = "guardian",
	.help = "drive a run's outputs to safe when it dies or stalls",
	.run = run,
};
