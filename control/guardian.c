/*
 * The guardian's one thread looks at the page sixteen times within the deadline, or at once when the loop's process ends
 * (pidfd), and takes a step of the ramp once a period while it seizes. After it has begun to watch it takes no memory, and
 * says nothing that its standard error has no room for: a terminal that somebody has stopped must not stop it.
 */
#include "control/guardian.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "control/heartbeat.h"
#include "control/ramp.h"
#include "control/realtime.h"
#include "daq/bench.h"
#include "daq/daq.h"

#define LOOKS       16    /* within the deadline */
#define MIN_LOOK_NS 50000 /* between two looks */
#define MAX_LOOK_NS 10000000
#define PATIENCE_NS 2000000000 /* with a device that can't be written, when the loop is gone */
#define MARGIN      2          /* periods between the end of the ramp and the deadline, for the device to take it */

/*
 * Beats from the first one seen after seizing to the one at which outputs may go back. The tick of the first may have
 * looked before; that of the second has seen that it is given up, and is in FAULT; by the third, safe_V has been written.
 */
#define BEATS_TO_RETURN 3

struct guardian {
	struct heartbeat heartbeat;
	struct heartbeat_reading loop;
	struct bench bench;
	struct daq daq;
	struct ramp ramp;
	double *loop_V; /* [n_out]: what the loop wrote last */
	int loop_fd;    /* a pidfd, -1 for none */
	int64_t look_ns;
	bool seized;
	const char *why;
	int64_t seized_ns;
	int64_t failing_ns;  /* since when the device can't be written; 0: it can */
	uint64_t beats_then; /* the first seen after seizing; 0 for none yet */
};

static int64_t bound(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static int open_bench(struct guardian *guardian, struct err *err)
{
	const struct heartbeat_facts *facts = &guardian->heartbeat.facts;
	const struct daq_options options = {.paced = true, .attach = facts->attach[0] ? facts->attach : NULL};
	struct heartbeat_facts mine;
	int code = bench_load(&guardian->bench, facts->bench_path, err);

	if (code < 0)
		return code;
	heartbeat_state_facts(&mine, &guardian->bench, guardian->bench.period_s, NULL);
	if (mine.n_out != facts->n_out || strcmp(mine.bench_sum, facts->bench_sum) != 0)
		return err_set(err, JOSTLE_ECONFIG, "%s is not the bench file that the loop has read",
			       facts->bench_path);
	return facts->latch_only ? 0 : daq_guard_open(&guardian->daq, &guardian->bench, &options, err);
}

static int open_guardian(struct guardian *guardian, const char *name, struct err *err)
{
	int code = heartbeat_attach(&guardian->heartbeat, name, err);

	code = code < 0 ? code : open_bench(guardian, err);
	if (code < 0)
		return code;
	const struct heartbeat_facts *facts = &guardian->heartbeat.facts;
	guardian->look_ns = bound(facts->deadline_ns / LOOKS, MIN_LOOK_NS, MAX_LOOK_NS);
	code = ramp_init(&guardian->ramp, &guardian->bench, bound(facts->period_ns, MIN_LOOK_NS, guardian->look_ns),
			 err);
	guardian->loop_V = calloc(facts->n_out ? facts->n_out : 1, sizeof(*guardian->loop_V));
	if (!guardian->loop_V)
		code = err_set(err, JOSTLE_ENOMEM, "no memory for %u outputs", facts->n_out);
	/* Without one (another name space, an old kernel) the loop's lock tells as much, a look later. */
	guardian->loop_fd = pidfd_open(facts->pid, 0);
	return code;
}

static void close_guardian(struct guardian *guardian)
{
	if (guardian->loop_fd >= 0)
		close(guardian->loop_fd);
	if (guardian->daq.driver)
		daq_guard_close(&guardian->daq);
	ramp_fini(&guardian->ramp);
	free(guardian->loop_V);
	bench_free(&guardian->bench);
	heartbeat_close(&guardian->heartbeat);
}

/** One above the loop, whose stall may be a busy processor. */
static void enter_real_time(void)
{
	const struct sched_param parameters = {.sched_priority = REALTIME_PRIORITY + 1};
	const bool scheduled = sched_setscheduler(0, SCHED_FIFO, &parameters) == 0;
	const bool locked = mlockall(MCL_CURRENT | MCL_FUTURE) == 0;

	prctl(PR_SET_TIMERSLACK, 1UL);
	if (!scheduled || !locked)
		log_warning("the guardian runs without real-time privileges (%s%s%s); it may be late",
			    scheduled ? "" : "SCHED_FIFO refused", scheduled || locked ? "" : ", ",
			    locked ? "" : "memory not locked");
}

/** Sleep until a time, or the end of the loop's process. */
static void wait_until(struct guardian *guardian, int64_t t_ns)
{
	struct pollfd loop = {.fd = guardian->loop_fd, .events = POLLIN};
	const int64_t left_ns = bound(t_ns - clock_now_ns(), 0, MAX_LOOK_NS);
	const struct timespec left = {0, left_ns};

	if (ppoll(&loop, 1, &left, NULL) == 1) {
		/* It stays readable: from now on the lock alone is asked. */
		close(guardian->loop_fd);
		guardian->loop_fd = -1;
	}
}

/** Why the loop is to be given up, or NULL. `now_ns` was taken before the reading: a late look does not age a beat. */
static const char *judge(const struct guardian *guardian, int64_t now_ns)
{
	const struct heartbeat_reading *loop = &guardian->loop;

	if (!loop->begun || loop->ended)
		return NULL;
	if (!loop->alive)
		return "the loop has died";
	if (now_ns - loop->beat_ns > guardian->heartbeat.facts.deadline_ns / 2)
		return "the loop has stalled";
	return loop->beat_ns > clock_now_ns() ? "the loop's clock is not this machine's" : NULL;
}

static void seize(struct guardian *guardian, int64_t now_ns, const char *why)
{
	const struct heartbeat_facts *facts = &guardian->heartbeat.facts;
	const int64_t beat_ns = guardian->loop.beat_ns < now_ns ? guardian->loop.beat_ns : now_ns;

	guardian->seized = true;
	guardian->why = why;
	guardian->seized_ns = now_ns;
	guardian->beats_then = 0;
	ramp_begin(&guardian->ramp, guardian->loop_V, beat_ns + facts->deadline_ns - MARGIN * facts->period_ns);
}

static void write_outputs(struct guardian *guardian, int64_t now_ns)
{
	const bool was_safe = guardian->ramp.safe && guardian->failing_ns == 0;

	if (!guardian->ramp.safe)
		ramp_step(&guardian->ramp, now_ns);
	if (guardian->daq.driver && guardian->daq.driver->guard_write(&guardian->daq, guardian->ramp.out_V) < 0) {
		guardian->failing_ns = guardian->failing_ns ? guardian->failing_ns : now_ns;
		return;
	}
	guardian->failing_ns = 0;
	if (guardian->ramp.safe && !was_safe)
		log_warning("guardian: %s: %s %.1f ms after its last beat", guardian->why,
			    guardian->daq.driver ? "outputs at safe_V" : "given up",
			    (double)(clock_now_ns() - guardian->loop.beat_ns) * 1e-6);
}

/** Give the outputs back to a loop that lives and has seen that it was given up. */
static void consider_return(struct guardian *guardian)
{
	const struct heartbeat_reading *loop = &guardian->loop;

	if (!guardian->beats_then)
		guardian->beats_then = loop->n_beats;
	if (!loop->alive || loop->ended || !guardian->ramp.safe || guardian->failing_ns ||
	    loop->state != SUPERVISOR_FAULT || loop->n_beats < guardian->beats_then + BEATS_TO_RETURN)
		return;
	if (guardian->daq.driver)
		guardian->daq.driver->guard_release(&guardian->daq);
	guardian->seized = false;
	log_warning("guardian: the loop is in FAULT and has its outputs back");
}

static bool is_gone(const struct guardian *guardian)
{
	return guardian->loop.ended || !guardian->loop.alive;
}

/** Whether nothing is left to guard: the loop is gone, and the outputs are safe, its own doing or the guardian's. */
static bool is_over(const struct guardian *guardian)
{
	return is_gone(guardian) && (!guardian->seized || (guardian->ramp.safe && !guardian->failing_ns));
}

static void look(struct guardian *guardian, int64_t now_ns)
{
	heartbeat_read(&guardian->heartbeat, &guardian->loop, guardian->loop_V);
	const char *why = guardian->seized ? NULL : judge(guardian, now_ns);

	if (guardian->seized)
		consider_return(guardian);
	else if (why)
		seize(guardian, now_ns, why);
	/* The loop is told before its outputs are taken. */
	heartbeat_watch(&guardian->heartbeat, now_ns, guardian->seized);
	if (guardian->seized)
		write_outputs(guardian, now_ns);
}

static int watch(struct guardian *guardian, struct err *err)
{
	int64_t now_ns = clock_now_ns(), next_ns = now_ns;

	heartbeat_read(&guardian->heartbeat, &guardian->loop, guardian->loop_V);
	/* A guardian before this one died with the outputs in its hands, somewhere on their way. */
	if (guardian->loop.seized) {
		seize(guardian, now_ns, "the guardian before this one has died");
		guardian->ramp.arrive_ns = now_ns;
	}
	for (;;) {
		now_ns = clock_now_ns();
		look(guardian, now_ns);
		if (is_over(guardian))
			return 0;
		if (guardian->failing_ns && is_gone(guardian) && now_ns - guardian->failing_ns > PATIENCE_NS)
			return err_set(
				err, JOSTLE_EIO,
				"%s, and for %g s its outputs could not be written: they are to be taken as unknown",
				guardian->why, PATIENCE_NS * 1e-9);
		next_ns += guardian->seized && !guardian->ramp.safe ? guardian->ramp.step_ns : guardian->look_ns;
		next_ns = next_ns < now_ns ? now_ns : next_ns;
		wait_until(guardian, next_ns);
	}
}

/** Nobody ends a guardian but its loop; SIGABRT is what a watchdog sends to all of a service. */
static void ignore_signals(void)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGABRT,
				      SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTOU};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

int guardian_run(const char *name, struct err *err)
{
	struct guardian guardian = {.heartbeat.page.fd = -1, .loop_fd = -1};
	int code;

	ignore_signals();
	code = open_guardian(&guardian, name, err);
	if (code == 0) {
		enter_real_time();
		code = watch(&guardian, err);
	}
	close_guardian(&guardian);
	return code;
}
