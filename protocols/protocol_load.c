/*
 * Reading a protocol's file; docs/file-formats.md has the layout. Nothing in it is trusted: a size is compared with its
 * bound before memory is taken for it, the network is built from its terms' own text and fixes the shape of theta, and
 * what was read is a protocol only after its checksum has been computed anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/h5_image.h"
#include "protocols/file_format.h"
#include "protocols/knots.h"
#include "protocols/protocol.h"
#include "protocols/protocol_file.h"

/** Cut the lines of `text` apart in place. */
static int split_terms(const char *path, char *text, const char *specs[NETWORK_MAX_TERMS], size_t *n, struct err *err)
{
	*n = 0;
	for (char *at = text; at;) {
		if (*n == NETWORK_MAX_TERMS)
			return err_at(err, JOSTLE_EFORMAT, path, 0, 0,
				      "network: attribute terms: expected at most %d lines, found more",
				      NETWORK_MAX_TERMS);
		specs[(*n)++] = at;
		at = strchr(at, '\n');
		if (at)
			*at++ = '\0';
	}
	return 0;
}

/** Read a side of the lattice. */
static int read_side(const struct h5_file *file, const char *name, size_t *side, struct err *err)
{
	uint64_t value = 0;
	int status = h5_get_u64(file, "network", name, &value, err);

	if (status)
		return status;
	if (value < 1 || value > NETWORK_MAX_SIDE)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "network: attribute %s: expected 1 to %d, found %llu", name, NETWORK_MAX_SIDE,
			      (unsigned long long)value);
	*side = (size_t)value;
	return 0;
}

static int read_variables(const struct h5_file *file, struct network *network, struct err *err)
{
	size_t n = network->n_variables;
	uint64_t *role = NULL;
	double *mobility = NULL, *temperature = NULL;
	int status;

	if ((status = h5_read_u64s(file, "network/role", 1, &n, n, &role, err)) ||
	    (status = h5_read_doubles(file, "network/mobility", 1, &n, n, &mobility, err)) ||
	    (status = h5_read_doubles(file, "network/temperature", 1, &n, n, &temperature, err)))
		goto done;
	for (size_t i = 0; i < n; i++) {
		if (role[i] > VARIABLE_NOISE) {
			status = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
					"network/role: expected 0 to %d, found %llu at variable %zu", VARIABLE_NOISE,
					(unsigned long long)role[i], i);
			goto done;
		}
		network->variables[i] = (struct variable){
			.role = (enum variable_role)role[i],
			.mobility = mobility[i],
			.temperature = temperature[i],
		};
	}
done:
	free(role);
	free(mobility);
	free(temperature);
	return status;
}

/** On success the caller ends the network. */
static int read_network(const struct h5_file *file, struct network *network, struct err *err)
{
	const char *specs[NETWORK_MAX_TERMS];
	size_t nx = 0, ny = 0, n_specs = 0;
	char *text = NULL;
	int status;

	if ((status = read_side(file, "nx", &nx, err)) || (status = read_side(file, "ny", &ny, err)) ||
	    (status = h5_get_long_text(file, "network", "terms", PROTOCOL_MAX_TERMS_TEXT, &text, err)) ||
	    (status = split_terms(file->path, text, specs, &n_specs, err)))
		goto done;
	if ((status = network_init(network, nx, ny, specs, n_specs, err))) {
		err_context(err, "%s: network: attribute terms", file->path);
		goto done;
	}
	if ((status = read_variables(file, network, err)))
		network_fini(network);
done:
	free(text);
	return status;
}

/** Read the knots' times and build a protocol of zeros on them; takes over the network, even on error. */
static int read_knots(const struct h5_file *file, struct protocol *protocol, struct network *network, struct err *err)
{
	double *t = NULL;
	size_t n = 0;
	int status = h5_read_doubles(file, "knots/t", 1, &n, KNOTS_MAX, &t, err);

	if (status == 0 && n < 2)
		status = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0, "knots/t: expected 2 to %d knots, found %zu",
				KNOTS_MAX, n);
	if (status == 0 && network->n_parameters > PROTOCOL_MAX_THETA / n)
		status = err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
				"knots/theta: expected at most %d numbers, found %zu knots of %zu parameters",
				PROTOCOL_MAX_THETA, n, network->n_parameters);
	if (status)
		network_fini(network);
	else
		status = protocol_init(protocol, network, t, n, err);
	free(t);
	return status;
}

static int read_theta_and_wall(const struct h5_file *file, struct protocol *protocol, struct err *err)
{
	const size_t n = protocol->n_knots, n_parameters = protocol->network.n_parameters;
	size_t theta_dims[] = {n, n_parameters}, wall_dims[] = {n, PROTOCOL_WALL_COLUMNS};
	double *theta = NULL, *wall = NULL;
	int status;

	if ((status = h5_read_doubles(file, "knots/theta", 2, theta_dims, n * n_parameters, &theta, err)) ||
	    (status = h5_read_doubles(file, "knots/wall", 2, wall_dims, n * PROTOCOL_WALL_COLUMNS, &wall, err)))
		goto done;
	memcpy(protocol->theta, theta, n * n_parameters * sizeof(*theta));
	for (size_t k = 0; k < n; k++)
		protocol->wall[k] = (struct wall){
			.position = wall[PROTOCOL_WALL_COLUMNS * k],
			.stiffness = wall[PROTOCOL_WALL_COLUMNS * k + 1],
		};
done:
	free(theta);
	free(wall);
	return status;
}

static int read_texts(const struct h5_file *file, struct protocol *protocol, struct err *err)
{
	int status;

	if ((status = h5_get_double(file, "/", "readout_weight", &protocol->readout_weight, err)) ||
	    (status = h5_get_text(file, "/", "rule", protocol->rule, sizeof(protocol->rule), err)) ||
	    (status = h5_get_text(file, "/", "bath", protocol->bath, sizeof(protocol->bath), err)))
		return status;
	if (H5Aexists_by_name(file->id, "/", "task", H5P_DEFAULT) > 0)
		return h5_get_long_text(file, "/", "task", PROTOCOL_MAX_TASK_TEXT + 1, &protocol->task, err);
	return 0;
}

static int check_checksum(const struct h5_file *file, struct protocol *protocol, struct err *err)
{
	protocol_seal(protocol);
	return file_checksum_check(file, protocol->checksum, err);
}

/** From an open file, which is closed whichever way it ends. */
static int load(struct protocol *protocol, struct h5_file *file, struct err *err)
{
	struct network network;
	int status;

	if ((status = file_format_check(file, PROTOCOL_FORMAT, PROTOCOL_FORMAT_VERSION, err)) ||
	    (status = read_network(file, &network, err)) || (status = read_knots(file, protocol, &network, err)))
		goto done;
	if ((status = read_theta_and_wall(file, protocol, err)) || (status = read_texts(file, protocol, err)) ||
	    (status = protocol_file_check(protocol, JOSTLE_EFORMAT, file->path, err)) ||
	    (status = check_checksum(file, protocol, err)))
		protocol_fini(protocol);
done:
	h5_close(file);
	return status;
}

int protocol_load(struct protocol *protocol, const char *path, struct err *err)
{
	struct h5_file file;
	const int status = h5_open(&file, path, err);

	*protocol = (struct protocol){0};
	return status ? status : load(protocol, &file, err);
}

int protocol_load_image(struct protocol *protocol, const char *name, const unsigned char *bytes, size_t size,
			struct err *err)
{
	struct h5_file file;
	const int status = h5_open_image(&file, name, bytes, size, err);

	*protocol = (struct protocol){0};
	return status ? status : load(protocol, &file, err);
}
