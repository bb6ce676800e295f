#ifndef JOSTLE_COMEDI_LIST_H
#define JOSTLE_COMEDI_LIST_H
/*
 * Single-sample conversions of many channels of a card in one system call. For driver comedi only.
 */
#include <stddef.h>

#include "base/rt.h"
#include "daq/comedi/wire.h"

struct err;

struct list {
	struct card *card;
	comedi_insnlist insns; /* one for each wire of the card; their data are the wires' counts */
};

/**
 * A list of the wires, of n, that end at the card: of reads for inputs, of writes for outputs. It keeps pointers into
 * wires[]. The caller ends it with list_fini(). Errors: JOSTLE_ENOMEM. Call from: setup.
 */
int list_init(struct list *list, struct card *card, struct wire wires[], size_t n, bool input, struct err *err);
void list_fini(struct list *list);

/**
 * Convert all of them, in the order of the bench. Returns 0 or an errno: ENODEV when the card is gone, EACCES when another
 * process has locked a subdevice. RT_SAFE. Call from: loop.
 */
RT_SAFE int list_run(struct list *list);

/**
 * The same by a system call each, after a list_run() that failed: the kernel ends a list at the first that it refuses, and
 * says not which. Returns 0 when all were done, else the first errno that is not EACCES, or EACCES. RT_SAFE. Call from: loop.
 */
RT_SAFE int list_run_each(struct list *list);

/** How long the quickest of `turns` runs took, and one that all but a tenth of them keep, ns. Call from: setup. */
int list_time(struct list *list, size_t turns, double *quickest_ns, double *usual_ns);

#endif
