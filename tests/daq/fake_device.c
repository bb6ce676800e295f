#include "daq/fake_device.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "daq/serial/device.h"
#include "sim/plant.h"

#define CODES     65536.0
#define MAX_EDGES 100 /* that a plant lives through at once */
#define LSB_V     (2.0 * FAKE_RANGE_V / CODES)

struct device_state {
	const struct fake_device *fake;
	int fd;
	FILE *log;
	int64_t start_ns, edge_ns; /* the plant's last edge */
	struct plant plant;
	double in_V[FRAMING_MAX_CHANNELS], out_V[FRAMING_MAX_CHANNELS];
	struct serial_device device;
	struct serial_device_channel channels[FRAMING_MAX_CHANNELS];
	uint8_t kept[FRAMING_MAX_CODED]; /* an answer to be repeated */
	size_t n_kept;
};

/** Let the plant live up to now, by `least` edges at least. */
static void live(struct device_state *s, int least)
{
	const double period_ns = s->fake->period_s * 1e9;
	const int64_t now_ns = clock_now_ns();
	const double passed = round((double)(now_ns - s->edge_ns) / period_ns);
	int edges = passed < least ? least : passed > MAX_EDGES ? MAX_EDGES : (int)passed;

	if (edges > 0)
		s->edge_ns = now_ns;
	while (edges-- > 0)
		plant_edge(&s->plant, s->out_V, s->in_V);
}

static void sample(void *context, uint16_t in[])
{
	struct device_state *s = context;

	live(s, 1);
	for (size_t c = 0; c < s->plant.n_in; c++)
		in[c] = (uint16_t)fmin(fmax(round((s->in_V[c] + FAKE_RANGE_V) / LSB_V), 0.0), CODES - 1.0);
}

static void report(struct device_state *s)
{
	struct fake_device_page *page = s->fake->page;

	if (page) {
		for (size_t c = 0; c < s->plant.n_out && c < 16; c++)
			page->out_V[c] = s->out_V[c];
		page->n_drives++;
		page->watchdog_us = s->device.watchdog_us;
	}
	if (!s->log)
		return;
	fprintf(s->log, "%.6f %d", (double)(clock_now_ns() - s->start_ns) * 1e-9, (int)s->device.state);
	for (size_t c = 0; c < s->plant.n_out; c++)
		fprintf(s->log, " %.9g", s->out_V[c]);
	fprintf(s->log, "\n");
	fflush(s->log);
}

static void drive(void *context, const uint16_t out[])
{
	struct device_state *s = context;

	live(s, 0);
	for (size_t c = 0; c < s->plant.n_out; c++)
		s->out_V[c] = -FAKE_RANGE_V + LSB_V * out[c];
	plant_write(&s->plant, s->out_V);
	report(s);
}

/** All of it, if there is room for it within a second. */
static void put(struct device_state *s, const uint8_t bytes[], size_t n)
{
	for (size_t done = 0; done < n;) {
		struct pollfd port = {.fd = s->fd, .events = POLLOUT};
		const ssize_t written = write(s->fd, bytes + done, n - done);

		if (written > 0)
			done += (size_t)written;
		else if (written < 0 && errno != EAGAIN && errno != EINTR)
			return;
		else if (poll(&port, 1, 1000) <= 0)
			return;
	}
}

/** One of so many that are to go wrong. */
static bool take_one(atomic_int *many)
{
	int left = atomic_load(many);

	while (left > 0)
		if (atomic_compare_exchange_weak(many, &left, left - 1))
			return true;
	return false;
}

static void send(void *context, const uint8_t bytes[], size_t n)
{
	struct device_state *s = context;
	struct fake_device_page *page = s->fake->page;
	static const uint8_t noise[] = {0x03, 0x81, 0xff, 0x00, 0x01, 0x00, 0x00, 0x07, 0x55, 0xaa, 0x12};

	if (!page) {
		put(s, bytes, n);
		return;
	}
	if (take_one(&page->swallow))
		return;
	if (take_one(&page->noise))
		put(s, noise, sizeof(noise));
	if (take_one(&page->cut)) {
		put(s, bytes, n / 2);
	} else if (take_one(&page->spoil)) {
		uint8_t spoilt[FRAMING_MAX_CODED];

		memcpy(spoilt, bytes, n);
		spoilt[n / 2] ^= 0x10;
		put(s, spoilt, n);
	} else {
		put(s, bytes, n);
	}
	if (s->n_kept)
		put(s, s->kept, s->n_kept);
	s->n_kept = 0;
	if (take_one(&page->repeat)) {
		memcpy(s->kept, bytes, n);
		s->n_kept = n;
	}
}

static void be_raw(int fd, int baud)
{
	static const struct {
		int baud;
		speed_t speed;
	} speeds[] = {{9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
		      {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600}};
	struct termios line;

	if (tcgetattr(fd, &line) < 0)
		return;
	cfmakeraw(&line);
	line.c_cflag |= CLOCAL | CREAD;
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].baud == baud)
			cfsetspeed(&line, speeds[i].speed);
	tcsetattr(fd, TCSANOW, &line);
}

/** The lowest free name is given out first, and others who wait for a device of theirs to come back look there. */
static int out_of_the_way(void)
{
	int passed[100], fd = -1;
	const int n = 20 + getpid() % 80;

	for (int i = 0; i < n; i++)
		passed[i] = posix_openpt(O_RDWR | O_NOCTTY);
	fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	for (int i = 0; i < n; i++)
		if (passed[i] >= 0)
			close(passed[i]);
	return fd;
}

int fake_device_pty(char *path, size_t size)
{
	const int fd = out_of_the_way();

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, path, size) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	be_raw(fd, 0);
	return fd;
}

int fake_device_tty(const char *path, int baud)
{
	const int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		be_raw(fd, baud);
	return fd;
}

static bool is_over(const struct device_state *s)
{
	return (s->fake->stopped && *s->fake->stopped) || (s->fake->page && s->fake->page->unplug);
}

/** Read what has come, and look at the time. Returns false when the line has ended. */
static bool listen_once(struct device_state *s)
{
	struct fake_device_page *page = s->fake->page;
	struct pollfd port = {.fd = s->fd, .events = POLLIN};
	uint8_t bytes[256];

	poll(&port, 1, 1);
	const ssize_t n = read(s->fd, bytes, sizeof(bytes));
	/* EIO: nobody has the other end of the pseudo terminal open now */
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != EIO)
		return false;
	if (n < 0 && errno == EIO)
		poll(NULL, 0, 1);
	if (page && page->deaf)
		return true;
	for (ssize_t i = 0; i < n; i++)
		serial_device_take(&s->device, bytes[i], (uint32_t)(clock_now_ns() / 1000));
	serial_device_tick(&s->device, (uint32_t)(clock_now_ns() / 1000));
	if (page) {
		page->state = (int)s->device.state;
		page->n_exchanges = s->device.n_exchanges;
	}
	return true;
}

int fake_device_run(const struct fake_device *fake, int fd)
{
	struct device_state *s = calloc(1, sizeof(*s));
	int result = -1;

	if (!s || plant_init(&s->plant, fake->plant, fake->period_s, fake->seed, NULL) < 0) {
		free(s);
		close(fd);
		errno = ENOMEM;
		return -1;
	}
	const struct serial_device_board board = {
		.name = "fake",
		.context = s,
		.n_in = s->plant.n_in,
		.n_out = s->plant.n_out,
		.in = s->channels,
		.out = s->channels,
		.period_us = (uint32_t)(fake->period_s * 1e6),
		.sample = sample,
		.drive = drive,
		.send = send,
	};

	for (size_t c = 0; c < FRAMING_MAX_CHANNELS; c++)
		s->channels[c] = (struct serial_device_channel){-(int32_t)(FAKE_RANGE_V * 1e6),
								(int32_t)(FAKE_RANGE_V * 1e6), 16};
	/* firmware shares its processor with nobody; where it may not be so here, it is late now and then */
	(void)sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 70});
	s->fake = fake;
	s->fd = fd;
	s->log = fake->log ? fopen(fake->log, "we") : NULL;
	s->start_ns = s->edge_ns = clock_now_ns();
	if ((!fake->log || s->log) && serial_device_init(&s->device, &board)) {
		while (!is_over(s) && listen_once(s))
			;
		result = 0;
	}
	if (s->log)
		fclose(s->log);
	plant_fini(&s->plant);
	free(s);
	close(fd);
	return result;
}
