#ifndef JOSTLE_DRIVE_H
#define JOSTLE_DRIVE_H
/*
 * The drive: from what is wanted of the bench and where it is, to what is commanded. Which of the two laws holds is a
 * property of the bench.
 *
 *   feedback    u_i = f_theta,i(x, t) - f_pass,i(x_i): the protocol's force is the total force, and the bench supplies
 *               f_pass by itself
 *   parametric  the device realises the potential: output k is theta_k(t) - theta_pass,k, mapped by parameter name. The
 *               protocol's wall is not commanded: a device has walls of its own
 *
 * A passive setpoint commands zero, which leaves f_pass alone at work.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "control/state.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"

struct calibration;
struct err;
struct potential;

struct drive_law {
	enum drive kind;
	size_t n_out;
	const struct calibration *calibration; /* the caller's, outlives this: the range of each output */
	struct potential *potential;           /* the caller's; used within drive_step() only */
	uint64_t *n_saturated;                 /* [n_out]: ticks at which the command met the end of its range */
	/* feedback */
	double *force;                 /* [n_variables]: f_theta */
	size_t *site_of;               /* [n_out]: site, or SIZE_MAX for an output that is not driven */
	struct passive_force *passive; /* [n_sites] */
	/* parametric */
	size_t *output_of;     /* [n_parameters of the protocol] */
	double *passive_theta; /* [n_out]: what the device supplies by itself; 0 for outputs that are not parameters */
};

/**
 * Match a protocol to a bench; with a potential of no protocol nothing but passive setpoints can be carried out. The caller ends it with drive_fini().
 * Errors: JOSTLE_ECONFIG, naming the site that has no force output, the parameter that the bench has no output for, or
 * the part of the passive force that cannot be subtracted; lattices that differ; JOSTLE_ENOMEM. Call from: setup.
 */
int drive_init(struct drive_law *drive, const struct bench *bench, const struct calibration *calibration,
	       const struct calibration_record *record, struct potential *potential, struct err *err);
void drive_fini(struct drive_law *drive);

/**
 * The command, each value within the range that the channel's limits leave; one that is not finite is passed on. RT_SAFE.
 * Call from: loop.
 */
RT_SAFE void drive_step(struct drive_law *drive, const struct setpoint *setpoint, const struct state *state,
			struct command *command);

#endif
