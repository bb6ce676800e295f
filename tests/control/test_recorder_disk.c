/*
 * The recorder on a disk that stands still, is full, or refuses what it had promised. What the library and the recorder ask of
 * the system is intercepted in this executable.
 */
#include "control/support/recorded.h"

#include <stdarg.h>

#include <setjmp.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/h5.h"
#include "base/scratch.h"
#include "control/run_file.h"

#define PATIENCE_NS 60000000000

static atomic_bool stalled; /* writing waits */
static atomic_bool full;    /* no room can be reserved */
static atomic_bool broken;  /* writing fails, whatever was reserved */
static atomic_size_t n_refused;

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	while (atomic_load(&stalled))
		pause_ms(1);
	if (atomic_load(&broken)) {
		atomic_fetch_add(&n_refused, 1);
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	if (atomic_load(&full)) {
		atomic_fetch_add(&n_refused, 1);
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

static int disk_new(void **state)
{
	atomic_store(&stalled, false);
	atomic_store(&full, false);
	atomic_store(&broken, false);
	atomic_store(&n_refused, 0);
	return scratch_new(state);
}

static struct recorder_status status_of(struct recorder *recorder)
{
	struct recorder_status status;

	recorder_status(recorder, &status);
	return status;
}

static void tick_times(struct recorded *recorded, struct recorder *recorder, int n)
{
	for (int i = 0; i < n; i++)
		recorded_tick(recorded, recorder);
}

static void await_rows(struct recorder *recorder, uint64_t n)
{
	for (const int64_t end_ns = clock_now_ns() + PATIENCE_NS; status_of(recorder).n_acknowledged < n; pause_ms(10))
		if (clock_now_ns() > end_ns)
			fail_msg("%llu rows acknowledged, expected %llu",
				 (unsigned long long)status_of(recorder).n_acknowledged, (unsigned long long)n);
}

static void await_rows_or_failure(struct recorder *recorder, uint64_t n)
{
	for (const int64_t end_ns = clock_now_ns() + PATIENCE_NS; clock_now_ns() < end_ns; pause_ms(10))
		if (status_of(recorder).n_acknowledged >= n || status_of(recorder).failed)
			return;
	fail_msg("neither written nor failed");
}

static void await_failed(struct recorder *recorder, bool failed)
{
	for (const int64_t end_ns = clock_now_ns() + PATIENCE_NS; status_of(recorder).failed != failed; pause_ms(10))
		if (clock_now_ns() > end_ns)
			fail_msg("the recorder does not say %s", failed ? "that it fails" : "that it works");
}

static struct recorder *start(struct recorded *recorded, const char *folder, double ring_s)
{
	struct recorder *recorder = NULL;
	struct err err = {0};

	recorded_init(recorded, folder);
	recorded->setup.ring_s = ring_s;
	if (recorder_open(&recorder, &recorded->setup, &err))
		fail_msg("%s", err.text);
	recorder_set(recorder, true);
	return recorder;
}

/** Put a copy in a file's place: what this process has failed to write it can't read either. */
static void copy(struct scratch *scratch, const char *name)
{
	char command[400];

	snprintf(command, sizeof(command), "cp %s/%s %s/copy && mv %s/copy %s/%s", scratch->folder, name,
		 scratch->folder, scratch->folder, scratch->folder, name);
	assert_int_equal(system(command), 0);
}

/** Read all files of the run, whole or not; returns the rows found, each of which must come after the one before it. */
static uint64_t count_rows(struct scratch *scratch, bool no_gap, uint64_t *n_files)
{
	const char *first = scratch_path(scratch, "r-000.h5");
	const struct tick_record *row;
	struct run_file file;
	struct err err = {0};
	uint64_t n = 0, next = 0;

	if (access(first, F_OK) < 0)
		first = scratch_path(scratch, "r-000.h5.partial");
	if (run_file_open(&file, first, &err))
		fail_msg("%s: %s", err.file, err.text);
	*n_files = 1;
	do {
		int code;

		while ((code = run_file_row(&file, &row, &err)) == 1) {
			assert_true(no_gap ? row->number == next : row->number >= next);
			for (size_t k = 0; k < file.n_in; k++)
				assert_true(row->values[k] == recorded_in_V(row->number, k));
			next = row->number + 1;
			n++;
		}
		if (code)
			fail_msg("%s: %s", err.file, err.text);
		++*n_files;
	} while (run_file_next(&file, &err) == 1);
	--*n_files;
	run_file_close(&file);
	return n;
}

/* catches: a loop that waits for the disk (the test then never ends), rows lost although the ring had room for them */
static void a_disk_that_stands_still_costs_nothing_while_the_ring_has_room(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct err err = {0};
	uint64_t n_files;
	struct recorder *recorder = start(&recorded, scratch->folder, 0);

	tick_times(&recorded, recorder, 100);
	await_rows(recorder, 99);
	atomic_store(&stalled, true);
	tick_times(&recorded, recorder, 100000); /* ten seconds of this loop's */
	assert_true(status_of(recorder).n_acknowledged < 100100);
	assert_int_equal(status_of(recorder).n_dropped, 0);
	atomic_store(&stalled, false);
	await_rows(recorder, 100099);
	assert_int_equal(recorder_close(recorder, &err), 0);
	assert_int_equal(count_rows(scratch, true, &n_files), 100100);
	assert_int_equal(n_files, 1);
	recorded_fini(&recorded);
}

/* catches: a drop that is not counted, or counted twice, a file that does not say so */
static void what_finds_no_room_is_counted_in_the_file(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct h5_file file;
	struct err err = {0};
	uint64_t n_files, *dropped;
	size_t n = 6;
	struct recorder *recorder = start(&recorded, scratch->folder, 0.1);

	tick_times(&recorded, recorder, 100);
	await_rows(recorder, 99);
	atomic_store(&stalled, true);
	tick_times(&recorded, recorder, 100000);
	assert_true(status_of(recorder).n_dropped > 0);
	atomic_store(&stalled, false);
	await_rows(recorder, 1000);
	recorder_watch(recorder);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO);
	assert_contains(err.text, "ticks");
	const uint64_t n_rows = count_rows(scratch, false, &n_files);

	assert_int_equal(h5_open(&file, scratch_path(scratch, "r-000.h5"), &err), 0);
	assert_int_equal(h5_read_u64s(&file, "dropped", 1, &n, n, &dropped, &err), 0);
	assert_true(dropped[0] > 50000);
	assert_int_equal(n_rows + dropped[0], recorded.number);
	free(dropped);
	h5_close(&file);
	recorded_fini(&recorded);
}

/* catches: writing into a disk that is known to be full, a file that is left open or damaged, rows lost while they were kept, a
   recorder that gives up for ever, empty files */
static void a_full_disk_ends_the_file_and_room_begins_another(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct err err = {0};
	uint64_t n_files;
	struct recorder *recorder = start(&recorded, scratch->folder, 0);

	tick_times(&recorded, recorder, 1000);
	await_rows(recorder, 999);
	atomic_store(&full, true);
	/* What is reserved already may still be filled. */
	for (int i = 0; i < 200 && !status_of(recorder).failed; i++) {
		tick_times(&recorded, recorder, 40000);
		await_rows_or_failure(recorder, recorded.number - 1);
	}
	await_failed(recorder, true);
	assert_non_null(strstr(status_of(recorder).text, "No space left on device"));
	assert_int_equal(access(scratch_path(scratch, "r-000.h5"), F_OK), 0);
	tick_times(&recorded, recorder, 1000);
	pause_ms(1200);
	assert_true(status_of(recorder).failed);
	atomic_store(&full, false);
	await_failed(recorder, false);
	assert_int_equal(status_of(recorder).n_dropped, 0);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO); /* the first error met */
	assert_int_equal(count_rows(scratch, true, &n_files), recorded.number);
	assert_int_equal(n_files, 2);
	recorded_fini(&recorded);
}

/* catches: rows that were handed to a library that could not write them and are forgotten, a file that cannot be read any more after
   a write that failed, a library that hangs or ends the process */
static void a_write_that_fails_costs_no_row(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct err err = {0};
	uint64_t n_files;
	struct recorder *recorder = start(&recorded, scratch->folder, 0);

	tick_times(&recorded, recorder, 20000);
	await_rows(recorder, 19999);
	atomic_store(&broken, true);
	tick_times(&recorded, recorder, 20000);
	await_failed(recorder, true);
	assert_true(atomic_load(&n_refused) > 0);
	atomic_store(&broken, false);
	await_failed(recorder, false);
	tick_times(&recorded, recorder, 100);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO);
	copy(scratch, "r-000.h5.partial");
	assert_int_equal(count_rows(scratch, true, &n_files), recorded.number);
	assert_int_equal(n_files, 2);
	recorded_fini(&recorded);
}

/* catches: a process that is killed by SIGXFSZ, or a file that is cut off in the middle of a write */
static void a_limit_on_file_sizes_ends_files_in_time(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct rlimit before, small;
	struct err err = {0};
	uint64_t n_files;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){24 << 20, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct recorder *recorder = start(&recorded, scratch->folder, 0);

	for (int part = 0; part < 4; part++) {
		tick_times(&recorded, recorder, 40000);
		await_rows(recorder, recorded.number - 1);
	}
	recorder_close(recorder, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(count_rows(scratch, true, &n_files), recorded.number);
	assert_true(n_files > 1);
	recorded_fini(&recorded);
}

/* catches: rows that are acknowledged into a file, or a folder, that was removed, a recorder that writes no more when one was */
static void what_was_removed_acknowledges_nothing(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct run_file file;
	struct err err = {0};
	struct recorder *recorder = start(&recorded, scratch->folder, 0);

	tick_times(&recorded, recorder, 1000);
	await_rows(recorder, 999);
	assert_int_equal(unlink(scratch_path(scratch, "r-000.h5.partial")), 0);
	tick_times(&recorded, recorder, 1000);
	await_rows(recorder, 1999);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO);
	assert_contains(err.text, "removed");
	if (run_file_open(&file, scratch_path(scratch, "r-001.h5"), &err))
		fail_msg("%s: %s", err.file, err.text);
	assert_int_equal(file.n_rows, 1001); /* all that the other file had not acknowledged */
	assert_string_equal(file.previous, "r-000.h5");
	run_file_close(&file);
	recorded_fini(&recorded);
}

/* catches: the same where the folder goes with the file */
static void a_removed_folder_acknowledges_nothing(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct err err = {0};
	const char *folder = scratch_path(scratch, "runs");

	assert_int_equal(mkdir(folder, 0700), 0);
	struct recorder *recorder = start(&recorded, folder, 0);

	tick_times(&recorded, recorder, 1000);
	await_rows(recorder, 999);
	assert_int_equal(unlink(scratch_path(scratch, "runs/r-000.h5.partial")), 0);
	assert_int_equal(rmdir(folder), 0);
	tick_times(&recorded, recorder, 1000);
	await_failed(recorder, true);
	assert_int_equal(status_of(recorder).n_acknowledged, 999);
	assert_int_equal(mkdir(folder, 0700), 0);
	await_rows(recorder, 1999);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO);
	recorded_fini(&recorded);
}

/** Standard error goes into a file until listen_end(), which gives what was said; the caller frees it. */
static int listen_begin(const char *path)
{
	const int kept = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(kept >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return kept;
}

static char *listen_end(int kept)
{
	char *text = calloc(1, 65536);

	assert_true(pread(STDERR_FILENO, text, 65535, 0) >= 0);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	return text;
}

/* catches: ticks that are lost and nobody is told before the end, or told at every look, a disk that stands still in silence, an
   end that does not say how much was lost */
static void a_person_is_told_of_a_disk_that_cannot_keep_up(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct err err = {0};
	struct recorder *recorder = start(&recorded, scratch->folder, 0.1);
	const int kept = listen_begin(scratch_path(scratch, "said"));

	tick_times(&recorded, recorder, 100);
	await_rows(recorder, 99);
	recorder_watch(recorder);
	atomic_store(&stalled, true);
	tick_times(&recorded, recorder, 500);
	for (const int64_t end_ns = clock_now_ns() + 5500000000; clock_now_ns() < end_ns; pause_ms(50))
		recorder_watch(recorder);
	tick_times(&recorded, recorder, 50000);
	for (int i = 0; i < 3; i++)
		recorder_watch(recorder);
	atomic_store(&stalled, false);
	await_rows(recorder, 600);
	recorder_watch(recorder);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO);
	char *said = listen_end(kept);
	const char *still = strstr(said, "taken nothing for 5 s: "),
		   *lost = strstr(said, "lost to the recording so far: ");

	if (!still || !lost || !strstr(said, "takes ticks again") || !strstr(said, "ticks recorded, lost: "))
		fail_msg("%s", said);
	assert_null(strstr(still + 1, "taken nothing"));
	assert_null(strstr(lost + 1, "lost to the recording"));
	assert_true(still < lost);
	free(said);
	recorded_fini(&recorded);
}

/* catches: an end of the run that waits for room for ever, rows at the end that are lost in silence */
static void a_run_that_ends_on_a_full_disk_says_what_it_lost(void **state)
{
	struct scratch *scratch = *state;
	struct recorded recorded;
	struct err err = {0};
	struct recorder *recorder = start(&recorded, scratch->folder, 0);

	atomic_store(&full, true);
	tick_times(&recorded, recorder, 10);
	await_failed(recorder, true);
	assert_int_equal(recorder_close(recorder, &err), JOSTLE_EIO);
	assert_int_equal(access(scratch_path(scratch, "r-000.h5"), F_OK), -1);
	assert_int_equal(access(scratch_path(scratch, "r-000.h5.partial"), F_OK), -1);
	recorded_fini(&recorded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_disk_that_stands_still_costs_nothing_while_the_ring_has_room,
						disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(what_finds_no_room_is_counted_in_the_file, disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_full_disk_ends_the_file_and_room_begins_another, disk_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(a_write_that_fails_costs_no_row, disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_limit_on_file_sizes_ends_files_in_time, disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(what_was_removed_acknowledges_nothing, disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_removed_folder_acknowledges_nothing, disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_person_is_told_of_a_disk_that_cannot_keep_up, disk_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_run_that_ends_on_a_full_disk_says_what_it_lost, disk_new,
						scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
