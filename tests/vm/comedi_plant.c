/*
 * comedi_plant SITE … [seed=N] [relaxation_s=0.1] [period_s=0.001]
 *
 * Oscillators behind comedi cards whose inputs read back their outputs. SITE is ACTUATOR,DISPLACEMENT, each DEVICE:CHANNEL,
 * as "/dev/comedi0:0,/dev/comedi0:4": the actuator's volts are read on the input of its number, the displacement is written
 * to the output of its number, where whoever owns the bench reads it back. Ends at SIGINT or SIGTERM.
 *
 * It shares nothing with jostle but the cards: neither code nor clock nor random numbers.
 *
 * Natural units: dx = (f - x) dt + sqrt(2) dW, time in relaxation times, 1 V a unit of x, 10 V 100 units of f. Each edge
 * integrates exactly what has passed since the one before, with the volts that stand on the actuator now. What this makes
 * the controller's forces early by, the displacement is late by when the controller reads it: between the two there is the
 * one period of delay that every bench has, as long as the edges of plant and controller alternate. The plant therefore
 * finds out when in its own period the actuators change, and shifts its edges by half a period where that is near them.
 */
#include <comedilib.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MAX_SITES    16
#define FORCE_PER_V  10.0
#define STOP         6.0  /* mechanical, as the simulated plants have */
#define SENSOR_NOISE 0.02 /* as they have */
#define PRIORITY     90   /* above the loop's: the world is never late */
#define LOOK_EVERY   8    /* edges between two looks at when the actuators change */
#define LOOKS        4    /* that agree before the edges are shifted */

struct line {
	comedi_t *device;
	unsigned subdevice, channel;
	comedi_range *range;
	lsampl_t max;
};

struct site {
	struct line actuator, displacement;
	double x;
	lsampl_t counts, was; /* of the actuator, now and an edge ago */
};

struct plant {
	struct site sites[MAX_SITES];
	size_t n;
	uint64_t random;
	double relaxation_s;
	int64_t period_ns, edge_ns; /* when the next edge is due */
	uint64_t edges, missed, shifts, changes, refused;
	int near[2]; /* looks in a row that found the change just after an edge, just before one */
	double sum_xx;
};

static volatile sig_atomic_t ending;

static void end(int number)
{
	(void)number;
	ending = 1;
}

static void die(const char *what, const char *which)
{
	fprintf(stderr, "comedi_plant: %s: %s (%s)\n", which, what, comedi_strerror(comedi_errno()));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t t_ns)
{
	const struct timespec t = {.tv_sec = t_ns / 1000000000, .tv_nsec = t_ns % 1000000000};

	while (!ending && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

/** Uniform in (0, 1): splitmix64. */
static double uniform(struct plant *plant)
{
	uint64_t z = plant->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return ((double)((z ^ z >> 31) >> 12) + 0.5) * 0x1p-52;
}

static double normal(struct plant *plant)
{
	const double radius = sqrt(-2.0 * log(uniform(plant)));

	return radius * cos(2.0 * 3.14159265358979323846 * uniform(plant));
}

/** "DEVICE:CHANNEL", up to `end`. */
static void open_line(struct line *line, const char *text, size_t length, int type)
{
	char path[128];
	const char *colon = memchr(text, ':', length);

	if (!colon || length >= sizeof(path))
		die("expected DEVICE:CHANNEL,DEVICE:CHANNEL", text);
	snprintf(path, sizeof(path), "%.*s", (int)(colon - text), text);
	line->channel = (unsigned)strtoul(colon + 1, NULL, 10);
	line->device = comedi_open(path);
	if (!line->device)
		die("can't be opened", path);
	const int subdevice = comedi_find_subdevice_by_type(line->device, type, 0);
	if (subdevice < 0)
		die("no such subdevice", path);
	line->subdevice = (unsigned)subdevice;
	line->range = comedi_get_range(line->device, line->subdevice, line->channel, 0);
	line->max = comedi_get_maxdata(line->device, line->subdevice, line->channel);
	if (!line->range || !line->max)
		die("no such channel", text);
}

static void add_site(struct plant *plant, const char *text)
{
	const char *comma = strchr(text, ',');
	struct site *site = &plant->sites[plant->n];

	if (!comma || plant->n == MAX_SITES)
		die("expected at most 16 times ACTUATOR,DISPLACEMENT", text);
	open_line(&site->actuator, text, (size_t)(comma - text), COMEDI_SUBD_AI);
	open_line(&site->displacement, comma + 1, strlen(comma + 1), COMEDI_SUBD_AO);
	plant->n++;
}

static lsampl_t read_actuator(const struct site *site)
{
	lsampl_t counts = 0;

	if (comedi_data_read(site->actuator.device, site->actuator.subdevice, site->actuator.channel, 0, AREF_GROUND,
			     &counts) < 0)
		die("can't be read", "actuator");
	return counts;
}

/** A guardian may have taken the card's outputs for itself; the world goes on meanwhile. */
static void write_displacement(struct plant *plant, const struct site *site, double x)
{
	const struct line *line = &site->displacement;
	const lsampl_t counts = comedi_from_phys(x, line->range, line->max);

	plant->refused += comedi_data_write(line->device, line->subdevice, line->channel, 0, AREF_GROUND, counts) < 0;
}

static void integrate(struct plant *plant, int64_t passed_ns)
{
	const double keep = exp(-1e-9 * (double)passed_ns / plant->relaxation_s), spread = sqrt(1.0 - keep * keep);

	for (struct site *site = plant->sites; site < plant->sites + plant->n; site++) {
		const double force =
			FORCE_PER_V * comedi_to_phys(site->counts, site->actuator.range, site->actuator.max);

		site->x = keep * site->x + (1.0 - keep) * force + spread * normal(plant);
		site->x = fmin(fmax(site->x, -STOP), STOP);
		plant->sum_xx += site->x * site->x;
	}
}

/** Whether the first site's actuator changes in the half of the period around its middle, shifting the edges if not. */
static void look(struct plant *plant, bool late)
{
	struct site *site = &plant->sites[0];

	sleep_until(plant->edge_ns + (late ? 3 : 1) * plant->period_ns / 4);
	const lsampl_t then = read_actuator(site), was = site->counts;
	sleep_until(plant->edge_ns + plant->period_ns);
	const lsampl_t now = read_actuator(site);
	if (was == now || (then != was && then != now))
		return; /* nothing to be seen */
	plant->changes++;
	if (then == (late ? now : was)) {
		plant->near[late] = 0;
	} else if (++plant->near[late] == LOOKS) {
		plant->near[0] = plant->near[1] = 0;
		plant->shifts++;
		plant->edge_ns += plant->period_ns / 2;
	}
}

static void go(struct plant *plant)
{
	int64_t last_ns = now_ns();

	for (plant->edge_ns = last_ns + plant->period_ns; !ending; plant->edge_ns += plant->period_ns) {
		sleep_until(plant->edge_ns);
		const int64_t t_ns = now_ns();
		for (struct site *site = plant->sites; site < plant->sites + plant->n; site++)
			site->counts = read_actuator(site);
		integrate(plant, t_ns - last_ns);
		for (struct site *site = plant->sites; site < plant->sites + plant->n; site++)
			write_displacement(plant, site, site->x + SENSOR_NOISE * normal(plant));
		last_ns = t_ns;
		for (; t_ns - plant->edge_ns >= plant->period_ns; plant->missed++)
			plant->edge_ns += plant->period_ns;
		if (++plant->edges % LOOK_EVERY == 0)
			look(plant, plant->edges / LOOK_EVERY % 2);
	}
}

/** Whether the argument is NAME=VALUE; its value. */
static bool number(const char *argument, const char *name, double *value)
{
	const size_t length = strlen(name);

	if (strncmp(argument, name, length) != 0 || argument[length] != '=')
		return false;
	*value = strtod(argument + length + 1, NULL);
	return true;
}

int main(int argc, char **argv)
{
	static struct plant plant;
	double seed = 1, period_s = 1e-3;

	plant.relaxation_s = 0.1;
	for (int i = 1; i < argc; i++)
		if (!number(argv[i], "seed", &seed) && !number(argv[i], "period_s", &period_s) &&
		    !number(argv[i], "relaxation_s", &plant.relaxation_s))
			add_site(&plant, argv[i]);
	plant.random = (uint64_t)seed;
	plant.period_ns = (int64_t)llround(period_s * 1e9);
	if (!plant.n || plant.period_ns <= 0)
		die("expected sites", "arguments");
	for (size_t i = 0; i < plant.n; i++)
		plant.sites[i].x = normal(&plant);
	signal(SIGINT, end);
	signal(SIGTERM, end);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = PRIORITY}))
		fprintf(stderr, "comedi_plant: no real-time priority\n");
	fprintf(stderr, "plant is ready\n");
	go(&plant);
	fprintf(stderr,
		"comedi_plant: %llu edges, %llu missed, %llu shifts, %llu changes seen, %llu writes refused, mean "
		"square of x %.3f\n",
		(unsigned long long)plant.edges, (unsigned long long)plant.missed, (unsigned long long)plant.shifts,
		(unsigned long long)plant.changes, (unsigned long long)plant.refused,
		plant.sum_xx / ((double)plant.edges * (double)plant.n));
	return 0;
}
