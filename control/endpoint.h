#ifndef JOSTLE_ENDPOINT_H
#define JOSTLE_ENDPOINT_H
/*
 * Where a socket may be bound: "tcp://ADDRESS:PORT" with a numeric address, or "ipc://PATH".
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

/** Whether only this machine reaches it. Errors: JOSTLE_EINVAL (no endpoint of the two kinds). Call from: any. */
int endpoint_check(const char *endpoint, bool *local, struct err *err);

/**
 * Bind a ZeroMQ socket; bound[size] is the endpoint as it became, with the port in a wild card's place. Errors: JOSTLE_EINVAL,
 * JOSTLE_EBUSY (another process listens there, or a file of that name is no socket), JOSTLE_EIO. Call from: setup.
 */
int endpoint_bind(void *socket, const char *endpoint, char *bound, size_t size, struct err *err);

#endif
