/*
 * jostle run: operate a bench.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/find.h"
#include "cli/command.h"
#include "cli/fallback.h"
#include "cli/options.h"
#include "cli/plant_text.h"
#include "control/bench_calibration.h"
#include "control/run.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"

#define TELEMETRY "tcp://127.0.0.1:7450"
#define COMMANDS  "tcp://127.0.0.1:7451"
#define NO_CPU    SIZE_MAX

struct arguments {
	const char *bench, *fallback, *drive, *calibration;
	size_t cpu;
	struct run_options run;
};

static int load_bench(struct bench *bench, const struct arguments *arguments, struct err *err)
{
	char path[1024];
	int code = find_file(FIND_BENCH, arguments->bench, path, sizeof(path), err);

	if (code || (code = bench_load(bench, path, err)) ||
	    (code = fallback_if_wanted(bench, arguments->fallback, arguments->run.daq.attach, err)) ||
	    !arguments->drive)
		return code;
	if (strcmp(arguments->drive, "feedback") == 0)
		return bench_set_drive(bench, DRIVE_FEEDBACK, err);
	if (strcmp(arguments->drive, "parametric") == 0)
		return bench_set_drive(bench, DRIVE_PARAMETRIC, err);
	return err_set(err, JOSTLE_EINVAL, "--drive: expected feedback or parametric, found \"%s\"", arguments->drive);
}

static int operate(struct arguments *arguments, struct err *err)
{
	struct calibration_record record = {0};
	struct bench bench = {0};
	char *plant = NULL;
	int code = load_bench(&bench, arguments, err);

	if (!code)
		code = arguments->calibration ? calibration_record_load(&record, arguments->calibration, err)
					      : bench_calibration_nominal(&record, &bench, err);
	if (!code) {
		arguments->run.bench = &bench;
		arguments->run.record = &record;
		arguments->run.cpu = arguments->cpu == NO_CPU ? -1 : (int)arguments->cpu;
		if (!arguments->run.name)
			arguments->run.name = bench.name;
		arguments->run.plant = plant = plant_text(&bench, arguments->run.daq.attach);
		code = run_bench(&arguments->run, err);
	}
	free(plant);
	calibration_record_fini(&record);
	bench_free(&bench);
	return code;
}

static int run(int argc, char **argv)
{
	struct arguments a = {.cpu = NO_CPU,
			      .run = {.telemetry = TELEMETRY, .commands = COMMANDS, .doctor_s = 2, .daq.paced = true}};
	const struct option_row rows[] = {
		{"bench", OPTION_TEXT, &a.bench, "BENCH", "the bench to operate", true, 0, 0},
		{"protocol", OPTION_TEXT, &a.run.protocol, "FILE",
		 "driving protocol to begin with (a client can load one)", false, 0, 0},
		{"calibration", OPTION_TEXT, &a.calibration, "FILE", "calibration record (the bench file's own claims)",
		 false, 0, 0},
		{"drive", OPTION_TEXT, &a.drive, "LAW", "feedback or parametric (the bench file's)", false, 0, 0},
		{"attach", OPTION_TEXT, &a.run.daq.attach, "NAME", "to a running jostle plant", false, 0, 0},
		{"fallback", OPTION_TEXT, &a.fallback, "DRIVER", FALLBACK_HELP, false, 0, 0},
		{"seed", OPTION_SEED, &a.run.daq.seed, "N", "of a simulated plant in this process (0)", false, 0, 0},
		{"name", OPTION_TEXT, &a.run.name, "NAME", "of the run, its files and its heartbeat (the bench's name)",
		 false, 0, 0},
		{"record", OPTION_TEXT, &a.run.record_folder, "FOLDER", "record into this folder, from the start",
		 false, 0, 0},
		{"telemetry", OPTION_TEXT, &a.run.telemetry, "ENDPOINT", "where to publish (" TELEMETRY ")", false, 0,
		 0},
		{"commands", OPTION_TEXT, &a.run.commands, "ENDPOINT", "where to take commands (" COMMANDS ")", false,
		 0, 0},
		{"key", OPTION_TEXT, &a.run.key_file, "FILE", "CURVE secret key; see jostle keygen", false, 0, 0},
		{"allow", OPTION_TEXT, &a.run.allow_file, "FILE", "public keys of those who may connect, one a line",
		 false, 0, 0},
		{"cpu", OPTION_SIZE, &a.cpu, "N", "pin the loop to this CPU (an isolated one, where there is one)",
		 false, 0, 1023},
		{"doctor", OPTION_DOUBLE, &a.run.doctor_s, "SECONDS",
		 "measure wake-up latency for so long at the start (2)", false, 0, 600},
		{"override", OPTION_TEXT, &a.run.override_text, "REASON",
		 "arm hardware over a failed check of the doctor; the reason is recorded", false, 0, 0},
		{"duration", OPTION_DOUBLE, &a.run.duration_s, "SECONDS", "then end; 0 to run until asked to (0)",
		 false, 0, 1e9},
	};
	struct err err = {0};

	options_parse("run", "operates a bench: loop, guardian, recorder, telemetry and commands", rows,
		      OPTIONS_COUNT(rows), argc, argv);
	return operate(&a, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_run = {
	.name = "run",
	.help = "operate a bench: loop, guardian, recorder, telemetry, commands",
	.run = run,
};
