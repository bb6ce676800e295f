/*
 * Driver comedi on the kernel's card without hardware, comedi_test: its inputs, one by one, read its outputs; its streams
 * are waveforms. Run as root where /dev/comedi0 to 3 are such cards, /dev/comedi4 is a parallel port (comedi_parport), and
 * /var/lib/comedi/calibrations can be written: a virtual machine, never a person's bench. The argument is for how long to
 * stream, s.
 *
 * What the driver did to the outputs is judged by another opening of the card, in counts.
 */
#include "daq/daq_fixture.h"

#include <comedilib.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

static const struct daq_options none = {0};
static double stream_s = 2.0;

#define HEAD                                                                                                           \
	"summary: a\ndriver: comedi\nperiod_s: 1e-3\ndrive: feedback\nlattice: [2, 1]\nstiffness_N_per_m: 1\n"         \
	"damping_N_s_per_m: 1\ntemperature_K: 300\n"
#define CARD    "devices: [/dev/comedi0]\n"
#define IN      "inputs:\n  - {role: displacement, first_channel: 4, range_V: [-10, 10], gain_V_per_m: [1e9]}\n"
#define IN_WITH "inputs:\n  - {role: displacement, first_channel: 4, range_V: [-10, 10], gain_V_per_m: [1e9], "
#define OUT     "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9]}\n"

/* What a test has open, closed behind it also where it fails. */
static struct bench bench;
static struct daq daq, guard;
static comedi_t *beside;

static void close_bench(void)
{
	daq_guard_close(&guard);
	daq_close(&daq);
	bench_free(&bench);
}

static int close_all(void **state)
{
	(void)state;
	close_bench();
	if (beside)
		comedi_close(beside);
	beside = NULL;
	return 0;
}

static void open_bench(const char *yaml)
{
	struct err err = {0};

	close_bench();
	if (bench_from(&bench, yaml, &err) < 0 || daq_open(&daq, &bench, &none, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_again(void)
{
	struct err err = {0};

	if (daq_open(&daq, &bench, &none, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_guard(void)
{
	struct err err = {0};

	if (daq_guard_open(&guard, &bench, &none, &err) < 0)
		fail_msg("%s", err.text);
}

static void start(void)
{
	struct err err = {0};

	if (daq.driver->start(&daq, &err) < 0)
		fail_msg("%s", err.text);
}

/** Open a card beside the driver. */
static void look_at(const char *path)
{
	if (beside)
		comedi_close(beside);
	beside = comedi_open(path);
	assert_non_null(beside);
}

/** What an output of a card is at: its loopback, in counts. */
static lsampl_t output(comedi_t *device, unsigned channel)
{
	lsampl_t counts = 0;

	assert_true(comedi_data_read(device, 0, channel, 0, AREF_GROUND, &counts) >= 0);
	return counts;
}

/** Of 16 bits from -10 to 10 V. */
static double counts_of(double volts)
{
	return rint((volts + 10.0) / 20.0 * 65535.0);
}

/* catches: channels, ranges or counts that are not those of the bench file; outputs written before the inputs are read */
static void volts_come_and_go_on_the_channels_that_the_file_names(void **state)
{
	double in_V[4];
	int64_t t_ns;

	(void)state;
	look_at("/dev/comedi0");
	open_bench(HEAD CARD IN
		   "  - {role: force, first_channel: 2, range_V: [-5, 5], gain_V_per_N: [1e9]}\n"
		   "outputs:\n  - {role: force, first_channel: 2, range_V: [-5, 5], gain_V_per_N: [1e9]}\n");
	start();
	assert_true(comedi_data_write(beside, 1, 4, 0, AREF_GROUND, 0) >= 0);
	assert_true(comedi_data_write(beside, 1, 5, 0, AREF_GROUND, 50000) >= 0);
	for (int k = -10; k <= 10; k++) {
		const double out_V[2] = {0.5 * k, -0.25 * k};

		assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
		assert_near(in_V[0], -10.0, 0.0);
		assert_near(in_V[1], 50000.0 / 65535.0 * 20.0 - 10.0, 1e-9);
		assert_near(in_V[2], k == -10 ? 0.0 : 0.5 * (k - 1), 1e-4); /* of the exchange before */
		assert_near(output(beside, 2), rint((out_V[0] + 5.0) * 6553.5), 0.0);
		assert_near(output(beside, 3), rint((out_V[1] + 5.0) * 6553.5), 0.0);
	}
	close_bench();
}

/* catches: counts that wrap around beyond the range, NaN as a number of counts */
static void volts_beyond_the_range_are_its_ends(void **state)
{
	const double beyond_V[][2] = {{11.0, -11.0}, {1e300, -INFINITY}, {INFINITY, -1e300}};
	double in_V[2];
	int64_t t_ns;

	(void)state;
	look_at("/dev/comedi0");
	open_bench(HEAD CARD IN OUT);
	start();
	for (size_t k = 0; k < 3; k++) {
		assert_true(daq.driver->exchange(&daq, beyond_V[k], in_V, &t_ns) != JOSTLE_EIO);
		assert_int_equal(output(beside, 0), 65535);
		assert_int_equal(output(beside, 1), 0);
	}
	const double nan_V[2] = {NAN, NAN};

	assert_true(daq.driver->exchange(&daq, nan_V, in_V, &t_ns) != JOSTLE_EIO);
	assert_near(output(beside, 0), 32768.0, 1.0);
	close_bench();
}

static void assert_refused(const char *yaml, int code, const char *text)
{
	struct bench refused;
	struct daq none_of_it;
	struct err err = {0};

	assert_int_equal(bench_from(&refused, yaml, &err), 0);
	const int found = daq_open(&none_of_it, &refused, &none, &err);

	if (found != code || !strstr(err.text, text))
		fail_msg("expected %d with \"%s\", found %d: %s", code, text, found, err.text);
	assert_null(none_of_it.state);
	bench_free(&refused);
}

/* catches: the nearest range, subdevice or channel taken for the one that is not there; an error that does not say which */
static void what_a_card_has_not_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused(
		HEAD CARD IN "outputs:\n  - {role: force, range_V: [-4, 4], gain_V_per_N: [1e9]}\n", JOSTLE_ECONFIG,
		"outputs, force 0 (channel 0 of /dev/comedi0): range_V: expected a range of this card, [-10, 10], "
		"[-5, 5], found [-4, 4]");
	assert_refused(HEAD CARD IN
		       "outputs:\n  - {role: force, first_channel: 7, range_V: [-5, 5], gain_V_per_N: [1e9]}\n",
		       JOSTLE_ECONFIG, "force 1 (channel 8 of /dev/comedi0): expected a channel below 8");
	assert_refused(HEAD CARD IN_WITH "subdevice: 1}\n" OUT, JOSTLE_ECONFIG,
		       "expected analog inputs, found analog outputs in subdevice 1 of /dev/comedi0");
	assert_refused(HEAD CARD IN_WITH "subdevice: 2}\n" OUT, JOSTLE_ECONFIG, "expected a subdevice below 2");
	assert_refused(HEAD CARD IN_WITH "reference: differential}\n" OUT, JOSTLE_ECONFIG,
		       "reference: expected one of this card, ground");
	assert_refused(HEAD "devices: [/dev/comedi4]\n" IN OUT, JOSTLE_ECONFIG,
		       "/dev/comedi4 (comedi_parport) has no analog inputs");
	assert_refused(HEAD CARD IN OUT "  - {role: auxiliary, subdevice: 1, first_channel: 1, range_V: [-10, 10]}\n",
		       JOSTLE_ECONFIG, "it is force 1 (channel 1 of /dev/comedi0) already");
	assert_refused(HEAD "devices: [/dev/null]\n" IN OUT, JOSTLE_ENODEV, "/dev/null");
	assert_refused(HEAD "fallback: two-oscillators\ndevices: [/dev/comedi7]\n" IN OUT, JOSTLE_ENODEV,
		       "--fallback sim runs this bench on the simulated plant two-oscillators");
}

/* catches: a subdevice that another program uses taken from it, or found out about in the loop */
static void what_others_use_is_busy(void **state)
{
	unsigned list[2] = {CR_PACK(0, 0, AREF_GROUND), CR_PACK(1, 0, AREF_GROUND)};
	comedi_cmd command = {0};

	(void)state;
	look_at("/dev/comedi0");
	assert_true(comedi_lock(beside, 1) >= 0);
	assert_refused(HEAD CARD IN OUT, JOSTLE_EBUSY,
		       "the analog outputs of /dev/comedi0 (subdevice 1) are locked by another process");
	assert_true(comedi_unlock(beside, 1) >= 0);
	assert_true(comedi_get_cmd_generic_timed(beside, 0, &command, 2, 1000000) >= 0);
	command.chanlist = list;
	command.chanlist_len = command.scan_end_arg = 2;
	command.stop_src = TRIG_NONE;
	command.stop_arg = 0;
	while (comedi_command_test(beside, &command) > 0)
		;
	assert_true(comedi_command(beside, &command) >= 0);
	assert_refused(HEAD CARD IN OUT, JOSTLE_EBUSY,
		       "the analog inputs of /dev/comedi0 (subdevice 0) are busy with another process's acquisition");
	assert_true(comedi_cancel(beside, 0) >= 0);

	open_bench(HEAD CARD IN OUT);
	assert_refused(HEAD CARD IN OUT, JOSTLE_EBUSY, "/dev/comedi0 is in use by another process that drives a bench");
	daq_close(&daq);
	open_again();
	close_bench();
}

/* catches: a card that a process which was started meanwhile goes on to hold */
static void what_this_process_started_does_not_hold_the_card(void **state)
{
	pid_t child;

	(void)state;
	open_bench(HEAD CARD IN OUT);
	child = fork();
	if (child == 0) {
		execl("/bin/sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	usleep(200000);
	daq_close(&daq);
	open_again();
	daq_close(&daq);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close_bench();
}

#define CALIBRATIONS "/var/lib/comedi/calibrations/"

/** A file as libcomedi's own tools write it: inputs read 1 % and 0.25 V less, outputs need 1 % less. */
static void write_calibration(double input_V_per_count, double output_counts_per_V)
{
	FILE *file = fopen(CALIBRATIONS "comedi_test_comedi_test_comedi1", "w");

	if (!file)
		fail_msg("no calibration file can be written");
	fprintf(file,
		"{\n driver_name => \"comedi_test\",\n board_name => \"comedi_test\",\n calibrations =>\n [\n"
		"  {\n   subdevice => 0,\n   channels => [],\n   ranges => [],\n   arefs => [],\n   caldacs => [],\n"
		"   softcal_to_phys =>\n   {\n    expansion_origin => 32767.5,\n"
		"    coefficients => [-0.25,%.12g,],\n   },\n  },\n"
		"  {\n   subdevice => 1,\n   channels => [],\n   ranges => [],\n   arefs => [],\n   caldacs => [],\n"
		"   softcal_from_phys =>\n   {\n    expansion_origin => 0.0,\n"
		"    coefficients => [32767.5,%.12g,],\n   },\n  },\n ],\n}\n",
		input_V_per_count, output_counts_per_V);
	assert_int_equal(fclose(file), 0);
}

/* catches: a correction that is asked for and not made, or made and not asked for; a fallback that nobody is told of */
static void conversions_are_who_the_file_says_and_a_fallback_is_told(void **state)
{
	static const struct {
		const char *yaml;
		double offset_V, gain, counts;
		bool told;
	} cases[] = {
		{HEAD "devices: [/dev/comedi1]\n" IN_WITH "conversion: software}\n"
		      "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9], conversion: software}\n",
		 -0.25, 0.99, 32767.5 + 4 * 3243.9825, false},
		{HEAD "devices: [/dev/comedi1]\n" IN_WITH "conversion: hardware}\n" OUT, 0.0, 1.0,
		 32767.5 + 4 * 3276.75, false},
		{HEAD "devices: [/dev/comedi1]\n" IN_WITH "conversion: nominal}\n" OUT, 0.0, 1.0, 32767.5 + 4 * 3276.75,
		 false},
		{HEAD "devices: [/dev/comedi0]\n" IN_WITH "conversion: software}\n" OUT, 0.0, 1.0,
		 32767.5 + 4 * 3276.75, true},
	};

	(void)state;
	write_calibration(0.000302128633555, 3243.9825);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const double out_V[2] = {4.0, 4.0};
		double in_V[2];
		int64_t t_ns;

		open_bench(cases[i].yaml);
		look_at(bench.devices[0]);
		start();
		assert_true(comedi_data_write(beside, 1, 4, 0, AREF_GROUND, 40000) >= 0);
		assert_true(comedi_data_write(beside, 1, 5, 0, AREF_GROUND, 65535) >= 0);
		assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
		assert_near(in_V[0], (40000.0 / 65535.0 * 20.0 - 10.0) * cases[i].gain + cases[i].offset_V, 1e-6);
		assert_near(in_V[1], 10.0, 0.0); /* a rail is a rail */
		assert_near(output(beside, 0), rint(cases[i].counts), 0.0);
		assert_int_equal(strstr(daq.backend, "not corrected") != NULL, cases[i].told);
		close_bench();
	}
	unlink(CALIBRATIONS "comedi_test_comedi_test_comedi1");
}

/* catches: a calibration file that turns outputs around, or makes a tenth of what is asked for, obeyed */
static void a_correction_that_falls_or_is_far_from_the_range_is_not_made(void **state)
{
	static const double slopes[][2] = {{-3.05e-4, -3276.75}, {2.6e-4, 2800.0}, {3.6e-4, 3800.0}, {0.0, 0.0}};
	static const char yaml[] =
		HEAD "devices: [/dev/comedi1]\n" IN_WITH "conversion: software}\n"
		     "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9], conversion: software}\n";

	(void)state;
	for (size_t i = 0; i < sizeof(slopes) / sizeof(slopes[0]); i++) {
		const double out_V[2] = {4.0, 4.0};
		double in_V[2];
		int64_t t_ns;

		write_calibration(slopes[i][0], slopes[i][1]);
		open_bench(yaml);
		look_at("/dev/comedi1");
		assert_non_null(strstr(daq.backend, "not corrected"));
		start();
		assert_true(comedi_data_write(beside, 1, 4, 0, AREF_GROUND, 40000) >= 0);
		assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
		assert_near(in_V[0], 40000.0 / 65535.0 * 20.0 - 10.0, 1e-6);
		assert_near(output(beside, 0), counts_of(4.0), 0.0);
		close_bench();
	}
	unlink(CALIBRATIONS "comedi_test_comedi_test_comedi1");
}

#define GUARDED                                                                                                        \
	HEAD CARD IN "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9], safe_V: 2, offset_V: "      \
		     "[2]}\n"

/* catches: an owner that, resumed, writes over its guardian; outputs that the guardian keeps after it has let go */
static void what_a_guardian_writes_lasts_until_it_lets_go(void **state)
{
	const double loop_V[2] = {-5.0, -5.0}, safe_V[2] = {2.0, 2.0};
	double in_V[2];
	int64_t t_ns;

	(void)state;
	look_at("/dev/comedi0");
	open_bench(GUARDED);
	assert_int_equal(daq.last_resort, DAQ_SECOND_OPENING);
	open_guard();
	start();
	for (int turn = 0; turn < 3; turn++) {
		assert_true(daq.driver->exchange(&daq, loop_V, in_V, &t_ns) != JOSTLE_EIO);
		assert_near(output(beside, 1), counts_of(-5.0), 0.0);
		assert_int_equal(guard.driver->guard_write(&guard, safe_V), 0);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(daq.driver->exchange(&daq, loop_V, in_V, &t_ns), JOSTLE_EMISSED);
			assert_near(output(beside, 1), counts_of(2.0), 0.0);
			assert_int_equal(guard.driver->guard_write(&guard, safe_V), 0);
		}
		assert_int_equal(comedi_data_write(beside, 1, 0, 0, AREF_GROUND, 0), -1);
		guard.driver->guard_release(&guard);
	}
	assert_true(daq.driver->exchange(&daq, loop_V, in_V, &t_ns) != JOSTLE_EIO);
	assert_near(output(beside, 0), counts_of(-5.0), 0.0);
	daq_guard_close(&guard);
	assert_near(output(beside, 0), counts_of(-5.0), 0.0);
	daq_close(&daq);
	assert_near(output(beside, 0), counts_of(2.0), 0.0);
	assert_near(output(beside, 1), counts_of(2.0), 0.0);
	close_bench();
}

/* catches: a guardian that can't open or write what a dead process left, outputs that are thought to be safe by themselves */
static void a_guardian_makes_safe_what_a_killed_process_left(void **state)
{
	const double loop_V[2] = {-5.0, -5.0}, safe_V[2] = {2.0, 2.0};
	struct err err = {0};
	pid_t child;

	(void)state;
	look_at("/dev/comedi0");
	assert_int_equal(bench_from(&bench, GUARDED, &err), 0);
	open_guard();
	child = fork();
	if (child == 0) {
		double in_V[2];
		int64_t t_ns;

		if (daq_open(&daq, &bench, &none, &err) < 0 || daq.driver->start(&daq, &err) < 0)
			_exit(1);
		for (;;)
			daq.driver->exchange(&daq, loop_V, in_V, &t_ns);
	}
	for (int i = 0; i < 500 && output(beside, 0) != (lsampl_t)counts_of(-5.0); i++)
		usleep(10000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_near(output(beside, 0), counts_of(-5.0), 0.0); /* a card holds what it was last told */
	assert_int_equal(guard.driver->guard_write(&guard, safe_V), 0);
	assert_near(output(beside, 0), counts_of(2.0), 0.0);
	assert_near(output(beside, 1), counts_of(2.0), 0.0);
	daq_guard_close(&guard);
	assert_near(output(beside, 0), counts_of(2.0), 0.0);
	close_bench();
}

/* catches: a line that is not made an output, levels that are upside down, a beat left high at the end */
static void a_heartbeat_may_be_a_digital_line_or_an_output(void **state)
{
	static const char *const lines[] = {
		HEAD "devices: [/dev/comedi0, /dev/comedi4]\n" IN OUT
		     "  - {role: heartbeat, device: 1, subdevice: 0, first_channel: 3, range_V: [0, 5]}\n",
		HEAD
		"devices: [/dev/comedi0, /dev/comedi4]\n" IN OUT
		"  - {role: heartbeat, device: 1, subdevice: 2, first_channel: 3, range_V: [0, 5], limit_V: [0, 1]}\n",
		HEAD CARD IN OUT "  - {role: heartbeat, first_channel: 7, range_V: [-5, 5], limit_V: [0, 5]}\n",
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		double in_V[2];
		int64_t t_ns;

		unsigned direction = COMEDI_INPUT;

		look_at(i < 2 ? "/dev/comedi4" : "/dev/comedi0");
		if (i == 0)
			assert_true(comedi_dio_config(beside, 0, 3, COMEDI_INPUT) >= 0);
		open_bench(lines[i]);
		if (i == 0)
			assert_true(comedi_dio_get_config(beside, 0, 3, &direction) >= 0 && direction == COMEDI_INPUT);
		start();
		if (i == 0)
			assert_true(comedi_dio_get_config(beside, 0, 3, &direction) >= 0 && direction == COMEDI_OUTPUT);
		for (int beat = 0; beat < 6; beat++) {
			const double out_V[3] = {0.0, 0.0, beat % 2 ? bench.out[2].limit_max_V : bench.out[2].safe_V};
			unsigned level;

			assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
			if (i < 2)
				assert_true(comedi_dio_read(beside, i == 0 ? 0 : 2, 3, &level) >= 0);
			else
				level = output(beside, 7) == 65535;
			assert_int_equal(level, beat % 2);
		}
		daq_close(&daq);
		if (i < 2) {
			unsigned level = 1;

			assert_true(comedi_dio_read(beside, i == 0 ? 0 : 2, 3, &level) >= 0);
			assert_int_equal(level, 0);
		}
		close_bench();
	}
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s failed", command);
}

#define ATTACH "/usr/sbin/comedi_config /dev/comedi3 comedi_test 1000000,100000"
#define REMOVE "/usr/sbin/comedi_config -r /dev/comedi3"

/* catches: a loop that hangs or goes on with old samples when a card is gone, other cards left driven since one has failed */
static void a_card_that_is_removed_is_an_error_and_the_others_are_left_safe(void **state)
{
	static const char two[] =
		HEAD "devices: [/dev/comedi3, /dev/comedi0]\n" IN
		     "outputs:\n  - {role: force, sites: [\"0\"], range_V: [-10, 10], gain_V_per_N: [1e9]}\n"
		     "  - {role: force, sites: [\"1\"], device: 1, range_V: [-10, 10], gain_V_per_N: [1e9]}\n";
	const double out_V[2] = {-5.0, -5.0}, other_V[2] = {3.0, 3.0};
	struct err err = {0};
	double in_V[2] = {7.0, 7.0};
	int64_t t_ns;

	(void)state;
	look_at("/dev/comedi0");
	open_bench(two);
	start();
	assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
	assert_near(output(beside, 0), counts_of(-5.0), 0.0);
	run(REMOVE);
	in_V[0] = 7.0;
	for (int i = 0; i < 5; i++)
		assert_int_equal(daq.driver->exchange(&daq, other_V, in_V, &t_ns), JOSTLE_EIO);
	assert_near(in_V[0], 7.0, 0.0);
	assert_near(output(beside, 0), counts_of(3.0), 0.0);
	/* The card that is there is safe; whether the other is nobody knows. */
	assert_int_equal(daq.driver->stop(&daq), JOSTLE_EIO);
	assert_near(output(beside, 0), counts_of(0.0), 1.0);
	assert_int_equal(daq.driver->start(&daq, &err), JOSTLE_EIO);
	assert_non_null(strstr(err.text, "/dev/comedi3"));
	daq_close(&daq);
	assert_refused(two, JOSTLE_ENODEV, "/dev/comedi3");
	run(ATTACH);
	open_again();
	close_bench();
}

/* catches: conversions thought to be at the edge; a figure of the file that is overruled */
static void skew_is_the_files_or_the_drivers_and_grows_from_channel_to_channel(void **state)
{
	(void)state;
	open_bench(HEAD CARD IN "  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9], skew_s: [3e-6]}\n" OUT);
	assert_true(daq.in[0].skew_s > 0.0 && daq.in[1].skew_s > daq.in[0].skew_s && daq.in[1].skew_s < 1e-3);
	assert_near(daq.in[2].skew_s, 3e-6, 0.0);
	assert_true(daq.out[0].skew_s > daq.in[1].skew_s);
	close_bench();
}

/* catches: a budget that is not measured, or names nobody; one that writes, or is taken while the loop runs */
static void the_budget_says_how_long_an_exchange_takes_and_what_of_it_is_longest(void **state)
{
	struct daq_budget budget = {0};
	struct err err = {0};

	(void)state;
	look_at("/dev/comedi0");
	assert_true(comedi_data_write(beside, 1, 0, 0, AREF_GROUND, 12345) >= 0);
	bench_named(&bench, "comedi-2x4");
	open_again();
	assert_int_equal(daq.driver->budget(&daq, &budget, &err), 0);
	assert_int_equal(output(beside, 0), 12345);
	print_message("%g us an exchange, %s\n", budget.exchange_s * 1e6, budget.limit);
	assert_true(budget.exchange_s > 1e-6 && budget.exchange_s < 1e-2);
	assert_true(budget.period_s == 0.0);
	assert_non_null(strstr(budget.limit, "/dev/comedi"));
	start();
	assert_int_equal(daq.driver->budget(&daq, &budget, &err), JOSTLE_EBUSY);
	close_bench();

	open_bench(HEAD CARD "acquisition: streaming\n" IN OUT);
	assert_int_equal(daq.driver->budget(&daq, &budget, &err), 0);
	assert_true(budget.period_s > 0.0 && budget.period_s <= 1e-3);
	print_message("%g us a scan, %s\n", budget.period_s * 1e6, budget.limit);
	close_bench();
}

/* Eight inputs at 10 kHz. */
#define STREAM                                                                                                         \
	"summary: a\ndriver: comedi\nperiod_s: 1e-4\ndrive: feedback\nlattice: [8, 1]\nstiffness_N_per_m: 1\n"         \
	"damping_N_s_per_m: 1\ntemperature_K: 300\nacquisition: streaming\n" CARD                                      \
	"inputs:\n  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e9]}\n" OUT

/*
 * Channel 0 of a stream is a saw-tooth that advances by the scan, whenever it is read: were a scan lost, or counted twice,
 * the tooth would stand elsewhere than its number says from then on.
 */
/* catches: scans lost, counted twice, or split between two reads; time that is not counted in scans */
static void eight_inputs_at_10_kHz_lose_no_scan(void **state)
{
	double out_V[8] = {0}, in_V[8], first_V = 0.0;
	int64_t t_ns, first_ns = 0, last_ns = 0, n = 0;

	(void)state;
	open_bench(STREAM);
	assert_near(daq.period_s, 1e-4, 1e-12);
	start();
	const int64_t begin_ns = clock_now_ns();

	while (clock_now_ns() - begin_ns < (int64_t)(stream_s * 1e9)) {
		const int code = daq.driver->exchange(&daq, out_V, in_V, &t_ns);

		assert_true(code == 0 || code == JOSTLE_EMISSED);
		if (n++ == 0) {
			first_ns = t_ns;
			first_V = in_V[0];
		} else {
			assert_int_equal(code == JOSTLE_EMISSED, t_ns - last_ns > 150000);
		}
		last_ns = t_ns;
		/* The card's waveform: 2 V from end to end, in 0.1 s. */
		const double teeth = (double)(t_ns - first_ns) * 1e-9 / 0.1;
		double drift_V = in_V[0] - first_V - 2.0 * teeth;

		drift_V -= 2.0 * round(drift_V / 2.0);
		if (fabs(drift_V) > 0.005)
			fail_msg("scan %.0f: %g V beside the tooth", (double)(t_ns - first_ns) * 1e-5, drift_V);
	}
	const double scans = (double)(last_ns - first_ns) * 1e-5, due = stream_s * 1e4;

	print_message("%.0f scans of 8 inputs in %g s, in %lld exchanges\n", scans, stream_s, (long long)n);
	assert_true(scans > due - 500.0 && scans < due + 500.0);
	close_bench();
}

/* catches: a scan that two reads split between them and that comes out as another, channels that swap places */
static void more_than_one_read_holds_leaves_every_channel_its_own(void **state)
{
	double out_V[3] = {0}, in_V[3];
	int64_t t_ns;

	(void)state;
	open_bench(
		"summary: a\ndriver: comedi\nperiod_s: 1e-4\ndrive: feedback\nlattice: [3, 1]\nstiffness_N_per_m: 1\n"
		"damping_N_s_per_m: 1\ntemperature_K: 300\nacquisition: streaming\n" CARD
		"inputs:\n  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e9]}\n" OUT);
	start();
	for (int turn = 0; turn < 3; turn++) {
		usleep(1500000); /* 90 kB of scans of 6 bytes */
		for (int i = 0; i < 5; i++) {
			assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
			assert_near(fabs(in_V[1]), 1.0, 0.01);
			assert_near(in_V[2], 0.0, 0.01);
		}
	}
}

/* catches: an overflow that is read over, so that time and samples part */
static void a_loop_that_comes_too_late_for_the_buffer_is_told(void **state)
{
	double out_V[8] = {0}, in_V[8];
	int64_t t_ns;
	int code = 0;

	(void)state;
	look_at("/dev/comedi0");
	const int whole = comedi_get_buffer_size(beside, 0);

	open_bench(STREAM);
	assert_true(comedi_set_buffer_size(beside, 0, 8192) > 0);
	start();
	assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
	usleep(500000);
	for (int i = 0; i < 20 && code != JOSTLE_EIO; i++)
		code = daq.driver->exchange(&daq, out_V, in_V, &t_ns);
	assert_int_equal(code, JOSTLE_EIO);
	daq.driver->stop(&daq);
	assert_true(comedi_set_buffer_size(beside, 0, (unsigned)whole) > 0);
	start();
	assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
	close_bench();
}

/* catches: a stream of one card taken for all, samples of one card taken for another's, a fault of any but the first unseen */
static void cards_stream_beside_each_other_and_none_may_fail(void **state)
{
	static const char two[] =
		HEAD "acquisition: streaming\ndevices: [/dev/comedi0, /dev/comedi3]\n"
		     "inputs:\n  - {role: displacement, sites: [\"0\"], range_V: [-10, 10], gain_V_per_m: [1e9]}\n"
		     "  - {role: displacement, sites: [\"1\"], device: 1, first_channel: 1, range_V: [-10, 10], "
		     "gain_V_per_m: [1e9]}\n" OUT;
	double out_V[2] = {0}, in_V[2];
	int64_t t_ns;
	bool high = false, low = false;
	int code = 0;

	(void)state;
	look_at("/dev/comedi3");
	open_bench(two);
	assert_true(comedi_set_buffer_size(beside, 0, 4096) > 0); /* 2048 scans of one input */
	start();
	for (int i = 0; i < 100; i++) {
		assert_true(daq.driver->exchange(&daq, out_V, in_V, &t_ns) != JOSTLE_EIO);
		assert_near(fabs(in_V[1]), 1.0, 0.01); /* the second channel of a card is a square of 1 V */
		high = high || in_V[1] > 0.0;
		low = low || in_V[1] < 0.0;
	}
	assert_true(high && low);
	assert_true(daq.woke_ns == 0); /* nothing to do with t_ns, which is nominal */
	assert_near(daq.in[0].skew_s, 0.0, 0.0);
	assert_near(daq.in[1].skew_s, 0.5e-3, 1e-12);
	assert_non_null(strstr(daq.backend, "not in step"));
	usleep(2500000);
	for (int i = 0; i < 100 && code != JOSTLE_EIO; i++)
		code = daq.driver->exchange(&daq, out_V, in_V, &t_ns);
	assert_int_equal(code, JOSTLE_EIO);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(volts_come_and_go_on_the_channels_that_the_file_names, close_all),
		cmocka_unit_test_teardown(volts_beyond_the_range_are_its_ends, close_all),
		cmocka_unit_test_teardown(what_a_card_has_not_is_refused_by_name, close_all),
		cmocka_unit_test_teardown(what_others_use_is_busy, close_all),
		cmocka_unit_test_teardown(what_this_process_started_does_not_hold_the_card, close_all),
		cmocka_unit_test_teardown(conversions_are_who_the_file_says_and_a_fallback_is_told, close_all),
		cmocka_unit_test_teardown(a_correction_that_falls_or_is_far_from_the_range_is_not_made, close_all),
		cmocka_unit_test_teardown(what_a_guardian_writes_lasts_until_it_lets_go, close_all),
		cmocka_unit_test_teardown(a_guardian_makes_safe_what_a_killed_process_left, close_all),
		cmocka_unit_test_teardown(a_heartbeat_may_be_a_digital_line_or_an_output, close_all),
		cmocka_unit_test_teardown(a_card_that_is_removed_is_an_error_and_the_others_are_left_safe, close_all),
		cmocka_unit_test_teardown(skew_is_the_files_or_the_drivers_and_grows_from_channel_to_channel,
					  close_all),
		cmocka_unit_test_teardown(the_budget_says_how_long_an_exchange_takes_and_what_of_it_is_longest,
					  close_all),
		cmocka_unit_test_teardown(eight_inputs_at_10_kHz_lose_no_scan, close_all),
		cmocka_unit_test_teardown(more_than_one_read_holds_leaves_every_channel_its_own, close_all),
		cmocka_unit_test_teardown(a_loop_that_comes_too_late_for_the_buffer_is_told, close_all),
		cmocka_unit_test_teardown(cards_stream_beside_each_other_and_none_may_fail, close_all),
	};

	if (argc > 1)
		stream_s = atof(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
