#ifndef JOSTLE_PLANT_CONFIG_H
#define JOSTLE_PLANT_CONFIG_H
/*
 * The plant file: the truth of a simulated device, in SI units. What a person believes of it is the bench file.
 *
 * A list stands for all sites when it has one number, and for each site when it has one number per site. An absent list
 * means the ideal: gains that do not exist are 0 and the channel is then absent, offsets, noise and faults are 0.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PLANT_MAX_SITES      4096
#define PLANT_MAX_PARAMETERS 4096
#define PLANT_MAX_SUBSTEPS   64
#define PLANT_MAX_LATENCY    64.0 /* periods */
#define PLANT_MAX_S          1e9  /* of a plant's times: nanoseconds of it fit 64 bits */

struct plant_list {
	double *values;
	uint32_t n;
};

/** A converter: 0 bits is ideal, range 0 is unlimited. Codes span [-range_V, range_V). */
struct plant_converter {
	unsigned bits;
	double range_V;
};

struct plant_sensor {
	struct plant_list gain_V_per_m, offset_V, noise_m;
	double blur; /* integration window before the edge, in periods, 0 to 1 */
	struct plant_list line_amplitude_V;
	double line_frequency_Hz;
	struct plant_converter converter;
};

struct plant_actuator {
	struct plant_list gain_N_per_V, offset_N;
	struct plant_list saturation_N; /* largest |force|; 0 for none */
	struct plant_list slew_N_per_s; /* largest rate of change; 0 for none */
	double latency_periods;         /* beyond the one period that every bench has; all outputs */
	double jitter_periods;          /* each latch is late by up to this much more, uniformly; 0 to 1 */
	double cross_talk;              /* fraction of an actuator's force that each lattice neighbour feels */
	struct plant_converter converter;
};

/** Force read-back: the drive force on a site at the edge, from actuators and the parametric device together. */
struct plant_force_readback {
	struct plant_list gain_V_per_N, offset_V, noise_N;
	struct plant_converter converter;
};

/** The parametric device: U_theta with theta = theta_per_V V, realised continuously by the device itself. */
struct plant_parameters {
	char **terms; /* one-line form of base/spec.h */
	uint32_t n_terms;
	struct plant_list theta_per_V; /* one for all, or one per parameter */
	struct plant_converter converter;
};

/** An auxiliary output that moves the bath: temperature_K + kelvin_per_V V, within [min_K, max_K], with a lag. */
struct plant_temperature_setting {
	double kelvin_per_V, min_K, max_K, time_constant_s;
};

/** An auxiliary input: offset_V + gain_V_per_K T. */
struct plant_temperature_readout {
	double gain_V_per_K, offset_V, noise_K;
	struct plant_converter converter;
};

/** Rates, and random walks by their standard deviation after one second. */
struct plant_drift {
	struct plant_list sensor_offset_V_per_s, sensor_offset_walk_V;
	struct plant_list force_offset_N_per_s, force_offset_walk_N;
	double temperature_K_per_s, temperature_walk_K;
};

/** A force stiffness (x_from - x_to) on site `to` alone: a reciprocal spring takes two entries. */
struct plant_coupling {
	size_t from, to;
	double stiffness_N_per_m;
};

/** A line that must toggle: a device whose line has stood still for longer takes 0 V for every force and parameter. */
struct plant_monostable {
	double timeout_s; /* 0: the device has none, and no such line */
};

/** When a fault is there: in the plant's own time, or between two signals to its process. */
struct plant_spell {
	double from_s, until_s; /* until_s 0: for ever */
	bool on_signal;
};

/**
 * Dead: 0 V on the wire, in or out. Stuck: value_V on it. Swapped: the signals of index and with change places. Of inputs
 * alone: NaN is what is read; saturated is an input at the end of its converter, the lower one when value_V is below 0.
 */
enum plant_fault_kind { PLANT_DEAD, PLANT_STUCK, PLANT_SWAPPED, PLANT_NAN, PLANT_SATURATED };
enum plant_signal { PLANT_DISPLACEMENT, PLANT_FORCE, PLANT_FORCE_READBACK, PLANT_PARAMETER, PLANT_TEMPERATURE };

struct plant_fault {
	enum plant_fault_kind kind;
	enum plant_signal signal;
	size_t index;   /* site or parameter; 0 for the temperature */
	size_t with;    /* swapped: the other one */
	double value_V; /* stuck: before the converter; saturated: its sign */
	struct plant_spell spell;
};

/** The device's clock is by_s ahead of the true one, in what it says of its edges alone. */
struct plant_clock_step {
	double by_s;
	struct plant_spell spell;
};

struct plant_config {
	char *summary;
	size_t lattice[2]; /* nx, ny */
	double stiffness_N_per_m, damping_N_s_per_m, temperature_K;
	unsigned substeps;         /* per period; 0 in the file means 1 */
	double stop_m;             /* mechanical end stops at ±stop_m, reflecting; 0 for none */
	struct plant_list mass_kg; /* 0: overdamped */
	struct plant_list stiffness_factor;
	struct plant_list quadratic_N_per_m2, cubic_N_per_m3; /* force -q x^2 - c x^3 */
	struct plant_coupling *couplings;
	uint32_t n_couplings;
	struct plant_sensor sensor;
	struct plant_actuator actuator;
	struct plant_force_readback force_readback;
	struct plant_parameters parameters;
	struct plant_temperature_setting temperature_setting;
	struct plant_temperature_readout temperature_readout;
	struct plant_drift drift;
	struct plant_fault *faults;
	uint32_t n_faults;
	struct plant_clock_step clock_step;
	struct plant_monostable monostable;
	bool exclusive; /* the device can be opened only once */
	/* not in the file */
	char *text; /* the file, verbatim */
	char path[1024], name[64];
	size_t n_sites, n_parameters;
};

/**
 * Read and check a plant file: every field, ranges, list lengths, and that nothing in it can run away without end
 * stops. The caller ends it with plant_config_free(). Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_ECONFIG with file, line
 * and field. Call from: setup.
 */
int plant_load(struct plant_config **config, const char *path, struct err *err);
void plant_config_free(struct plant_config *config);

/** Entry i of a list of length 0, 1 or n. Call from: any. */
static inline double plant_list_at(const struct plant_list *list, size_t i, double absent)
{
	return list->n == 0 ? absent : list->values[list->n == 1 ? 0 : i];
}

#endif
