#ifndef JOSTLE_PLANT_H
#define JOSTLE_PLANT_H
/*
 * The plant: one replica that behaves as a bench does, with the imperfections that its file gives it.
 *
 * Volts in and out, SI in its file, natural units of its own inside. Channels, in this order and always all of them; those
 * that the file gives no gain, or no monostable, are absent (plant_has_input, plant_has_output) and read 0 V:
 * inputs   displacement of site 0 …, force read-back of site 0 …, temperature
 * outputs  force on site 0 …, parameter 0 …, temperature setting, heartbeat line
 *
 * Every random number is addressed by (seed, stream, edge, variable): equal seeds and equal outputs give equal inputs.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "base/units.h"
#include "protocols/network.h"
#include "sim/plant_config.h"
#include "sim/plant_step.h"

struct err;

/** Where a channel's signal comes from: another channel when wires are swapped, nowhere when dead or stuck. */
struct plant_wire {
	size_t source;
	bool cut;
	double value_V; /* what stands on the channel when cut */
};

/** What one edge wrote, as far as it can be converted at once. */
struct plant_latch {
	double delay;         /* periods from the edge to the effect */
	double temperature_V; /* of the temperature setting */
	double *force;        /* [n_sites], each actuator's own, after saturation */
	double *theta;        /* [n_parameters] */
};

/** A stretch of a period during which nothing changes by itself. */
struct plant_segment {
	double start, length; /* fractions of the period */
	size_t age;           /* which latch acts: edges before the period's first */
	bool in_window;       /* the blurring sensor integrates */
};

struct plant {
	const struct plant_config *config; /* the caller's, outlives the plant */
	struct units units;
	double period_s, period; /* the second in natural units */
	uint64_t seed, edge;     /* edge: how many there have been */
	size_t n_sites, n_parameters, n_in, n_out;

	double *x, *v;    /* [n_sites], natural units */
	double *measured; /* [n_sites]: what the sensors see at the edge, natural units */
	double temperature_K, setting_K, temperature_walk_K;

	/* motion */
	size_t n_classes; /* sites that share stiffness and mass share their steps */
	size_t *class_of; /* [n_sites] */
	double *class_stiffness, *class_mass;
	size_t n_segments, max_segments;
	struct plant_segment *segments;       /* [max_segments] */
	struct plant_step *steps;             /* [max_segments][n_classes] */
	bool wide;                            /* a site needs more than one normal per step */
	bool bent, open_parameters;           /* intrinsic nonlinearity or couplings; parameters that are not 0 */
	double stop;                          /* natural, or infinite */
	double *quadratic, *cubic, *coupling; /* natural units */
	double *normals, *bend, *bend_next, *x_next, *v_next;

	/* outputs */
	size_t n_latches;                          /* depth of the history, enough for the longest delay */
	struct plant_latch *latches;               /* [n_latches], edge e at e % n_latches */
	struct plant_wire *out_wires;              /* [n_out], those of forces and parameters in use */
	double *out_V;                             /* [n_out]: the last finite volts of each output */
	double *gain, *offset, *saturation, *slew; /* actuators, natural units */
	double *actuator;                          /* [n_sites]: what each actuator does now */
	double *force;                             /* [n_sites]: what each site feels of the actuators */
	double *theta;                             /* [n_parameters]: as packed */
	double *latched_theta;                     /* [n_parameters]: of the last volts */
	bool forces_vary;                          /* slew or drift: forces change within a period */
	uint64_t applied;                          /* edge whose latch acts */
	double temperature_V;

	/* the monostable */
	bool line_is_high, line_has_toggled, supply_is_cut;
	uint64_t toggled_edge; /* the last at which the line was found changed */

	/* faults */
	bool *fault_is_on; /* [n_faults] */
	bool wired, signalled;

	/* the parametric device */
	struct network network;
	const struct network_kernels *kernels;
	double *packed;

	/* inputs */
	struct plant_wire *in_wires; /* [n_in] */
	double *integral;            /* [n_sites]: of x over the sensor's window */
	double *sensor_offset_V, *sensor_walk_V, *force_walk;
	double *sensor_normals;
	bool noisy_sensor, noisy_readback, drifting;

	double *arena; /* all arrays of doubles */
};

/**
 * Prepare a plant that is sampled every period_s, at rest in its bath (a draw from the passive linear stationary law),
 * all outputs at 0 V. The caller ends it with plant_fini(). Errors: JOSTLE_EINVAL (period), JOSTLE_ENOMEM. Call from:
 * setup.
 */
int plant_init(struct plant *plant, const struct plant_config *config, double period_s, uint64_t seed, struct err *err);
void plant_fini(struct plant *plant);

/**
 * One sample edge: integrate the period that ends here with the outputs latched at the edges before it, read the
 * inputs, latch out_V. What is computed from this in_V can be latched at the next edge at the earliest: one period of
 * delay, and none from the plant unless its file says so. out_V[n_out], in_V[n_in]. A value that is not finite leaves
 * its output as it is. RT_SAFE. Call from: any.
 */
RT_SAFE void plant_edge(struct plant *plant, const double out_V[], double in_V[]);

/** Write the outputs between edges, without a sample: what was latched at the last edge is replaced. Call from: any. */
RT_SAFE void plant_write(struct plant *plant, const double out_V[]);

/**
 * Begin, or end, the faults that wait for a signal: they are there, or gone, from the next edge on. RT_SAFE.
 * Call from: any.
 */
RT_SAFE void plant_signal(struct plant *plant, bool on);

/** How far ahead the device's clock is at the last edge, nanoseconds. RT_SAFE. Call from: any. */
RT_SAFE int64_t plant_clock_step_ns(const struct plant *plant);

/**
 * What the device goes by since the last edge, out_V[n_out]: what it was told last, but 0 V for forces and parameters
 * while its monostable has cut the supply. RT_SAFE. Call from: any.
 */
RT_SAFE void plant_in_effect(const struct plant *plant, double out_V[]);

/** The true displacements x_m[n_sites], metres, for logs and tests. RT_SAFE. Call from: any. */
RT_SAFE void plant_true_x(const struct plant *plant, double x_m[]);

/** Put the sites somewhere, at rest. x_m[n_sites], metres, within the stops. For tests. Call from: any. */
void plant_set_x(struct plant *plant, const double x_m[]);

/** Number of inputs and outputs of a device. Call from: any. */
size_t plant_n_in(const struct plant_config *config);
size_t plant_n_out(const struct plant_config *config);

/** Whether the device has what a channel number stands for. Call from: setup. */
bool plant_has_input(const struct plant_config *config, size_t channel);
bool plant_has_output(const struct plant_config *config, size_t channel);

#endif
