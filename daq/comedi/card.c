#include "daq/comedi/card.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/err.h"
#include "daq/bench.h"

const char *card_path(const struct card *card)
{
	return card->bench->devices[card->index];
}

const char *card_why(void)
{
	return comedi_strerror(comedi_errno());
}

const char *card_kind(int type)
{
	static const char *const kinds[] = {
		[COMEDI_SUBD_UNUSED] = "nothing",          [COMEDI_SUBD_AI] = "analog inputs",
		[COMEDI_SUBD_AO] = "analog outputs",       [COMEDI_SUBD_DI] = "digital inputs",
		[COMEDI_SUBD_DO] = "digital outputs",      [COMEDI_SUBD_DIO] = "digital lines",
		[COMEDI_SUBD_COUNTER] = "counters",        [COMEDI_SUBD_TIMER] = "timers",
		[COMEDI_SUBD_MEMORY] = "memory",           [COMEDI_SUBD_CALIB] = "calibration converters",
		[COMEDI_SUBD_PROC] = "a processor",        [COMEDI_SUBD_SERIAL] = "a serial port",
		[COMEDI_SUBD_PWM] = "pulse-width outputs",
	};

	return type >= 0 && (size_t)type < sizeof(kinds) / sizeof(kinds[0]) && kinds[type] ? kinds[type] : "something";
}

static int not_there(const struct card *card, struct err *err)
{
	char way_on[200];

	bench_name_fallback(card->bench, way_on, sizeof(way_on));
	return err_at(
		err, JOSTLE_ENODEV, card->bench->path, 0, 0,
		"devices[%zu]: expected a data acquisition card at %s, with its kernel driver loaded or attached by "
		"comedi_config, found none (%s); %s",
		card->index, card_path(card), card_why(), way_on);
}

int card_open(struct card *card, const struct bench *bench, size_t index, bool owner, struct err *err)
{
	*card = (struct card){.bench = bench, .index = index};
	comedi_loglevel(0);
	card->device = comedi_open(card_path(card));
	if (!card->device) {
		const int why = comedi_errno();

		return why == EACCES || why == EPERM
			       ? err_at(err, JOSTLE_EIO, bench->path, 0, 0,
					"devices[%zu]: %s is there, but this user may not open it (%s)", index,
					card_path(card), card_why())
			       : not_there(card, err);
	}
	const int fd = comedi_fileno(card->device);

	/* A process that this one starts must hold neither the card nor its lock when this one has died. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
		const int why = errno;

		card_close(card);
		return err_at(err, JOSTLE_EIO, bench->path, 0, 0, "devices[%zu]: %s: %s", index, bench->devices[index],
			      strerror(why));
	}
	if (owner && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		card_close(card);
		return err_at(err, JOSTLE_EBUSY, bench->path, 0, 0,
			      "devices[%zu]: %s is in use by another process that drives a bench", index,
			      bench->devices[index]);
	}
	return 0;
}

void card_close(struct card *card)
{
	if (card->has_calibration)
		comedi_cleanup_calibration(card->calibration);
	free(card->calibration_path);
	if (card->device)
		comedi_close(card->device);
	card->device = NULL;
	card->calibration_path = NULL;
	card->has_calibration = false;
}

static int check_free(const struct card *card, unsigned subdevice, int type, const char *field, struct err *err)
{
	const int flags = comedi_get_subdevice_flags(card->device, subdevice);
	const bool running = flags & SDF_BUSY && !(flags & SDF_BUSY_OWNER);
	const bool locked = flags & SDF_LOCKED && !(flags & SDF_LOCK_OWNER);

	if (flags == -1)
		return err_at(err, JOSTLE_EIO, card->bench->path, 0, 0, "%s: subdevice %u of %s does not answer: %s",
			      field, subdevice, card_path(card), card_why());
	if (!running && !locked)
		return 0;
	return err_at(err, JOSTLE_EBUSY, card->bench->path, 0, 0, "%s: the %s of %s (subdevice %u) are %s", field,
		      card_kind(type), card_path(card), subdevice,
		      locked ? "locked by another process" : "busy with another process's acquisition");
}

int card_find(const struct card *card, int stated, bool input, bool line, const char *field, unsigned *subdevice,
	      int *type, struct err *err)
{
	const int wanted = input ? COMEDI_SUBD_AI : COMEDI_SUBD_AO, n = comedi_get_n_subdevices(card->device);
	const int number =
		stated == BENCH_ANY_SUBDEVICE ? comedi_find_subdevice_by_type(card->device, wanted, 0) : stated;

	if (number < 0)
		return err_at(err, JOSTLE_ECONFIG, card->bench->path, 0, 0, "%s: %s (%s) has no %s", field,
			      card_path(card), comedi_get_board_name(card->device), card_kind(wanted));
	if (number >= n)
		return err_at(err, JOSTLE_ECONFIG, card->bench->path, 0, 0,
			      "%s: expected a subdevice below %d of %s (%s), found %d", field, n, card_path(card),
			      comedi_get_board_name(card->device), number);
	*subdevice = (unsigned)number;
	*type = comedi_get_subdevice_type(card->device, *subdevice);
	if (*type != wanted && !(line && (*type == COMEDI_SUBD_DIO || *type == COMEDI_SUBD_DO)))
		return err_at(err, JOSTLE_ECONFIG, card->bench->path, 0, 0,
			      "%s: expected %s%s, found %s in subdevice %d of %s (%s)", field, card_kind(wanted),
			      line ? " or digital outputs" : "", card_kind(*type), number, card_path(card),
			      comedi_get_board_name(card->device));
	return check_free(card, *subdevice, *type, field, err);
}
