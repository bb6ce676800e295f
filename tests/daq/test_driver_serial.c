/* The driver serial, against a device with a plant behind it at the other end of a pseudo terminal, in a process of its own. */
#include "daq/daq_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/clock.h"
#include "base/find.h"
#include "daq/fake_device.h"
#include "daq/serial/framing.h"
#include "sim/plant_config.h"

#define PERIOD_S 1e-2
#define WATCHDOG 150  /* periods: of the device, and how long the driver waits for it; a busy machine needs less */
#define PATIENCE 20.0 /* of a test on a busy machine, seconds */
#define SAFE_V   2.0

static const struct daq_options options;

struct stage {
	struct fake_device_page *page;
	pid_t device;
	char path[64];
	struct bench bench;
	struct daq daq;
	double out_V[16], in_V[32];
	int64_t t_ns;
};

/** A device that ends with the test. */
static void start_device(struct stage *s, double period_s)
{
	struct plant_config *plant = NULL;
	struct err err = {0};
	char path[1024];

	s->page = mmap(NULL, sizeof(*s->page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->page != MAP_FAILED);
	if (find_file(FIND_PLANT, "lattice-4x4", path, sizeof(path), &err) < 0 || plant_load(&plant, path, &err) < 0)
		fail_msg("%s", err.text);
	const int fd = fake_device_pty(s->path, sizeof(s->path));
	assert_true(fd >= 0);
	const pid_t parent = getpid();
	s->device = fork();
	assert_true(s->device >= 0);
	if (s->device == 0) {
		const struct fake_device fake = {.plant = plant, .period_s = period_s, .seed = 1, .page = s->page};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(getppid() == parent && fake_device_run(&fake, fd) == 0 ? 0 : 1);
	}
	close(fd);
	plant_config_free(plant);
}

static void bench_on(struct stage *s)
{
	bench_named(&s->bench, "serial-4x4");
	s->bench.missed_periods = 0;
	s->bench.guardian_periods = WATCHDOG;
	free(s->bench.devices[0]);
	s->bench.devices[0] = strdup(s->path);
}

static double seconds(void)
{
	return (double)clock_now_ns() * 1e-9;
}

/** A terminal's name comes back: another test may be looking for a device of its own under it. */
static void open_patiently(struct stage *s)
{
	const double until_s = seconds() + PATIENCE;
	struct err err = {0};
	int code;

	while ((code = daq_open(&s->daq, &s->bench, &options, &err)) == JOSTLE_EBUSY && seconds() < until_s)
		usleep(10000);
	if (code < 0)
		fail_msg("%s", err.text);
}

static struct stage *begin(void)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct err err = {0};

	assert_non_null(s);
	start_device(s, PERIOD_S);
	bench_on(s);
	open_patiently(s);
	for (size_t c = 0; c < 16; c++)
		s->daq.out[c].safe_V = SAFE_V; /* not 0, so that a device at rest is not taken for a safe one */
	if (s->daq.driver->start(&s->daq, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void end(struct stage *s)
{
	int status;

	daq_close(&s->daq);
	bench_free(&s->bench);
	atomic_store(&s->page->unplug, 1);
	assert_int_equal(waitpid(s->device, &status, 0), s->device);
	munmap(s->page, sizeof(*s->page));
	free(s);
}

static int exchange(struct stage *s, double volts)
{
	for (size_t c = 0; c < 16; c++)
		s->out_V[c] = volts;
	return s->daq.driver->exchange(&s->daq, s->out_V, s->in_V, &s->t_ns);
}

/** One that must give a sample, on a machine that may be late. */
static int exchange_well(struct stage *s, double volts)
{
	const int code = exchange(s, volts);

	assert_true(code == 0 || code == JOSTLE_EMISSED);
	return code;
}

#define wait_until(condition)                                                                                          \
	for (double until_s = seconds() + PATIENCE; !(condition);) {                                                   \
		if (seconds() > until_s)                                                                               \
			fail_msg("%s: not within %g s", #condition, PATIENCE);                                         \
		usleep(1000);                                                                                          \
	}

/* catches: channels mixed up, codes that are not the volts, sites that the loop does not close over */
static void sixteen_sites_are_driven_and_read_at_100_Hz(void **state)
{
	struct stage *s = begin();
	double x[16] = {0};

	(void)state;
	assert_int_equal(s->daq.last_resort, DAQ_MONOSTABLE);
	assert_false(s->daq.simulated);
	assert_non_null(strstr(s->daq.backend, "fake"));
	const double start_s = seconds();
	for (int n = 0; n < 100; n++) { /* one relaxation time, site i drawn to i / 10 natural lengths */
		for (size_t c = 0; c < 16; c++)
			s->out_V[c] = 0.1 * (0.1 * (double)c + 20.0 * (0.1 * (double)c - x[c]));
		const int code = s->daq.driver->exchange(&s->daq, s->out_V, s->in_V, &s->t_ns);
		assert_true(code == 0 || code == JOSTLE_EMISSED);
		memcpy(x, s->in_V, sizeof(x));
	}
	assert_true(seconds() - start_s > 98 * PERIOD_S); /* no sooner than the clock says */
	double mean = 0.0;
	for (size_t c = 0; c < 16; c++) {
		mean += (x[c] - 0.1 * (double)c) / 16;
		assert_near(x[c], 0.1 * (double)c, 1.5); /* kT over a stiffness of 21: 0.22 */
	}
	assert_near(mean, 0.0, 0.4);
	for (size_t c = 0; c < 16; c++)
		s->out_V[c] = -8.0 + (double)c;
	for (int n = 0; n < 2; n++)
		s->daq.driver->exchange(&s->daq, s->out_V, s->in_V, &s->t_ns);
	for (size_t c = 0; c < 16; c++) {
		assert_near(s->in_V[16 + c], -8.0 + (double)c, 0.1);
		assert_near(s->page->out_V[c], -8.0 + (double)c, 20.0 / 65536);
	}
	end(s);
}

/* catches: a lost answer that stops the loop, is passed over in silence, or moves the grid */
static void a_lost_answer_is_a_missed_slot(void **state)
{
	struct stage *s = begin();

	(void)state;
	exchange_well(s, 1.0);
	atomic_int *const losses[] = {&s->page->swallow, &s->page->cut, &s->page->spoil};
	for (int kind = 0; kind < 3; kind++) {
		const int64_t before_ns = s->t_ns;

		atomic_store(losses[kind], 2);
		assert_int_equal(exchange(s, 1.0), JOSTLE_EMISSED);
		const double slots = (double)(s->t_ns - before_ns) / (PERIOD_S * 1e9);
		assert_true(slots > 2.5); /* two were left out */
		assert_near(slots, round(slots), 1e-3);
		exchange_well(s, 1.0);
		assert_near(s->in_V[16], 1.0, 0.1);
	}
	end(s);
}

/* catches: a silent line whose last outputs are sent again and again, and so hold off every watchdog, beyond what may be missed */
static void a_silent_line_is_told_of_as_soon_as_too_much_is_missed(void **state)
{
	struct stage *s = begin();

	(void)state;
	s->bench.missed_periods = 4;
	exchange_well(s, 1.0);
	const int64_t before_ns = s->t_ns;
	atomic_store(&s->page->swallow, 30);
	assert_int_equal(exchange(s, 1.0), JOSTLE_EMISSED);
	const double slots = (double)(s->t_ns - before_ns) / (PERIOD_S * 1e9);
	assert_true(slots > 5.5); /* five were left out, one more than may be */
	assert_true(atomic_load(&s->page->swallow) > 20);
	assert_true(exchange(s, SAFE_V) == JOSTLE_EMISSED); /* and each time again, until it is lost */
	assert_true(atomic_load(&s->page->swallow) > 14);
	atomic_store(&s->page->swallow, 0);
	exchange_well(s, SAFE_V);
	exchange_well(s, SAFE_V);
	assert_near(s->in_V[16], SAFE_V, 0.1);
	end(s);
}

/* catches: a loop that was late and isn't told, or is told of another number of slots */
static void a_loop_that_is_late_hears_how_many_slots_it_missed(void **state)
{
	struct stage *s = begin();

	(void)state;
	exchange_well(s, 1.0);
	const int64_t before_ns = s->t_ns;
	usleep((useconds_t)(5.5 * PERIOD_S * 1e6));
	assert_int_equal(exchange(s, 1.0), JOSTLE_EMISSED);
	const double slots = (double)(s->t_ns - before_ns) / (PERIOD_S * 1e9);
	assert_true(slots > 5.5);
	assert_near(slots, round(slots), 1e-3);
	end(s);
}

/* catches: a reader that garbage takes out of step; an old answer taken for a new one */
static void garbage_and_old_answers_are_passed_over(void **state)
{
	struct stage *s = begin();

	(void)state;
	atomic_store(&s->page->noise, 10000);
	atomic_store(&s->page->repeat, 10000);
	int n_good = 0;
	for (int n = 0; n < 50; n++) {
		const double volts = n % 8 - 4.0;

		/* what was driven one exchange before; else this one's may have acted at the edge that was missed */
		if (exchange_well(s, volts) == 0 && n > 0) {
			assert_near(s->in_V[16], (n - 1) % 8 - 4.0, 0.1);
			n_good++;
		}
	}
	assert_true(n_good > 10);
	end(s);
}

/* catches: an exchange that hangs, or goes on as if somebody were there, when the peer is gone; a stop or close that hangs then */
static void a_peer_that_is_gone_is_an_error_within_the_time_out(void **state)
{
	struct stage *s = begin();

	(void)state;
	exchange_well(s, 1.0);
	atomic_store(&s->page->unplug, 1);
	const double gone_s = seconds();
	int code;
	while ((code = exchange(s, 1.0)) != JOSTLE_EIO)
		assert_true(seconds() - gone_s < PATIENCE);
	const double first_s = seconds();
	for (int n = 0; n < 10; n++)
		assert_int_equal(exchange(s, 1.0), JOSTLE_EIO);
	assert_true(seconds() - first_s > 9 * PERIOD_S); /* at the loop's pace, not as fast as it can */
	assert_true(seconds() - first_s < PATIENCE);
	end(s);
}

/* catches: waiting for ever for a device that hangs; going on, when it wakes up, with outputs that it was not told to be safe of */
static void a_device_that_hangs_is_an_error_and_is_started_anew_with_safe_outputs(void **state)
{
	struct stage *s = begin();

	(void)state;
	exchange_well(s, -5.0);
	exchange_well(s, -5.0);
	atomic_store(&s->page->deaf, 1);
	const double deaf_s = seconds();
	int code;
	while ((code = exchange(s, -5.0)) != JOSTLE_EIO)
		assert_int_equal(code, JOSTLE_EMISSED); /* one under way when it went deaf */
	assert_true(seconds() - deaf_s > (WATCHDOG - 2) * PERIOD_S);
	assert_true(seconds() - deaf_s < PATIENCE);
	assert_near(s->page->out_V[3], -5.0, 1e-3); /* it hangs: its watchdog with it */
	atomic_store(&s->page->deaf, 0);
	for (int n = 0; (code = exchange(s, SAFE_V)) == JOSTLE_EIO; n++)
		assert_true(n < 50);
	exchange_well(s, SAFE_V);
	assert_near(s->in_V[16], SAFE_V, 0.1);
	end(s);
}

/* catches: a driver that doesn't tell of a watchdog that fired: the loop was away, and would go on driving */
static void a_loop_that_was_away_too_long_hears_that_the_device_went_safe(void **state)
{
	struct stage *s = begin();

	(void)state;
	exchange_well(s, -5.0);
	assert_int_equal(s->page->watchdog_us, WATCHDOG * 10000);
	wait_until(s->page->state == FRAMING_EXPIRED);
	assert_near(s->page->out_V[5], SAFE_V, 1e-3);
	assert_int_equal(exchange(s, -5.0), JOSTLE_EIO);
	assert_near(s->page->out_V[5], SAFE_V, 1e-3);
	assert_int_equal(exchange(s, 3.0), JOSTLE_EIO); /* it asks for a start, and has no sample */
	for (int n = 0; exchange(s, 3.0) == JOSTLE_EIO; n++)
		assert_true(n < 50);
	exchange_well(s, 3.0);
	exchange_well(s, 3.0);
	assert_near(s->in_V[16], 3.0, 0.1);
	end(s);
}

/* catches: outputs that stay where they were when the process that drives them is killed */
static void a_killed_host_leaves_safe_outputs(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct err err = {0};
	int status;

	(void)state;
	assert_non_null(s);
	start_device(s, PERIOD_S);
	bench_on(s);
	const pid_t host = fork();
	assert_true(host >= 0);
	if (host == 0) {
		open_patiently(s);
		for (size_t c = 0; c < 16; c++)
			s->daq.out[c].safe_V = SAFE_V;
		if (s->daq.driver->start(&s->daq, &err) < 0)
			_exit(1);
		for (;;)
			exchange(s, -5.0);
	}
	wait_until(fabs(s->page->out_V[0] + 5.0) < 1e-3);
	kill(host, SIGKILL);
	assert_int_equal(waitpid(host, &status, 0), host);
	wait_until(s->page->state == FRAMING_EXPIRED);
	for (size_t c = 0; c < 16; c++)
		assert_near(s->page->out_V[c], SAFE_V, 1e-3);
	/* and the next one can take over */
	open_patiently(s);
	if (s->daq.driver->start(&s->daq, &err) < 0)
		fail_msg("%s", err.text);
	exchange_well(s, 1.0);
	end(s);
}

/* catches: an output that is not finite and becomes an end of the range; one beyond the range that wraps to the other end */
static void no_code_stands_for_what_is_no_number_or_beyond_the_range(void **state)
{
	struct stage *s = begin();

	(void)state;
	for (size_t c = 0; c < 16; c++)
		s->out_V[c] = 1.0;
	s->out_V[0] = NAN;
	s->out_V[1] = 11.0;
	s->out_V[2] = -11.0;
	s->out_V[3] = INFINITY;
	const int code = s->daq.driver->exchange(&s->daq, s->out_V, s->in_V, &s->t_ns);
	assert_true(code == 0 || code == JOSTLE_EMISSED);
	assert_near(s->page->out_V[0], SAFE_V, 1e-3);
	assert_near(s->page->out_V[1], s->bench.out[1].limit_max_V, 1e-3);
	assert_near(s->page->out_V[2], s->bench.out[2].limit_min_V, 1e-3);
	assert_near(s->page->out_V[3], SAFE_V, 1e-3);
	end(s);
}

static void refused(struct stage *s, int code, const char *why)
{
	struct err err = {0};

	assert_int_equal(daq_open(&s->daq, &s->bench, &options, &err), code);
	if (!strstr(err.text, why) || (code == JOSTLE_ENODEV && !strstr(err.text, s->bench.devices[0])))
		fail_msg("expected \"%s\" in \"%s\"", why, err.text);
}

/* catches: a bench that is not the device's, opened all the same: a wrong channel number or span read as a quiet signal */
static void a_bench_that_is_not_the_devices_is_refused(void **state)
{
	struct stage *s = begin();
	struct bench *bench = &s->bench;

	(void)state;
	daq_close(&s->daq);
	bench->in[0].channel = 33;
	refused(s, JOSTLE_ECONFIG, "inputs: channel 33: device fake has 33 inputs");
	bench->in[0].channel = 0;
	bench->out[2].channel = 18;
	refused(s, JOSTLE_ECONFIG, "outputs: channel 18: device fake has 18 outputs");
	bench->out[2].channel = 2;
	bench->out[2].subdevice = 1;
	refused(s, JOSTLE_ECONFIG, "outputs: channel 2: subdevice");
	bench->out[2].subdevice = BENCH_ANY_SUBDEVICE;
	bench->out[2].max_V = 5.0;
	refused(s, JOSTLE_ECONFIG, "outputs: channel 2: range_V: expected [-10, 10]");
	bench->out[2].max_V = 10.0;
	bench->period_s = 0.5 * PERIOD_S;
	refused(s, JOSTLE_ECONFIG, "period_s: expected at least 0.01");
	bench->period_s = PERIOD_S;
	bench->baud = 9600;
	refused(s, JOSTLE_ECONFIG, "baud: at 9600");
	bench->baud = 921600;
	bench->guardian_periods = 1001;
	refused(s, JOSTLE_ECONFIG, "guardian_periods");
	bench->guardian_periods = 50;
	assert_int_equal(s->page->n_drives, 2); /* one start and one stop: no opening touched an output */
	end(s);
}

/* catches: a figure that leaves out the line or the device, or a measurement that drives outputs */
static void the_budget_counts_the_line_and_the_device(void **state)
{
	struct stage *s = begin();
	struct daq_budget budget;
	struct err err = {0};
	/* two frames of 15 bytes and what they carry; the device has 33 inputs and 18 outputs */
	const double bits = 10.0 * (2 * 15 + 2 * 18 + 1 + 2 * 33);

	(void)state;
	assert_int_equal(s->daq.driver->budget(&s->daq, &budget, &err), JOSTLE_EBUSY);
	s->daq.driver->stop(&s->daq);
	const unsigned n_drives = s->page->n_drives;
	assert_int_equal(s->daq.driver->budget(&s->daq, &budget, &err), 0);
	assert_true(budget.exchange_s >= bits / 921600);
	assert_near(budget.period_s, PERIOD_S, 1e-9);
	s->bench.baud = 9600;
	assert_int_equal(s->daq.driver->budget(&s->daq, &budget, &err), 0);
	assert_true(budget.exchange_s >= bits / 9600);
	assert_non_null(strstr(budget.limit, "line"));
	assert_int_equal(s->page->n_drives, n_drives);
	end(s);
}

/* catches: two processes on one port; an opening that is refused and has changed the baud rate under the first one */
static void a_port_that_is_in_use_is_busy(void **state)
{
	struct stage *s = begin();
	struct daq second;
	struct err err = {0};
	struct termios before, after;
	const int fd = open(s->path, O_RDONLY | O_NOCTTY | O_NONBLOCK);

	(void)state;
	assert_int_equal(tcgetattr(fd, &before), 0);
	s->bench.baud = 115200;
	assert_int_equal(daq_open(&second, &s->bench, &options, &err), JOSTLE_EBUSY);
	assert_non_null(strstr(err.text, s->path));
	assert_int_equal(tcgetattr(fd, &after), 0);
	assert_int_equal(cfgetospeed(&after), cfgetospeed(&before));
	close(fd);
	exchange_well(s, 1.0);
	end(s);
}

/* catches: a port with nobody, or somebody else, behind it that is taken for a device, or waited for without end */
static void a_port_without_a_device_is_an_error_that_names_it(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	start_device(s, PERIOD_S);
	bench_on(s);
	atomic_store(&s->page->deaf, 1);
	refused(s, JOSTLE_ENODEV, "no answer within 3 s");
	atomic_store(&s->page->deaf, 0);
	atomic_store(&s->page->spoil, 1000);
	refused(s, JOSTLE_EFORMAT, "sends something else"); /* somebody is there: no plant stands in */
	atomic_store(&s->page->spoil, 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	else
		assert_int_equal(chmod(s->path, 0), 0);
	refused(s, JOSTLE_EIO, "permission denied");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	else
		assert_int_equal(chmod(s->path, 0600), 0);
	free(s->bench.devices[0]);
	s->bench.devices[0] = strdup("/dev/null"); /* there, and no serial port */
	refused(s, JOSTLE_ENODEV, "/dev/null");
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_sites_are_driven_and_read_at_100_Hz),
		cmocka_unit_test(a_lost_answer_is_a_missed_slot),
		cmocka_unit_test(a_silent_line_is_told_of_as_soon_as_too_much_is_missed),
		cmocka_unit_test(a_loop_that_is_late_hears_how_many_slots_it_missed),
		cmocka_unit_test(garbage_and_old_answers_are_passed_over),
		cmocka_unit_test(a_peer_that_is_gone_is_an_error_within_the_time_out),
		cmocka_unit_test(a_device_that_hangs_is_an_error_and_is_started_anew_with_safe_outputs),
		cmocka_unit_test(a_loop_that_was_away_too_long_hears_that_the_device_went_safe),
		cmocka_unit_test(a_killed_host_leaves_safe_outputs),
		cmocka_unit_test(no_code_stands_for_what_is_no_number_or_beyond_the_range),
		cmocka_unit_test(a_bench_that_is_not_the_devices_is_refused),
		cmocka_unit_test(the_budget_counts_the_line_and_the_device),
		cmocka_unit_test(a_port_that_is_in_use_is_busy),
		cmocka_unit_test(a_port_without_a_device_is_an_error_that_names_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
