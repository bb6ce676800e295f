#include "control/support/recorded.h"

#include <stdarg.h>

#include <setjmp.h>

#include <cmocka.h>

#include "control/supervisor.h"

void recorded_init(struct recorded *recorded, const char *folder)
{
	struct err err = {0};
	struct bench *bench = test_bench_feedback();

	test_script_reset();
	*recorded = (struct recorded){0};
	test_bench_open(&recorded->daq, &recorded->record, bench, false);
	if (calibration_init(&recorded->calibration, bench, &recorded->record, recorded->daq.period_s, &err))
		fail_msg("%s", err.text);
	recorded->setup = (struct recorder_setup){.folder = folder,
						  .name = "r",
						  .bench = bench,
						  .calibration = &recorded->calibration,
						  .record = &recorded->record,
						  .backend = recorded->daq.backend,
						  .simulated = true,
						  .seed = 7,
						  .period_s = recorded->daq.period_s};
}

void recorded_fini(struct recorded *recorded)
{
	calibration_fini(&recorded->calibration);
	calibration_record_fini(&recorded->record);
	daq_close(&recorded->daq);
}

double recorded_in_V(uint64_t number, size_t k)
{
	return 1e-3 * (double)(number % 1000) + (double)k / 3.0;
}

double recorded_out_V(uint64_t number, size_t k)
{
	return -1e-3 * (double)(number % 997) - (double)k / 7.0;
}

double recorded_command(uint64_t number, size_t k)
{
	return 1e-2 * (double)(number % 499) + (double)k;
}

void recorded_tick(struct recorded *recorded, struct recorder *recorder)
{
	const uint64_t n = recorded->number++;
	double in_V[TEST_MAX_OUT], out_V[TEST_MAX_OUT], command[TEST_MAX_OUT];
	const struct tick_record tick = {.number = n,
					 .tick = n + n / 100,
					 .t_ns = (int64_t)n * 1000,
					 .woke_ns = (int64_t)n * 1000 + 5,
					 .exchange = n % 50 ? 0 : JOSTLE_EMISSED,
					 .outside = (uint32_t)(n % 16),
					 .state = (uint32_t)(n % SUPERVISOR_N_STATES),
					 .setpoint = n % 2,
					 .program = recorded->program,
					 .repeat = n / 10,
					 .segment = (uint32_t)(n % 3),
					 .execution_ns = (uint32_t)(n % 10000),
					 .setpoint_t = 0.5 + (double)n};

	for (size_t k = 0; k < recorded->daq.n_in; k++)
		in_V[k] = recorded_in_V(n, k);
	for (size_t k = 0; k < recorded->daq.n_out; k++) {
		out_V[k] = recorded_out_V(n, k);
		command[k] = recorded_command(n, k);
	}
	const struct loop_event event = {
		.kind = EVENT_SAMPLE, .number = n, .tick = tick.tick, .t_ns = tick.t_ns, .c = n / 100};

	if (n % 200 == 0)
		recorder_event(recorder, &event);
	recorder_tick(recorder, &tick, in_V, out_V, command);
	if (n % 200 == 100)
		recorder_event(recorder, &event);
}
