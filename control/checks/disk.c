/*
 * Whether the disk keeps up with the recorder and has room: some megabytes written and brought to the disk, in a file
 * without a name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/doctor.h"
#include "control/tick.h"
#include "daq/bench.h"

#define BLOCK      ((size_t)4 << 20)
#define MAX_BLOCKS 8
#define MAX_NS     INT64_C(2000000000)
#define MARGIN     4     /* times the recorder's rate: others write too */
#define LEAST_S    600.0 /* of recording */
#define DAY_S      86400.0
#define LEAST_ROOM 1e9 /* bytes, where no bench says how fast they fill */

struct disk {
	double bytes_per_s, room;
};

/** Bytes a second that a run file of this bench grows by: the ticks, and displacements and forces worked out of them. */
static double recorder_rate(const struct bench *bench, double period_s)
{
	return bench ? (double)(tick_record_size(bench->n_in, bench->n_out) + bench->n_in * sizeof(double)) / period_s
		     : 0.0;
}

/** Returns 0 or an errno. */
static int write_blocks(int file, const char *block, struct disk *disk)
{
	const int64_t start_ns = clock_now_ns();
	size_t n = 0;

	do {
		if (write(file, block, BLOCK) != (ssize_t)BLOCK || fdatasync(file))
			return errno ? errno : ENOSPC;
		n++;
	} while (n < MAX_BLOCKS && clock_now_ns() - start_ns < MAX_NS);
	disk->bytes_per_s = (double)(n * BLOCK) / ((double)(clock_now_ns() - start_ns) * 1e-9);
	return 0;
}

/** Returns 0 or an errno. */
static int measure(const char *folder, struct disk *disk)
{
	char path[1024];
	struct statvfs facts;
	char *block = malloc(BLOCK);
	int code = ENOMEM;

	if (!block)
		return ENOMEM;
	/* No two bytes in a row alike: a file system that packs its blocks would show another disk's speed. */
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = (char)((i * 2654435761u) >> 13);
	snprintf(path, sizeof(path), "%s/.jostle-doctor-XXXXXX", folder);
	errno = 0;
	const int file = mkstemp(path);

	if (file < 0) {
		code = errno;
	} else {
		unlink(path);
		errno = 0;
		code = write_blocks(file, block, disk);
		if (!code && fstatvfs(file, &facts))
			code = errno;
		close(file);
	}
	free(block);
	if (!code)
		disk->room = (double)facts.f_bavail * (double)facts.f_frsize;
	return code;
}

static enum doctor_verdict judge(const struct disk *disk, double rate)
{
	if (rate == 0)
		return disk->room < LEAST_ROOM ? DOCTOR_NOTE : DOCTOR_GOOD;
	if (disk->bytes_per_s < rate || disk->room < LEAST_S * rate)
		return DOCTOR_FAILED;
	return disk->bytes_per_s < MARGIN * rate || disk->room < DAY_S * rate ? DOCTOR_NOTE : DOCTOR_GOOD;
}

static void run(const struct doctor_setup *setup, struct doctor_report *report)
{
	const char *folder = setup->record_folder ? setup->record_folder : ".";
	const double rate = recorder_rate(setup->bench, setup->period_s);
	struct disk disk = {0};
	char needed[96] = "";
	const int reason = measure(folder, &disk);

	if (reason) {
		doctor_find(report, "disk", setup->record_folder ? DOCTOR_FAILED : DOCTOR_NOTE,
			    "another folder to record in", "%.100s: %s", folder, strerror(reason));
		return;
	}
	enum doctor_verdict verdict = judge(&disk, rate);

	if (verdict == DOCTOR_FAILED && !setup->record_folder)
		verdict = DOCTOR_NOTE; /* nothing is known to be recorded here */

	if (rate > 0)
		snprintf(needed, sizeof(needed), "; a recording grows by %.3g MB/s and fills it in %.3g h", rate * 1e-6,
			 disk.room / rate / 3600);
	doctor_find(report, "disk", verdict, verdict == DOCTOR_GOOD ? "" : "record on a larger or faster disk",
		    "%.64s takes %.3g MB/s, has room for %.3g GB%s", folder, disk.bytes_per_s * 1e-6, disk.room * 1e-9,
		    needed);
}

/* The only global symbol of this file. */
const struct doctor_check check_disk = {
	.name = "disk",
	.summary = "speed and room for recording",
	.run = run,
};
