/*
 * jostle replay: a recorded run through the same loop once more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/provenance.h"
#include "cli/command.h"
#include "cli/options.h"
#include "control/replay.h"

static void print_report(const struct replay_report *report)
{
	char text[256];

	printf("  run              %s, bench %s, %s\n", report->run, report->bench, report->backend);
	printf("  channels         %zu inputs, %zu outputs, a period of %g s\n", report->n_in, report->n_out,
	       report->period_s);
	printf("  files            %" PRIu64 "\n", report->n_files);
	printf("  rows             %" PRIu64 "\n", report->n_rows);
	printf("  rows compared    %" PRIu64 " in %" PRIu64 " stretches, %" PRIu64 " of them driven\n",
	       report->n_compared, report->n_stretches, report->n_driven);
	printf("  rows left out    %" PRIu64 " before the loop is known to be where the recording has it\n",
	       report->n_left_out);
	printf("  rows missing     %" PRIu64 "\n", report->n_missing);
	printf("  requests         %" PRIu64 "; programs %" PRIu64 "\n", report->n_requests, report->n_programs);
	printf("  rows that differ %" PRIu64 "\n", report->n_different);
	if (!report->n_different)
		return;
	replay_difference_format(&report->first, text, sizeof(text));
	printf("  first difference row number %" PRIu64 ", tick %" PRIu64 ", %.9f s: %s\n", report->first.number,
	       report->first.tick, (double)report->first.t_ns * 1e-9, text);
}

static int replay(const char *path, struct err *err)
{
	struct replay_report report;
	int code = replay_run(path, &report, err);

	if (report.n_files)
		print_report(&report);
	if (code)
		return code;
	/* Another program, or another processor's arithmetic, may differ by right. */
	if (report.n_different && strcmp(report.version, jostle_version()) != 0)
		log_warning("recorded by version %s; this is %s", report.version, jostle_version());
	if (report.n_different)
		return err_set(err, JOSTLE_EDIVERGED, "%s: %" PRIu64 " of %" PRIu64 " rows differ", path,
			       report.n_different, report.n_compared);
	if (!report.n_compared)
		return err_set(err, JOSTLE_EINVAL, "%s: no row could be compared: the loop was running in all %" PRIu64,
			       path, report.n_rows);
	printf("  every bit of every output is the recorded one\n");
	return 0;
}

static int run(int argc, char **argv)
{
	const char *path = NULL;
	const struct option_row rows[] = {
		{"FILE", OPTION_ARGUMENT, &path, "FILE", "a run file: this one and those that follow it", true, 0, 0},
	};
	struct err err = {0};

	options_parse("replay", "a recorded run through the same loop once more, compared bit for bit", rows,
		      OPTIONS_COUNT(rows), argc, argv);
	return replay(path, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_replay = {
	.name = "replay",
	.help = "put a recorded run through the loop once more and compare every output with the recorded one",
	.run = run,
};
