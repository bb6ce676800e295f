#include "daq/comedi/stream.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

#define BUFFER_S 1.0 /* of scans in the kernel: what the loop may be late before one is lost */

static const char *path_of(const struct stream *stream)
{
	return stream->card->bench->path;
}

/** Whose samples a scan holds: one subdevice's, since a card runs one command on one of them. */
static int take_wires(struct stream *stream, struct wire wires[], size_t n, struct err *err)
{
	char name[160];

	stream->wires = calloc(n ? n : 1, sizeof(struct wire *));
	stream->channels = calloc(n ? n : 1, sizeof(*stream->channels));
	stream->bytes = malloc(STREAM_ROOM);
	if (!stream->wires || !stream->channels || !stream->bytes)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu channels of a card", n);
	for (size_t i = 0; i < n; i++) {
		if (wires[i].card != stream->card)
			continue;
		if (stream->n && wires[i].subdevice != stream->wires[0]->subdevice) {
			wire_name(&wires[i], name, sizeof(name));
			return err_at(err, JOSTLE_ECONFIG, path_of(stream), 0, 0,
				      "inputs, %s: acquisition: streaming: expected all inputs of a card on one "
				      "subdevice, found %u and %u",
				      name, stream->wires[0]->subdevice, wires[i].subdevice);
		}
		stream->channels[stream->n] = wires[i].chanspec;
		stream->wires[stream->n++] = &wires[i];
	}
	return 0;
}

/** Let the card change a command into one that it can do. Returns whether it ends with one. */
static bool settle(comedi_t *device, comedi_cmd *command)
{
	/* Each test mends one kind of argument: sources, their clashes, ranges, roundings. */
	for (int turn = 0; turn < 6; turn++)
		if (comedi_command_test(device, command) == 0)
			return true;
	return false;
}

/**
 * A scan every period, its conversions as fast as may be, without an end. A card without a clock for scans spreads the
 * conversions evenly over the period.
 */
static bool lay_out(const struct stream *stream, double period_s, comedi_cmd *command)
{
	const unsigned period_ns = (unsigned)fmax(rint(period_s * 1e9), 1.0);
	comedi_cmd can;

	*command = (comedi_cmd){
		.subdev = stream->wires[0]->subdevice,
		.flags = CMDF_WAKE_EOS,
		.start_src = TRIG_NOW,
		.scan_begin_src = TRIG_TIMER,
		.scan_begin_arg = period_ns,
		.convert_src = TRIG_TIMER, /* after 0 ns: raised to the shortest */
		.scan_end_src = TRIG_COUNT,
		.scan_end_arg = (unsigned)stream->n,
		.stop_src = TRIG_NONE,
		.chanlist = stream->channels,
		.chanlist_len = (unsigned)stream->n,
	};
	if (comedi_get_cmd_src_mask(stream->card->device, command->subdev, &can) < 0)
		return false;
	if (!(can.convert_src & TRIG_TIMER))
		command->convert_src = TRIG_NOW;
	if (!(can.scan_begin_src & TRIG_TIMER)) {
		command->scan_begin_src = TRIG_FOLLOW;
		command->scan_begin_arg = 0;
		command->convert_arg = period_ns / (unsigned)stream->n;
	}
	return settle(stream->card->device, command);
}

/** Between scans, ns; a card without a clock for scans lets its conversions follow each other without a pause. */
static double scan_ns(const struct stream *stream, const comedi_cmd *command)
{
	return command->scan_begin_src == TRIG_TIMER ? command->scan_begin_arg
						     : (double)command->convert_arg * (double)stream->n;
}

int stream_init(struct stream *stream, struct card *card, struct wire wires[], size_t n, double period_s,
		struct err *err)
{
	int code;

	*stream = (struct stream){.card = card};
	code = take_wires(stream, wires, n, err);
	if (code < 0)
		goto fail;
	if (stream->n == 0)
		return 0;
	const unsigned subdevice = stream->wires[0]->subdevice;

	if (!(comedi_get_subdevice_flags(card->device, subdevice) & SDF_CMD_READ) ||
	    comedi_set_read_subdevice(card->device, subdevice) < 0 || !lay_out(stream, period_s, &stream->command)) {
		code = err_at(
			err, JOSTLE_ECONFIG, path_of(stream), 0, 0,
			"acquisition: streaming: expected analog inputs of %s that can run a command (subdevice %u)",
			card_path(card), subdevice);
		goto fail;
	}
	if (fabs(stream_period_s(stream) / period_s - 1.0) > 1e-3) {
		code = err_at(err, JOSTLE_ECONFIG, path_of(stream), 0, 0,
			      "period_s: %s, streaming %zu inputs, does %g instead of %g", card_path(card), stream->n,
			      stream_period_s(stream), period_s);
		goto fail;
	}
	stream->wide = comedi_get_subdevice_flags(card->device, subdevice) & SDF_LSAMPL;
	stream->scan_size = stream->n * (stream->wide ? sizeof(lsampl_t) : sizeof(sampl_t));
	const unsigned wanted = (unsigned)(BUFFER_S / period_s * (double)stream->scan_size);

	/* More than there may be is root's to allow; what there is then has to do. */
	if (comedi_get_buffer_size(card->device, subdevice) < (int)wanted) {
		if (comedi_get_max_buffer_size(card->device, subdevice) < (int)wanted)
			comedi_set_max_buffer_size(card->device, subdevice, wanted);
		const int most = comedi_get_max_buffer_size(card->device, subdevice);

		comedi_set_buffer_size(card->device, subdevice, most < (int)wanted ? (unsigned)most : wanted);
	}
	return 0;
fail:
	stream_fini(stream);
	return code;
}

void stream_fini(struct stream *stream)
{
	stream_stop(stream);
	free(stream->wires);
	free(stream->channels);
	free(stream->bytes);
	*stream = (struct stream){0};
}

double stream_period_s(const struct stream *stream)
{
	return scan_ns(stream, &stream->command) * 1e-9;
}

double stream_shortest_s(const struct stream *stream)
{
	comedi_cmd shortest;

	return stream->n && lay_out(stream, 1e-9, &shortest) ? scan_ns(stream, &shortest) * 1e-9 : 0.0;
}

double stream_skew_s(const struct stream *stream, size_t i)
{
	return stream->command.convert_src == TRIG_TIMER ? (double)stream->command.convert_arg * (double)i * 1e-9 : 0.0;
}

int stream_start(struct stream *stream, struct err *err)
{
	if (stream->n == 0)
		return 0;
	stream->n_bytes = 0;
	stream->n_scans = 0;
	if (comedi_command(stream->card->device, &stream->command) < 0)
		return err_set(err, comedi_errno() == EBUSY || comedi_errno() == EACCES ? JOSTLE_EBUSY : JOSTLE_EIO,
			       "%s does not begin to stream its inputs: %s", card_path(stream->card), card_why());
	stream->start_ns = stream->fresh_ns = clock_now_ns();
	stream->running = true;
	return 0;
}

void stream_stop(struct stream *stream)
{
	if (stream->running)
		comedi_cancel(stream->card->device, stream->wires[0]->subdevice);
	stream->running = false;
}

/** The counts of a scan that begins at `at`. */
static void take_scan(struct stream *stream, const unsigned char *at)
{
	for (size_t i = 0; i < stream->n; i++) {
		sampl_t narrow;

		if (stream->wide) {
			memcpy(&stream->wires[i]->counts, at + i * sizeof(lsampl_t), sizeof(lsampl_t));
		} else {
			memcpy(&narrow, at + i * sizeof(narrow), sizeof(narrow));
			stream->wires[i]->counts = narrow;
		}
	}
}

int stream_take(struct stream *stream)
{
	const int fd = comedi_fileno(stream->card->device);

	for (;;) {
		const ssize_t n = read(fd, stream->bytes + stream->n_bytes, STREAM_ROOM - stream->n_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		if (n == 0) /* nothing is left, and nothing more will come */
			return EPIPE;
		stream->n_bytes += (size_t)n;
		const size_t scans = stream->n_bytes / stream->scan_size, whole = scans * stream->scan_size;

		if (scans == 0)
			continue;
		take_scan(stream, stream->bytes + whole - stream->scan_size);
		stream->n_scans += scans;
		stream->fresh_ns = clock_now_ns();
		stream->n_bytes -= whole;
		memmove(stream->bytes, stream->bytes + whole, stream->n_bytes);
	}
}

int stream_wait(struct stream *stream, int64_t timeout_ns)
{
	struct pollfd ready = {.fd = comedi_fileno(stream->card->device), .events = POLLIN};
	const struct timespec left = {timeout_ns / 1000000000, timeout_ns % 1000000000};
	const int n = timeout_ns > 0 ? ppoll(&ready, 1, &left, NULL) : 0;

	if (n == 0)
		return ETIMEDOUT;
	return n > 0 || errno == EINTR ? 0 : errno;
}
