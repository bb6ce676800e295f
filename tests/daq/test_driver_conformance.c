/*
 * What every driver must do, walked over the registry: a new driver is tested on the day it is registered, on the bench
 * that it names as its example.
 *
 * Without arguments, drivers with hardware behind them open nothing but a device that is not there: nobody's card is
 * driven by a unit test. Arguments name the drivers to test instead, hardware or not, and the bench: "comedi",
 * "comedi=comedi-2x4".
 */
#include "daq/daq_fixture.h"

#include "base/clock.h"

static struct daq_options unpaced = {.seed = 1}; /* TEST_ATTACH names a running plant */
static char **chosen;                            /* what the arguments name, ended by NULL; none: every simulated one */

/** Whether an argument, "DRIVER" or "DRIVER=BENCH", names this driver. */
static bool names(const char *argument, const struct daq_driver *driver)
{
	const size_t length = strlen(driver->name);

	return strncmp(argument, driver->name, length) == 0 && (argument[length] == '=' || !argument[length]);
}

/** The name of the bench to test a driver on, or NULL: it is left alone. */
static const char *bench_of(const struct daq_driver *driver)
{
	if (!*chosen)
		return driver->simulated ? driver->example : NULL;
	for (char **name = chosen; *name; name++)
		if (names(*name, driver))
			return strchr(*name, '=') ? strchr(*name, '=') + 1 : driver->example;
	return NULL;
}

struct stage {
	struct bench bench;
	struct daq daq;
	double *out_V, *in_V;
};

/** The driver's example, whichever driver the file itself names. */
static void example_bench(struct bench *bench, const struct daq_driver *driver)
{
	bench_named(bench, bench_of(driver) ? bench_of(driver) : driver->example);
	free(bench->driver);
	bench->driver = strdup(driver->name);
	assert_non_null(bench->driver);
}

static void open_stage(struct stage *stage, const struct daq_driver *driver)
{
	struct err err = {0};

	example_bench(&stage->bench, driver);
	if (daq_open(&stage->daq, &stage->bench, &unpaced, &err) < 0)
		fail_msg("%s: %s", driver->name, err.text);
	stage->out_V = calloc(stage->daq.n_out, sizeof(double));
	stage->in_V = calloc(stage->daq.n_in, sizeof(double));
}

static void close_stage(struct stage *stage)
{
	daq_close(&stage->daq);
	bench_free(&stage->bench);
	free(stage->out_V);
	free(stage->in_V);
}

#define EVERY_DRIVER(driver)                                                                                           \
	for (const struct daq_driver *const *row = driver_registry, *driver = *row; driver; driver = *++row)
#define EACH_DRIVER(driver)                                                                                            \
	EVERY_DRIVER(driver)                                                                                           \
	if (bench_of(driver))

/* catches: a driver without a name, a help line or one of its operations, or with a part of the guardian's */
static void every_driver_is_complete(void **state)
{
	size_t n = 0;

	(void)state;
	EVERY_DRIVER(driver)
	{
		assert_non_null(driver->name);
		assert_true(driver->summary && driver->summary[0]);
		assert_true(driver->open && driver->start && driver->exchange && driver->stop && driver->close);
		assert_true(driver->example && driver->absent_device);
		assert_int_equal(driver->guard_open != NULL, driver->guard_write != NULL);
		assert_int_equal(driver->guard_open != NULL, driver->guard_release != NULL);
		assert_int_equal(driver->guard_open != NULL, driver->guard_close != NULL);
		n++;
	}
	assert_true(n >= 1);
	for (char **name = chosen; *name; name++) {
		bool known = false;

		EVERY_DRIVER(driver)
		known = known || names(*name, driver);
		if (!known)
			fail_msg("%s: no such driver", *name);
	}
}

/* catches: channels that are not the bench file's, an absent period or backend, a last resort that nobody could carry out */
static void open_describes_the_bench(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;

		open_stage(&stage, driver);
		const struct daq *daq = &stage.daq;
		assert_ptr_equal(daq->driver, driver);
		assert_int_equal(daq->n_in, stage.bench.n_in);
		assert_int_equal(daq->n_out, stage.bench.n_out);
		assert_true(daq->period_s > 0.0 && daq->backend[0]);
		assert_int_equal(daq->simulated, driver->simulated);
		assert_true(daq->last_resort <= DAQ_MONOSTABLE);
		assert_true(daq->last_resort != DAQ_SECOND_OPENING || driver->guard_open);
		if (unpaced.attach)
			assert_int_equal(daq->last_resort, DAQ_SECOND_OPENING);
		else if (driver->simulated) /* and in this process: nothing is left when it ends */
			assert_int_equal(daq->last_resort, DAQ_ENDS_WITH_PROCESS);
		for (size_t c = 0; c < daq->n_out; c++) {
			assert_int_equal(daq->out[c].role, stage.bench.out[c].role);
			assert_int_equal(daq->out[c].index, stage.bench.out[c].index);
			assert_true(daq->out[c].min_V <= daq->out[c].safe_V && daq->out[c].safe_V <= daq->out[c].max_V);
		}
		close_stage(&stage);
		assert_null(daq->state);
	}
}

/** Returns in how many edges were missed. */
static int exchange_some(struct stage *stage, int n)
{
	int64_t last_ns = INT64_MIN;
	int n_missed = 0;

	while (n-- > 0) {
		int64_t t_ns = 0;
		const int code = stage->daq.driver->exchange(&stage->daq, stage->out_V, stage->in_V, &t_ns);

		assert_true(code == 0 || code == JOSTLE_EMISSED);
		assert_true(t_ns > last_ns);
		assert_true(stage->daq.woke_ns >= 0 && stage->daq.woke_ns <= clock_now_ns());
		last_ns = t_ns;
		n_missed += code != 0;
		for (size_t c = 0; c < stage->daq.n_in; c++)
			assert_true(stage->in_V[c] >= stage->daq.in[c].min_V &&
				    stage->in_V[c] <= stage->daq.in[c].max_V);
	}
	return n_missed;
}

/* catches: a clock that stands or runs backwards, an input beyond its converter, a start that works only once */
static void exchange_gives_edges_in_order_and_start_may_follow_stop(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;
		struct err err = {0};

		open_stage(&stage, driver);
		for (int turn = 0; turn < 3; turn++) {
			assert_int_equal(driver->start(&stage.daq, &err), 0);
			exchange_some(&stage, 50);
			assert_int_equal(driver->stop(&stage.daq), 0);
			assert_int_equal(driver->stop(&stage.daq), 0);
		}
		close_stage(&stage);
	}
}

/* catches: a clock that counts anything but the period; edges that were missed and are not said to be */
static void edges_are_one_period_apart(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;
		struct err err = {0};
		int64_t first_ns, last_ns, before_ns;
		double edges = 0.0;

		open_stage(&stage, driver);
		assert_int_equal(driver->start(&stage.daq, &err), 0);
		driver->exchange(&stage.daq, stage.out_V, stage.in_V, &first_ns);
		last_ns = first_ns;
		for (int e = 0; e < 100; e++) {
			before_ns = last_ns;
			const int code = driver->exchange(&stage.daq, stage.out_V, stage.in_V, &last_ns);
			const double passed = round((double)(last_ns - before_ns) * 1e-9 / stage.daq.period_s);

			assert_true(passed == 1.0 || (passed > 1.0 && code == JOSTLE_EMISSED));
			edges += passed;
		}
		assert_near((double)(last_ns - first_ns), edges * 1e9 * stage.daq.period_s, 200.0);
		close_stage(&stage);
	}
}

/* catches: a stop that crashes or drives outputs before anything was started; a close that forgets to stop */
static void stop_is_safe_before_start_and_close_after_anything(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;
		struct err err = {0};

		open_stage(&stage, driver);
		assert_int_equal(driver->stop(&stage.daq), 0);
		close_stage(&stage);
		open_stage(&stage, driver);
		assert_int_equal(driver->start(&stage.daq, &err), 0);
		exchange_some(&stage, 3);
		close_stage(&stage);
		daq_close(&stage.daq);
	}
}

/* catches: an exchange that goes on as if the clock ran */
static void exchange_without_a_start_is_an_error(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;
		struct err err = {0};
		int64_t t_ns;

		open_stage(&stage, driver);
		assert_int_equal(driver->exchange(&stage.daq, stage.out_V, stage.in_V, &t_ns), JOSTLE_EIO);
		assert_int_equal(driver->start(&stage.daq, &err), 0);
		driver->stop(&stage.daq);
		assert_int_equal(driver->exchange(&stage.daq, stage.out_V, stage.in_V, &t_ns), JOSTLE_EIO);
		close_stage(&stage);
	}
}

/* catches: stop and start that leave the outputs where they were; judged by the bench's own force inputs, where it has them */
static void stop_and_start_drive_the_outputs_to_safe(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;
		struct err err = {0};

		open_stage(&stage, driver);
		int n_good = 0;
		const size_t n_sites = stage.bench.nx * stage.bench.ny;
		for (size_t c = 0; c < n_sites; c++) /* not 0, so that a driver which writes zeros is seen */
			stage.daq.out[c].safe_V = 2.0;
		for (int turn = 0; turn < 20 && n_good < 2; turn++) {
			assert_int_equal(driver->start(&stage.daq, &err), 0);
			for (size_t c = 0; c < n_sites; c++)
				stage.out_V[c] = -5.0;
			if (exchange_some(&stage, 1) ==
			    0) { /* else the outputs may have acted at an edge that was missed */
				for (size_t c = 0; c < stage.daq.n_in; c++)
					if (stage.daq.in[c].role == DAQ_FORCE)
						assert_near(stage.in_V[c], 2.0,
							    0.5); /* before this exchange's outputs act */
				n_good++;
			}
			exchange_some(&stage, 1);
			for (size_t c = 0; c < stage.daq.n_in; c++)
				if (stage.daq.in[c].role == DAQ_FORCE)
					assert_near(stage.in_V[c], -5.0, 0.5);
			driver->stop(&stage.daq);
		}
		assert_int_equal(n_good, 2);
		close_stage(&stage);
	}
}

/* catches: an output that is not a number driven to 0 V, to the middle of its range or left where it was */
static void an_output_that_is_not_a_number_is_safe(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct stage stage;
		struct err err = {0};

		open_stage(&stage, driver);
		const size_t n_sites = stage.bench.nx * stage.bench.ny;
		for (size_t c = 0; c < n_sites; c++) {
			stage.daq.out[c].safe_V = 2.0;
			stage.out_V[c] = -5.0;
		}
		assert_int_equal(driver->start(&stage.daq, &err), 0);
		exchange_some(&stage, 3);
		for (size_t c = 0; c < n_sites; c++)
			stage.out_V[c] = NAN;
		exchange_some(&stage, 3);
		for (size_t c = 0; c < stage.daq.n_in; c++)
			if (stage.daq.in[c].role == DAQ_FORCE)
				assert_near(stage.in_V[c], 2.0, 0.5);
		close_stage(&stage);
	}
}

/* catches: a second opening inside the process, or by a driver that has none, that is taken for one */
static void a_guardian_without_a_way_to_the_outputs_is_refused(void **state)
{
	(void)state;
	EACH_DRIVER(driver)
	{
		struct bench bench;
		struct daq daq;
		struct err err = {0};

		if (driver->guard_open && (!driver->simulated || unpaced.attach))
			continue;
		example_bench(&bench, driver);
		assert_int_equal(daq_guard_open(&daq, &bench, &unpaced, &err), JOSTLE_EBUSY);
		assert_null(daq.state);
		daq_guard_close(&daq);
		bench_free(&bench);
	}
}

/* catches: a device that is not there and is simulated, skipped or left half open */
static void an_absent_device_is_an_error_that_names_it(void **state)
{
	(void)state;
	EVERY_DRIVER(driver)
	{
		if (unpaced.attach && !bench_of(driver))
			continue;
		struct bench bench;
		struct daq daq;
		struct err err = {0};
		const struct daq_options absent = {.seed = 1, .attach = unpaced.attach ? driver->absent_device : NULL};

		example_bench(&bench, driver);
		free(bench.devices[0]);
		bench.devices[0] = strdup(driver->absent_device);
		assert_int_equal(daq_open(&daq, &bench, &absent, &err), JOSTLE_ENODEV);
		assert_non_null(strstr(err.text, driver->absent_device));
		assert_null(daq.state);
		daq_close(&daq);
		bench_free(&bench);
	}
}

/* catches: a driver taken by the beginning of its name, an error that does not say what there is */
static void an_unknown_driver_is_an_error_that_names_those_there_are(void **state)
{
	struct bench bench;
	struct daq daq;
	struct err err = {0};

	(void)state;
	bench_named(&bench, "sim-2");
	bench.driver[2] = '\0'; /* "si" */
	assert_int_equal(daq_open(&daq, &bench, &unpaced, &err), JOSTLE_ENOENT);
	EVERY_DRIVER(driver)
	assert_non_null(strstr(err.text, driver->name));
	bench_free(&bench);
}

int main(int argc, char **argv)
{
	(void)argc;
	chosen = argv + 1;
	unpaced.attach = getenv("TEST_ATTACH");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_driver_is_complete),
		cmocka_unit_test(open_describes_the_bench),
		cmocka_unit_test(exchange_gives_edges_in_order_and_start_may_follow_stop),
		cmocka_unit_test(edges_are_one_period_apart),
		cmocka_unit_test(stop_is_safe_before_start_and_close_after_anything),
		cmocka_unit_test(exchange_without_a_start_is_an_error),
		cmocka_unit_test(stop_and_start_drive_the_outputs_to_safe),
		cmocka_unit_test(an_output_that_is_not_a_number_is_safe),
		cmocka_unit_test(a_guardian_without_a_way_to_the_outputs_is_refused),
		cmocka_unit_test(an_absent_device_is_an_error_that_names_it),
		cmocka_unit_test(an_unknown_driver_is_an_error_that_names_those_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
