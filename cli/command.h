#ifndef JOSTLE_COMMAND_H
#define JOSTLE_COMMAND_H
/*
 * A subcommand of `jostle`: one file in commands/ that exports `const struct subcommand command_NAME`, and one line
 * `plugin(command NAME)`.
 */
#include <stdbool.h>

struct err;

#define EXIT_FAILED      1   /* something went wrong; standard error says what */
#define EXIT_USAGE       2   /* the command line is not understood */
#define EXIT_INTERRUPTED 130 /* stopped by the person; what was done is kept */

struct subcommand {
	const char *name, *help; /* one line */
	bool shared;             /* mpirun may start several, which share the work (base/ranks.h) */

	/** argv[0] is the subcommand's name. Returns the exit status of the process. */
	int (*run)(int argc, char **argv);
};

/** The subcommands, ended by NULL. */
extern const struct subcommand *const command_registry[];

/** Print an error for a person and give the exit status that belongs to it. */
int command_failed(const struct err *err);

#endif
