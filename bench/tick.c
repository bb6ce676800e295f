/*
 * How long one full tick of the loop takes, stage by stage: 12 x 12 sites in feedback drive, couplings of all pairs and of
 * range 2.3, every tick under the protocol, with events and a tap that copies each tick into a ring as a recorder does.
 *
 * usage: bench_tick [TICKS [FILE.json]]
 *
 * The simulated bench keeps its period of 1 ms by the clock, so that each tick begins as a real one does: after a sleep,
 * on whatever the caches have kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/find.h"
#include "base/ring.h"
#include "control/bench_calibration.h"
#include "control/loop.h"
#include "control/realtime.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"

#define BENCH       "sim-12x12"
#define SIDE        12
#define N_SITES     (SIDE * SIDE)
#define WARM_UP     200
#define N_COUPLINGS 2

static const char *const couplings[N_COUPLINGS][2] = {{"all-to-all", "bilinear range=all"},
						      {"range-2.3", "bilinear range=2.3"}};

struct subject {
	struct bench bench;
	struct daq daq;
	struct calibration_record record;
	struct calibration calibration;
	struct protocol protocol;
	struct program program;
	struct ring samples, events, ticks;
	struct loop loop;
};

static void keep_tick(void *context, const struct tick_record *tick, const double in_V[], const double out_V[],
		      const double command[])
{
	static struct {
		struct tick_record head;
		double values[2 * N_SITES + 2 * N_SITES];
	} row;
	struct ring *ring = context;

	row.head = *tick;
	memcpy(row.values, in_V, 2 * N_SITES * sizeof(double));
	memcpy(row.values + 2 * N_SITES, out_V, N_SITES * sizeof(double));
	memcpy(row.values + 3 * N_SITES, command, N_SITES * sizeof(double));
	ring_push(ring, &row);
}

/** Weak couplings over a confining quartic: what they are makes no difference to the time. */
static int make_protocol(struct protocol *protocol, const char *coupling, struct err *err)
{
	const char *const specs[] = {"onsite-power powers=1-4", coupling};
	const double onsite[] = {0.0, 0.5, 0.0, 0.05}, t[] = {0.01, 0.1, 1, 10};
	struct network network;
	int code = network_init(&network, SIDE, SIDE, specs, 2, err);

	if (!code)
		code = protocol_init(protocol, &network, t, 4, err);
	if (code)
		return code;
	for (size_t k = 0; k < 4 * protocol->network.n_parameters; k++) {
		const size_t parameter = k % protocol->network.n_parameters;

		protocol->theta[k] = parameter < 4 * N_SITES ? onsite[parameter / N_SITES]
							     : 0.002 * ((double)(k * 7919 % 101) / 50.0 - 1.0);
	}
	for (size_t j = 0; j < 4; j++)
		protocol->wall[j] = (struct wall){.position = 6.0, .stiffness = 10.0};
	return 0;
}

static int make_program(struct subject *s, size_t n_ticks, struct err *err)
{
	/* Longer than the measurement: no read-out falls into it. */
	const double t_final = 0.1 + 2 * (double)(n_ticks + WARM_UP) * s->calibration.period;
	const struct segment segments[] = {{.kind = SEGMENT_RELAX, .duration = SEQUENCER_MINIMUM_RELAXATION},
					   {.kind = SEGMENT_GENERATE, .t_final = t_final, .t_minimum = 0.1}};
	const struct plan plan = {.segments = segments, .n_segments = 2, .n_repeats = 1};
	const struct program_setup setup = {.id = 1,
					    .bench = &s->bench,
					    .calibration = &s->calibration,
					    .record = &s->record,
					    .protocol = &s->protocol,
					    .samples = &s->samples,
					    .plan = &plan,
					    .period_s = s->daq.period_s};
	const int code = program_init(&s->program, &setup, err);

	/* Every tick is to be a driven one. */
	if (!code)
		s->program.sequencer.segments[0].n_ticks = 1;
	return code;
}

static int build(struct subject *s, const char *coupling, size_t n_ticks, struct err *err)
{
	const struct daq_options options = {.seed = 1, .paced = true};
	char path[1024];
	int code = find_file(FIND_BENCH, BENCH, path, sizeof(path), err);

	if (code || (code = bench_load(&s->bench, path, err)) || (code = daq_open(&s->daq, &s->bench, &options, err)) ||
	    (code = bench_calibration_nominal(&s->record, &s->bench, err)) ||
	    (code = calibration_init(&s->calibration, &s->bench, &s->record, s->daq.period_s, err)) ||
	    (code = make_protocol(&s->protocol, coupling, err)) ||
	    (code = ring_init(&s->samples, sequencer_record_size(N_SITES), 16, err)) ||
	    (code = ring_init(&s->events, sizeof(struct loop_event), 16, err)) ||
	    (code = ring_init(&s->ticks, tick_record_size(2 * N_SITES, N_SITES), WARM_UP + n_ticks, err)) ||
	    (code = make_program(s, n_ticks, err)))
		return code;
	const struct loop_tap tap = {.context = &s->ticks, .tick = keep_tick};
	const struct loop_setup setup = {.daq = &s->daq,
					 .calibration = &s->calibration,
					 .program = &s->program,
					 .events = &s->events,
					 .tap = &tap,
					 .cpu = LOOP_ANY_CPU,
					 .arming_allowed = true,
					 .paced = true,
					 .stages = true};

	return loop_init(&s->loop, &setup, err);
}

static void clear(struct subject *s)
{
	loop_fini(&s->loop);
	program_fini(&s->program);
	ring_fini(&s->ticks);
	ring_fini(&s->events);
	ring_fini(&s->samples);
	protocol_fini(&s->protocol);
	calibration_fini(&s->calibration);
	calibration_record_fini(&s->record);
	daq_close(&s->daq);
	bench_free(&s->bench);
}

static int run(struct subject *s, size_t n_ticks, struct err *err)
{
	struct realtime realtime;
	int code;

	loop_request(&s->loop, SUPERVISOR_RESET);
	loop_request(&s->loop, SUPERVISOR_ARM);
	loop_request(&s->loop, SUPERVISOR_RUN);
	realtime_enter(&realtime, LOOP_ANY_CPU);
	code = s->daq.driver->start(&s->daq, err);
	for (size_t n = 0; !code && n < WARM_UP + n_ticks; n++) {
		if (n == WARM_UP)
			memset(&s->loop.timing, 0, sizeof(s->loop.timing));
		loop_tick(&s->loop);
	}
	s->daq.driver->stop(&s->daq);
	realtime_leave(&realtime);
	/* A missed slot sends the plan back to its beginning. */
	if (!code && s->loop.n_driven < (WARM_UP + n_ticks) / 10 * 9)
		code = err_set(err, JOSTLE_ETRIP, "only %llu of %zu ticks were driven",
			       (unsigned long long)s->loop.n_driven, WARM_UP + n_ticks);
	return code;
}

static void print_row(FILE *json, const char *name, const struct histogram *h, bool last)
{
	const double p50 = (double)histogram_quantile_ns(h, 0.5) * 1e-3;
	const double p99 = (double)histogram_quantile_ns(h, 0.99) * 1e-3, max = (double)h->max_ns * 1e-3;

	printf("  %-12s %9.2f %9.2f %9.2f\n", name, p50, p99, max);
	if (json)
		fprintf(json, "    \"%s\": {\"p50_us\": %.3f, \"p99_us\": %.3f, \"max_us\": %.3f}%s\n", name, p50, p99,
			max, last ? "" : ",");
}

static void print(FILE *json, const char *name, const struct loop *loop, bool last)
{
	printf("%s, %llu ticks, us:\n  %-12s %9s %9s %9s\n", name, (unsigned long long)loop->timing.execution.n, "",
	       "p50", "p99", "max");
	if (json)
		fprintf(json, "  \"%s\": {\n", name);
	for (size_t i = 0; i < LOOP_N_STAGES; i++)
		print_row(json, loop_stage_name(i), &loop->timing.stage[i], false);
	print_row(json, "execution", &loop->timing.execution, true);
	if (json)
		fprintf(json, "  }%s\n", last ? "" : ",");
}

int main(int n_arguments, char **arguments)
{
	const size_t n_ticks = n_arguments > 1 ? strtoul(arguments[1], NULL, 10) : 10000;
	FILE *json = n_arguments > 2 ? fopen(arguments[2], "w") : NULL;
	struct err err = {0};
	int code = 0;

	if (n_ticks < 1 || n_ticks > 1000000 || (n_arguments > 2 && !json)) {
		fprintf(stderr, "usage: bench_tick [TICKS [FILE.json]]\n");
		return 1;
	}
	if (json)
		fprintf(json, "{\n");
	for (size_t i = 0; i < N_COUPLINGS && !code; i++) {
		static _Alignas(64) struct subject s;

		memset(&s, 0, sizeof(s));
		code = build(&s, couplings[i][1], n_ticks, &err);
		if (!code)
			code = run(&s, n_ticks, &err);
		if (!code)
			print(json, couplings[i][0], &s.loop, i + 1 == N_COUPLINGS);
		clear(&s);
	}
	if (code)
		fprintf(stderr, "bench_tick: %s\n", err.text);
	if (json)
		fprintf(json, "}\n");
	return (json && fclose(json)) || code ? 1 : 0;
}
