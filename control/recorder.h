#ifndef JOSTLE_RECORDER_H
#define JOSTLE_RECORDER_H
/*
 * The recorder: a thread that writes what the loop did into HDF5 run files (docs/file-formats.md).
 *
 * The loop hands over ticks and events and never waits: what finds no room is dropped and counted, and the count is in the
 * file. While the disk is full or slow the ring keeps what it can; when there is room again another file begins. Rows are
 * acknowledged when they are on their way to the disk in an order in which a reader finds them, whatever then becomes of
 * this process. A run file is called NAME-000.h5.partial until it is closed; after segment_bytes another follows.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "control/tick.h"

struct bench;
struct calibration;
struct calibration_record;
struct err;
struct histogram;
struct instruments_note;
struct plan;
struct protocol;
struct recorder;

/** What a recorder is made for. Everything here is the caller's and outlives it. */
struct recorder_setup {
	const char *folder; /* must exist; on a disk with room */
	const char *name;   /* of the run's files: the beginning of every one's name */
	const struct bench *bench;
	const struct calibration *calibration;
	const struct calibration_record *record;
	const char *backend; /* struct daq's */
	const char *plant;   /* the plant file verbatim, or NULL */
	bool simulated;
	uint64_t seed;
	double period_s;           /* granted */
	const char *doctor;        /* the doctor's report as text, or NULL */
	const char *override_text; /* why a failed check was overridden, or NULL */
	uint64_t segment_bytes;    /* begin another file when this one is larger; 0 for 1 GiB */
	double ring_s;             /* room for so many seconds of ticks; 0 for 20 */
	size_t n_histograms;       /* timing, written at least once a minute and when a file is closed */
	const struct histogram *const *histograms;
	const char *const *histogram_names;
};

struct recorder_status {
	bool on;
	uint64_t n_rows;         /* ticks handed over since the recorder was opened */
	uint64_t n_acknowledged; /* of them, those that a reader of the files finds */
	uint64_t n_dropped;      /* of them, those that were not written; never silently */
	bool failed;             /* nothing can be written now, and is tried again every second; why: */
	char text[256];
	char path[1024]; /* the file under way, or the last one */
};

/** Take memory and start the thread, which writes nothing until recorder_set(). The caller ends it with
 * recorder_close(). Errors: JOSTLE_ENOENT (folder), JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup. */
int recorder_open(struct recorder **recorder, const struct recorder_setup *setup, struct err *err);

/** Write what is left, close the file, stop the thread, free the memory, and tell a person how much was recorded and lost. Returns
 * the first error met, or JOSTLE_EIO where anything was lost. NULL is allowed. Call from: setup, when the loop has ended. */
int recorder_close(struct recorder *recorder, struct err *err);

/** Record from the next tick on, or no longer. Call from: any but the loop. */
void recorder_set(struct recorder *recorder, bool on);

/** Hand over a tick: record without `values`, which are the three arrays. RT_SAFE. Call from: loop. */
RT_SAFE void recorder_tick(struct recorder *recorder, const struct tick_record *tick, const double in_V[],
			   const double out_V[], const double command[]);

/** Hand over an event. RT_SAFE. Call from: loop. */
RT_SAFE void recorder_event(struct recorder *recorder, const struct loop_event *event);

/**
 * Hand over what a person or a client asked for, and what was answered: words for `/commands`. `request` is the id that
 * the loop's events carry, or 0. Call from: one thread that is not the loop.
 */
void recorder_command(struct recorder *recorder, uint64_t request, const char *client, const char *command,
		      const char *answer);

/**
 * The file of a protocol, as run files keep it, in memory: *content[*size], the caller's to free. It waits for whatever else HDF5 is at,
 * a slow disk included. Errors: JOSTLE_EIO, JOSTLE_ENOMEM. Call from: any but the loop.
 */
int recorder_image(const struct recorder *recorder, const struct protocol *protocol, unsigned char **content,
		   size_t *size, struct err *err);

/**
 * Hand over a program before the loop gets it: the file holds every protocol that was used, whole. `checksum` and content[size] are the
 * protocol's, copied; NULL, and NULL and 0, where it has none. `plan` may be NULL. Call from: the same thread.
 */
void recorder_program(struct recorder *recorder, uint64_t program, const char *checksum, const unsigned char *content,
		      size_t size, const struct plan *plan);

/** recorder_program() with the image of a protocol, or none for NULL. Waits as recorder_image() does. Call from: the same thread. */
void recorder_protocol(struct recorder *recorder, uint64_t program, const struct protocol *protocol,
		       const struct plan *plan);

/** Hand over a sample, value[n_sites], natural units. Call from: the same thread. */
void recorder_sample(struct recorder *recorder, uint64_t program, uint64_t number, uint64_t tick, const double value[]);

/** Hand over what an instrument read, was set to, or said. Call from: the same thread. */
void recorder_instrument(struct recorder *recorder, const struct instruments_note *note);

/** Tell a person when things are dropped, and when rows wait for seconds and none is acknowledged. Call it often. NULL is allowed.
 * Call from: one thread that is neither the loop nor the recorder's. */
void recorder_watch(struct recorder *recorder);

/** How it stands. Call from: any but the loop. */
void recorder_status(struct recorder *recorder, struct recorder_status *status);

#endif
