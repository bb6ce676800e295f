#ifndef JOSTLE_HEARTBEAT_H
#define JOSTLE_HEARTBEAT_H
/*
 * The page of shared memory between a loop and its guardian: POSIX name "/jostle-run-NAME".
 *
 * The loop beats at every tick and leaves the volts it wrote; the guardian beats as often as it looks. Each holds a lock on
 * the page's file that the kernel releases when its process ends, however it ends. Neither ever waits for the other.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "control/supervisor.h"

struct err;
struct heartbeat_shared;

/** What the loop's process says once, before its first beat. */
struct heartbeat_facts {
	int32_t pid;
	uint32_t n_out;
	int64_t period_ns;
	int64_t deadline_ns;   /* the bench's guardian_periods: from the last beat to safe outputs */
	char bench_path[1024]; /* of the bench file, which the guardian reads anew */
	char attach[64];       /* struct daq_options' */
};

struct heartbeat {
	struct heartbeat_shared *shared;
	size_t size;
	int fd;
	struct heartbeat_facts facts; /* checked when attached */
	bool owner;                   /* the loop's side */
	char path[96];
};

/** How the loop finds its guardian. */
enum guardian_view {
	GUARDIAN_ABSENT,   /* none has attached yet */
	GUARDIAN_WATCHING, /* it beats */
	GUARDIAN_LOST,     /* it did, and has stopped */
	GUARDIAN_SEIZED    /* it has driven the outputs to safe and holds them */
};

/**
 * The loop's side: create the page, replacing one whose loop has ended and whose guardian is gone.
 * The caller ends it with heartbeat_close(). Errors: JOSTLE_EINVAL (name), JOSTLE_EBUSY (a loop or guardian of that name
 * lives), JOSTLE_EIO. Call from: setup.
 */
int heartbeat_create(struct heartbeat *heartbeat, const char *name, const struct heartbeat_facts *facts,
		     struct err *err);

/** Beat. out_V[n_out] as written; now_ns by CLOCK_MONOTONIC. RT_SAFE. Call from: loop. */
RT_SAFE void heartbeat_beat(struct heartbeat *heartbeat, int64_t now_ns, enum supervisor_state state,
			    const double out_V[]);

/** What the guardian does. RT_SAFE. Call from: any of the loop's process. */
RT_SAFE enum guardian_view heartbeat_guardian(const struct heartbeat *heartbeat, int64_t now_ns);

/**
 * The guardian's side. Errors: JOSTLE_ENOENT (no such page), JOSTLE_EBUSY (it has a guardian), JOSTLE_EFORMAT,
 * JOSTLE_EVERSION. The caller ends it with heartbeat_close(). Call from: setup.
 */
int heartbeat_attach(struct heartbeat *heartbeat, const char *name, struct err *err);

/** The guardian's beat, and whether it holds the outputs. RT_SAFE. Call from: the guardian. */
RT_SAFE void heartbeat_watch(struct heartbeat *heartbeat, int64_t now_ns, bool seized);

/** What the loop's side left last. */
struct heartbeat_reading {
	bool alive;      /* its process holds its lock */
	bool begun;      /* it has beaten at least once */
	bool ended;      /* it said goodbye: outputs are at safe_V, by heartbeat_goodbye() */
	int64_t beat_ns; /* when it beat last */
	enum supervisor_state state;
};

/**
 * Read it. out_V[n_out]: the last volts, left alone while they can't be read whole. Call from: the guardian.
 */
void heartbeat_read(const struct heartbeat *heartbeat, struct heartbeat_reading *reading, double out_V[]);

/** The loop has stopped its driver and ends: nothing is left to guard. Call from: setup, the loop's side. */
void heartbeat_goodbye(struct heartbeat *heartbeat);

/** Close either side; the loop's removes the name. Safe to call twice. Call from: setup. */
void heartbeat_close(struct heartbeat *heartbeat);

#endif
