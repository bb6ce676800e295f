/*
 * A recorded run as a bench: the inputs that were read, edge by edge, whatever is written. The outputs go nowhere.
 *
 * The device is one run file, read whole when it is opened, for exchange() may not wait for a disk. Unpaced, time is the
 * recording's; paced, a row stands on this computer's time grid where it stood on the recording's, and one whose edge has
 * gone by is passed over, as a card's sample would be. Where rows are missing edges were. start() begins with the first
 * row; after the last there is nothing to exchange.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/find.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "daq/grid.h"
#include "daq/recording.h"

struct replay {
	struct recording recording;
	bool paced, started;
	struct grid grid; /* edge 1 is that of the first row */
	uint64_t row;     /* the next one */
};

static void replay_close(struct daq *daq)
{
	struct replay *replay = daq->state;

	recording_free(&replay->recording);
	memset(replay, 0, sizeof(*replay));
}

static int replay_open(struct daq *daq, const struct bench *bench, const struct daq_options *options, struct err *err)
{
	struct replay *replay = daq->state;
	char path[1024];
	int code;

	if (bench->n_devices != 1)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "devices: driver replay takes 1, found %zu",
			      bench->n_devices);
	if (options->attach)
		return err_at(err, JOSTLE_ECONFIG, bench->path, 0, 0, "a recording has no plant to attach to");
	code = find_file(FIND_DATA, bench->devices[0], path, sizeof(path), err);
	code = code ? code : recording_load(&replay->recording, bench, path, err);
	if (code == JOSTLE_ENOENT && err)
		err->code = JOSTLE_ENODEV;
	if (code)
		return code == JOSTLE_ENOENT ? JOSTLE_ENODEV : code;
	replay->paced = options->paced;
	daq->period_s = bench->period_s;
	daq->simulated = replay->recording.simulated;
	daq->last_resort = DAQ_ENDS_WITH_PROCESS;
	snprintf(daq->backend, sizeof(daq->backend), "replay (recorded on %s)", replay->recording.backend);
	return 0;
}

static int replay_start(struct daq *daq, struct err *err)
{
	struct replay *replay = daq->state;

	(void)err;
	replay->started = true;
	replay->row = 0;
	grid_begin(&replay->grid, clock_now_ns(), daq->period_s);
	return 0;
}

/**
 * Sleep to the edge of the next row that still has one to come: this one, when none has gone by. Edges come after the last
 * row too, with nothing at them: whoever goes on asking is not to run away with the processor.
 */
static int wait_for_row(struct daq *daq, int64_t *t_ns)
{
	struct replay *replay = daq->state;
	const struct recording *recording = &replay->recording;
	const int64_t passed = grid_skip(&replay->grid);

	while (replay->row < recording->n_rows &&
	       (int64_t)(recording->tick[replay->row] - recording->tick[0]) < replay->grid.edge)
		replay->row++;
	if (replay->row < recording->n_rows)
		replay->grid.edge = (int64_t)(recording->tick[replay->row] - recording->tick[0]);
	daq->woke_ns = grid_wait(&replay->grid);
	*t_ns = grid_edge_ns(&replay->grid, replay->grid.edge);
	return passed > 0 ? JOSTLE_EMISSED : 0;
}

static int replay_exchange(struct daq *daq, const double out_V[], double in_V[], int64_t *t_ns)
{
	struct replay *replay = daq->state;
	const struct recording *recording = &replay->recording;
	const uint64_t before = replay->row;
	int code = 0;

	(void)out_V;
	if (!replay->started)
		return JOSTLE_EIO;
	if (replay->paced)
		code = wait_for_row(daq, t_ns);
	if (replay->row == recording->n_rows)
		return JOSTLE_EIO;
	const uint64_t row = replay->row++;

	if (!replay->paced)
		*t_ns = recording->t_ns[row];
	memcpy(in_V, recording->in_V + row * daq->n_in, daq->n_in * sizeof(*in_V));
	if (recording->exchange[row])
		return recording->exchange[row];
	return before > 0 && recording->tick[row] != recording->tick[before - 1] + 1 ? JOSTLE_EMISSED : code;
}

static int replay_stop(struct daq *daq)
{
	struct replay *replay = daq->state;

	replay->started = false;
	return 0;
}

const struct daq_driver driver_replay = {
	.name = "replay",
	.summary = "a recorded run: its inputs once more, whatever is written",
	.example = "replay-2",
	.absent_device = "no-such-run.h5",
	.simulated = true,
	.state_size = sizeof(struct replay),
	.open = replay_open,
	.start = replay_start,
	.exchange = replay_exchange,
	.stop = replay_stop,
	.close = replay_close,
};
