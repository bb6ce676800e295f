/* The doctor: each check against a machine made of files, good and bad; the report; the verdict on latency. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scratch.h"
#include "control/doctor.h"
#include "control/latency.h"
#include "control/machine.h"
#include "control/support/test_bench.h"

/** Write a file of the made machine, with the folders above it. Returns the machine's root. */
static const char *machine_says(struct scratch *scratch, const char *name, const char *text)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s/%s", scratch->folder, name);
	for (char *slash = folder + strlen(scratch->folder) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	scratch_write(scratch, name, text, strlen(text));
	return scratch->folder;
}

/** Run one check. Returns its only finding. */
static const struct doctor_finding *examine(const char *check, const struct doctor_setup *setup)
{
	static struct doctor_report report;
	size_t i = 0;

	memset(&report, 0, sizeof(report));
	while (check_registry[i] && strcmp(check_registry[i]->name, check) != 0)
		i++;
	assert_non_null(check_registry[i]);
	check_registry[i]->run(setup, &report);
	assert_int_equal(report.n, 1);
	assert_string_equal(report.finding[0].check, check);
	return &report.finding[0];
}

struct symptom {
	const char *check, *file, *text;
	enum doctor_verdict verdict;
	const char *found;
};

static const char status[] = "Name:\tjostle\nCapPrm:\t0000000000004000\nCapEff:\t%s\n";

static const struct symptom symptoms[] = {
	{"kernel", "sys/kernel/realtime", "1\n", DOCTOR_GOOD, "with PREEMPT_RT"},
	{"kernel", "proc/sys/kernel/version", "#1 SMP PREEMPT_RT Debian 6.1.90-1\n", DOCTOR_GOOD, "with PREEMPT_RT"},
	{"kernel", "proc/sys/kernel/version", "#1 SMP PREEMPT RT Debian 5.10.1\n", DOCTOR_GOOD, "with PREEMPT_RT"},
	{"kernel", "proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC Debian\n", DOCTOR_NOTE, "without PREEMPT_RT"},
	{"kernel", "sys/kernel/realtime", "0\n", DOCTOR_NOTE, "without PREEMPT_RT"},
	{"memory", "proc/self/limits",
	 "Limit                     Soft Limit           Hard Limit           Units\n"
	 "Max locked memory         unlimited            unlimited            bytes\n",
	 DOCTOR_GOOD, "all its memory"},
	{"memory", "proc/self/limits", "Max locked memory         8388608              unlimited            bytes\n",
	 DOCTOR_FAILED, "8388608 bytes"},
	{"memory", "proc/self/limits", "", DOCTOR_NOTE, "can't be read"},
	{"governor", "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n", DOCTOR_GOOD,
	 "performance"},
	{"governor", "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n", DOCTOR_NOTE,
	 "powersave on 1"},
	{"governor", "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave\n", DOCTOR_GOOD,
	 "does not change"},
	{"isolation", "sys/devices/system/cpu/online", "0-1\n", DOCTOR_FAILED, "no CPU 2"},
	{"isolation", "sys/devices/system/cpu/isolated", "2-3\n", DOCTOR_NOTE, "tick still interrupts"},
	{"isolation", "sys/devices/system/cpu/isolated", "\n", DOCTOR_NOTE, "not isolated"},
	{"isolation", "sys/devices/system/cpu/nohz_full", "2\n", DOCTOR_NOTE, "not isolated"},
	{"interrupts", "proc/irq/24/smp_affinity_list", "0-3\n", DOCTOR_NOTE, "1 may arrive at CPU 2: 24"},
	{"interrupts", "proc/irq/24/smp_affinity_list", "0-1,3\n", DOCTOR_GOOD, "no device"},
	{"interrupts", "proc/irq/default_smp_affinity", "f\n", DOCTOR_GOOD, "no device"},
	{"clock", "sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n", DOCTOR_GOOD, "tsc"},
	{"clock", "sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", DOCTOR_NOTE, "hpet"},
	{"swap", "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n", DOCTOR_GOOD, "off"},
	{"swap", "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2\tpartition\t8\t0\t-2\n", DOCTOR_NOTE,
	 "in 1 place:"},
	{"hugepages", "sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n", DOCTOR_NOTE,
	 "stops it"},
	{"hugepages", "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n", DOCTOR_GOOD, "asks"},
	{"hugepages", "sys/kernel/mm/other", "\n", DOCTOR_GOOD, "has no"},
	{"idle", "dev/cpu_dma_latency", "", DOCTOR_GOOD, "held off"},
	{"idle", "sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n", DOCTOR_NOTE, "intel_idle"},
	{"idle", "sys/devices/system/cpu/cpuidle/current_driver", "none\n", DOCTOR_GOOD, "no deep sleep"},
};

/* catches: a test turned round, a wrong file or word looked for, another CPU's file taken, a bad sign without a remedy */
static void every_sign_that_a_machine_gives_is_understood(void **state)
{
	for (size_t i = 0; i < sizeof(symptoms) / sizeof(symptoms[0]); i++) {
		void *own = NULL;

		assert_int_equal(scratch_new(&own), 0);
		const struct doctor_setup setup = {.cpu = 2,
						   .root = machine_says(own, symptoms[i].file, symptoms[i].text)};
		const struct doctor_finding *finding = examine(symptoms[i].check, &setup);

		if (finding->verdict != symptoms[i].verdict || !strstr(finding->found, symptoms[i].found))
			fail_msg("%s = \"%s\": expected \"%s\", found \"%s\", verdict %d", symptoms[i].file,
				 symptoms[i].text, symptoms[i].found, finding->found, finding->verdict);
		assert_int_equal(finding->verdict == DOCTOR_GOOD && finding->remedy[0], 0);
		scratch_free(&own);
	}
	(void)state;
}

/* catches: the wrong bit of the capabilities, those that are permitted taken for those that are in effect */
static void the_capability_to_lock_memory_stands_above_the_limit(void **state)
{
	static const char limit[] = "Max locked memory         65536              65536            bytes\n";
	char text[128];
	struct doctor_setup setup = {.root = machine_says(*state, "proc/self/limits", limit)};

	snprintf(text, sizeof(text), status, "0000000000004000");
	machine_says(*state, "proc/self/status", text);
	assert_int_equal(examine("memory", &setup)->verdict, DOCTOR_GOOD);
	snprintf(text, sizeof(text), status, "000001ffffffbfff");
	machine_says(*state, "proc/self/status", text);
	assert_int_equal(examine("memory", &setup)->verdict, DOCTOR_FAILED);
}

/* catches: a share turned round, -1 taken for none, period and runtime exchanged */
static void real_time_threads_must_have_half_a_cpu(void **state)
{
	static const struct {
		const char *runtime, *period;
		enum doctor_verdict verdict;
	} cases[] = {
		{"-1\n", "1000000\n", DOCTOR_GOOD},     {"950000\n", "1000000\n", DOCTOR_GOOD},
		{"800000\n", "1000000\n", DOCTOR_NOTE}, {"400000\n", "1000000\n", DOCTOR_FAILED},
		{"0\n", "1000000\n", DOCTOR_FAILED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		machine_says(*state, "proc/sys/kernel/sched_rt_runtime_us", cases[i].runtime);
		const struct doctor_setup setup = {
			.root = machine_says(*state, "proc/sys/kernel/sched_rt_period_us", cases[i].period)};
		const struct doctor_finding *finding = examine("throttling", &setup);

		assert_int_equal(finding->verdict, cases[i].verdict);
		assert_int_equal(finding->remedy[0] == '\0', cases[i].verdict == DOCTOR_GOOD);
	}
}

/* catches: isolation alone taken for a quiet CPU; an interrupt judged by where it may go and not by where it goes */
static void a_cpu_that_is_isolated_and_quiet_is_good(void **state)
{
	machine_says(*state, "sys/devices/system/cpu/isolated", "2-3\n");
	machine_says(*state, "sys/devices/system/cpu/nohz_full", "1-2\n");
	machine_says(*state, "proc/irq/24/smp_affinity_list", "0-3\n");
	const struct doctor_setup setup = {.cpu = 2,
					   .root = machine_says(*state, "proc/irq/24/effective_affinity_list", "1\n")};

	assert_int_equal(examine("isolation", &setup)->verdict, DOCTOR_GOOD);
	assert_int_equal(examine("interrupts", &setup)->verdict, DOCTOR_GOOD);
}

/* catches: a CPU found in the digits of another, a range without its ends, a list read beyond its end */
static void a_list_of_cpus_holds_what_it_names(void **state)
{
	(void)state;
	for (size_t cpu = 0; cpu < 40; cpu++)
		assert_int_equal(machine_cpu_listed("0,2-5,31", cpu), cpu == 0 || (cpu >= 2 && cpu <= 5) || cpu == 31);
	assert_false(machine_cpu_listed("", 0));
	assert_false(machine_cpu_listed("(null)", 0));
	assert_false(machine_cpu_listed("1-,2", 2));
	assert_true(machine_cpu_listed("0-0", 0));
}

/* catches: a long line or path that is written past its room, a file that ends in its first line taken for none */
static void lines_and_paths_keep_to_their_room(void **state)
{
	char line[8], path[MACHINE_PATH], name[2 * MACHINE_PATH];
	const char *root = machine_says(*state, "proc/long", "0123456789");

	assert_true(machine_line(line, sizeof(line), root, "proc/%s", "long"));
	assert_string_equal(line, "0123456");
	assert_true(machine_field(line, sizeof(line), root, "proc/long", "01"));
	assert_string_equal(line, "2345678");
	assert_false(machine_field(line, sizeof(line), root, "proc/long", "1"));
	assert_string_equal(line, "");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	machine_path(path, root, "%s", name);
	assert_int_equal(strlen(path), MACHINE_PATH - 1);
	machine_path(path, name, "proc");
	assert_int_equal(strlen(path), MACHINE_PATH - 1);
}

/* catches: a last resort that is not asked for on hardware, one that forbids a simulated bench, a device left open */
static void a_bench_must_be_there_and_hardware_must_be_left_safe(void **state)
{
	static char absent[] = "no-such-driver";
	struct doctor_report report = {0};
	struct bench *bench;
	size_t i = 0;

	(void)state;
	test_script_reset();
	test_script.last_resort = DAQ_NO_LAST_RESORT;
	bench = test_bench_feedback();
	const struct doctor_setup setup = {.bench = bench};

	while (strcmp(check_registry[i]->name, "bench") != 0)
		i++;
	check_registry[i]->run(&setup, &report);
	assert_true(report.n >= 2);
	assert_int_equal(doctor_failed(&report), 0);
	assert_int_equal(report.finding[report.n - 1].verdict, DOCTOR_NOTE);
	test_script.simulated = false;
	report.n = 0;
	check_registry[i]->run(&setup, &report);
	assert_int_equal(report.finding[report.n - 1].verdict, DOCTOR_FAILED);
	assert_non_null(strstr(report.finding[report.n - 1].found, "hold their last value"));
	assert_int_equal(test_record.n_opens, 2);
	assert_int_equal(test_record.n_closes, 2);
	assert_int_equal(test_record.n_starts, 0);
	/* One that its caller holds open is not opened a second time. */
	struct daq daq;

	assert_int_equal(daq_open(&daq, bench, &(struct daq_options){0}, NULL), 0);
	report.n = 0;
	check_registry[i]->run(&(struct doctor_setup){.bench = bench, .daq = &daq}, &report);
	assert_int_equal(doctor_failed(&report), 2);
	assert_int_equal(test_record.n_opens, 3);
	daq_close(&daq);
	char *driver = bench->driver;

	bench->driver = absent;
	assert_int_equal(examine("bench", &setup)->verdict, DOCTOR_FAILED);
	bench->driver = driver;
}

static struct daq_budget budget_found;
static int budget_code;

static int tell_budget(struct daq *daq, struct daq_budget *budget, struct err *err)
{
	(void)daq;
	*budget = budget_found;
	return budget_code ? err_set(err, budget_code, "the budget has no answer") : 0;
}

/* catches: a rate that is not the slower of the two, a bench faster than its card that passes, a running one disturbed */
static void a_bench_can_not_be_faster_than_its_driver_says(void **state)
{
	static const struct {
		double exchange_s, period_s; /* of a period of 1e-4 s */
		int code, verdict;           /* -1: nothing is said */
		const char *found;
	} cases[] = {
		{1e-5, 0, 0, DOCTOR_GOOD,
		 "takes 10 us, 10% of a period: it could run at up to 100000 Hz, limited by the rest"},
		{1e-5, 5e-5, 0, DOCTOR_GOOD, "up to 20000 Hz"},
		{6e-5, 0, 0, DOCTOR_NOTE, "takes 60 us, 60% of a period"},
		{1.1e-4, 0, 0, DOCTOR_FAILED, "up to 9091 Hz"},
		{1e-5, 2e-4, 0, DOCTOR_FAILED, "up to 5000 Hz"},
		{0, 0, JOSTLE_EIO, DOCTOR_FAILED, "the budget has no answer"},
		{0, 0, JOSTLE_EBUSY, -1, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_report without = {0}, report = {0};
		struct daq daq;
		size_t check = 0;

		test_script_reset();
		while (strcmp(check_registry[check]->name, "bench") != 0)
			check++;
		assert_int_equal(daq_open(&daq, test_bench_feedback(), &(struct daq_options){0}, NULL), 0);
		const struct doctor_setup setup = {.bench = daq.bench, .daq = &daq};
		struct daq_driver telling = *daq.driver;

		check_registry[check]->run(&setup, &without);
		telling.budget = tell_budget;
		daq.driver = &telling;
		budget_code = cases[i].code;
		budget_found = (struct daq_budget){cases[i].exchange_s, cases[i].period_s, "the rest"};
		check_registry[check]->run(&setup, &report);
		if (cases[i].verdict < 0) {
			assert_int_equal(report.n, without.n);
		} else {
			assert_int_equal(report.n, without.n + 1);
			assert_int_equal(report.finding[without.n].verdict, cases[i].verdict);
			if (!strstr(report.finding[without.n].found, cases[i].found))
				fail_msg("expected \"%s\" in: %s", cases[i].found, report.finding[without.n].found);
		}
		daq_close(&daq);
	}
}

/* catches: a rate that does not follow the period, a missing folder that passes, a file left behind */
static void a_disk_that_a_recording_outruns_fails(void **state)
{
	struct scratch *scratch = *state;
	struct doctor_setup setup = {.record_folder = scratch->folder, .period_s = 1e-3};

	assert_int_not_equal(examine("disk", &setup)->verdict, DOCTOR_FAILED);
	test_script_reset();
	setup.bench = test_bench_feedback();
	setup.period_s = 1;
	assert_int_not_equal(examine("disk", &setup)->verdict, DOCTOR_FAILED);
	setup.period_s = 1e-12;
	assert_int_equal(examine("disk", &setup)->verdict, DOCTOR_FAILED);
	setup.record_folder = NULL; /* nothing is to be recorded: the working directory forbids nothing */
	assert_int_equal(examine("disk", &setup)->verdict, DOCTOR_NOTE);
	setup.record_folder = scratch->folder;
	assert_int_equal(rmdir(scratch->folder), 0);
	assert_int_equal(examine("disk", &setup)->verdict, DOCTOR_FAILED);
	assert_int_equal(mkdir(scratch->folder, 0700), 0);
}

/* catches: the place of something worse refused, or taken from something as bad; a count beyond the room */
static void a_full_report_keeps_the_worst(void **state)
{
	struct doctor_report report = {0};

	(void)state;
	doctor_find(&report, "first", DOCTOR_FAILED, "", "failed");
	for (int i = 1; i < DOCTOR_MAX_FINDINGS; i++)
		doctor_find(&report, "many", i % 2 ? DOCTOR_NOTE : DOCTOR_GOOD, "", "%d", i);
	for (int i = 0; i < DOCTOR_MAX_FINDINGS; i++)
		doctor_find(&report, "later", DOCTOR_FAILED, "", "failed");
	assert_int_equal(report.n, DOCTOR_MAX_FINDINGS);
	assert_int_equal(doctor_failed(&report), DOCTOR_MAX_FINDINGS);
	assert_string_equal(report.finding[0].check, "first");
	doctor_find(&report, "last", DOCTOR_NOTE, "", "a note");
	doctor_find(&report, "last", DOCTOR_FAILED, "", "failed");
	assert_string_not_equal(report.finding[DOCTOR_MAX_FINDINGS - 1].check, "last");
	assert_int_equal(doctor_failed(&report), DOCTOR_MAX_FINDINGS);
}

/* catches: a finding left out of the text, a remedy without its finding, a long text written past its room */
static void the_text_has_a_line_for_each_finding_with_its_remedy(void **state)
{
	struct doctor_report report = {0};
	char big[1000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	doctor_find(&report, "kernel", DOCTOR_GOOD, "", "%s", "sound");
	doctor_find(&report, "memory", DOCTOR_FAILED, "ulimit", "too %s", "little");
	doctor_find(&report, "disk", DOCTOR_NOTE, big, "%s", big);
	char *text = doctor_text(&report);

	assert_non_null(text);
	assert_non_null(strstr(text, "good   kernel      sound\n"));
	assert_non_null(strstr(text, "failed memory      too little; mend: ulimit\n"));
	assert_int_equal(strlen(report.finding[2].found), sizeof(report.finding[2].found) - 1);
	assert_non_null(strstr(text, "note   disk        xxx"));
	free(text);
}

/* catches: the median taken for the tail, the period's half and tenth exchanged, one missed slot that goes unsaid */
static void latency_is_judged_by_its_thousandth_part_against_the_period(void **state)
{
	static const struct {
		int64_t often_ns, seldom_ns, once_ns;
		enum doctor_verdict verdict;
	} cases[] = {
		{50000, 50000, 50000, DOCTOR_GOOD},     {50000, 50000, 1000000, DOCTOR_NOTE},
		{50000, 50000, 900000, DOCTOR_GOOD},    {50000, 200000, 200000, DOCTOR_NOTE},
		{50000, 600000, 600000, DOCTOR_FAILED}, {600000, 600000, 600000, DOCTOR_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct histogram histogram = {0};

		for (int n = 0; n < 10000; n++)
			histogram_add(&histogram, n == 0   ? cases[i].once_ns
						  : n < 20 ? cases[i].seldom_ns
							   : cases[i].often_ns);
		assert_int_equal(latency_verdict(&histogram, 1e-3), cases[i].verdict);
	}
}

/* catches: a grid that is based anew on a late wake-up, an edge measured twice, a measurement that does not end */
static void each_edge_is_measured_once_at_most(void **state)
{
	const struct latency_setup setup = {.cpu = -1, .period_s = 1e-3, .seconds = 0.1};
	static struct histogram histogram;
	struct err err = {0};

	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	assert_int_equal(latency_measure(&setup, &histogram, &err), 0);
	assert_in_range(histogram.n, 1, 100);
	assert_true(histogram.max_ns > 0);
}

/* catches: a period of zero, which never ends; one that is not a number; a CPU that is not there */
static void what_cannot_be_measured_is_refused(void **state)
{
	static const struct latency_setup wrong[] = {
		{-1, 0, 1},         {-1, -1e-3, 1}, {-1, 1e-6, 1},         {-1, 2, 1},
		{-1, 0.0 / 0.0, 1}, {-1, 1e-3, 0},  {-1, 1e-3, 0.0 / 0.0}, {1023, 1e-3, 0.01},
	};
	static struct histogram histogram;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = {0};

		assert_int_equal(latency_measure(&wrong[i], &histogram, &err), JOSTLE_EINVAL);
		assert_true(err.text[0] != '\0');
	}
	assert_int_equal(histogram.n, 0);
}

extern const struct doctor_check check_wakeup; /* of the doctor's registry */

/* catches: hardware that is armed because nobody measured, or for an instant; a simulated bench that must be measured */
static void hardware_whose_wake_up_was_not_measured_fails(void **state)
{
	struct daq daq;
	struct doctor_setup setup = {.cpu = -1, .period_s = 1e-3, .daq = &daq};

	(void)state;
	for (int simulated = 0; simulated < 2; simulated++) {
		static struct doctor_report report;

		test_script_reset();
		test_script.simulated = simulated;
		assert_int_equal(daq_open(&daq, test_bench_feedback(), &(struct daq_options){0}, NULL), 0);
		for (int brief = 0; brief < 2; brief++) {
			report = (struct doctor_report){0};
			setup.seconds = brief * 0.01;
			check_wakeup.run(&setup, &report);
			assert_int_equal(report.n, brief || !simulated);
			assert_true(simulated || report.finding[0].verdict == DOCTOR_FAILED);
			assert_int_equal(report.measured, simulated && brief);
		}
		daq_close(&daq);
	}
}

/* catches: a check that is never run, a measurement that is not stored, one that is made though it is not wanted */
static void an_examination_runs_every_check(void **state)
{
	static struct doctor_report report;
	struct scratch *scratch = *state;
	struct doctor_setup setup = {.cpu = 0, .period_s = 1e-3, .seconds = 0.02, .record_folder = scratch->folder};

	test_script_reset();
	setup.bench = test_bench_feedback();
	doctor_examine(&setup, &report);
	for (size_t i = 0; check_registry[i]; i++) {
		bool found = false;

		for (size_t k = 0; k < report.n; k++)
			found |= strcmp(report.finding[k].check, check_registry[i]->name) == 0;
		if (!found)
			fail_msg("nothing was found by %s", check_registry[i]->name);
		assert_true(check_registry[i]->summary[0] != '\0');
	}
	assert_true(report.measured && report.latency.n > 0);
	setup.seconds = 0;
	doctor_examine(&setup, &report);
	assert_false(report.measured);
	assert_int_equal(report.latency.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hardware_whose_wake_up_was_not_measured_fails),
		cmocka_unit_test(every_sign_that_a_machine_gives_is_understood),
		cmocka_unit_test_setup_teardown(the_capability_to_lock_memory_stands_above_the_limit, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(real_time_threads_must_have_half_a_cpu, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_cpu_that_is_isolated_and_quiet_is_good, scratch_new, scratch_free),
		cmocka_unit_test(a_list_of_cpus_holds_what_it_names),
		cmocka_unit_test_setup_teardown(lines_and_paths_keep_to_their_room, scratch_new, scratch_free),
		cmocka_unit_test(a_bench_must_be_there_and_hardware_must_be_left_safe),
		cmocka_unit_test(a_bench_can_not_be_faster_than_its_driver_says),
		cmocka_unit_test_setup_teardown(a_disk_that_a_recording_outruns_fails, scratch_new, scratch_free),
		cmocka_unit_test(a_full_report_keeps_the_worst),
		cmocka_unit_test(the_text_has_a_line_for_each_finding_with_its_remedy),
		cmocka_unit_test(latency_is_judged_by_its_thousandth_part_against_the_period),
		cmocka_unit_test(each_edge_is_measured_once_at_most),
		cmocka_unit_test(what_cannot_be_measured_is_refused),
		cmocka_unit_test_setup_teardown(an_examination_runs_every_check, scratch_new, scratch_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
