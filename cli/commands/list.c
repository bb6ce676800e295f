/*
 * jostle list: what there is to choose from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/find.h"
#include "cli/command.h"
#include "cli/options.h"
#include "daq/daq.h"
#include "learning/estimator.h"
#include "learning/target.h"
#include "protocols/bath.h"
#include "protocols/energy_term.h"

static void heading(const char *text)
{
	printf("\n%s\n", text);
}

static void member(const char *name, const char *summary, const char *settings)
{
	printf("  %-18s %s%s%s\n", name, summary, settings[0] ? "; " : "", settings);
}

/** A file's name and the text of its "summary:" field. */
static void print_file(const char *name, const char *path, void *context)
{
	char line[512], summary[512] = "";
	FILE *file = fopen(path, "r");

	(void)context;
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "summary:", 8) == 0)
			snprintf(summary, sizeof(summary), "%s", line + 8 + strspn(line + 8, " \t"));
	if (file)
		fclose(file);
	summary[strcspn(summary, "\n")] = '\0';
	printf("  %-18s %s\n", name, summary);
}

static int run(int argc, char **argv)
{
	options_parse("list", "tasks, benches, plants, and every member of every registry", NULL, 0, argc, argv);
	printf("tasks (--task)\n");
	find_each(FIND_TASK, print_file, NULL);
	heading("benches (--bench)");
	find_each(FIND_BENCH, print_file, NULL);
	heading("plants: what a simulated bench really is");
	find_each(FIND_PLANT, print_file, NULL);
	heading("energy terms (--term)");
	for (size_t i = 0; term_registry_one[i]; i++)
		member(term_registry_one[i]->name, term_registry_one[i]->summary, term_registry_one[i]->settings);
	heading("targets (--target)");
	for (size_t i = 0; target_registry[i]; i++)
		member(target_registry[i]->name, target_registry[i]->summary, target_registry[i]->settings);
	heading("learning rules (--rule)");
	for (size_t i = 0; estimator_registry[i]; i++)
		member(estimator_registry[i]->name, estimator_registry[i]->summary, "");
	heading("baths");
	for (size_t i = 0; bath_registry[i]; i++)
		member(bath_registry[i]->name, bath_registry[i]->summary, bath_registry[i]->settings);
	heading("bench drivers");
	for (size_t i = 0; driver_registry[i]; i++)
		member(driver_registry[i]->name, driver_registry[i]->summary, "");
	return EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_list = {
	.name = "list",
	.help = "what there is to choose from: tasks, benches, terms, targets, rules, drivers",
	.run = run,
};
