/* Reading run files that are not what they say they are, and requests out of events. */
#include "control/support/recorded.h"

#include <stdarg.h>

#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scratch.h"
#include "control/run_file.h"
#include "control/run_words.h"
#include "support/hdf5_leaks.h"

#define N_ROWS 1000

/** A whole file of N_ROWS rows, r-000.h5. */
static const char *make_file(struct scratch *scratch)
{
	struct recorded recorded;
	struct recorder *recorder;
	struct err err = {0};

	recorded_init(&recorded, scratch->folder);
	assert_int_equal(recorder_open(&recorder, &recorded.setup, &err), 0);
	recorder_set(recorder, true);
	for (int i = 0; i < N_ROWS; i++)
		recorded_tick(&recorded, recorder);
	assert_int_equal(recorder_close(recorder, &err), 0);
	recorded_fini(&recorded);
	return scratch_path(scratch, "r-000.h5");
}

/** What is done to a file before it is opened. */
static void add_rows_to_acknowledged(hid_t file)
{
	uint64_t counts[7];
	const hid_t set = H5Dopen2(file, "acknowledged", H5P_DEFAULT);

	H5Dread(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts);
	counts[0] = UINT64_MAX / 2;
	H5Dwrite(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts);
	H5Dclose(set);
}

static void remove_a_column(hid_t file)
{
	H5Ldelete(file, "tick/t_ns", H5P_DEFAULT);
}

/** Put another dataset in the place of one: N_ROWS rows of `width` values. */
static void replace(hid_t file, const char *name, hid_t type, hsize_t width, hsize_t chunk_rows, bool zipped)
{
	const hsize_t size[2] = {N_ROWS, width}, chunk[2] = {chunk_rows, width};
	const hid_t space = H5Screate_simple(2, size, (hsize_t[]){H5S_UNLIMITED, width});
	const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);

	H5Pset_chunk(creation, 2, chunk);
	if (zipped)
		H5Pset_deflate(creation, 6);
	H5Ldelete(file, name, H5P_DEFAULT);
	const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
	double *values = calloc(N_ROWS * width, sizeof(*values));

	assert_true(set >= 0);
	H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
	free(values);
	H5Dclose(set);
	H5Pclose(creation);
	H5Sclose(space);
}

static void make_numbers_single(hid_t file)
{
	replace(file, "in_V", H5T_IEEE_F32LE, 4, 100, false);
}

static void zip_a_column(hid_t file)
{
	replace(file, "in_V", H5T_IEEE_F64LE, 4, 100, true);
}

static void make_a_giant_chunk(hid_t file)
{
	replace(file, "in_V", H5T_IEEE_F64LE, 4, 10000000, false);
}

static void make_rows_too_wide(hid_t file)
{
	replace(file, "in_V", H5T_IEEE_F64LE, BENCH_MAX_CHANNELS + 1, 1, false);
}

static void claim_rows_that_are_not_there(hid_t file)
{
	const hid_t set = H5Dopen2(file, "in_V", H5P_DEFAULT);

	add_rows_to_acknowledged(file);
	H5Dset_extent(set, (const hsize_t[]){UINT64_MAX / 2, 4});
	H5Dclose(set);
}

static herr_t extend(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
	const hid_t set = H5Dopen2(group, name, H5P_DEFAULT);

	(void)info;
	(void)context;
	H5Dset_extent(set, (const hsize_t[]){20000, 4});
	H5Dclose(set);
	return 0;
}

/** Not more than the file has bytes, but more than are these columns'. */
static void claim_some_rows_that_are_not_there(hid_t file)
{
	const uint64_t counts[7] = {20000};
	const hid_t set = H5Dopen2(file, "acknowledged", H5P_DEFAULT), group = H5Gopen2(file, "tick", H5P_DEFAULT);

	H5Dwrite(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts);
	H5Dclose(set);
	H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, extend, NULL);
	H5Gclose(group);
}

static void lead_elsewhere(hid_t file)
{
	H5Ldelete(file, "in_V", H5P_DEFAULT);
	H5Lcreate_soft("/out_V", file, "in_V", H5P_DEFAULT, H5P_DEFAULT);
}

static void say_another_drive(hid_t file)
{
	const hid_t type = H5Tcopy(H5T_C_S1);

	H5Tset_size(type, 9);
	H5Adelete(file, "drive");
	const hid_t space = H5Screate(H5S_SCALAR);
	const hid_t attribute = H5Acreate2(file, "drive", type, space, H5P_DEFAULT, H5P_DEFAULT);

	H5Awrite(attribute, type, "sideways");
	H5Aclose(attribute);
	H5Sclose(space);
	H5Tclose(type);
}

/* catches: memory taken for what a file claims, numbers read as others, a filter that unpacks without bound, links that lead on */
static void a_file_that_is_not_what_it_says_is_refused(void **state)
{
	static const struct {
		void (*damage)(hid_t file);
		const char *said;
	} cases[] = {
		{add_rows_to_acknowledged, "expected at least"},
		{remove_a_column, "expected a dataset tick/t_ns"},
		{make_numbers_single, "in_V: expected another type"},
		{zip_a_column, "in_V: expected chunks without a filter"},
		{make_a_giant_chunk, "in_V: expected chunks of at most"},
		{make_rows_too_wide, "in_V: expected rows of 1 to"},
		{claim_rows_that_are_not_there, "expected"},
		{claim_some_rows_that_are_not_there, "expected the bytes of 20000 rows"},
		{lead_elsewhere, "in_V and x_m"},
		{say_another_drive, "attribute drive"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scratch *scratch = *state;
		const char *path = make_file(scratch);
		struct run_file file;
		struct err err = {0};
		const hid_t id = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

		assert_true(id >= 0);
		cases[i].damage(id);
		H5Fclose(id);
		const int code = run_file_open(&file, path, &err);

		if (code != JOSTLE_EFORMAT || !strstr(err.text, cases[i].said))
			fail_msg("case %zu: code %d, \"%s\"", i, code, err.text);
		unlink(path);
	}
}

/* catches: a file cut anywhere that is read as if it were whole, or that crashes the reader */
static void a_file_that_is_cut_off_is_refused_or_read_to_its_end(void **state)
{
	struct scratch *scratch = *state;
	const char *path = make_file(scratch);
	const struct tick_record *row;
	struct run_file file;
	struct err err = {0};
	FILE *stream = fopen(path, "r");

	assert_int_equal(fseek(stream, 0, SEEK_END), 0);
	const long size = ftell(stream);

	fclose(stream);
	for (long at = size - 4096; at > 0; at -= size / 23) {
		assert_int_equal(truncate(path, at), 0);
		if (run_file_open(&file, path, &err))
			continue;
		while (run_file_row(&file, &row, &err) == 1)
			;
		run_file_close(&file);
		fail_msg("%ld of %ld bytes were taken for a file", at, size);
	}
}

/* catches: numbers of a request that change places on their way through an event, kinds that do not exist */
static void an_event_gives_back_its_request(void **state)
{
	struct request request;

	(void)state;
	assert_true(run_file_request(&(struct loop_event){.kind = EVENT_REQUEST,
							  .a = REQUEST_LIMITS,
							  .request = 5,
							  .c = 2,
							  .value = -1,
							  .limit = 3,
							  .slew = 7},
				     &request));
	assert_true(request.id == 5 && request.kind == REQUEST_LIMITS && request.output == 2);
	assert_true(request.min_V == -1 && request.max_V == 3 && request.slew_V_per_s == 7);
	assert_true(run_file_request(
		&(struct loop_event){.kind = EVENT_REQUEST, .a = REQUEST_MANUAL, .c = 1, .value = NAN}, &request));
	assert_true(request.output == 1 && isnan(request.value_V));
	assert_true(run_file_request(
		&(struct loop_event){.kind = EVENT_REQUEST, .a = REQUEST_EVENT, .c = SUPERVISOR_ARM}, &request));
	assert_int_equal(request.event, SUPERVISOR_ARM);
	assert_false(
		run_file_request(&(struct loop_event){.kind = EVENT_REQUEST, .a = REQUEST_EVENT, .c = 1000}, &request));
	assert_false(run_file_request(&(struct loop_event){.kind = EVENT_REQUEST, .a = REQUEST_N_KINDS}, &request));
	assert_false(run_file_request(&(struct loop_event){.kind = EVENT_STATE}, &request));
}

/* catches: words that name another state, a name looked up beyond its table */
static void events_are_told_in_words(void **state)
{
	const struct bench *bench = test_bench_feedback();
	char text[256];

	(void)state;
	run_event_words(&(struct loop_event){.kind = EVENT_STATE, .a = SUPERVISOR_ARMED, .b = SUPERVISOR_RUNNING},
			bench, text, sizeof(text));
	assert_string_equal(text, "ARMED to RUNNING");
	run_event_words(&(struct loop_event){.kind = EVENT_REQUEST, .a = REQUEST_EVENT, .c = SUPERVISOR_RESET}, bench,
			text, sizeof(text));
	assert_string_equal(text, "reset refused");
	run_event_words(&(struct loop_event){.kind = EVENT_MISSED, .value = 3}, bench, text, sizeof(text));
	assert_string_equal(text, "missed 3 slots");
	run_event_words(&(struct loop_event){.kind = EVENT_STATE, .a = 999, .b = 998}, bench, text, sizeof(text));
	run_event_words(&(struct loop_event){.kind = EVENT_TRIP, .a = 999, .c = 999}, bench, text, sizeof(text));
	run_event_words(&(struct loop_event){.kind = 999}, bench, text, sizeof(text));
	assert_string_equal(text, "event of kind 999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_is_not_what_it_says_is_refused, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_file_that_is_cut_off_is_refused_or_read_to_its_end, scratch_new,
						scratch_free),
		cmocka_unit_test(an_event_gives_back_its_request),
		cmocka_unit_test(events_are_told_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
