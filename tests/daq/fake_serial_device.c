/*
 * fake_serial_device --plant PLANT --period S [--seed N] [--log FILE] [--tty PATH --baud N [--far PATH]]
 *                    [--bench BENCH] [--preload LIBRARY] [-- COMMAND …]
 *
 * A serial device with a plant behind it, on a pseudo terminal of its own or on the serial port --tty. It says "ready: PORT",
 * the port being the one to open (with --tty: --far, the other end of that line), and stays until it gets SIGTERM or SIGINT.
 * With a command it runs that instead, in whose arguments {} stands for a copy of the bench file BENCH with the port for its
 * device, and {port} for the port; it ends when the command does, with its exit status. --log FILE: a line for each time that
 * the outputs are written: seconds, state (0 idle, 1 running, 2 expired), volts.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/find.h"
#include "daq/fake_device.h"
#include "sim/plant_config.h"

static volatile sig_atomic_t stopped;

struct arguments {
	const char *plant, *log, *tty, *far, *bench, *preload;
	double period_s;
	uint64_t seed;
	int baud;
	char **command; /* NULL or ended by NULL */
	char port[128], folder[64], copy[256];
};

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "fake_serial_device: %s: %s\n", what, why);
	exit(2);
}

static void parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"plant", 1, NULL, 'p'}, {"period", 1, NULL, 't'},
		{"seed", 1, NULL, 's'},  {"log", 1, NULL, 'l'},
		{"tty", 1, NULL, 'd'},   {"baud", 1, NULL, 'b'},
		{"bench", 1, NULL, 'B'}, {"preload", 1, NULL, 'P'},
		{"far", 1, NULL, 'f'},   {0},
	};
	int option;

	*a = (struct arguments){.baud = 115200};
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		switch (option) {
		case 'p':
			a->plant = optarg;
			break;
		case 't':
			a->period_s = atof(optarg);
			break;
		case 's':
			a->seed = strtoull(optarg, NULL, 10);
			break;
		case 'l':
			a->log = optarg;
			break;
		case 'd':
			a->tty = optarg;
			break;
		case 'f':
			a->far = optarg;
			break;
		case 'b':
			a->baud = atoi(optarg);
			break;
		case 'B':
			a->bench = optarg;
			break;
		case 'P':
			a->preload = optarg;
			break;
		default:
			exit(2);
		}
	if (!a->plant || !(a->period_s > 0.0))
		fail("usage", "--plant PLANT --period S are needed; see the head of fake_serial_device.c");
	if (optind < argc)
		a->command = argv + optind;
}

/** A copy of the bench file, of the same name, with another device. */
static void copy_bench(struct arguments *a)
{
	char path[1024], line[4096];
	struct err err = {0};

	if (find_file(FIND_BENCH, a->bench, path, sizeof(path), &err) < 0)
		fail(a->bench, err.text);
	snprintf(a->folder, sizeof(a->folder), "/tmp/jostle-serial-XXXXXX");
	if (!mkdtemp(a->folder))
		fail(a->folder, strerror(errno));
	const char *slash = strrchr(path, '/');
	snprintf(a->copy, sizeof(a->copy), "%s/%.180s", a->folder, slash ? slash + 1 : path);
	FILE *from = fopen(path, "re"), *to = fopen(a->copy, "we");
	if (!from || !to)
		fail(a->copy, strerror(errno));
	while (fgets(line, sizeof(line), from))
		if (strncmp(line, "devices:", 8) == 0)
			fprintf(to, "devices: [%s]\n", a->port);
		else
			fputs(line, to);
	fclose(from);
	fclose(to);
}

/** The command's argument with {} and {port} filled in; the caller's to keep. */
static char *fill(const struct arguments *a, const char *argument)
{
	static const char *const marks[] = {"{}", "{port}"};
	const char *const values[] = {a->copy, a->port};
	char *filled = calloc(1, strlen(argument) + sizeof(a->copy) + 1);

	if (!filled)
		fail(argument, "no memory");
	strcpy(filled, argument);
	for (int i = 0; i < 2; i++) {
		const char *place = strstr(argument, marks[i]);

		if (place)
			sprintf(filled, "%.*s%s%s", (int)(place - argument), argument, values[i],
				place + strlen(marks[i]));
	}
	return filled;
}

static pid_t start_command(const struct arguments *a)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (char **argument = a->command; *argument; argument++)
		*argument = fill(a, *argument);
	if (a->preload)
		setenv("LD_PRELOAD", a->preload, 1);
	execvp(a->command[0], a->command);
	fprintf(stderr, "fake_serial_device: %s: %s\n", a->command[0], strerror(errno));
	_exit(127);
}

/** Wait for the command, then end the device. */
static void *wait_for_command(void *context)
{
	int *status = context; /* holds the process id before */
	const pid_t pid = *status;

	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	stopped = 1;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = stop};
	struct arguments a;
	struct plant_config *plant = NULL;
	char path[1024];
	struct err err = {0};
	pthread_t waiter;
	int status = 0;

	parse(&a, argc, argv);
	if (find_file(FIND_PLANT, a.plant, path, sizeof(path), &err) < 0 || plant_load(&plant, path, &err) < 0)
		fail(a.plant, err.text);
	snprintf(a.port, sizeof(a.port), "%s", a.far ? a.far : a.tty ? a.tty : "");
	const int fd = a.tty ? fake_device_tty(a.tty, a.baud) : fake_device_pty(a.port, sizeof(a.port));
	if (fd < 0)
		fail(a.tty ? a.tty : "pseudo terminal", strerror(errno));
	if (a.bench)
		copy_bench(&a);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (a.command) {
		status = start_command(&a);
		if (status < 0 || pthread_create(&waiter, NULL, wait_for_command, &status) != 0)
			fail(a.command[0], strerror(errno));
	}
	printf("ready: %s\n", a.port);
	fflush(stdout);
	const struct fake_device fake = {
		.plant = plant, .period_s = a.period_s, .seed = a.seed, .log = a.log, .stopped = &stopped};
	if (fake_device_run(&fake, fd) < 0)
		fail("device", strerror(errno));
	if (a.command)
		pthread_join(waiter, NULL);
	if (a.copy[0]) {
		unlink(a.copy);
		rmdir(a.folder);
	}
	plant_config_free(plant);
	return !a.command ? 0 : WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
