#ifndef JOSTLE_PROGRESS_H
#define JOSTLE_PROGRESS_H
/*
 * Progress of long work, on standard error: a line that is rewritten on a terminal, a plain line now and then elsewhere,
 * each with an estimate of the time left.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *label;
	double total;
	double first; /* done before this process began: resumed work */
	int64_t start_ns, last_ns;
	bool terminal, quiet;
};

/** `total` in whatever unit progress_update() counts; `first` is what a resumed run found done. Call from: setup. */
void progress_begin(struct progress *progress, const char *label, double total, double first);

/** `note` is a short text such as "loss 0.0123", or NULL. Cheap enough to call often. Call from: setup. */
void progress_update(struct progress *progress, double done, const char *note);

/** End the line; prints how long it took. Call from: setup. */
void progress_end(struct progress *progress, double done);

#endif
