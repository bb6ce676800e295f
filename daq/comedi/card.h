#ifndef JOSTLE_COMEDI_CARD_H
#define JOSTLE_COMEDI_CARD_H
/*
 * A data acquisition card: a comedi device that this process has open. For driver comedi only.
 */
#include <stdbool.h>
#include <stddef.h>

#include <comedilib.h>

struct bench;
struct err;

struct card {
	comedi_t *device;
	const struct bench *bench; /* whose devices[index] it is; outlives the card */
	size_t index;
	char *calibration_path; /* libcomedi's, "" for none; set when a software calibration was first asked for */
	comedi_calibration_t *calibration;
	bool has_calibration;
};

/**
 * Open devices[index]. The owner holds the card against other owners until it closes it or dies, and against nobody else:
 * a guardian, or a program that looks on, opens it beside. The caller ends it with card_close(). Errors: JOSTLE_ENODEV,
 * JOSTLE_EBUSY (it has an owner), JOSTLE_EIO (no permission). Call from: setup.
 */
int card_open(struct card *card, const struct bench *bench, size_t index, bool owner, struct err *err);

/** Safe on zeroed memory, and to call twice. Call from: setup. */
void card_close(struct card *card);

/** Its path. Call from: any. */
const char *card_path(const struct card *card);

/** "analog inputs", "digital lines" and the like, of a COMEDI_SUBD_… type. Call from: any. */
const char *card_kind(int type);

/**
 * The subdevice of the number stated, or with BENCH_ANY_SUBDEVICE the first analog one of the direction, in *subdevice.
 * `field` names the channel in errors. A subdevice must be an analog one of the direction, or where `line` says so, digital
 * lines that can be outputs; *type is its type. Errors: JOSTLE_ECONFIG, JOSTLE_EBUSY (another process has locked it or runs
 * a command on it). Call from: setup.
 */
int card_find(const struct card *card, int stated, bool input, bool line, const char *field, unsigned *subdevice,
	      int *type, struct err *err);

/** What became of the last call that failed, as text. Call from: setup. */
const char *card_why(void);

#endif
