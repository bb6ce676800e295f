#ifndef JOSTLE_BENCH_H
#define JOSTLE_BENCH_H
/*
 * The bench file: what a person states of a bench. SI units; docs/file-formats.md has every field.
 */
#include <stddef.h>

#include "daq/daq.h"

struct err;
struct instrument_setup;

#define BENCH_MAX_CHANNELS  4096
#define BENCH_MAX_DEVICES   16
#define BENCH_MAX_SUBDEVICE 255
#define BENCH_MAX_CHANNEL   65535 /* the largest channel number on a device */

#define BENCH_MIN_PERIOD_S  5e-5
#define BENCH_MAX_PERIOD_S  0.1
#define BENCH_MISSED_WINDOW 1000 /* periods in which missed slots are counted */

#define BENCH_ANY_SUBDEVICE (-1) /* the device's first of the kind */

enum drive { DRIVE_FEEDBACK, DRIVE_PARAMETRIC };

/* Of data acquisition cards; other devices have no use for them. */
enum bench_acquisition { ACQUISITION_SINGLE, ACQUISITION_STREAMING }; /* a sample when asked; by the card's own clock */
enum bench_reference { REFERENCE_GROUND, REFERENCE_COMMON, REFERENCE_DIFFERENTIAL, REFERENCE_OTHER };
enum bench_conversion { CONVERSION_HARDWARE, CONVERSION_SOFTWARE, CONVERSION_NOMINAL }; /* who corrects the converter */

/** One channel as the file states it: the groups of the file, expanded. */
struct bench_channel {
	enum daq_role role;
	size_t index;        /* site, parameter or auxiliary signal */
	size_t device;       /* which device of the bench's list */
	size_t channel;      /* on that device */
	double min_V, max_V; /* the converter's span */
	double gain;         /* V per m, V per N, V per unit of theta, V per V: the nominal conversion */
	double offset_V;     /* V at quantity zero */
	double safe_V;
	double limit_min_V, limit_max_V; /* the supervisor's, within the span; a heartbeat's is high at limit_max_V */
	double limit;                    /* largest |quantity|: m, N or theta by the role; 0 for none */
	double limit_min_K, limit_max_K; /* inputs of role temperature; both 0 for none */
	double slew_V_per_s;             /* outputs: largest rate of change; 0 for none */
	int subdevice;                   /* BENCH_ANY_SUBDEVICE for none stated */
	enum bench_reference reference;
	enum bench_conversion conversion;
	double skew_s; /* from the edge to this channel's conversion, as stated; NaN for none stated */
};

struct bench {
	char *name, *summary, *driver, *text; /* text: the file, verbatim */
	char path[1024];
	size_t n_devices;
	char **devices;   /* what the driver is to open: a plant's name, /dev/comedi0 … */
	double period_s;  /* the loop's period */
	enum drive drive; /* the file's; bench_set_drive() changes it */
	size_t nx, ny;    /* lattice */
	double stiffness_N_per_m, damping_N_s_per_m, temperature_K; /* nominal */
	size_t n_in, n_out;
	struct bench_channel *in, *out;
	size_t n_parameter_terms;
	char **parameter_terms;   /* parametric drive: terms whose parameters are outputs, in order, in one-line form */
	size_t n_parameters;      /* outputs of role parameter; index k is parameter k of those terms */
	size_t saturated_periods; /* in a row with a command at the end of its range; 0: for ever, if need be */
	size_t stale_periods;     /* identical samples of a displacement before the supervisor calls it stale */
	size_t rail_periods;      /* samples in a row at an end of the span that saturate an input; 0: never */
	size_t missed_periods;    /* slots that may be missed within BENCH_MISSED_WINDOW; 0: as many as there are */
	size_t guardian_periods;  /* from the loop's last beat to safe outputs */
	size_t baud;              /* of a serial line */
	double limit_difference_N, limit_difference_V; /* between force outputs of neighbours; 0 for none */
	double limit_drive_W;                          /* the sum of f^2 / damping over the force outputs; 0 for none */
	double limit_drive_V2; /* the sum of (V - safe_V)^2 over all outputs but the heartbeat; 0 for none */
	enum bench_acquisition acquisition;
	size_t n_instruments;
	struct instrument_setup *instruments; /* daq/instruments/setup.h */
	char *fallback;   /* the plant that stands in for missing hardware when a person asks for it; NULL for none */
	char *stands_for; /* "comedi /dev/comedi0": the hardware that this bench stands in for; NULL for none */
};

/**
 * Read and check a bench file: every field, ranges, units, channels that clash, sites left without a displacement input.
 * The caller ends it with bench_free(). Errors: JOSTLE_ENOENT, JOSTLE_ECONFIG with file, line and field. Call from: setup.
 */
int bench_load(struct bench *bench, const char *path, struct err *err);
void bench_free(struct bench *bench);

/**
 * The same from a bench file's text, kept in another file; `origin` names that one in errors and is the bench's path.
 * Errors: JOSTLE_ECONFIG. Call from: setup.
 */
int bench_parse(struct bench *bench, const char *name, const char *origin, const char *text, struct err *err);

/**
 * Choose the drive, the file's own or the other one. Errors: JOSTLE_ECONFIG when the bench has not the outputs for it:
 * a force on every site, or parameters. Call from: setup.
 */
int bench_set_drive(struct bench *bench, enum drive drive, struct err *err);

/**
 * What a bench with hardware behind it must state though its file may leave it out: how far a site may be, how far and
 * how fast each output that the drive uses may go. Errors: JOSTLE_ECONFIG, naming channel and field. Call from: setup.
 */
int bench_check_limits(const struct bench *bench, struct err *err);

/**
 * The way on without a bench's hardware, for an error: "--fallback sim runs this bench on the simulated plant NAME".
 * Call from: setup.
 */
void bench_name_fallback(const struct bench *bench, char out[], size_t size);

/** "feedback" or "parametric". Call from: any. */
const char *bench_drive_name(enum drive drive);

/** delta: the loop's period in relaxation times of the nominal oscillator. Call from: any. */
double bench_step(const struct bench *bench);

#endif
