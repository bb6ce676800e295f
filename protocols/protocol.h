#ifndef JOSTLE_PROTOCOL_H
#define JOSTLE_PROTOCOL_H
/*
 * The driving protocol: a network and its parameters theta on time knots. docs/file-formats.md describes the file.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/rt.h"
#include "protocols/knots.h"
#include "protocols/network.h"

struct err;
struct h5_file;
struct provenance;

struct protocol {
	struct network network;
	size_t n_knots;
	double *t;                    /* [n_knots], ascending, natural time */
	double *theta;                /* [n_knots][n_parameters], natural units */
	struct wall *wall;            /* [n_knots] */
	double readout_weight;        /* see diffusion_readout() */
	char rule[64];                /* how it was learned: "denoising, adam" */
	char bath[64];                /* the forward process, one-line form: "white" */
	char *task;                   /* the task as it was used, a task file with every field, or NULL */
	char checksum[HASH_HEX_SIZE]; /* of everything above but rule and task; set by save and load */
};

/**
 * Build a protocol of zeros: takes over `network` (the caller no longer ends it), even on error. t is copied.
 * The caller ends it with protocol_fini(). Errors: JOSTLE_ENOMEM. Call from: setup.
 */
int protocol_init(struct protocol *protocol, struct network *network, const double t[], size_t n_knots,
		  struct err *err);
void protocol_fini(struct protocol *protocol);

/** theta[n_parameters] and the wall at time t. RT_SAFE. Call from: any. */
RT_SAFE void protocol_at(const struct protocol *protocol, double t, double theta[], struct wall *wall);

/** The wall alone, between the knots of `place`. RT_SAFE. Call from: any. */
RT_SAFE struct wall protocol_wall(const struct protocol *protocol, struct knot_place place);

/** Compute protocol->checksum from the content. Call from: setup. */
void protocol_seal(struct protocol *protocol);

/**
 * Write path (through path.partial); seals the protocol. Errors: JOSTLE_EIO, JOSTLE_EINVAL (what protocol_load() would
 * refuse: numbers that are not finite, a wall that does not confine). Call from: setup.
 */
int protocol_save(struct protocol *protocol, const char *path, const struct provenance *provenance, struct err *err);

/** The same, and whatever `more` writes beside it into the same file. Errors: also those of `more`. Call from: setup. */
int protocol_save_with(struct protocol *protocol, const char *path, const struct provenance *provenance,
		       int (*more)(const struct h5_file *file, const void *context, struct err *err),
		       const void *context, struct err *err);

/**
 * Read and check everything: version, sizes, finite numbers, ascending knots, terms, checksum. The caller ends it with
 * protocol_fini(). Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT, JOSTLE_EVERSION, JOSTLE_ECHECKSUM, JOSTLE_ECONFIG;
 * each names file and field. Call from: setup.
 */
int protocol_load(struct protocol *protocol, const char *path, struct err *err);

/**
 * The same file in memory: bytes[size], the caller's to free(); `name` is for error texts. Errors: as protocol_save() and
 * protocol_load(), and JOSTLE_ENOMEM. Call from: setup.
 */
int protocol_save_image(const struct protocol *protocol, const char *name, const struct provenance *provenance,
			unsigned char **bytes, size_t *size, struct err *err);
int protocol_load_image(struct protocol *protocol, const char *name, const unsigned char *bytes, size_t size,
			struct err *err);

#endif
