#ifndef JOSTLE_PROTOCOL_FILE_H
#define JOSTLE_PROTOCOL_FILE_H
/*
 * The layout of a protocol's file, shared by protocol_save.c and protocol_load.c; docs/file-formats.md describes it.
 */
#include "base/spec.h"
#include "protocols/network.h"

struct err;
struct protocol;

#define PROTOCOL_FORMAT         "jostle-protocol"
#define PROTOCOL_FORMAT_VERSION 1
#define PROTOCOL_MAX_THETA      67108864 /* numbers in theta: half a gigabyte */
#define PROTOCOL_MAX_TERMS_TEXT (NETWORK_MAX_TERMS * SPEC_MAX_TEXT)
#define PROTOCOL_MAX_TASK_TEXT  1048576
#define PROTOCOL_WALL_COLUMNS   2 /* position, stiffness */

/**
 * What both writing (code JOSTLE_EINVAL) and reading (JOSTLE_EFORMAT) hold a protocol's numbers to: finite, ascending
 * knots, a wall that confines, a physical bath. `path` is for the text of the error. Call from: setup.
 */
int protocol_file_check(const struct protocol *protocol, int code, const char *path, struct err *err);

#endif
