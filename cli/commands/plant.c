/*
 * jostle plant: a simulated bench as a process of its own.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/find.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/options.h"
#include "daq/bench.h"
#include "sim/plant_process.h"

struct arguments {
	const char *bench, *name, *log;
	uint64_t seed;
	double duration_s;
	bool realtime;
};

static int serve(const struct arguments *arguments, struct err *err)
{
	char path[1024];
	struct bench bench;
	int status = find_file(FIND_BENCH, arguments->bench, path, sizeof(path), err);

	if (status || (status = bench_load(&bench, path, err)))
		return status;
	if (bench.n_devices != 1) {
		status = err_at(err, JOSTLE_ECONFIG, bench.path, 0, 0, "devices: expected one plant, found %zu",
				bench.n_devices);
		goto done;
	}
	const struct plant_process_options options = {.plant = bench.devices[0],
						      .name = arguments->name ? arguments->name : bench.name,
						      .period_s = bench.period_s,
						      .seed = arguments->seed,
						      .duration_s = arguments->duration_s,
						      .log_path = arguments->log,
						      .realtime = arguments->realtime};
	status = plant_process_run(&options, err);
done:
	bench_free(&bench);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments a = {0};
	const struct option_row rows[] = {
		{"bench", OPTION_TEXT, &a.bench, "BENCH", "the simulated bench whose plant to run", true, 0, 0},
		{"name", OPTION_TEXT, &a.name, "NAME", "what a client attaches to (the bench's name)", false, 0, 0},
		{"seed", OPTION_SEED, &a.seed, "N", "of the thermal noise (0)", false, 0, 0},
		{"duration", OPTION_DOUBLE, &a.duration_s, "SECONDS", "then end; 0 to run until interrupted (0)", false,
		 0, 1e9},
		{"log", OPTION_TEXT, &a.log, "FILE", "HDF5 log of every edge: outputs in effect, true displacements",
		 false, 0, 0},
		{"realtime", OPTION_FLAG, &a.realtime, "", "with real-time priority, where it is granted", false, 0, 0},
	};
	struct err err = {0};

	options_parse("plant", "a simulated bench as a process of its own, that outlives the loop", rows,
		      OPTIONS_COUNT(rows), argc, argv);
	return serve(&a, &err) ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_plant = {
	.name = "plant",
	.help = "a simulated bench as a process of its own",
	.run = run,
};
