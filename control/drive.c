#include "control/drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "control/calibration.h"
#include "control/potential.h"
#include "protocols/pairs.h"
#include "protocols/protocol.h"

static int check_lattice(const struct bench *bench, const struct network *network, struct err *err)
{
	if (network->nx != bench->nx || network->ny != bench->ny)
		return err_set(err, JOSTLE_ECONFIG,
			       "protocol: expected a lattice of %zu x %zu sites as bench %s has, "
			       "found %zu x %zu",
			       bench->nx, bench->ny, bench->name, network->nx, network->ny);
	if (network->n_variables != network->n_sites)
		return err_set(err, JOSTLE_ECONFIG,
			       "protocol: expected lattice sites only, found %zu variables for %zu "
			       "sites",
			       network->n_variables, network->n_sites);
	return 0;
}

static int init_feedback(struct drive_law *drive, const struct bench *bench, const struct calibration_record *record,
			 struct err *err)
{
	const size_t n_sites = bench->nx * bench->ny;

	drive->force = memory_touched(n_sites, sizeof(*drive->force));
	drive->site_of = memory_touched(bench->n_out, sizeof(*drive->site_of));
	drive->passive = memory_touched(n_sites, sizeof(*drive->passive));
	if (!drive->force || !drive->site_of || !drive->passive)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the drive of %zu sites", n_sites);
	memcpy(drive->passive, record->passive, n_sites * sizeof(*drive->passive));

	for (size_t k = 0; k < bench->n_out; k++) {
		drive->site_of[k] = bench->out[k].role == DAQ_FORCE ? bench->out[k].index : SIZE_MAX;
		if (bench->out[k].role == DAQ_FORCE && bench->out[k].index >= n_sites)
			return err_set(err, JOSTLE_ECONFIG,
				       "bench %s, output %zu: expected a site below %zu, found %zu", bench->name, k,
				       n_sites, bench->out[k].index);
	}
	for (size_t i = 0; i < n_sites; i++) {
		size_t k = 0;

		while (k < bench->n_out && drive->site_of[k] != i)
			k++;
		if (k == bench->n_out)
			return err_set(err, JOSTLE_ECONFIG,
				       "bench %s: site %zu has no force output, which feedback "
				       "drive needs",
				       bench->name, i);
	}
	return 0;
}

/** The output that carries the bench's parameter of that name, or n_out. */
static size_t find_output(const struct bench *bench, const struct network *parameters, const char *name)
{
	char other[PARAMETER_NAME_SIZE];

	for (size_t k = 0; k < bench->n_out; k++) {
		if (bench->out[k].role != DAQ_PARAMETER || bench->out[k].index >= parameters->n_parameters)
			continue;
		network_parameter_name(parameters, bench->out[k].index, other, sizeof(other));
		if (strcmp(name, other) == 0)
			return k;
	}
	return bench->n_out;
}

static int map_parameters(struct drive_law *drive, const struct bench *bench, const struct network *parameters,
			  const struct network *network, struct err *err)
{
	char name[PARAMETER_NAME_SIZE];

	for (size_t k = 0; k < network->n_parameters; k++) {
		network_parameter_name(network, k, name, sizeof(name));
		drive->output_of[k] = find_output(bench, parameters, name);
		if (drive->output_of[k] == bench->n_out)
			return err_set(err, JOSTLE_ECONFIG,
				       "protocol, parameter %zu: bench %s has no output for \"%s\"", k, bench->name,
				       name);
	}
	return 0;
}

/**
 * f_pass = c0 + c1 x + c2 x^2 + c3 x^3 is minus the slope of -c0 x - c1 x^2/2 - c2 x^3/3 - c3 x^4/4, so that the device
 * supplies theta_pass = -c_(p-1)/p of x^p unasked.
 */
static int subtract_passive(struct drive_law *drive, const struct bench *bench, const struct network *parameters,
			    const struct calibration_record *record, struct err *err)
{
	char name[PARAMETER_NAME_SIZE];

	for (size_t i = 0; i < record->n_sites; i++)
		for (size_t p = 1; p <= 4; p++) {
			const double theta = -record->passive[i].c[p - 1] / (double)p;

			if (theta == 0)
				continue;
			product_name(i, p, i + 1, 0, name);
			const size_t k = find_output(bench, parameters, name);
			if (k == bench->n_out)
				return err_set(err, JOSTLE_ECONFIG,
					       "calibration, passive force of site %zu: bench %s "
					       "has no output for \"%s\", so that %g of it cannot be subtracted",
					       i, bench->name, name, theta);
			drive->passive_theta[k] = theta;
		}
	return 0;
}

static int init_parametric(struct drive_law *drive, const struct bench *bench, const struct network *network,
			   const struct calibration_record *record, struct err *err)
{
	struct network parameters;
	int code = network_init(&parameters, bench->nx, bench->ny, (const char *const *)bench->parameter_terms,
				bench->n_parameter_terms, err);

	if (code) {
		err_context(err, "bench %s, parameters", bench->name);
		return code;
	}
	drive->output_of = memory_touched(network->n_parameters, sizeof(*drive->output_of));
	drive->passive_theta = memory_touched(bench->n_out, sizeof(*drive->passive_theta));
	if (!drive->output_of || !drive->passive_theta)
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the drive of %zu parameters", network->n_parameters);
	if (!code)
		code = map_parameters(drive, bench, &parameters, network, err);
	if (!code)
		code = subtract_passive(drive, bench, &parameters, record, err);
	network_fini(&parameters);
	return code;
}

int drive_init(struct drive_law *drive, const struct bench *bench, const struct calibration *calibration,
	       const struct calibration_record *record, struct potential *potential, struct err *err)
{
	const struct network *network = potential->protocol ? &potential->protocol->network : NULL;
	const size_t n_out = bench->n_out;
	int code = network ? check_lattice(bench, network, err) : 0;

	*drive = (struct drive_law){
		.kind = bench->drive, .n_out = n_out, .calibration = calibration, .potential = potential};
	if (code)
		return code;
	drive->n_saturated = memory_touched(n_out, sizeof(*drive->n_saturated));
	if (!drive->n_saturated) {
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the drive of %zu outputs", n_out);
		goto fail;
	}
	if (!network)
		return 0;
	if (bench->drive == DRIVE_FEEDBACK)
		code = init_feedback(drive, bench, record, err);
	else
		code = init_parametric(drive, bench, network, record, err);
	if (code)
		goto fail;
	return 0;
fail:
	drive_fini(drive);
	return code;
}

void drive_fini(struct drive_law *drive)
{
	free(drive->n_saturated);
	free(drive->force);
	free(drive->site_of);
	free(drive->passive);
	free(drive->output_of);
	free(drive->passive_theta);
	*drive = (struct drive_law){0};
}

static double passive_force_at(const struct passive_force *passive, double x)
{
	return passive->c[0] + x * (passive->c[1] + x * (passive->c[2] + x * passive->c[3]));
}

static void step_feedback(struct drive_law *drive, double t, const struct state *state, double value[])
{
	potential_force_at(drive->potential, t, state->x, drive->force);
	for (size_t k = 0; k < drive->n_out; k++) {
		const size_t i = drive->site_of[k];

		if (i != SIZE_MAX)
			value[k] = drive->force[i] - passive_force_at(&drive->passive[i], state->x[i]);
	}
}

static void step_parametric(struct drive_law *drive, double t, double value[])
{
	const struct potential *potential = drive->potential;

	potential_at(drive->potential, t);
	for (size_t k = 0; k < drive->n_out; k++)
		value[k] = -drive->passive_theta[k];
	/* Two terms of the protocol may hold the same function: their parameters add. */
	for (size_t k = 0; k < potential->protocol->network.n_parameters; k++)
		value[drive->output_of[k]] += potential->theta[k];
}

/** NaN and infinities are for the supervisor to see, not to become full-scale commands. */
static bool saturate(struct drive_law *drive, size_t k, double *value)
{
	const struct output_conversion *out = &drive->calibration->out[k];

	if (!isfinite(*value) || (*value >= out->min && *value <= out->max))
		return false;
	*value = *value < out->min ? out->min : out->max;
	drive->n_saturated[k]++;
	return true;
}

void drive_step(struct drive_law *drive, const struct setpoint *setpoint, const struct state *state,
		struct command *command)
{
	double *value = command->value;

	for (size_t k = 0; k < drive->n_out; k++) {
		value[k] = 0;
		command->saturated[k] = false;
	}
	if (setpoint->kind == SETPOINT_PASSIVE)
		return;
	if (drive->kind == DRIVE_FEEDBACK)
		step_feedback(drive, setpoint->t, state, value);
	else
		step_parametric(drive, setpoint->t, value);
	for (size_t k = 0; k < drive->n_out; k++)
		command->saturated[k] = saturate(drive, k, &value[k]);
}
