/*
 * Writing a protocol's file; docs/file-formats.md has the layout. What reading would refuse is not written.
 */
#include "protocols/protocol.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/h5_image.h"
#include "base/provenance.h"
#include "protocols/file_format.h"
#include "protocols/knots.h"
#include "protocols/protocol_file.h"

int protocol_file_check(const struct protocol *protocol, int code, const char *path, struct err *err)
{
	const struct network *network = &protocol->network;

	for (size_t k = 0; k < protocol->n_knots; k++)
		if (!isfinite(protocol->t[k]) || !(protocol->t[k] > (k ? protocol->t[k - 1] : 0.0)))
			return err_at(err, code, path, 0, 0,
				      "/knots/t: expected positive, ascending times, found %g at knot %zu",
				      protocol->t[k], k);
	for (size_t k = 0; k < protocol->n_knots; k++) {
		const struct wall *wall = &protocol->wall[k];

		if (!isfinite(wall->position) || !isfinite(wall->stiffness) || !(wall->position > 0.0) ||
		    !(wall->stiffness > 0.0))
			return err_at(err, code, path, 0, 0,
				      "/knots/wall: expected positive position and stiffness, found %g, %g at knot %zu",
				      wall->position, wall->stiffness, k);
	}
	for (size_t k = 0; k < protocol->n_knots * network->n_parameters; k++)
		if (!isfinite(protocol->theta[k]))
			return err_at(err, code, path, 0, 0,
				      "/knots/theta: expected finite numbers, found %g at knot %zu, parameter %zu",
				      protocol->theta[k], k / network->n_parameters, k % network->n_parameters);
	for (size_t i = 0; i < network->n_variables; i++) {
		const struct variable *v = &network->variables[i];

		if (!isfinite(v->mobility) || !(v->mobility > 0.0) || !isfinite(v->temperature) ||
		    !(v->temperature >= 0.0))
			return err_at(
				err, code, path, 0, 0,
				"/network: expected mobility > 0 and temperature >= 0, found %g, %g at variable %zu",
				v->mobility, v->temperature, i);
	}
	if (!(protocol->readout_weight >= 0.0 && protocol->readout_weight <= 1.0))
		return err_at(err, code, path, 0, 0, "readout_weight: expected 0 to 1, found %g",
			      protocol->readout_weight);
	return 0;
}

/** The term specifications, one a line. The caller frees it. */
static int terms_text(const struct network *network, char **text, struct err *err)
{
	size_t size = 1;

	for (size_t i = 0; i < network->n_terms; i++)
		size += strlen(network->specs[i]) + 1;
	*text = calloc(1, size);
	if (!*text)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the text of %zu energy terms", network->n_terms);
	for (size_t i = 0, at = 0; i < network->n_terms; i++)
		at += (size_t)snprintf(*text + at, size - at, "%s%s", i ? "\n" : "", network->specs[i]);
	return 0;
}

static int write_network(const struct h5_file *file, const struct network *network, struct err *err)
{
	const size_t n = network->n_variables;
	char *text = NULL;
	uint64_t *role = malloc(n * sizeof(*role));
	double *mobility = malloc(n * sizeof(*mobility)), *temperature = malloc(n * sizeof(*temperature));
	int status;

	if (!role || !mobility || !temperature) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for %zu variables", n);
		goto done;
	}
	for (size_t i = 0; i < n; i++) {
		role[i] = (uint64_t)network->variables[i].role;
		mobility[i] = network->variables[i].mobility;
		temperature[i] = network->variables[i].temperature;
	}
	if ((status = terms_text(network, &text, err)) || (status = h5_make_group(file, "network", err)) ||
	    (status = h5_set_u64(file, "network", "nx", network->nx, err)) ||
	    (status = h5_set_u64(file, "network", "ny", network->ny, err)) ||
	    (status = h5_set_text(file, "network", "terms", text, err)) ||
	    (status = h5_write_u64s(file, "network/role", 1, &n, role,
				    (struct h5_label){"1", "role of each variable: 0 visible, 1 hidden, 2 noise"},
				    err)) ||
	    (status = h5_write_doubles(file, "network/mobility", 1, &n, mobility,
				       (struct h5_label){"natural", "mobility of each variable"}, err)))
		goto done;
	status = h5_write_doubles(file, "network/temperature", 1, &n, temperature,
				  (struct h5_label){"kT", "bath temperature of each variable"}, err);
done:
	free(text);
	free(role);
	free(mobility);
	free(temperature);
	return status;
}

static int write_knots(const struct h5_file *file, const struct protocol *protocol, struct err *err)
{
	const size_t n = protocol->n_knots;
	const size_t theta_dims[] = {n, protocol->network.n_parameters}, wall_dims[] = {n, PROTOCOL_WALL_COLUMNS};
	double wall[KNOTS_MAX][PROTOCOL_WALL_COLUMNS];
	int status;

	for (size_t k = 0; k < n; k++) {
		wall[k][0] = protocol->wall[k].position;
		wall[k][1] = protocol->wall[k].stiffness;
	}
	if ((status = h5_make_group(file, "knots", err)) ||
	    (status = h5_write_doubles(file, "knots/t", 1, &n, protocol->t,
				       (struct h5_label){"natural", "diffusion time of each knot"}, err)) ||
	    (status = h5_write_doubles(file, "knots/theta", 2, theta_dims, protocol->theta,
				       (struct h5_label){"natural", "parameters [knot][parameter]"}, err)))
		return status;
	return h5_write_doubles(file, "knots/wall", 2, wall_dims, &wall[0][0],
				(struct h5_label){"natural", "wall [knot][position, stiffness]"}, err);
}

static int write_all(const struct h5_file *file, const struct protocol *protocol, const struct provenance *provenance,
		     struct err *err)
{
	struct provenance from = *provenance;
	int status;

	/* The task is one of provenance's texts: it stands in the file once. */
	if (protocol->task)
		from.task = protocol->task;
	if ((status = file_format_write(file, PROTOCOL_FORMAT, PROTOCOL_FORMAT_VERSION, err)) ||
	    (status = h5_set_double(file, "/", "readout_weight", protocol->readout_weight, err)) ||
	    (status = h5_set_text(file, "/", "rule", protocol->rule, err)) ||
	    (status = h5_set_text(file, "/", "bath", protocol->bath, err)) ||
	    (status = h5_set_text(file, "/", "checksum", protocol->checksum, err)))
		return status;
	if ((status = write_network(file, &protocol->network, err)) || (status = write_knots(file, protocol, err)))
		return status;
	return provenance_write(file, &from, err);
}

static int check_savable(const struct protocol *protocol, const char *path, struct err *err)
{
	if (protocol->n_knots < 2 || protocol->n_knots > KNOTS_MAX)
		return err_at(err, JOSTLE_EINVAL, path, 0, 0, "expected 2 to %d knots, found %zu", KNOTS_MAX,
			      protocol->n_knots);
	if (protocol->n_knots * protocol->network.n_parameters > PROTOCOL_MAX_THETA)
		return err_at(err, JOSTLE_EINVAL, path, 0, 0, "expected at most %d numbers in theta, found %zu",
			      PROTOCOL_MAX_THETA, protocol->n_knots * protocol->network.n_parameters);
	if (protocol->task && strlen(protocol->task) > PROTOCOL_MAX_TASK_TEXT)
		return err_at(err, JOSTLE_EINVAL, path, 0, 0, "task: expected at most %d characters, found %zu",
			      PROTOCOL_MAX_TASK_TEXT, strlen(protocol->task));
	return protocol_file_check(protocol, JOSTLE_EINVAL, path, err);
}

int protocol_save_with(struct protocol *protocol, const char *path, const struct provenance *provenance,
		       int (*more)(const struct h5_file *file, const void *context, struct err *err),
		       const void *context, struct err *err)
{
	struct h5_file file;
	int status = check_savable(protocol, path, err);

	if (status)
		return status;
	protocol_seal(protocol);
	if ((status = h5_create(&file, path, err)))
		return status;
	if ((status = write_all(&file, protocol, provenance, err)) || (more && (status = more(&file, context, err))) ||
	    (status = h5_commit(&file, err)))
		h5_close(&file);
	return status;
}

int protocol_save(struct protocol *protocol, const char *path, const struct provenance *provenance, struct err *err)
{
	return protocol_save_with(protocol, path, provenance, NULL, NULL, err);
}

int protocol_save_image(const struct protocol *protocol, const char *name, const struct provenance *provenance,
			unsigned char **bytes, size_t *size, struct err *err)
{
	struct protocol sealed = *protocol;
	struct h5_file file;
	int status = check_savable(protocol, name, err);

	*bytes = NULL;
	*size = 0;
	if (status)
		return status;
	protocol_seal(&sealed);
	if ((status = h5_create_image(&file, name, err)))
		return status;
	if ((status = write_all(&file, &sealed, provenance, err)))
		h5_close(&file);
	else
		status = h5_take_image(&file, bytes, size, err);
	return status;
}
