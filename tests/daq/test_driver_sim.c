/* The driver sim: in-process paced and unpaced, attached to a plant's page. */
#include "daq/daq_fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "sim/plant_page.h"
#include "sim/plant_process.h"

static void open_or_fail(struct daq *daq, const struct bench *bench, const struct daq_options *options)
{
	struct err err = {0};

	if (daq_open(daq, bench, options, &err) < 0 || daq->driver->start(daq, &err) < 0)
		fail_msg("%s", err.text);
}

/* catches: a delay other than one period: the force of exchange n is felt first by the sample of exchange n + 1 */
static void a_force_is_felt_one_period_later(void **state)
{
	struct bench bench;
	struct daq daq;
	double out_V[64] = {0}, in_V[64];
	double first = 0.0, second = 0.0;
	int64_t t_ns;

	(void)state;
	bench_named(&bench, "sim-2");
	/* means over many seeds: 10 V is 100 natural forces, which move a site by 0.1 in a period of noise 0.05 */
	for (uint64_t seed = 0; seed < 400; seed++) {
		const struct daq_options options = {.seed = seed};
		double before;

		open_or_fail(&daq, &bench, &options);
		out_V[0] = 0.0;
		daq.driver->exchange(&daq, out_V, in_V, &t_ns);
		before = in_V[0];
		out_V[0] = 9.9;
		daq.driver->exchange(&daq, out_V, in_V, &t_ns);
		first += (in_V[0] - before) / 400.0;
		before = in_V[0];
		daq.driver->exchange(&daq, out_V, in_V, &t_ns);
		second += (in_V[0] - before) / 400.0;
		daq_close(&daq);
	}
	assert_near(first, 0.0, 0.012);
	assert_near(second, 0.099, 0.012);
	bench_free(&bench);
}

/* catches: options->seed ignored, or a plant that differs between paced and unpaced runs */
static void pacing_does_not_change_the_plant(void **state)
{
	struct bench bench;
	struct daq daq;
	double out_V[64] = {0}, in_V[2][64];
	int64_t t_ns;

	(void)state;
	bench_named(&bench, "sim-2");
	for (int paced = 0; paced < 2; paced++) {
		const struct daq_options options = {.seed = 5, .paced = paced};
		int edges = 20;

		open_or_fail(&daq, &bench, &options);
		const int64_t start_ns = clock_now_ns();
		int missed = 0;
		while (edges-- > 0)
			missed += daq.driver->exchange(&daq, out_V, in_V[paced], &t_ns) == JOSTLE_EMISSED;
		if (paced) /* 20 edges at 1 kHz can't have come sooner */
			assert_true(clock_now_ns() - start_ns > 18000000);
		daq_close(&daq);
		if (missed)
			memcpy(in_V[1], in_V[0], sizeof(in_V[0])); /* a busy machine: the plant lived on in between */
	}
	assert_memory_equal(in_V[0], in_V[1], 4 * sizeof(double));
	bench_free(&bench);
}

/* catches: a grid that is re-based after a late call, or missed edges that the plant did not live through */
static void missed_edges_are_reported_and_the_grid_kept(void **state)
{
	const struct daq_options options = {.seed = 5, .paced = true};
	struct bench bench;
	struct daq daq;
	double out_V[64] = {0}, in_V[64];
	int64_t first_ns, t_ns;

	(void)state;
	bench_named(&bench, "sim-2");
	open_or_fail(&daq, &bench, &options);
	daq.driver->exchange(&daq, out_V, in_V, &first_ns);
	usleep(20000);
	assert_int_equal(daq.driver->exchange(&daq, out_V, in_V, &t_ns), JOSTLE_EMISSED);
	assert_true(t_ns - first_ns >= 20000000);
	assert_int_equal((t_ns - first_ns) % 1000000, 0);
	daq_close(&daq);
	bench_free(&bench);
}

/* catches: a channel number that the device does not have, read as a quiet 0 V */
static void a_bench_of_channels_the_plant_lacks_is_refused(void **state)
{
	const struct daq_options options = {.seed = 5};
	struct bench bench;
	struct daq daq;
	struct err err = {0};

	(void)state;
	bench_named(&bench, "sim-2");
	bench.in[3].channel = 4; /* the temperature read-out: this plant has none */
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "temperature"));
	bench.in[3].channel = 5;
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ECONFIG);
	bench.in[3].channel = 3;
	bench.out[0].channel = 1000;
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ECONFIG);
	bench_free(&bench);
}

static pid_t start_plant(const char *plant, const char *name)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct plant_process_options options = {
			.plant = plant, .name = name, .period_s = 1e-3, .seed = 1};
		struct err err = {0};

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no plant behind */
		interrupt_watch();
		_exit(plant_process_run(&options, &err) == 0 ? 0 : 1);
	}
	return pid;
}

/* catches: an attached bench that hangs on a dead plant, that a second loop may open, or that stop() leaves driven */
static void an_attached_bench_exchanges_is_exclusive_and_survives_its_plant(void **state)
{
	struct bench bench;
	struct daq daq, second;
	struct err err = {0};
	double out_V[64] = {0}, in_V[64];
	int64_t t_ns;
	char name[64];
	int code = JOSTLE_ENODEV;

	(void)state;
	snprintf(name, sizeof(name), "driver-%d", getpid());
	const struct daq_options options = {.attach = name};
	bench_named(&bench, "sim-2");
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ENODEV);

	const pid_t plant = start_plant("two-oscillators", name);
	for (int i = 0; i < 20000 && code == JOSTLE_ENODEV; i++) {
		usleep(1000);
		code = daq_open(&daq, &bench, &options, &err);
	}
	assert_int_equal(code, 0);
	assert_int_equal(daq_open(&second, &bench, &options, &err), JOSTLE_EBUSY);
	assert_int_equal(daq.driver->start(&daq, &err), 0);
	out_V[0] = 5.0;
	for (int e = 0; e < 50; e++)
		assert_int_not_equal(daq.driver->exchange(&daq, out_V, in_V, &t_ns), JOSTLE_EIO);
	assert_near(in_V[2], 5.0, 0.1);
	daq.driver->stop(&daq);
	daq_close(&daq);

	/* the safe volts were written by stop(), and act though nobody writes */
	struct plant_page page;
	assert_int_equal(plant_page_attach(&page, name, &err), 0);
	for (int e = 0; e < 3; e++)
		assert_int_not_equal(plant_page_wait(&page, 10000000000, in_V, &t_ns), JOSTLE_EIO);
	assert_near(in_V[2], 0.0, 0.1);
	plant_page_close(&page);

	assert_int_equal(daq_open(&daq, &bench, &options, &err), 0);
	assert_int_equal(daq.driver->start(&daq, &err), 0);
	kill(plant, SIGKILL);
	waitpid(plant, NULL, 0);
	code = 0;
	for (int e = 0; e < 3 && code != JOSTLE_EIO; e++)
		code = daq.driver->exchange(&daq, out_V, in_V, &t_ns);
	assert_int_equal(code, JOSTLE_EIO);
	daq_close(&daq);
	bench_free(&bench);
	shm_unlink(page.page.path); /* what the killed plant could not remove */
}

static void open_when_ready(struct daq *daq, const struct bench *bench, const struct daq_options *options)
{
	struct err err = {0};
	int code = JOSTLE_ENODEV;

	for (int i = 0; i < 20000 && code == JOSTLE_ENODEV; i++) {
		code = daq_open(daq, bench, options, &err);
		if (code == JOSTLE_ENODEV)
			usleep(1000);
	}
	if (code < 0)
		fail_msg("%s", err.text);
}

static void stop_plant(pid_t plant)
{
	kill(plant, SIGTERM);
	waitpid(plant, NULL, 0);
}

/** A few exchanges of the owner, which asks for 5 V on the first force; what the last of them read back of it. */
static double drive_on(struct daq *daq)
{
	double out_V[64] = {0}, in_V[64];
	int64_t t_ns;

	out_V[0] = 5.0;
	for (int e = 0; e < 5; e++) {
		const int64_t before_ns = clock_now_ns();

		assert_int_not_equal(daq->driver->exchange(daq, out_V, in_V, &t_ns), JOSTLE_EIO);
		assert_true(daq->woke_ns >= before_ns && daq->woke_ns <= clock_now_ns());
	}
	return in_V[2];
}

/* catches: a seizure that the owner, or its stop(), undoes; one that goes to other channels; a release that leaves it held */
static void a_guardian_holds_the_outputs_against_their_owner(void **state)
{
	struct bench bench;
	struct daq daq, guard, second;
	struct err err = {0};
	const double safe_V[64] = {-1.0};
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "guard-%d", getpid());
	const struct daq_options options = {.attach = name};
	bench_named(&bench, "sim-2");
	assert_int_equal(daq_guard_open(&guard, &bench, &options, &err), JOSTLE_ENODEV);
	const pid_t plant = start_plant("two-oscillators", name);
	open_when_ready(&daq, &bench, &options);
	assert_int_equal(daq.last_resort, DAQ_SECOND_OPENING);
	assert_int_equal(daq.driver->start(&daq, &err), 0);
	assert_int_equal(daq_guard_open(&guard, &bench, &options, &err), 0);
	assert_int_equal(daq_guard_open(&second, &bench, &options, &err), JOSTLE_EBUSY);
	assert_near(drive_on(&daq), 5.0, 0.5); /* opening alone changes nothing */

	assert_int_equal(guard.driver->guard_write(&guard, safe_V), 0);
	assert_near(drive_on(&daq), -1.0, 0.5);
	daq.driver->stop(&daq);
	assert_int_equal(daq.driver->start(&daq, &err), 0);
	assert_near(drive_on(&daq), -1.0, 0.5);
	guard.driver->guard_release(&guard);
	assert_near(drive_on(&daq), 5.0, 0.5);

	assert_int_equal(guard.driver->guard_write(&guard, safe_V), 0);
	daq_guard_close(&guard);
	assert_near(drive_on(&daq), -1.0, 0.5);
	daq_close(&daq);
	stop_plant(plant);
	bench_free(&bench);
}

/* catches: a guardian beside the owner of a device that only one can open; a monostable that is none without its line */
static void a_device_that_can_be_opened_only_once_falls_back_on_its_monostable(void **state)
{
	struct bench bench;
	struct daq daq, guard;
	struct err err = {0};
	double out_V[64] = {0}, in_V[64] = {0};
	int64_t t_ns;
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "exclusive-%d", getpid());
	const struct daq_options options = {.attach = name};
	bench_named(&bench, "sim-2-exclusive");
	const pid_t plant = start_plant("two-oscillators-exclusive", name);
	open_when_ready(&daq, &bench, &options);
	assert_int_equal(daq.last_resort, DAQ_MONOSTABLE);
	assert_int_equal(daq_guard_open(&guard, &bench, &options, &err), JOSTLE_EBUSY);
	assert_non_null(strstr(err.text, "only once"));
	assert_int_equal(daq.driver->start(&daq, &err), 0);

	const size_t line = daq.n_out - 1;
	assert_int_equal(daq.out[line].role, DAQ_HEARTBEAT);
	assert_near(drive_on(&daq), 0.0, 0.5); /* the line stands still */
	out_V[0] = 5.0;
	/* A busy machine may hold this process for longer than the monostable waits. */
	for (int e = 0; e < 5000 && fabs(in_V[2] - 5.0) > 0.5; e++) {
		out_V[line] = e % 2 ? 5.0 : 0.0;
		assert_int_not_equal(daq.driver->exchange(&daq, out_V, in_V, &t_ns), JOSTLE_EIO);
	}
	assert_near(in_V[2], 5.0, 0.5);
	double last_V = 5.0;
	for (int e = 0; e < 5000 && fabs(last_V) > 0.5; e++) { /* 0.1 s after the last change */
		assert_int_not_equal(daq.driver->exchange(&daq, out_V, in_V, &t_ns), JOSTLE_EIO);
		last_V = in_V[2];
	}
	assert_near(last_V, 0.0, 0.5);
	daq_close(&daq);

	bench.n_out--; /* no heartbeat: nothing would hold the supply */
	open_when_ready(&daq, &bench, &options);
	assert_int_equal(daq.last_resort, DAQ_NO_LAST_RESORT);
	daq_close(&daq);
	bench.n_out++;
	stop_plant(plant);
	bench_free(&bench);
}

/* catches: a force on the heartbeat's channel, a heartbeat on an actuator */
static void a_heartbeat_belongs_on_the_monostable_s_line_and_nothing_else_does(void **state)
{
	const struct daq_options options = {.seed = 5};
	struct bench bench;
	struct daq daq;
	struct err err = {0};

	(void)state;
	bench_named(&bench, "sim-2-guarded");
	const size_t line = bench.n_out - 1;
	assert_int_equal(daq_open(&daq, &bench, &options, &err), 0);
	assert_int_equal(daq.last_resort, DAQ_ENDS_WITH_PROCESS);
	daq_close(&daq);
	bench.out[line].role = DAQ_AUXILIARY;
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "heartbeat"));
	bench.out[line].role = DAQ_HEARTBEAT;
	bench.out[line].channel = 0;
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ECONFIG);
	bench_free(&bench);
	bench_named(&bench, "sim-2");
	bench.out[0].channel = 17; /* this plant has no monostable */
	assert_int_equal(daq_open(&daq, &bench, &options, &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "no monostable"));
	bench_free(&bench);
}

/* catches: a wake-up time that is the edge's, that is missing, or that an unpaced bench makes up */
static void a_paced_bench_says_when_it_woke(void **state)
{
	struct bench bench;
	struct daq daq;
	double out_V[64] = {0}, in_V[64];
	int64_t t_ns;

	(void)state;
	bench_named(&bench, "sim-2");
	for (int paced = 0; paced < 2; paced++) {
		const struct daq_options options = {.seed = 5, .paced = paced};

		open_or_fail(&daq, &bench, &options);
		for (int e = 0; e < 5; e++) {
			daq.driver->exchange(&daq, out_V, in_V, &t_ns);
			if (paced)
				assert_true(daq.woke_ns >= t_ns && daq.woke_ns <= clock_now_ns());
			else
				assert_int_equal(daq.woke_ns, 0);
		}
		daq_close(&daq);
	}
	bench_free(&bench);
}

/* catches: a plant at another period taken for the bench */
static void a_plant_at_another_period_is_refused(void **state)
{
	struct bench bench;
	struct daq daq;
	struct err err = {0};
	char name[64];
	int code = JOSTLE_ENODEV;

	(void)state;
	snprintf(name, sizeof(name), "period-%d", getpid());
	const struct daq_options options = {.attach = name};
	bench_named(&bench, "sim-2");
	bench.period_s = 2e-3;
	const pid_t plant = start_plant("two-oscillators", name);
	for (int i = 0; i < 20000 && code == JOSTLE_ENODEV; i++) {
		usleep(1000);
		code = daq_open(&daq, &bench, &options, &err);
	}
	kill(plant, SIGTERM);
	waitpid(plant, NULL, 0);
	assert_int_equal(code, JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "period"));
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_force_is_felt_one_period_later),
		cmocka_unit_test(pacing_does_not_change_the_plant),
		cmocka_unit_test(missed_edges_are_reported_and_the_grid_kept),
		cmocka_unit_test(a_bench_of_channels_the_plant_lacks_is_refused),
		cmocka_unit_test(an_attached_bench_exchanges_is_exclusive_and_survives_its_plant),
		cmocka_unit_test(a_plant_at_another_period_is_refused),
		cmocka_unit_test(a_guardian_holds_the_outputs_against_their_owner),
		cmocka_unit_test(a_device_that_can_be_opened_only_once_falls_back_on_its_monostable),
		cmocka_unit_test(a_heartbeat_belongs_on_the_monostable_s_line_and_nothing_else_does),
		cmocka_unit_test(a_paced_bench_says_when_it_woke),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
