/*
 * jostle doctor: whether this machine can keep a loop's time, and what mends it where it can't.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/find.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/options.h"
#include "control/doctor.h"
#include "daq/bench.h"

#define ANY_CPU  SIZE_MAX
#define PERIOD_S 1e-3 /* without a bench */

/** Print the report. Returns the exit status. */
static int show(const struct doctor_report *report)
{
	char *text = doctor_text(report);

	if (!text) {
		struct err err = {0};

		err_set(&err, JOSTLE_ENOMEM, "no memory for a report");
		return command_failed(&err);
	}
	fputs(text, stdout);
	free(text);
	const size_t n = doctor_failed(report);

	if (n)
		printf("%zu of %zu findings forbid arming hardware\n", n, report->n);
	else
		printf("nothing forbids arming hardware\n");
	if (interrupt_asked())
		return EXIT_INTERRUPTED;
	return n ? EXIT_FAILED : EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	const char *name = NULL;
	size_t cpu = ANY_CPU;
	struct doctor_setup setup = {.seconds = 5, .period_s = PERIOD_S};
	const struct option_row rows[] = {
		{"bench", OPTION_TEXT, &name, "BENCH", "the bench to open, and whose period to measure at", false, 0,
		 0},
		{"attach", OPTION_TEXT, &setup.attach, "NAME", "a running plant for that bench", false, 0, 0},
		{"cpu", OPTION_SIZE, &cpu, "N", "where the loop will run (anywhere)", false, 0, CPU_SETSIZE - 1},
		{"seconds", OPTION_DOUBLE, &setup.seconds, "SECONDS",
		 "how long to measure the wake-up; 0 leaves it out (5)", false, 0, 86400},
		{"folder", OPTION_TEXT, &setup.record_folder, "FOLDER", "where recordings will go (the working folder)",
		 false, 0, 0},
	};
	struct doctor_report report;
	struct bench bench;
	struct err err = {0};
	char path[1024];

	options_parse("doctor", "whether this machine can keep a loop's time, and what mends it", rows,
		      OPTIONS_COUNT(rows), argc, argv);
	setup.cpu = cpu == ANY_CPU ? -1 : (int)cpu;
	if (name) {
		if (find_file(FIND_BENCH, name, path, sizeof(path), &err) || bench_load(&bench, path, &err))
			return command_failed(&err);
		setup.bench = &bench;
		setup.period_s = bench.period_s;
	}
	doctor_examine(&setup, &report);
	if (name)
		bench_free(&bench);
	return show(&report);
}

/* The only global symbol of this file. */
const struct subcommand command_doctor = {
	.name = "doctor",
	.help = "whether this machine can keep a loop's time, and what mends it",
	.run = run,
};
