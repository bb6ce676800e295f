#include "sim/plant_process.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/find.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/provenance.h"
#include "sim/plant.h"
#include "sim/plant_log.h"
#include "sim/plant_page.h"

#define PRIORITY 70 /* below the loop and its guardian, which are to find the plant's edges on time */

/** What SIGUSR1 set and SIGUSR2 cleared. */
static volatile sig_atomic_t signalled;

struct process {
	struct plant_config *config;
	struct plant plant;
	struct plant_page page;
	struct plant_log log;
	double *in_V, *out_V, *effect_V, *x_m;
	uint64_t n_missed;
};

static void sleep_until(int64_t t_ns)
{
	const struct timespec t = {t_ns / 1000000000, t_ns % 1000000000};

	/* SIGTERM must end even a long sleep. */
	while (!interrupt_asked() && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void take_signal(int number)
{
	signalled = number == SIGUSR1;
}

static void watch_signals(void)
{
	struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART};

	signalled = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
}

/** The thread that calls, and not the log's: that one must not stand before anybody. */
static void take_realtime(void)
{
	const struct sched_param param = {.sched_priority = PRIORITY};

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		log_warning("the plant runs without real-time priority: %s", strerror(errno));
	if (mlockall(MCL_CURRENT) < 0)
		log_warning("the plant's memory is not locked: %s", strerror(errno));
}

static void one_edge(struct process *process, uint64_t edge, int64_t t_ns)
{
	plant_signal(&process->plant, signalled != 0);
	plant_page_take(&process->page, process->out_V);
	plant_edge(&process->plant, process->out_V, process->in_V);
	plant_page_publish(&process->page, edge, t_ns + plant_clock_step_ns(&process->plant), process->in_V);
	if (process->log.running) {
		plant_true_x(&process->plant, process->x_m);
		plant_in_effect(&process->plant, process->effect_V);
		plant_log_push(&process->log, edge, t_ns, process->effect_V, process->x_m);
	}
}

/** Edge n stands at start + n period; late edges follow at once, so that the plant's time never falls behind the grid. */
static void run(struct process *process, const struct plant_process_options *options)
{
	const double period_ns = options->period_s * 1e9;
	const int64_t start_ns = clock_now_ns();
	const double n_edges = options->duration_s > 0.0 ? floor(options->duration_s / options->period_s) : INFINITY;

	for (uint64_t edge = 1; (double)edge <= n_edges && !interrupt_asked(); edge++) {
		const int64_t t_ns = start_ns + (int64_t)((double)edge * period_ns);
		const int64_t late_ns = clock_now_ns() - t_ns;

		if (late_ns < 0)
			sleep_until(t_ns);
		else
			process->n_missed += (double)late_ns > period_ns;
		if (!interrupt_asked())
			one_edge(process, edge, t_ns);
	}
}

static int open_log(struct process *process, const struct plant_process_options *options, struct err *err)
{
	const struct provenance provenance = {
		.command = "plant",
		.backend = "sim (plant process)",
		.simulated = true,
		.seed = options->seed,
		.plant = process->config->text,
	};

	if (!options->log_path)
		return 0;
	return plant_log_open(&process->log, options->log_path, process->plant.n_out, process->plant.n_sites,
			      options->period_s, &provenance, err);
}

static int open_process(struct process *process, const struct plant_process_options *options, struct err *err)
{
	char path[1024];
	int code = find_file(FIND_PLANT, options->plant, path, sizeof(path), err);

	code = code < 0 ? code : plant_load(&process->config, path, err);
	code = code < 0 ? code : plant_init(&process->plant, process->config, options->period_s, options->seed, err);
	if (code < 0)
		return code;
	process->in_V = calloc(process->plant.n_in, sizeof(double));
	process->out_V = calloc(process->plant.n_out, sizeof(double));
	process->effect_V = calloc(process->plant.n_out, sizeof(double));
	process->x_m = calloc(process->plant.n_sites, sizeof(double));
	if (!process->in_V || !process->out_V || !process->effect_V || !process->x_m)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a plant");
	code = open_log(process, options, err);
	return code < 0 ? code
			: plant_page_create(&process->page, options->name ? options->name : process->config->name,
					    process->config, options->period_s, err);
}

int plant_process_run(const struct plant_process_options *options, struct err *err)
{
	struct process process = {.page.page.fd = -1};

	watch_signals();
	int code = open_process(&process, options, err);

	if (code == 0) {
		log_info("plant %s is ready: shared memory %s, period %g s", process.config->name, process.page.page.path,
			 options->period_s);
		if (options->realtime)
			take_realtime();
		run(&process, options);
		log_info("plant %s: %llu edges, %llu of them late", process.config->name,
			 (unsigned long long)process.plant.edge, (unsigned long long)process.n_missed);
	}
	plant_page_close(&process.page);
	const int logged = plant_log_close(&process.log, code == 0 ? err : NULL);
	code = code < 0 ? code : logged;
	plant_fini(&process.plant);
	plant_config_free(process.config);
	free(process.in_V);
	free(process.out_V);
	free(process.effect_V);
	free(process.x_m);
	return code;
}
