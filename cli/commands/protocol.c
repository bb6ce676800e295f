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
#include "control/calibration.h"
#include "control/drive.h"
#include "control/potential.h"
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
	const size_t          last = protocol->n_knots - 1;

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

/** Match the protocol to the bench as the loop would, without opening it. */
static int check_on_bench(const struct protocol *protocol, const char *name, struct err *err)
{
	char                      path[1024];
	struct bench              bench = {0};
	struct calibration_record record = {0};
	struct calibration        calibration = {0};
	struct potential          potential = {0};
	struct drive_law          drive = {0};
	int                       status = find_file(FIND_BENCH, name, path, sizeof(path), err);

	if (status || (status = bench_load(&bench, path, err)))
		return status;
	if ((status = bench_calibration_nominal(&record, &bench, err)) ||
	    (status = calibration_init(&calibration, &bench, &record, bench.period_s, err)) ||
	    (status = potential_init(&potential, protocol, err)) ||
	    (status = drive_init(&drive, &bench, &calibration, &record, &potential, err)))
		goto done;
	printf("  bench %s can run it, %s drive, delta = %g relaxation times\n", bench.name,
	       bench.drive == DRIVE_FEEDBACK ? "feedback" : "parametric", bench_step(&bench));
done:
	drive_fini(&drive);
	potential_fini(&potential);
	calibration_fini(&calibration);
	calibration_record_fini(&record);
	bench_free(&bench);
	return status;
}

static int run(int argc, char **argv)
{
	const char             *verb = NULL, *path = NULL, *bench = NULL;
	const struct option_row rows[] = {
	        {"verb", OPTION_ARGUMENT, &verb, "show|check", "print the content, or only check the file", true, 0, 0},
	        {"file", OPTION_ARGUMENT, &path, "FILE", "a protocol file", true, 0, 0},
	        {"bench", OPTION_TEXT, &bench, "BENCH", "check too that this bench can run it", false, 0, 0},
	};
	struct protocol protocol;
	struct err      err = {0};

	options_parse("protocol", "show or check a driving protocol", rows, OPTIONS_COUNT(rows), argc, argv);
	if (strcmp(verb, "show") != 0 && strcmp(verb, "check") != 0) {
		fprintf(stderr, "jostle protocol: expected show or check, found \"%s\"\n", verb);
		return EXIT_USAGE;
	}
	if (protocol_load(&protocol, path, &err))
		return command_failed(&err);
	if (strcmp(verb, "show") == 0)
		show(&protocol, path);
	else
		printf("%s: sound, checksum %s\n", path, protocol.checksum);
	int status = bench ? check_on_bench(&protocol, bench, &err) : 0;
	protocol_fini(&protocol);
	return status ? command_failed(&err) : EXIT_SUCCESS;
}

/* The only global symbol of this file. */
const struct subcommand command_protocol = {
        .name = "protocol",
        .help = "show or check a driving protocol",
        .run = run,
};
