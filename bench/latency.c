/*
 * bench_latency BENCH CPU INTERVAL_US SECONDS: the loop's own histogram of wake-ups, for latency.py to lay beside cyclictest's.
 *
 * The loop of `jostle run`, armed and running a plan of relaxation, on a simulated bench in this process whose plant is
 * integrated within the exchange: what a tick does to caches and to the processor's rest between edges is in it. Prints
 * one line of JSON: wake-ups, missed slots, the longest, ns, and [bin, count] for each bin (histogram.c) that is not empty.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/find.h"
#include "base/memory.h"
#include "control/bench_calibration.h"
#include "control/calibration.h"
#include "control/loop.h"
#include "control/program.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "protocols/calibration_record.h"

#define RELAX_TIMES 1e6 /* longer than any run of this */

struct job {
	struct bench bench;
	struct daq daq;
	struct calibration_record record;
	struct calibration calibration;
	struct program program;
	struct loop *loop;
};

static int build(struct job *job, const char *name, int cpu, double period_s, struct err *err)
{
	const struct segment segment = {.kind = SEGMENT_RELAX, .duration = RELAX_TIMES};
	const struct plan plan = {.segments = &segment, .n_segments = 1, .n_repeats = 1};
	const struct daq_options options = {.paced = true};
	char path[1024];
	int code = find_file(FIND_BENCH, name, path, sizeof(path), err);

	if (!code)
		code = bench_load(&job->bench, path, err);
	if (code)
		return code;
	job->bench.period_s = period_s;
	code = daq_open(&job->daq, &job->bench, &options, err);
	if (!code)
		code = bench_calibration_nominal(&job->record, &job->bench, err);
	if (!code)
		code = calibration_init(&job->calibration, &job->bench, &job->record, period_s, err);
	if (!code)
		code = program_init(&job->program,
				    &(struct program_setup){.id = 1,
							    .bench = &job->bench,
							    .calibration = &job->calibration,
							    .record = &job->record,
							    .plan = &plan,
							    .period_s = period_s},
				    err);
	job->loop = aligned_alloc(MEMORY_ALIGNMENT, memory_round_up(sizeof(*job->loop), MEMORY_ALIGNMENT));
	if (!code && !job->loop)
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the loop");
	return code ? code
		    : loop_init(job->loop,
				&(struct loop_setup){.daq = &job->daq,
						     .calibration = &job->calibration,
						     .program = &job->program,
						     .cpu = cpu,
						     .arming_allowed = true,
						     .paced = true},
				err);
}

static int measure(struct loop *loop, double seconds, struct err *err)
{
	int code;

	loop_request(loop, SUPERVISOR_RESET);
	loop_request(loop, SUPERVISOR_ARM);
	loop_request(loop, SUPERVISOR_RUN);
	code = loop_start(loop, err);
	if (code)
		return code;
	usleep((useconds_t)(seconds * 1e6));
	loop_stop(loop);
	code = loop_join(loop, err);
	if (!code && loop->supervisor.state != SUPERVISOR_RUNNING)
		code = err_set(err, JOSTLE_ETRIP, "the loop is in state %s, expected %s",
			       supervisor_state_name(loop->supervisor.state),
			       supervisor_state_name(SUPERVISOR_RUNNING));
	return code;
}

static void print(const struct loop *loop)
{
	const struct histogram *wake = &loop->timing.wake;
	const char *comma = "";

	printf("{\"n\": %" PRIu64 ", \"missed\": %" PRIu64 ", \"max_ns\": %" PRId64 ", \"execution_p50_ns\": %" PRId64
	       ", \"exchange_p50_ns\": %" PRId64 ", \"bins\": [",
	       (uint64_t)wake->n, loop->n_missed, (int64_t)wake->max_ns,
	       histogram_quantile_ns(&loop->timing.execution, 0.5), histogram_quantile_ns(&loop->timing.exchange, 0.5));
	for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++)
		if (wake->count[bin]) {
			printf("%s[%zu, %" PRIu64 "]", comma, bin, (uint64_t)wake->count[bin]);
			comma = ", ";
		}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	static struct job job;
	struct err err = {0};
	char text[1200];

	if (argc != 5) {
		fprintf(stderr, "usage: bench_latency BENCH CPU INTERVAL_US SECONDS\n");
		return 2;
	}
	/* What is taken is given back by the end of the process. */
	if (build(&job, argv[1], atoi(argv[2]), atof(argv[3]) * 1e-6, &err) || measure(job.loop, atof(argv[4]), &err)) {
		err_format(&err, text, sizeof(text));
		fprintf(stderr, "bench_latency: %s\n", text);
		return 1;
	}
	print(job.loop);
	return 0;
}
