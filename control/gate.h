#ifndef JOSTLE_GATE_H
#define JOSTLE_GATE_H
/*
 * The gate: sockets that speak CURVE, and the answer to everyone who knocks (ZAP, https://rfc.zeromq.org/spec/27): on the list of
 * clients or not. A client's name on that list is the "User-Id" of each of its messages.
 */
#include "control/curve.h"

struct err;

struct gate {
	void *socket; /* ZAP; NULL for a gate that lets everyone in */
	uint8_t secret[CURVE_KEY_BYTES];
	struct curve_list clients;
};

/**
 * Without a key file the gate is open. The caller ends it with gate_close(), also after an error, and before the context.
 * Errors: JOSTLE_EINVAL (one of the files without the other), those of curve_load_secret() and curve_list_load(),
 * JOSTLE_EIO. Call from: setup.
 */
int gate_open(struct gate *gate, void *context, const char *key_file, const char *allow_file, struct err *err);
void gate_close(struct gate *gate);

/** Set a socket up, before it is bound. Errors: JOSTLE_EIO. Call from: setup. */
int gate_guard(const struct gate *gate, void *socket, struct err *err);

/** Answer those who knock, a few at most. Call from: the thread that opened it. */
void gate_serve(struct gate *gate);

#endif
