/*
 * The recording stands in for the bench: its driver gives the row under way, its watch the facts from outside.
 */
#include "control/replay_loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define MAX_SAMPLES 4

static int nothing_to_open(struct daq *daq, const struct bench *bench, const struct daq_options *options,
			   struct err *err)
{
	(void)daq;
	(void)bench;
	(void)options;
	(void)err;
	return 0;
}

static int nothing_to_start(struct daq *daq, struct err *err)
{
	(void)daq;
	(void)err;
	return 0;
}

static int nothing_to_stop(struct daq *daq)
{
	(void)daq;
	return 0;
}

static void nothing_to_close(struct daq *daq)
{
	(void)daq;
}

static int give_row(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	const struct replay_loop *replay = daq->state;

	(void)out_V;
	memcpy(in_V, replay->row->values, daq->n_in * sizeof(*in_V));
	*t_ns = replay->row->t_ns;
	daq->woke_ns = 0; /* nobody waited */
	return replay->row->exchange;
}

static const struct daq_driver recording = {
	.name = "recording",
	.summary = "the rows of a recorded run",
	.open = nothing_to_open,
	.start = nothing_to_start,
	.exchange = give_row,
	.stop = nothing_to_stop,
	.close = nothing_to_close,
};

/** The bench as the recording's text says it, under the drive that was used. */
static int take_bench(struct replay_loop *replay, const struct run_file *file, struct err *err)
{
	char *text = NULL;
	int code = run_file_text(file, "bench", &text, err);

	if (!code && !text)
		code = err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0, "expected the text of a bench file");
	if (!code)
		code = bench_parse(&replay->bench, file->bench_name, file->h5.path, text, err);
	free(text);
	if (!code)
		code = bench_set_drive(&replay->bench, file->drive, err);
	if (!code && (file->n_in != replay->bench.n_in || file->n_out != replay->bench.n_out))
		code = err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
			      "expected %zu inputs and %zu outputs as its bench has, found %zu and %zu",
			      replay->bench.n_in, replay->bench.n_out, file->n_in, file->n_out);
	return code;
}

/** The driver that the recording was made with may not be in this program, and is not asked. */
static int take_daq(struct replay_loop *replay, const struct run_file *file, struct err *err)
{
	char *driver = strdup("replay");
	int code;

	if (!driver)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a bench");
	free(replay->bench.driver);
	replay->bench.driver = driver;
	code = daq_describe(&replay->daq, &replay->bench, err);
	if (code)
		return code;
	replay->daq.driver = &recording;
	replay->daq.state = replay;
	replay->daq.simulated = file->simulated;
	replay->daq.period_s = file->period_s;
	return 0;
}

int replay_loop_init(struct replay_loop *replay, const struct run_file *file, struct replay_report *report,
		     struct err *err)
{
	int code;

	*replay = (struct replay_loop){.report = report, .trip = {.cause = TRIP_START}};
	code = take_bench(replay, file, err);
	if (!code)
		code = take_daq(replay, file, err);
	if (!code)
		code = run_file_calibration(file, &replay->record, err);
	if (!code)
		code = calibration_init(&replay->calibration, &replay->bench, &replay->record, file->period_s, err);
	if (code)
		return code;
	const size_t size = sequencer_record_size(replay->calibration.n_sites);

	replay->sample = calloc(1, size);
	replay->limits = calloc(file->n_out + 1, sizeof(*replay->limits));
	if (!replay->sample || !replay->limits)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a replay of %zu outputs", file->n_out);
	return ring_init(&replay->samples, size, MAX_SAMPLES, err);
}

static void program_drop(struct replay_program *program)
{
	if (program->built)
		program_fini(&program->program);
	run_program_fini(&program->recorded);
	*program = (struct replay_program){0};
}

void replay_loop_fini(struct replay_loop *replay)
{
	replay_loop_end(replay);
	ring_fini(&replay->samples);
	free(replay->sample);
	free(replay->limits);
	calibration_fini(&replay->calibration);
	calibration_record_fini(&replay->record);
	replay->daq.state = NULL;
	replay->daq.driver = NULL;
	daq_close(&replay->daq);
	bench_free(&replay->bench);
}

static int build_program(struct replay_loop *replay, const struct run_file *file, uint64_t id,
			 struct replay_program *program, struct err *err)
{
	int code = run_file_program(file, id, &program->recorded, err);

	if (code)
		return code;
	const struct run_program *recorded = &program->recorded;

	code = program_init(&program->program,
			    &(struct program_setup){
				    .id = id,
				    .bench = &replay->bench,
				    .calibration = &replay->calibration,
				    .record = &replay->record,
				    .protocol = recorded->has_protocol ? &recorded->protocol : NULL,
				    .samples = &replay->samples,
				    .plan = recorded->plan.n_segments ? &recorded->plan : NULL,
				    .period_s = file->period_s,
			    },
			    err);
	if (code) {
		program_drop(program);
		return err_context(err, "%s, program %llu", file->h5.path, (unsigned long long)id);
	}
	program->built = true;
	replay->report->n_programs++;
	return 0;
}

/** What was outside then is outside now. */
static uint32_t recorded_outside(void *context, uint64_t number, int64_t now_ns, uint32_t outside)
{
	const struct replay_loop *replay = context;

	(void)number;
	(void)now_ns;
	(void)outside;
	return replay->row->outside;
}

/** What requests before the row have left behind, for good: narrower limits. */
static int narrow_again(struct replay_loop *replay, struct err *err)
{
	for (size_t k = 0; k < replay->bench.n_out; k++) {
		const struct replay_limits *limits = &replay->limits[k];

		if (limits->given && !supervisor_narrow(&replay->loop->supervisor, k, limits->min_V, limits->max_V,
							limits->slew_V_per_s))
			return err_set(err, JOSTLE_EFORMAT,
				       "the recording narrows output %zu to %g to %g V, which the supervisor refuses",
				       k, limits->min_V, limits->max_V);
	}
	return 0;
}

int replay_loop_begin(struct replay_loop *replay, const struct run_file *file, const struct tick_record *row,
		      bool after, struct err *err)
{
	const struct loop_tap tap = {.context = replay, .tick = replay_loop_compare, .event = replay_loop_hear};
	const struct loop_watch watch = {.context = replay, .outside = recorded_outside};
	struct replay_program *program = &replay->programs[0];
	int code;

	replay_loop_end(replay);
	code = build_program(replay, file, row->program, program, err);
	if (code)
		return code;
	replay->current = 0;
	replay->loop = aligned_alloc(64, (sizeof(*replay->loop) + 63) / 64 * 64);
	if (!replay->loop)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the loop");
	code = loop_init(replay->loop,
			 &(struct loop_setup){
				 .daq = &replay->daq,
				 .calibration = &replay->calibration,
				 .program = &program->program,
				 .tap = &tap,
				 .watch = &watch,
				 .cpu = LOOP_ANY_CPU,
				 .arming_allowed = true,
			 },
			 err);
	if (code) {
		free(replay->loop);
		replay->loop = NULL;
		return code;
	}
	replay->report->n_stretches++;
	if (!after)
		return 0;
	code = loop_continue(replay->loop, row, row->values, row->values + replay->bench.n_in, &replay->trip, err);
	return code ? code : narrow_again(replay, err);
}

void replay_loop_end(struct replay_loop *replay)
{
	if (replay->loop)
		loop_fini(replay->loop);
	free(replay->loop);
	replay->loop = NULL;
	for (size_t i = 0; i < 2; i++)
		program_drop(&replay->programs[i]);
}

int replay_loop_ask(struct replay_loop *replay, const struct run_file *file, const struct loop_event *event,
		    struct err *err)
{
	struct replay_program *other = &replay->programs[!replay->current];
	struct request request;
	int code;

	if (!run_file_request(event, &request))
		return err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0, "event at row %llu: not a request",
			      (unsigned long long)event->number);
	/* The loop takes one at a tick, and none at its first. */
	if (replay->asked || event->number == 0)
		return err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
			      "events: expected one request at a row and none at row 0, found another at row %llu",
			      (unsigned long long)event->number);
	/* One that was refused had no program, or none for this bench. */
	if (request.kind == REQUEST_PROGRAM && event->b) {
		program_drop(other);
		code = build_program(replay, file, event->c, other, err);
		if (code)
			return code;
		request.program = &other->program;
	}
	/* Leave to arm is a person's and the doctor's to give, not the loop's to find. */
	if (request.kind == REQUEST_EVENT && request.event == SUPERVISOR_ARM)
		replay->loop->supervisor.arming_allowed = event->b != 0;
	loop_ask(replay->loop, &request);
	replay->asked = true;
	replay->taken = event->b != 0;
	replay->report->n_requests++;
	return 0;
}

void replay_loop_tick(struct replay_loop *replay, const struct tick_record *row)
{
	const size_t other = !replay->current;

	replay->row = row;
	replay->differs = false;
	replay->report->n_compared++;
	loop_tick(replay->loop);
	replay->asked = false;
	if (replay->programs[other].built && replay->loop->program == &replay->programs[other].program) {
		program_drop(&replay->programs[replay->current]);
		replay->current = other;
	}
	while (ring_pop(&replay->samples, replay->sample))
		; /* whoever took them then is not asked: row->outside says whether there was room */
}
