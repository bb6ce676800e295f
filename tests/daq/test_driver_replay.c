/* A recorded run as a bench: files written here, row by row, with what the driver reads of them. */
#include "daq/daq_fixture.h"

#include <time.h>

#include "base/h5.h"
#include "base/h5_column.h"
#include "protocols/file_format.h"

#define N_ROWS 40
#define N_IN   2

static const char recorded_bench[] =
	"summary: a\ndriver: sim\ndevices: [a]\nperiod_s: 1e-3\ndrive: feedback\nlattice: [2, 1]\n"
	"stiffness_N_per_m: 1\ndamping_N_s_per_m: 1\ntemperature_K: 300\n"
	"inputs:\n  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e9]}\n"
	"outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9]}\n";

/** What a file is to hold; a test changes what it is about. */
struct content {
	char path[64];
	const char *format, *bench;
	uint64_t version, simulated, acknowledged;
	double period_s;
	size_t n_rows, n_times; /* rows of all columns but t_ns, and of that */
	double in_V[N_ROWS][N_IN];
	int64_t t_ns[N_ROWS];
	uint64_t tick[N_ROWS];
	int32_t exchange[N_ROWS];
};

static void content_begin(struct content *content)
{
	*content = (struct content){
		.path = "/tmp/jostle-replay-XXXXXX.h5",
		.format = "jostle-run",
		.bench = recorded_bench,
		.version = 1,
		.simulated = 1,
		.acknowledged = N_ROWS,
		.period_s = 1e-3,
		.n_rows = N_ROWS,
		.n_times = N_ROWS,
	};
	const int fd = mkstemps(content->path, 3);

	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < N_ROWS; i++) {
		content->in_V[i][0] = 1.0 / (double)(i + 3);
		content->in_V[i][1] = (double)i;
		content->t_ns[i] = 5000000000 + 1000000 * (int64_t)i;
		content->tick[i] = 7 + i;
	}
}

static void write_column(const struct h5_file *file, const char *name, enum h5_value value, size_t width, size_t n,
			 const void *values)
{
	const struct h5_column_kind kind = {
		.name = name, .value = value, .width = width, .flat = width == 1, .label = {"1", "a test's"}};
	struct h5_column column;
	struct err err = {0};

	if (h5_column_make(&column, file, &kind, &err) || h5_column_append(&column, file, n, values, &err))
		fail_msg("%s", err.text);
	h5_column_close(&column);
}

static void content_write(const struct content *content)
{
	const size_t one = 1;
	struct h5_file file;
	struct err err = {0};

	assert_int_equal(h5_create(&file, content->path, &err), 0);
	assert_int_equal(file_format_write(&file, content->format, content->version, &err), 0);
	assert_int_equal(h5_set_text(&file, "/", "bench", content->bench, &err), 0);
	assert_int_equal(h5_set_text(&file, "/", "backend", "a test", &err), 0);
	assert_int_equal(h5_set_u64(&file, "/", "simulated", content->simulated, &err), 0);
	assert_int_equal(h5_set_double(&file, "/", "period_s", content->period_s, &err), 0);
	assert_int_equal(h5_write_u64s(&file, "acknowledged", 1, &one, &content->acknowledged,
				       (struct h5_label){"1", "rows"}, &err),
			 0);
	assert_int_equal(h5_make_group(&file, "tick", &err), 0);
	write_column(&file, "in_V", H5_F64, N_IN, content->n_rows, content->in_V);
	write_column(&file, "tick/t_ns", H5_I64, 1, content->n_times, content->t_ns);
	write_column(&file, "tick/tick", H5_U64, 1, content->n_rows, content->tick);
	write_column(&file, "tick/exchange", H5_I32, 1, content->n_rows, content->exchange);
	assert_int_equal(h5_commit(&file, &err), 0);
}

struct stage {
	struct content content;
	struct bench bench;
	struct daq daq;
	struct err err;
};

/** Open the recording with a bench file of its own text, in which `from` is replaced by `to`. */
static int open_as(struct stage *stage, const char *from, const char *to, bool paced)
{
	char yaml[2000], device[100];
	const char *at;

	content_write(&stage->content);
	snprintf(yaml, sizeof(yaml), "%s", recorded_bench);
	if (from && (at = strstr(recorded_bench, from)))
		snprintf(yaml, sizeof(yaml), "%.*s%s%s", (int)(at - recorded_bench), recorded_bench, to,
			 at + strlen(from));
	assert_int_equal(bench_from(&stage->bench, yaml, &stage->err), 0);
	snprintf(device, sizeof(device), "%s", stage->content.path);
	free(stage->bench.driver);
	free(stage->bench.devices[0]);
	stage->bench.driver = strdup("replay");
	stage->bench.devices[0] = strdup(device);
	return daq_open(&stage->daq, &stage->bench, &(struct daq_options){.paced = paced}, &stage->err);
}

static void end(struct stage *stage)
{
	daq_close(&stage->daq);
	bench_free(&stage->bench);
	unlink(stage->content.path);
}

static int exchange(struct stage *stage, double in_V[N_IN], int64_t *t_ns)
{
	const double out_V[2] = {1, 1};

	return stage->daq.driver->exchange(&stage->daq, out_V, in_V, t_ns);
}

/* catches: values that went through a float or a check for finite ones, rows out of step with their times, a start that goes on */
static void rows_come_as_they_were_read_and_start_begins_again(void **state)
{
	struct stage stage = {0};
	double in_V[N_IN];
	int64_t t_ns;

	(void)state;
	content_begin(&stage.content);
	stage.content.in_V[5][1] = nan("0x123");
	stage.content.exchange[9] = JOSTLE_EIO;
	stage.content.t_ns[11] = 4000000000; /* a clock that was set */
	if (open_as(&stage, NULL, NULL, false))
		fail_msg("%s", stage.err.text);
	assert_true(stage.daq.simulated);
	assert_int_equal(stage.daq.last_resort, DAQ_ENDS_WITH_PROCESS);
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(stage.daq.driver->start(&stage.daq, &stage.err), 0);
		for (size_t i = 0; i < N_ROWS; i++) {
			assert_int_equal(exchange(&stage, in_V, &t_ns), i == 9 ? JOSTLE_EIO : 0);
			assert_memory_equal(in_V, stage.content.in_V[i], sizeof(in_V));
			assert_int_equal(t_ns, stage.content.t_ns[i]);
		}
		assert_int_equal(exchange(&stage, in_V, &t_ns), JOSTLE_EIO);
		assert_memory_equal(in_V, stage.content.in_V[N_ROWS - 1], sizeof(in_V));
		stage.daq.driver->stop(&stage.daq);
	}
	end(&stage);
}

/* catches: rows that the recording lost, or that its loop missed, passed off as the next edge */
static void where_rows_are_missing_edges_were_missed(void **state)
{
	struct stage stage = {0};
	double in_V[N_IN];
	int64_t t_ns;

	(void)state;
	content_begin(&stage.content);
	for (size_t i = 20; i < N_ROWS; i++)
		stage.content.tick[i] += 3;
	if (open_as(&stage, NULL, NULL, false))
		fail_msg("%s", stage.err.text);
	assert_int_equal(stage.daq.driver->start(&stage.daq, &stage.err), 0);
	for (size_t i = 0; i < N_ROWS; i++)
		assert_int_equal(exchange(&stage, in_V, &t_ns), i == 20 ? JOSTLE_EMISSED : 0);
	end(&stage);
}

/*
 * catches: a paced replay that hands out every row however late, or reckons times by rows instead of by edges, or no
 * longer waits when it has none left. Every
 * claim holds on a machine that stalls.
 */
static void paced_each_row_keeps_its_place_on_the_grid(void **state)
{
	struct stage stage = {0};
	double in_V[N_IN];
	int64_t t_ns, first_ns = 0, first_row = -1, last_row = -1;
	bool passed_over = false;

	(void)state;
	content_begin(&stage.content);
	if (open_as(&stage, NULL, NULL, true))
		fail_msg("%s", stage.err.text);
	assert_int_equal(stage.daq.driver->start(&stage.daq, &stage.err), 0);
	for (;;) {
		const int code = exchange(&stage, in_V, &t_ns);
		const int64_t row = (int64_t)in_V[1];

		if (code == JOSTLE_EIO)
			break;
		if (first_row < 0) {
			first_row = row;
			first_ns = t_ns;
		}
		assert_true(row > last_row && row < N_ROWS);
		assert_int_equal(code, row == last_row + 1 ? 0 : JOSTLE_EMISSED);
		assert_near((double)(t_ns - first_ns), 1e6 * (double)(row - first_row), 2.0);
		assert_true(stage.daq.woke_ns >= t_ns);
		passed_over |= row > last_row + 1;
		last_row = row;
		if (row == 10) /* four edges or more go by */
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	assert_true(passed_over);
	/* The grid outlasts the rows. */
	const int64_t last_ns = t_ns;

	assert_int_equal(exchange(&stage, in_V, &t_ns), JOSTLE_EIO);
	assert_true(t_ns >= last_ns + 999999 && stage.daq.woke_ns >= t_ns);
	end(&stage);
}

/* catches: a bench that reads another's signals, or outputs that another calibration is for; an error that does not say which */
static void a_bench_that_differs_from_the_recorded_one_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *named;
	} cases[] = {
		{"outputs:", "  - {role: auxiliary, first_channel: 7, range_V: [-10, 10]}\noutputs:", "inputs"},
		{"{role: displacement, ", "{role: displacement, sites: [\"1\", \"0\"], ", "displacement 0"},
		{"range_V: [-10, 10], gain_V_per_m", "range_V: [-5, 10], gain_V_per_m", "range_V"},
		{"range_V: [-10, 10], gain_V_per_N", "range_V: [-10, 8], gain_V_per_N", "outputs"},
		{"period_s: 1e-3", "period_s: 2e-3", "period_s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage stage = {0};

		content_begin(&stage.content);
		assert_int_equal(open_as(&stage, cases[i].from, cases[i].to, false), JOSTLE_ECONFIG);
		if (!strstr(stage.err.text, cases[i].named))
			fail_msg("expected %s to be named in: %s", cases[i].named, stage.err.text);
		assert_null(stage.daq.state);
		end(&stage);
	}
}

enum harm { TORN, EMPTY, UNKNOWN_CODE, TICKS_FALL, TICKS_WRAP, OTHER_FORMAT, NEWER, NO_BENCH, N_HARMS };

/* catches: memory read beyond a column, a code that no driver returns, an endless wait for an edge, a format taken for granted */
static void a_file_that_contradicts_itself_is_refused(void **state)
{
	(void)state;
	for (enum harm harm = 0; harm < N_HARMS; harm++) {
		struct stage stage = {0};
		struct content *content = &stage.content;

		content_begin(content);
		if (harm == TORN)
			content->n_times = N_ROWS - 1;
		if (harm == EMPTY)
			content->acknowledged = 0;
		if (harm == UNKNOWN_CODE)
			content->exchange[3] = 17;
		if (harm == TICKS_FALL)
			content->tick[3] = content->tick[2];
		if (harm == TICKS_WRAP)
			content->tick[N_ROWS - 1] = UINT64_MAX;
		if (harm == OTHER_FORMAT)
			content->format = "jostle-protocol";
		if (harm == NEWER)
			content->version = 2;
		if (harm == NO_BENCH)
			content->bench = "summary: a\n";
		const int code = open_as(&stage, NULL, NULL, false);

		assert_int_equal(code, harm == NEWER      ? JOSTLE_EVERSION
				       : harm == NO_BENCH ? JOSTLE_ECONFIG
							  : JOSTLE_EFORMAT);
		assert_true(stage.err.text[0]);
		assert_null(stage.daq.state);
		end(&stage);
	}
}

/* catches: rows beyond what the recording vouches for, which its writer's death may have torn */
static void only_acknowledged_rows_are_given(void **state)
{
	struct stage stage = {0};
	double in_V[N_IN];
	int64_t t_ns;

	(void)state;
	content_begin(&stage.content);
	stage.content.acknowledged = 12;
	stage.content.n_times = 15;
	if (open_as(&stage, NULL, NULL, false))
		fail_msg("%s", stage.err.text);
	assert_int_equal(stage.daq.driver->start(&stage.daq, &stage.err), 0);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(exchange(&stage, in_V, &t_ns), 0);
	assert_int_equal(exchange(&stage, in_V, &t_ns), JOSTLE_EIO);
	end(&stage);
}

/* catches: a recording of hardware in files that call it simulated */
static void a_recording_of_hardware_is_not_simulated(void **state)
{
	struct stage stage = {0};

	(void)state;
	content_begin(&stage.content);
	stage.content.simulated = 0;
	if (open_as(&stage, NULL, NULL, false))
		fail_msg("%s", stage.err.text);
	assert_false(stage.daq.simulated);
	assert_non_null(strstr(stage.daq.backend, "a test"));
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_as_they_were_read_and_start_begins_again),
		cmocka_unit_test(where_rows_are_missing_edges_were_missed),
		cmocka_unit_test(paced_each_row_keeps_its_place_on_the_grid),
		cmocka_unit_test(a_bench_that_differs_from_the_recorded_one_is_refused),
		cmocka_unit_test(a_file_that_contradicts_itself_is_refused),
		cmocka_unit_test(only_acknowledged_rows_are_given),
		cmocka_unit_test(a_recording_of_hardware_is_not_simulated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
