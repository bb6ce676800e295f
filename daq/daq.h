#ifndef JOSTLE_DAQ_H
#define JOSTLE_DAQ_H
/*
 * A bench: what the loop sees of the hardware, whatever the hardware is.
 *
 * Inputs and outputs are volts, in the order of the bench file, each with a role. The simulator, a recorded run, a comedi
 * card and a microcontroller are peers behind this header; nothing above it may ask which one it has.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"

struct bench;
struct err;

enum daq_role {
	DAQ_DISPLACEMENT, /* input: where a site is */
	DAQ_FORCE,        /* input: force read back; output: force on a site (feedback drive) */
	DAQ_PARAMETER,    /* output: one parameter of the potential (parametric drive) */
	DAQ_TEMPERATURE,  /* input: the bath's */
	DAQ_HEARTBEAT,    /* output: a line for an external monostable, toggled by the loop as long as all is well */
	DAQ_AUXILIARY     /* monitors, settings */
};

/** "displacement", "force", "parameter", "temperature", "heartbeat" or "auxiliary". Call from: any. */
const char *daq_role_name(enum daq_role role);

struct daq_channel {
	enum daq_role role;
	size_t index;        /* which site, parameter of the bench's list, or auxiliary signal */
	double min_V, max_V; /* the converter's span; the supervisor's limits lie inside it */
	double safe_V;       /* outputs: driven at stop, at a trip, and by whoever finds the loop dead */
	double skew_s; /* from the edge to this channel's conversion: the bench file's, or the driver's own figure */
};

/** How the outputs become safe when the process that holds the bench can no longer see to it. */
enum daq_last_resort {
	DAQ_NO_LAST_RESORT,    /* they don't: outputs hold their last value */
	DAQ_ENDS_WITH_PROCESS, /* nothing is left to be safe: the device is in this process */
	DAQ_SECOND_OPENING,    /* the guardian drives them, by guard_open() */
	DAQ_MONOSTABLE         /* the device, or a monostable on the bench's heartbeat line, lets go by itself */
};

struct daq {
	const struct daq_driver *driver;
	void *state;               /* driver->state_size bytes, zeroed, owned by daq_open() and daq_close() */
	const struct bench *bench; /* the caller's, outlives the daq */
	size_t n_in, n_out;
	struct daq_channel *in, *out; /* filled by daq_open() from the bench file */
	double period_s;              /* granted by the driver; may differ from what was asked */
	int64_t woke_ns; /* set by exchange(): CLOCK_MONOTONIC when the wait for the edge was over; 0 without one, and
	                    where edges are counted by another clock, so that t_ns, nominal, drifts from it */
	enum daq_last_resort last_resort; /* set by open() */
	bool simulated;                   /* no hardware behind it: goes into every file */
	char backend[96];                 /* "sim (in-process plant two-oscillators)": goes into every file */
};

/** How fast a bench could run, by its driver's own figures. */
struct daq_budget {
	double exchange_s; /* one exchange takes, without the wait for its edge */
	double period_s;   /* the shortest that the device itself can do; 0: what exchange_s says is all there is */
	char limit[200];   /* what limits the rate, for a person: "reading 8 inputs of /dev/comedi0: 24 of 31 us" */
};

/** What the command line may say about a bench beyond its file. */
struct daq_options {
	uint64_t seed; /* of a simulated plant */
	bool paced;    /* true: edges come at the bench's period by the clock; false: as fast as they are asked for,
	                       where the driver can (hardware can't, and ignores it) */
	const char *attach; /* name of a running `jostle plant`, or NULL */
};

/** One kind of bench. All members are required but those of the guardian and budget; the registry's conformance test walks them. */
struct daq_driver {
	const char *name;          /* as in a bench file: "sim", "comedi" */
	const char *summary;       /* one line for `jostle list` */
	const char *example;       /* a shipped bench that the conformance suite opens with this driver */
	const char *absent_device; /* a device that is not there, for the same suite */
	bool simulated;            /* no hardware behind it */
	size_t state_size;

	/**
	 * Find the device, check the bench's channels against it, allocate, fill period_s and backend.
	 * Touches no output. Errors: JOSTLE_ENODEV (names what was looked for), JOSTLE_EBUSY, JOSTLE_ECONFIG (names the
	 * field). On error nothing stays open. Call from: setup.
	 */
	int (*open)(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err);

	/** Drive the outputs to safe_V, then start the sample clock. May follow stop(). Call from: setup. */
	int (*start)(struct daq *daq, struct err *err);

	/**
	 * Wait for the next sample edge; at that edge read every input and write every output.
	 * What is computed from this sample therefore acts from the next edge: one period of delay, on every bench.
	 *
	 * out_V: n_out volts, already limited; what is not a number is safe_V of its output. in_V: n_in volts. t_ns: CLOCK_MONOTONIC at the edge, or time on the
	 * bench's own clock when it is not paced. Returns 0, JOSTLE_EMISSED (edges were missed; the grid is kept, t_ns
	 * tells how many, and none when out_V came too late for this edge and acts from the next one) or JOSTLE_EIO (in_V is then the previous sample, and the outputs are to be taken as unknown).
	 * RT_SAFE. Call from: loop.
	 */
	int (*exchange)(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns);

	/**
	 * Drive the outputs to safe_V and stop the clock. Safe to call twice, or after a failed start(): where nothing has
	 * been driven since the last start(), nothing is done and 0 returned. Returns 0, or JOSTLE_EIO when the device did not
	 * take safe_V or nobody knows whether it did; a further call tries again. Call from: any, but not while exchange() runs.
	 */
	int (*stop)(struct daq *daq);

	/** Release everything open() took. stop() has been called. Call from: setup. */
	void (*close)(struct daq *daq);

	/**
	 * The guardian's way to the outputs, all four or none: open the bench a second time, in another process, beside the
	 * owner or after its death, for writing outputs alone. Touches none. Errors: as open(). Call from: setup.
	 */
	int (*guard_open)(struct daq *daq, const struct bench *bench, const struct daq_options *options,
			  struct err *err);

	/**
	 * Write the outputs. From the first call on nothing that the owner writes lasts, until guard_release(), be it alive
	 * or resumed. Returns 0 or JOSTLE_EIO. Call from: the guardian.
	 */
	int (*guard_write)(struct daq *daq, const double out_V[]);

	/** Give the outputs back to the owner. Call from: the guardian. */
	void (*guard_release)(struct daq *daq);

	/** Release everything guard_open() took; held outputs stay as they are. Call from: the guardian. */
	void (*guard_close)(struct daq *daq);

	/**
	 * NULL, or: measure how fast the bench could run. Takes a moment; reads, and writes nothing. Errors: JOSTLE_EBUSY
	 * after start(), JOSTLE_EIO. Call from: setup, between open() and start().
	 */
	int (*budget)(struct daq *daq, struct daq_budget *budget, struct err *err);
};

/** The drivers, ended by NULL. */
extern const struct daq_driver *const driver_registry[];

/**
 * All that can be said of a bench without its device: driver, channels, the period asked for, whether it is simulated.
 * The caller ends it with daq_close(). Errors: JOSTLE_ENOENT (no such driver), JOSTLE_ENOMEM. Call from: setup.
 */
int daq_describe(struct daq *daq, const struct bench *bench, struct err *err);

/**
 * Open the bench with the driver that its file names. On error nothing stays open and `err` says why, for a person.
 * The caller ends it with daq_close(), which stops it first. Errors: those of daq_describe() and the driver. Call from: setup.
 */
int daq_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err);
void daq_close(struct daq *daq);

/**
 * Open the bench a second time, as a guardian does, by the driver's guard_open(). The caller ends it with
 * daq_guard_close(), not daq_close(). Errors: as daq_open(), and JOSTLE_EBUSY where the driver or the device can't.
 * Call from: setup.
 */
int daq_guard_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err);
void daq_guard_close(struct daq *daq);

#endif
