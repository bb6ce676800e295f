/*
 * jostle keygen: CURVE keys for a bench that listens beyond this machine, and for its clients.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/options.h"
#include "control/curve.h"

static int run(int argc, char **argv)
{
	const char *name = NULL, *out = NULL;
	const struct option_row rows[] = {
		{"NAME", OPTION_ARGUMENT, &name, "NAME", "of the client or bench, as it stands in lists and logs", true,
		 0, 0},
		{"out", OPTION_TEXT, &out, "PREFIX", "write PREFIX.key and PREFIX.pub (NAME)", false, 0, 0},
	};
	struct err err = {0};

	options_parse("keygen", "a pair of CURVE keys, for a bench or one of its clients", rows, OPTIONS_COUNT(rows),
		      argc, argv);
	out = out ? out : name;
	if (curve_make(name, out, &err))
		return command_failed(&err);
	printf("%s.key  the secret key, for %s alone\n", out, name);
	printf("%s.pub  the public key: its line goes into the bench's list of clients; clients need the bench's\n",
	       out);
	return EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_keygen = {
	.name = "keygen",
	.help = "make a pair of CURVE keys, for a bench or one of its clients",
	.run = run,
};
