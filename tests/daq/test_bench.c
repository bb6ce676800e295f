/* Bench files: the groups become channels, and what can't be is refused with its place. */
#include "daq/daq_fixture.h"

/* catches: channels in another order, a conversion that is inverted, a group that runs over its neighbour */
static void sim_2_is_what_its_file_says(void **state)
{
	struct bench bench;
	struct err err = {0};

	(void)state;
	bench_named(&bench, "sim-2");
	assert_string_equal(bench.name, "sim-2");
	assert_string_equal(bench.driver, "sim");
	assert_string_equal(bench.devices[0], "two-oscillators");
	assert_int_equal(bench.n_in, 4);
	assert_int_equal(bench.n_out, 2 + bench.n_parameters);
	assert_true(bench.n_parameters >= 14);
	for (size_t c = 0; c < 4; c++) {
		assert_int_equal(bench.in[c].role, c < 2 ? DAQ_DISPLACEMENT : DAQ_FORCE);
		assert_int_equal(bench.in[c].index, c % 2);
		assert_int_equal(bench.in[c].channel, c);
	}
	assert_near(bench.in[0].gain * 1e-9, 1.0, 1e-12); /* 1 V per natural length */
	assert_near(bench.in[0].limit, 7e-9, 0.0);
	for (size_t c = 0; c < bench.n_out; c++) {
		assert_int_equal(bench.out[c].role, c < 2 ? DAQ_FORCE : DAQ_PARAMETER);
		assert_int_equal(bench.out[c].index, c < 2 ? c : c - 2);
		assert_int_equal(bench.out[c].channel, c);
		assert_near(bench.out[c].max_V, 10.0, 0.0);
		assert_near(bench.out[c].limit_min_V, -10.0, 0.0);
		assert_near(bench.out[c].slew_V_per_s, 1e4, 0.0);
	}
	assert_near(bench.out[0].gain * 100.0 * 4.141947e-12, 10.0, 1e-5); /* 100 natural forces are 10 V */
	assert_near(bench.out[2].gain * 200.0, 10.0, 1e-12);
	assert_near(bench_step(&bench), 1e-3, 1e-12);
	assert_int_equal(bench.drive, DRIVE_FEEDBACK);
	assert_int_equal(bench_set_drive(&bench, DRIVE_PARAMETRIC, &err), 0);
	assert_int_equal(bench.drive, DRIVE_PARAMETRIC);
	bench_free(&bench);

	bench_named(&bench, "sim-12x12");
	assert_int_equal(bench.n_in, 288);
	assert_int_equal(bench.n_out, 144);
	assert_int_equal(bench_set_drive(&bench, DRIVE_PARAMETRIC, &err), JOSTLE_ECONFIG);
	assert_int_equal(bench.drive, DRIVE_FEEDBACK);
	bench_free(&bench);
}

/* Lines 1 to 9 of every file here; what varies comes after. */
#define HEAD                                                                                                           \
	"summary: a\ndriver: sim\ndevices: [a, b]\nperiod_s: 1e-3\ndrive: feedback\nlattice: [4, 1]\n"                 \
	"stiffness_N_per_m: 1\ndamping_N_s_per_m: 1\ntemperature_K: 300\n"
#define IN   "inputs:\n  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e9]}\n"
#define OUT  "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9]}\n"
#define OUTS "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [1e9]"

/* catches: sites in the order of the lattice instead of the file's, lists taken per bench instead of per group */
static void groups_expand_in_the_order_they_name_sites(void **state)
{
	static const char yaml[] =
		HEAD "inputs:\n"
		     "  - {role: displacement, sites: [2-3, 0], device: 1, first_channel: 5, range_V: [0, 5], "
		     "gain_V_per_m: [1, 2, 3], offset_V: [2.5, 2.6, 2.7], limit_V: [0.5, 4.5]}\n"
		     "  - {role: displacement, sites: [1], range_V: [-10, 10], gain_V_per_m: [4]}\n"
		     "  - {role: auxiliary, count: 2, first_channel: 8, range_V: [-1, 1]}\n" OUTS
		     ", safe_V: 0.5, limit_N: 3}\n";
	static const size_t sites[] = {2, 3, 0, 1, 0, 1}, channels[] = {5, 6, 7, 0, 8, 9},
			    devices[] = {1, 1, 1, 0, 0, 0};
	static const double gains[] = {1, 2, 3, 4, 1, 1}, offsets[] = {2.5, 2.6, 2.7, 0, 0, 0};
	struct bench bench;
	struct err err = {0};

	(void)state;
	if (bench_from(&bench, yaml, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(bench.n_in, 6);
	for (size_t c = 0; c < 6; c++) {
		assert_int_equal(bench.in[c].index, sites[c]);
		assert_int_equal(bench.in[c].channel, channels[c]);
		assert_int_equal(bench.in[c].device, devices[c]);
		assert_near(bench.in[c].gain, gains[c], 0.0);
		assert_near(bench.in[c].offset_V, offsets[c], 0.0);
	}
	assert_near(bench.in[0].limit_max_V, 4.5, 0.0);
	assert_near(bench.in[3].limit_max_V, 10.0, 0.0);
	assert_int_equal(bench.in[5].role, DAQ_AUXILIARY);
	assert_near(bench.out[3].safe_V, 0.5, 0.0);
	assert_near(bench.out[3].limit, 3.0, 0.0);
	assert_true(bench.stale_periods >= 2);
	bench_free(&bench);
}

/* catches: a trip that is off unless asked for, a default in periods on benches of any period, 0 taken for no answer */
static void lasting_saturation_has_a_default_in_relaxation_times(void **state)
{
	struct bench bench;
	struct err err = {0};

	(void)state;
	bench_named(&bench, "sim-2");
	assert_int_equal(bench.saturated_periods, 250);
	bench_free(&bench);
	assert_int_equal(bench_from(&bench, HEAD "saturated_periods: 0\n" IN OUT, &err), 0);
	assert_int_equal(bench.saturated_periods, 0);
	bench_free(&bench);
	assert_int_equal(bench_from(&bench, HEAD "saturated_periods: 7\n" IN OUT, &err), 0);
	assert_int_equal(bench.saturated_periods, 7);
	bench_free(&bench);
}

/* catches: 0 V taken for safe on a channel whose offset makes it a large force */
static void outputs_without_a_safe_voltage_rest_at_their_offset(void **state)
{
	static const char yaml[] = HEAD IN OUTS ", sites: [0-2], offset_V: [9, -9, 0.5]}\n"
						"  - {role: force, sites: [3], first_channel: 3, range_V: [-10, 10], "
						"gain_V_per_N: [1e9], offset_V: [2], "
						"safe_V: 0}\n";
	static const double safe_V[] = {9, -9, 0.5, 0};
	struct bench bench;
	struct err err = {0};

	(void)state;
	if (bench_from(&bench, yaml, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t c = 0; c < 4; c++)
		assert_near(bench.out[c].safe_V, safe_V[c], 0.0);
	bench_free(&bench);
}

/* catches: a role without its fields, a temperature in units of the wrong end, a heartbeat that is slewed or inverted */
static void temperature_and_heartbeat_are_channels_of_their_own(void **state)
{
	static const char yaml[] =
		HEAD IN "  - {role: temperature, first_channel: 8, range_V: [-10, 10], gain_V_per_K: [0.02], "
			"offset_V: [-6], limit_K: [280, 320]}\n" OUT
			"  - {role: heartbeat, first_channel: 9, range_V: [0, 10], limit_V: [0, 5]}\n";
	struct bench bench;
	struct err err = {0};

	(void)state;
	if (bench_from(&bench, yaml, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(bench.n_in, 5);
	assert_int_equal(bench.in[4].role, DAQ_TEMPERATURE);
	assert_near(bench.in[4].gain, 0.02, 0.0);
	assert_near(bench.in[4].offset_V, -6.0, 0.0);
	assert_near(bench.in[4].limit_min_K, 280.0, 0.0);
	assert_near(bench.in[4].limit_max_K, 320.0, 0.0);
	assert_near(bench.in[0].limit_max_K, 0.0, 0.0);
	assert_int_equal(bench.n_out, 5);
	assert_int_equal(bench.out[4].role, DAQ_HEARTBEAT);
	assert_near(bench.out[4].safe_V, 0.0, 0.0);
	assert_near(bench.out[4].limit_max_V, 5.0, 0.0);
	bench_free(&bench);
}

/* catches: a default that is off where it should be on, 0 taken for no answer, two fields that share a place */
static void what_guards_the_bench_has_defaults_and_can_be_stated(void **state)
{
	struct bench bench;
	struct err err = {0};

	(void)state;
	assert_int_equal(bench_from(&bench, HEAD IN OUT, &err), 0);
	assert_int_equal(bench.rail_periods, 3);
	assert_int_equal(bench.missed_periods, 100);
	assert_int_equal(bench.guardian_periods, 50);
	assert_near(bench.limit_difference_N + bench.limit_difference_V, 0.0, 0.0);
	assert_near(bench.limit_drive_W + bench.limit_drive_V2, 0.0, 0.0);
	bench_free(&bench);
	assert_int_equal(bench_from(&bench,
				    HEAD "rail_periods: 0\nmissed_periods: 0\nguardian_periods: 4\n"
					 "limit_difference_N: 1e-12\nlimit_difference_V: 2\nlimit_drive_W: 3e-15\n"
					 "limit_drive_V2: 4\n" IN OUT,
				    &err),
			 0);
	assert_int_equal(bench.rail_periods, 0);
	assert_int_equal(bench.missed_periods, 0);
	assert_int_equal(bench.guardian_periods, 4);
	assert_near(bench.limit_difference_N, 1e-12, 0.0);
	assert_near(bench.limit_difference_V, 2.0, 0.0);
	assert_near(bench.limit_drive_W, 3e-15, 0.0);
	assert_near(bench.limit_drive_V2, 4.0, 0.0);
	bench_free(&bench);
}

struct hostile {
	const char *yaml, *field;
	int line;
};

static const struct hostile tails[] = {
	{IN OUTS ", safe_V: 11}\n", "outputs[0].safe_V", 13},
	{IN OUTS ", limit_V: [-1, 1], safe_V: 2}\n", "outputs[0].safe_V", 13},
	{IN OUTS ", limit_V: [-1, 1], offset_V: [2]}\n", "outputs[0].offset_V: expected a safe_V", 13},
	{IN OUTS ", limit_N: 1e-9, safe_V: 2}\n", "outputs[0].safe_V", 13},
	{IN OUTS ", limit_V: [-11, 1]}\n", "outputs[0].limit_V", 13},
	{IN OUTS ", limit_V: [1]}\n", "outputs[0].limit_V", 13},
	{IN OUTS ", slew_V_per_s: -1}\n", "outputs[0].slew_V_per_s", 13},
	{IN OUTS ", limit_N: -1}\n", "outputs[0].limit_N", 13},
	{IN OUTS ", limit_m: 1}\n", "outputs[0].limit_m", 13},
	{IN OUTS ", device: 2}\n", "outputs[0].device", 13},
	{IN OUTS ", first_channel: 65535}\n", "outputs[0].first_channel", 13},
	{IN OUTS ", offset_V: [11]}\n", "outputs[0].offset_V[0]", 13},
	{IN OUTS ", offset_V: [1, 2]}\n", "outputs[0].offset_V", 13},
	{IN OUTS ", offset_V: [nan]}\n", "outputs[0].offset_V", 13},
	{IN OUTS ", sites: [4]}\n", "outputs[0].sites[0]", 13},
	{IN OUTS ", sites: [3-1]}\n", "outputs[0].sites[0]", 13},
	{IN OUTS ", sites: [0, 1x]}\n", "outputs[0].sites[1]", 13},
	{IN OUTS ", sites: [0, 0]}\n", "outputs[0].role: force 0 has a second channel", 13},
	{"inputs:\n  - {role: displacement, sites: [all, 3], range_V: [-1, 1], gain_V_per_m: [1]}\n" OUT,
	 "inputs[0].role: displacement 3 has a second channel", 11},
	{IN OUTS ", terms: [monomials degree=4]}\n", "outputs[0].terms", 13},
	{IN OUTS ", count: 3}\n", "outputs[0].count", 13},
	{IN OUTS ", gain_V_per_m: [1]}\n", "outputs[0].gain_V_per_m", 13},
	{IN "outputs:\n  - {role: force, range_V: [-10, 10]}\n", "outputs[0].gain_V_per_N", 13},
	{IN "outputs:\n  - {role: force, range_V: [-10, 10], gain_V_per_N: [0]}\n", "outputs[0].gain_V_per_N[0]", 13},
	{IN "outputs:\n  - {role: force, range_V: [10, -10], gain_V_per_N: [1]}\n", "outputs[0].range_V", 13},
	{IN "outputs:\n  - {role: force, range_V: [10], gain_V_per_N: [1]}\n", "outputs[0].range_V", 13},
	{IN "outputs:\n  - {role: force, range_V: [-inf, 1], gain_V_per_N: [1]}\n", "outputs[0].range_V", 13},
	{IN "outputs:\n  - {role: displacement, range_V: [-1, 1], gain_V_per_m: [1]}\n", "outputs[0].role", 13},
	{IN "outputs:\n  - {role: parameter, range_V: [-1, 1], gain_V_per_theta: [1]}\n", "outputs[0].terms", 13},
	{IN "outputs:\n  - {role: parameter, terms: [nonsense], range_V: [-1, 1], gain_V_per_theta: [1]}\n",
	 "outputs[0].terms", 13},
	{IN OUT "  - {role: parameter, terms: [monomials degree=4], range_V: [-1, 1], gain_V_per_theta: [1]}\n",
	 "outputs[1].first_channel", 14}, /* channels 0 to 3 are the forces' */
	{IN "  - {role: force, range_V: [-1, 1], gain_V_per_N: [1]}\n" OUT, "inputs[1].first_channel", 12},
	{IN "  - {role: parameter, range_V: [-1, 1]}\n" OUT, "inputs[1].role", 12},
	{"inputs:\n  - {role: displacement, range_V: [-1, 1], gain_V_per_m: [1], safe_V: 1}\n" OUT, "inputs[0].safe_V",
	 11},
	{"inputs:\n  - {role: displacement, sites: [0-2], range_V: [-1, 1], gain_V_per_m: [1]}\n" OUT, "inputs", 10},
	{IN "outputs:\n  - {role: force, sites: [0-2], range_V: [-1, 1], gain_V_per_N: [1]}\n", "drive", 5},
	{"acquisition: sometimes\n" IN OUT, "", 10},
	{IN "outputs:\n  - {role: force, range_V: [-1, 1], gain_V_per_N: [1], subdevice: 256}\n",
	 "outputs[0].subdevice", 13},
	{IN "outputs:\n  - {role: force, range_V: [-1, 1], gain_V_per_N: [1], skew_s: [1, 2]}\n", "outputs[0].skew_s",
	 13},
	{IN "outputs:\n  - {role: force, range_V: [-1, 1], gain_V_per_N: [1], skew_s: [-1e-6]}\n",
	 "outputs[0].skew_s[0]", 13},
	{IN "outputs:\n  - {role: force, range_V: [-1, 1], gain_V_per_N: [1], skew_s: [1e-3]}\n",
	 "outputs[0].skew_s[0]", 13},
	{IN "outputs:\n  - {role: force, range_V: [-1, 1], gain_V_per_N: [1], reference: earth}\n", "", 13},
	{IN "outputs:\n  - {role: force, range_V: [-1, 1], gain_V_per_N: [1], conversion: guessed}\n", "", 13},
	{"stale_periods: 1\n" IN OUT, "stale_periods", 10},
	{"saturated_periods: 2000000000\n" IN OUT, "saturated_periods", 10},
	{"saturated_periods: -1\n" IN OUT, "saturated_periods", 10},
	{"rail_periods: 2000000000\n" IN OUT, "rail_periods", 10},
	{"missed_periods: 1000\n" IN OUT, "missed_periods", 10},
	{"guardian_periods: 3\n" IN OUT, "guardian_periods", 10},
	{"guardian_periods: 0\n" IN OUT, "guardian_periods", 10},
	{"guardian_periods: 100001\n" IN OUT, "guardian_periods", 10},
	{"limit_difference_N: -1\n" IN OUT, "limit_difference_N", 10},
	{"limit_difference_V: -1e-9\n" IN OUT, "limit_difference_V", 10},
	{"limit_drive_W: inf\n" IN OUT, "limit_drive_W", 10},
	{"limit_drive_V2: -1\n" IN OUT, "limit_drive_V2", 10},
	{"limit_drive_W: 1\n" IN "outputs:\n  - {role: auxiliary, range_V: [-1, 1]}\n", "limit_drive_W", 10},
	{IN "  - {role: temperature, first_channel: 8, range_V: [-1, 1]}\n" OUT, "inputs[1].gain_V_per_K", 12},
	{IN "  - {role: temperature, first_channel: 8, range_V: [-1, 1], gain_V_per_K: [1], limit_K: [9]}\n" OUT,
	 "inputs[1].limit_K", 12},
	{IN "  - {role: temperature, first_channel: 8, range_V: [-1, 1], gain_V_per_K: [1], limit_K: [9, 8]}\n" OUT,
	 "inputs[1].limit_K", 12},
	{IN "  - {role: temperature, first_channel: 8, range_V: [-1, 1], gain_V_per_K: [1], limit_K: [-1, 8]}\n" OUT,
	 "inputs[1].limit_K", 12},
	{IN "  - {role: temperature, first_channel: 8, range_V: [-1, 1], gain_V_per_K: [1], count: 2}\n" OUT,
	 "inputs[1].count", 12},
	{IN "  - {role: temperature, first_channel: 8, range_V: [-1, 1], gain_V_per_K: [1]}\n"
	    "  - {role: temperature, first_channel: 9, range_V: [-1, 1], gain_V_per_K: [1]}\n" OUT,
	 "inputs[2].role: temperature 0 has a second channel", 13},
	{IN "  - {role: heartbeat, first_channel: 8, range_V: [-1, 1]}\n" OUT, "inputs[1].role", 12},
	{IN OUT "  - {role: temperature, first_channel: 8, range_V: [-1, 1], gain_V_per_K: [1]}\n", "outputs[1].role",
	 14},
	{IN OUTS ", limit_K: [280, 320]}\n", "outputs[0].limit_K", 13},
	{IN OUTS ", gain_V_per_K: [1]}\n", "outputs[0].gain_V_per_K", 13},
	{IN OUT "  - {role: heartbeat, first_channel: 8, range_V: [0, 5], slew_V_per_s: 1}\n",
	 "outputs[1].slew_V_per_s", 14},
	{IN OUT "  - {role: heartbeat, first_channel: 8, range_V: [0, 5], safe_V: 5}\n", "outputs[1].safe_V", 14},
	{IN OUT "  - {role: heartbeat, first_channel: 8, range_V: [0, 5]}\n"
		"  - {role: heartbeat, first_channel: 9, range_V: [0, 5]}\n",
	 "outputs[2].role: heartbeat 0 has a second channel", 15},
};

static const struct hostile heads[] = {
	{"period_s: 0\n", "period_s", 4},
	{"period_s: -1e-3\n", "period_s", 4},
	{"period_s: 4.9e-5\n", "period_s", 4},
	{"period_s: 0.101\n", "period_s", 4},
	{"period_s: nan\n", "", 4},
	{"drive: sideways\n", "", 5},
	{"drive: parametric\n", "drive", 5},
	{"lattice: [0, 1]\n", "lattice[0]", 6},
	{"lattice: [4]\n", "", 6},
	{"stiffness_N_per_m: 0\n", "stiffness_N_per_m", 7},
	{"damping_N_s_per_m: -1\n", "damping_N_s_per_m", 8},
	{"damping_N_s_per_m: 5e-324\n", "damping_N_s_per_m", 8}, /* no number holds the step in relaxation times */
	{"temperature_K: 0\n", "temperature_K", 9},
};

static void assert_refused(const char *yaml, const struct hostile *hostile)
{
	struct bench bench;
	struct err err = {0};

	if (bench_from(&bench, yaml, &err) != JOSTLE_ECONFIG || !strstr(err.text, hostile->field) ||
	    !strstr(err.file, "jostle-bench-") || err.line != hostile->line)
		fail_msg("expected %s in line %d, found %s:%d: %s", hostile->field, hostile->line, err.file, err.line,
			 err.text);
}

/* catches: a check that was forgotten, or that names another field or line */
static void every_field_that_can_not_be_is_refused_with_its_place(void **state)
{
	char yaml[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(yaml, sizeof(yaml), "%s%s", HEAD, tails[i].yaml);
		assert_refused(yaml, &tails[i]);
	}
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		/* put the line in the place of the good one of its key */
		const char *good = HEAD IN OUT;
		const size_t key = strcspn(heads[i].yaml, ":") + 1;
		const char *at = good;
		while (strncmp(at, heads[i].yaml, key) != 0)
			at = strchr(at, '\n') + 1;
		snprintf(yaml, sizeof(yaml), "%.*s%s%s", (int)(at - good), good, heads[i].yaml, strchr(at, '\n') + 1);
		assert_refused(yaml, &heads[i]);
	}
}

/* catches: a file cut anywhere that is taken for whole, or that the checks run past */
static void a_file_cut_short_is_refused_wherever_it_is_cut(void **state)
{
	static const char whole[] = HEAD IN OUTS ", sites: [0-3], limit_V: [-9, 9]}\n";
	int refused = 0, taken = 0;

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length += 3) {
		char yaml[sizeof(whole)];
		struct bench bench;
		struct err err = {0};

		memcpy(yaml, whole, length);
		yaml[length] = '\0';
		if (bench_from(&bench, yaml, &err) < 0) {
			refused++;
		} else {
			taken++;
			bench_free(&bench);
		}
	}
	assert_true(taken <= 1 && refused > 100);
}

static void load_shipped(const char *name, const char *path, void *context)
{
	struct bench bench;
	struct err err = {0};

	if (bench_load(&bench, path, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	assert_string_equal(bench.name, name);
	bench_free(&bench);
	*(int *)context += 1;
}

/* catches: a shipped file that its own program refuses */
static void the_shipped_benches_load(void **state)
{
	int n = 0;

	(void)state;
	find_each(FIND_BENCH, load_shipped, &n);
	assert_true(n >= 3);
}

/* catches: a parsed text that skips a part of the file, errors that name a file which is not there */
static void a_text_kept_elsewhere_is_the_same_bench(void **state)
{
	struct bench file, text;
	struct err err = {0};

	(void)state;
	bench_named(&file, "sim-2");
	assert_int_equal(bench_parse(&text, "sim-2", "run.h5", file.text, &err), 0);
	assert_string_equal(text.name, file.name);
	assert_string_equal(text.text, file.text);
	assert_string_equal(text.path, "run.h5");
	assert_int_equal(text.n_in, file.n_in);
	assert_int_equal(text.n_out, file.n_out);
	assert_memory_equal(text.in, file.in, file.n_in * sizeof(*file.in));
	assert_memory_equal(text.out, file.out, file.n_out * sizeof(*file.out));
	assert_int_equal(text.guardian_periods, file.guardian_periods);
	bench_free(&text);
	bench_free(&file);
	assert_int_equal(bench_parse(&text, "b", "run.h5", "summary: a\n", &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.file, "run.h5"));
}

/* catches: fields of cards that are not read, a default that is another, channels of two subdevices taken for one */
static void cards_have_subdevices_references_and_skews(void **state)
{
	struct bench bench;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		bench_from(&bench,
			   HEAD "acquisition: streaming\nfallback: two-oscillators\n"
				"inputs:\n  - {role: displacement, range_V: [-10, 10], gain_V_per_m: [1e9], reference: "
				"differential, conversion: nominal, subdevice: 2, skew_s: [0, 1e-6, 2e-6, 3e-6]}\n" OUT
				"  - {role: heartbeat, range_V: [0, 5], subdevice: 3}\n",
			   &err),
		0);
	assert_int_equal(bench.acquisition, ACQUISITION_STREAMING);
	assert_string_equal(bench.fallback, "two-oscillators");
	assert_int_equal(bench.in[3].subdevice, 2);
	assert_int_equal(bench.in[3].reference, REFERENCE_DIFFERENTIAL);
	assert_int_equal(bench.in[3].conversion, CONVERSION_NOMINAL);
	assert_near(bench.in[3].skew_s, 3e-6, 0.0);
	assert_int_equal(bench.out[0].subdevice, BENCH_ANY_SUBDEVICE);
	assert_int_equal(bench.out[0].reference, REFERENCE_GROUND);
	assert_int_equal(bench.out[0].conversion, CONVERSION_HARDWARE);
	assert_true(isnan(bench.out[0].skew_s));
	assert_int_equal(bench.out[4].subdevice, 3);
	bench_free(&bench);

	bench_named(&bench, "sim-2");
	assert_int_equal(bench.acquisition, ACQUISITION_SINGLE);
	assert_null(bench.fallback);
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim_2_is_what_its_file_says),
		cmocka_unit_test(groups_expand_in_the_order_they_name_sites),
		cmocka_unit_test(lasting_saturation_has_a_default_in_relaxation_times),
		cmocka_unit_test(outputs_without_a_safe_voltage_rest_at_their_offset),
		cmocka_unit_test(temperature_and_heartbeat_are_channels_of_their_own),
		cmocka_unit_test(what_guards_the_bench_has_defaults_and_can_be_stated),
		cmocka_unit_test(every_field_that_can_not_be_is_refused_with_its_place),
		cmocka_unit_test(a_file_cut_short_is_refused_wherever_it_is_cut),
		cmocka_unit_test(the_shipped_benches_load),
		cmocka_unit_test(a_text_kept_elsewhere_is_the_same_bench),
		cmocka_unit_test(cards_have_subdevices_references_and_skews),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
