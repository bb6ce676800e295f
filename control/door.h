#ifndef JOSTLE_DOOR_H
#define JOSTLE_DOOR_H
/*
 * The door: how many connections a bound socket has, and what becomes of too many. libzmq takes every connection that it is offered, and
 * ends the process where there is no file descriptor left for another one. So they are counted, and at a bound all of them are let go,
 * good and bad, and the socket is bound anew: whoever speaks ZeroMQ comes back by itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum door_state { DOOR_OPEN, DOOR_CLOSING, DOOR_CLOSED };

struct door {
	void *socket;         /* the one that is watched; the caller's */
	void *monitor;        /* what libzmq says of it; NULL: a door never opened */
	const char *name;     /* for people */
	const char *endpoint; /* as bound */
	enum door_state state;
	size_t n, max; /* connections */
	int64_t next_ns;
};

/** Raise the process's limit of file descriptors to what it may have; returns the limit. Call from: setup. */
size_t door_raise_limit(void);

/**
 * Watch a socket that is bound to `endpoint`, for at most `max` connections. The strings are the caller's and outlive the door. Errors:
 * JOSTLE_EIO. Call from: the thread that uses the socket; so are all below.
 */
int door_open(struct door *door, void *context, void *socket, const char *name, const char *endpoint, size_t max,
	      struct err *err);

/** Before the socket is closed. A door that is all zeros is allowed. */
void door_close(struct door *door);

/** Count who came and went; let everybody go where they are too many, and open again when they are gone. */
void door_serve(struct door *door, int64_t now_ns);

/** Let everybody go; `why` is for people. */
void door_clear(struct door *door, const char *why);

#endif
