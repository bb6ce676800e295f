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

#include "base/hash.h"
#include "base/rt.h"
#include "base/shared_page.h"
#include "control/supervisor.h"

struct bench;
struct err;
struct heartbeat_shared;

#define HEARTBEAT_MIN_PERIOD_NS 10000 /* what a page may say of a loop */
#define HEARTBEAT_MAX_PERIOD_NS 10000000000
#define HEARTBEAT_MIN_DEADLINE  4 /* periods */
#define HEARTBEAT_MAX_DEADLINE  100000

/** What the loop's process says once, before its first beat. */
struct heartbeat_facts {
	int32_t pid;
	uint32_t n_out;
	int64_t period_ns;
	int64_t deadline_ns;           /* the bench's guardian_periods: from the last beat to safe outputs */
	char bench_path[1024];         /* of the bench file, which the guardian reads anew */
	char bench_sum[HASH_HEX_SIZE]; /* of its text, so that a file changed since is not taken for it */
	char attach[64];               /* struct daq_options'; "" for none */
	bool latch_only; /* nobody but the loop can write the outputs: the guardian only judges, so that a loop that
	                    resumes finds itself given up */
};

struct heartbeat {
	struct heartbeat_shared *shared;
	struct shared_page page;
	struct heartbeat_facts facts; /* checked when attached */
	uint64_t n_beats;             /* the loop's side */
	uint64_t *set;                /* the guardian's: a set on its way, until it is known to be whole */
};

/** How the loop finds its guardian. */
enum guardian_view {
	GUARDIAN_ABSENT,   /* none has attached yet */
	GUARDIAN_WATCHING, /* it beats */
	GUARDIAN_LOST,     /* it did, and has not for deadline_ns: it could no longer keep its promise */
	GUARDIAN_SEIZED    /* it has given the loop up, and drives the outputs to safe or holds them there */
};

/**
 * The facts of a loop in this process; latch_only is left false. period_s is the one granted, attach struct daq_options'.
 * Call from: setup.
 */
void heartbeat_state_facts(struct heartbeat_facts *facts, const struct bench *bench, double period_s,
			   const char *attach);

/**
 * The loop's side: create the page, replacing one whose loop has ended and whose guardian is gone.
 * The caller ends it with heartbeat_close(). Errors: JOSTLE_EINVAL (name, facts), JOSTLE_EBUSY (a loop or guardian of that
 * name lives), JOSTLE_EIO. Call from: setup.
 */
int heartbeat_create(struct heartbeat *heartbeat, const char *name, const struct heartbeat_facts *facts,
		     struct err *err);

/** Beat. out_V[n_out] as written; now_ns by CLOCK_MONOTONIC. RT_SAFE. Call from: loop. */
RT_SAFE void heartbeat_beat(struct heartbeat *heartbeat, int64_t now_ns, enum supervisor_state state,
			    const double out_V[]);

/** What the guardian does. now_ns by CLOCK_MONOTONIC. RT_SAFE. Call from: any of the loop's process. */
RT_SAFE enum guardian_view heartbeat_guardian(const struct heartbeat *heartbeat, int64_t now_ns);

/**
 * The guardian's side. Errors: JOSTLE_EINVAL (name), JOSTLE_ENOENT (no such page, or its loop has ended), JOSTLE_EBUSY (it
 * has a guardian), JOSTLE_EFORMAT, JOSTLE_EVERSION, JOSTLE_ENOMEM. The caller ends it with heartbeat_close(). Call from:
 * setup.
 */
int heartbeat_attach(struct heartbeat *heartbeat, const char *name, struct err *err);

/** The guardian's beat, and whether it has given the loop up. RT_SAFE. Call from: the guardian. */
RT_SAFE void heartbeat_watch(struct heartbeat *heartbeat, int64_t now_ns, bool seized);

/** What the loop's side left last. */
struct heartbeat_reading {
	bool alive;  /* its process holds its lock */
	bool begun;  /* it has beaten at least once */
	bool ended;  /* it said goodbye: outputs are at safe_V, by heartbeat_goodbye() */
	bool seized; /* as the last heartbeat_watch() said, be it by another guardian that is gone */
	uint64_t n_beats;
	int64_t beat_ns; /* when it beat last */
	enum supervisor_state state;
};

/**
 * Read it. out_V[n_out]: the last volts; they, n_beats, beat_ns and state are left alone while they can't be read whole.
 * Volts are the loop's word: finite or not, within limits or not. Call from: the guardian.
 */
void heartbeat_read(const struct heartbeat *heartbeat, struct heartbeat_reading *reading, double out_V[]);

/** The loop has stopped its driver and ends: nothing is left to guard. Call from: setup, the loop's side. */
void heartbeat_goodbye(struct heartbeat *heartbeat);

/**
 * Close either side. The loop's removes the name; so does the guardian's once the loop has ended. Safe to call twice, and on
 * zeroed memory. Call from: setup.
 */
void heartbeat_close(struct heartbeat *heartbeat);

#endif
