/*
 * jostle protocol show|check: what a protocol file holds, and whether a bench can run it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/find.h"
#include "cli/command.h"
#include "cli/options.h"
#include "control/bench_calibration.h"
#include "control/sampling.h"
#include "control/sequencer.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"
#include "protocols/energy_term.h"
#include "protocols/protocol.h"

/* Parameters that `show` prints: more would bury the rest. */
#define SHOWN 32

static double largest(const struct protocol *protocol, size_t k)
{
	double most = 0.0;

	for (size_t j = 0; j < protocol->n_knots; j++)
		most = fmax(most, fabs(protocol->theta[j * protocol->network.n_parameters + k]));
	return most;
}

static void show(const struct protocol *protocol, const char *path)
{
	const struct network *network = &protocol->network;
	const size_t last = protocol->n_knots - 1;

	printf("%s\n", path);
	printf("  checksum    %s\n", protocol->checksum);
	printf("  network     %zu by %zu sites, %zu parameters\n", network->nx, network->ny, network->n_parameters);
	for (size_t i = 0; i < network->n_terms; i++)
		printf("  term        %s (%zu parameters)\n", network->specs[i], network->terms[i].n_parameters);
	printf("  bath        %s\n", protocol->bath);
	printf("  learned by  %s\n", protocol->rule[0] ? protocol->rule : "(not stated)");
	printf("  knots       %zu, t = %g to %g relaxation times\n", protocol->n_knots, protocol->t[0],
	       protocol->t[last]);
	printf("  read-out    weight %g\n", protocol->readout_weight);
	printf("  wall        at %.3f (t_min) to %.3f (t_final) natural lengths, stiffness %g\n",
	       protocol->wall[0].position, protocol->wall[last].position, protocol->wall[0].stiffness);
	printf("\n  %-24s %12s %12s %12s\n", "parameter (natural)", "at t_min", "at t_final", "largest");
	for (size_t k = 0; k < network->n_parameters && k < SHOWN; k++) {
		char name[64];

		network_parameter_name(network, k, name, sizeof(name));
		printf("  %-24s %12.5g %12.5g %12.5g\n", name, protocol->theta[k],
		       protocol->theta[last * network->n_parameters + k], largest(protocol, k));
	}
	if (network->n_parameters > SHOWN)
		printf("  … and %zu more\n", network->n_parameters - SHOWN);
}

/** Ask the loop whether it would draw from this protocol on this bench, without opening the bench. */
static int check_on_bench(const struct protocol *protocol, const char *name, const char *drive, struct err *err)
{
	char path[1024];
	struct bench bench = {0};
	struct calibration_record record = {0};
	int status = find_file(FIND_BENCH, name, path, sizeof(path), err);

	if (status || (status = bench_load(&bench, path, err)))
		return status;
	if (drive)
		status = bench_set_drive(&bench, drive[0] == 'f' ? DRIVE_FEEDBACK : DRIVE_PARAMETRIC, err);
	if (!status)
		status = bench_calibration_nominal(&record, &bench, err);
	if (!status)
		status = sampling_check(&(struct sampling_options){.bench = &bench,
								   .protocol = protocol,
								   .record = &record,
								   .n_samples = 1,
								   .relax_time = SEQUENCER_MINIMUM_RELAXATION,
								   .t_final = protocol->t[protocol->n_knots - 1],
								   .t_minimum = protocol->t[0]},
					err);
	if (!status)
		printf("  bench %s can run it, %s drive, delta = %g relaxation times\n", bench.name,
		       bench_drive_name(bench.drive), bench_step(&bench));
	calibration_record_fini(&record);
	bench_free(&bench);
	return status;
}

static int run(int argc, char **argv)
{
	const char *verb = NULL, *path = NULL, *bench = NULL, *drive = NULL;
	const struct option_row rows[] = {
		{"verb", OPTION_ARGUMENT, &verb, "show|check", "print the content, or only check the file", true, 0, 0},
		{"file", OPTION_ARGUMENT, &path, "FILE", "a protocol file", true, 0, 0},
		{"bench", OPTION_TEXT, &bench, "BENCH", "check too that this bench can run it", false, 0, 0},
		{"drive", OPTION_TEXT, &drive, "DRIVE", "feedback or parametric, where the bench has both", false, 0,
		 0},
	};
	struct protocol protocol;
	struct err err = {0};

	options_parse("protocol", "show or check a driving protocol", rows, OPTIONS_COUNT(rows), argc, argv);
	if (strcmp(verb, "show") != 0 && strcmp(verb, "check") != 0) {
		fprintf(stderr, "jostle protocol: expected show or check, found \"%s\"\n", verb);
		return EXIT_USAGE;
	}
	if (drive && (!bench || (strcmp(drive, "feedback") != 0 && strcmp(drive, "parametric") != 0))) {
		fprintf(stderr,
			"jostle protocol: --drive: expected feedback or parametric, and a --bench, found \"%s\"\n",
			drive);
		return EXIT_USAGE;
	}
	if (protocol_load(&protocol, path, &err))
		return command_failed(&err);
	if (strcmp(verb, "show") == 0)
		show(&protocol, path);
	else
		printf("%s: sound, checksum %s\n", path, protocol.checksum);
	int status = bench ? check_on_bench(&protocol, bench, drive, &err) : 0;
	protocol_fini(&protocol);
	return status ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_protocol = {
	.name = "protocol",
	.help = "show or check a driving protocol",
	.run = run,
};
