#ifndef JOSTLE_GUARDING_H
#define JOSTLE_GUARDING_H
/*
 * The loop's side of what watches over it: the heartbeat page, the guardian's process, the instruments of the bench.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/heartbeat.h"
#include "control/loop.h"

struct daq;
struct err;
struct instruments;

struct guarding {
	struct heartbeat heartbeat;
	bool open;   /* the page is there */
	bool needed; /* something outlives this process: a guardian watches */
	bool abandoned;
	pid_t guardian;                  /* 0: none */
	int64_t died_ns;                 /* when the last one was started or found dead */
	struct instruments *instruments; /* the caller's, or NULL */
	char name[64];
};

/**
 * Make the page of a run NAME on an open bench, which also keeps a second run of that name away, and start a guardian
 * where the bench can outlive this process; waits for it a few seconds at most. The caller ends it with guarding_close().
 * Errors: those of heartbeat_create() and guardian_spawn(). Call from: setup, in the program `jostle`.
 */
int guarding_open(struct guarding *guarding, const char *name, const struct daq *daq, const char *attach,
		  struct instruments *instruments, struct err *err);

/** What the loop is to be given. Call from: setup. */
struct loop_watch guarding_watch(struct guarding *guarding);

/** Start another guardian a second after one has died; the trip that its death was stays latched. Call from: any but the
 * loop, now and then. */
void guarding_attend(struct guarding *guarding);

/** The loop has ended and the driver was stopped: nothing is left to guard. Call from: setup. */
void guarding_goodbye(struct guarding *guarding);

/**
 * The loop has ended, and its outputs are to be taken as unknown: no goodbye. The guardian finds the loop gone when the page
 * is closed, and makes them safe where it can. Call from: setup.
 */
void guarding_abandon(struct guarding *guarding);

/**
 * Say goodbye unless abandoned, wait some seconds for the guardian, take the page away; a guardian that does not end is left
 * to itself, with a word. Safe on zeroed memory. Call from: setup, when the loop has ended.
 */
void guarding_close(struct guarding *guarding);

#endif
