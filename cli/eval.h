#ifndef JOSTLE_CLI_EVAL_H
#define JOSTLE_CLI_EVAL_H
/*
 * What `jostle eval` does for each kind of target: print the figures, write them for a program, draw a picture.
 */
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct sample_file;
struct target;
struct task;

struct eval {
	const char *png, *json; /* files to write, or NULL */
	uint64_t seed;          /* of the draws for floors and baselines */
	const struct task *task;
	const struct target *target;
	const struct sample_file *files; /* [n_files], of the target's sites; one for each sampling seed */
	size_t n_files;
	struct pool *pool;
};

/** A target of known density; one file. Errors: JOSTLE_EINVAL, JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup. */
int eval_density(const struct eval *eval, struct err *err);

/** A set of images. Errors: JOSTLE_EINVAL, JOSTLE_EIO, JOSTLE_ENOMEM. Call from: setup. */
int eval_images(const struct eval *eval, struct err *err);

#endif
