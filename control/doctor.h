#ifndef JOSTLE_DOCTOR_H
#define JOSTLE_DOCTOR_H
/*
 * The doctor: whether this machine can keep a loop's time, and what mends it where it can't.
 *
 * Every check is a file in checks/ that exports `const struct doctor_check check_NAME`, and one line `plugin(check NAME)`.
 */
#include <stdbool.h>
#include <stddef.h>

#include "control/histogram.h"

struct bench;
struct daq;
struct err;

#define DOCTOR_MAX_FINDINGS 64

enum doctor_verdict {
	DOCTOR_GOOD,
	DOCTOR_NOTE,  /* not what one would wish for; nothing that forbids arming */
	DOCTOR_FAILED /* hardware is not armed over it without an override */
};

struct doctor_finding {
	const char *check; /* its name */
	enum doctor_verdict verdict;
	char found[256];
	char remedy[256]; /* the command that mends it; "" for none */
};

/** What the checks are told. */
struct doctor_setup {
	const struct bench *bench; /* NULL: checks that need one are left out */
	struct daq *daq;           /* it, open already; NULL: it is opened for its check, and closed again */
	const char *attach;        /* struct daq_options', of that opening */
	const char *record_folder; /* the disk to measure; NULL: the working directory */
	int cpu;                   /* where the loop will run; -1: anywhere */
	double period_s, seconds;  /* of the latency measurement; 0 s leaves it out */
	const char *root;          /* where /proc, /sys and /dev are; NULL: where they always are */
};

struct doctor_report {
	size_t n;
	struct doctor_finding finding[DOCTOR_MAX_FINDINGS];
	bool measured; /* latency holds wake-up latencies */
	struct histogram latency;
};

struct doctor_check {
	const char *name, *summary;

	/** Add a finding, or several, or none. What can't be found out is a finding too. Call from: setup. */
	void (*run)(const struct doctor_setup *setup, struct doctor_report *report);
};

/** The checks, ended by NULL. */
extern const struct doctor_check *const check_registry[];

/** Run every check. Takes setup->seconds and a few more. Call from: setup. */
void doctor_examine(const struct doctor_setup *setup, struct doctor_report *report);

/** Add a finding; for checks. A full report keeps the worst. Call from: setup. */
void doctor_find(struct doctor_report *report, const char *check, enum doctor_verdict verdict, const char *remedy,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/** How many checks failed. Call from: any. */
size_t doctor_failed(const struct doctor_report *report);

/** The report for a person, a line a finding, as it is stored in run files too; the caller's to free(), NULL without memory.
 * Call from: setup. */
char *doctor_text(const struct doctor_report *report);

#endif
