#include "control/guarding.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "control/guardian.h"
#include "control/instruments.h"
#include "control/tick.h"
#include "daq/daq.h"

#define RESPAWN_NS INT64_C(1000000000)
#define WAIT_NS    INT64_C(5000000000)
#define POLL_NS    2000000

static void beat(void *context, int64_t now_ns, enum supervisor_state state, const double out_V[])
{
	struct guarding *guarding = context;

	if (guarding->open)
		heartbeat_beat(&guarding->heartbeat, now_ns ? now_ns : clock_now_ns(), state, out_V);
}

static uint32_t outside(void *context, uint64_t number, int64_t now_ns, uint32_t found)
{
	const struct guarding *guarding = context;
	const int64_t t_ns = now_ns ? now_ns : clock_now_ns();

	(void)number;
	found |= instruments_outside(guarding->instruments, t_ns);
	if (!guarding->needed)
		return found;
	switch (heartbeat_guardian(&guarding->heartbeat, t_ns)) {
	case GUARDIAN_WATCHING:
		return found;
	case GUARDIAN_SEIZED:
		return found | OUTSIDE_GUARDIAN_SEIZED;
	default: /* one that has not come yet guards no more than one that is lost */
		return found | OUTSIDE_GUARDIAN_LOST;
	}
}

struct loop_watch guarding_watch(struct guarding *guarding)
{
	return (struct loop_watch){guarding, beat, outside};
}

int guarding_open(struct guarding *guarding, const char *name, const struct daq *daq, const char *attach,
		  struct instruments *instruments, struct err *err)
{
	struct heartbeat_facts facts;
	int code;

	*guarding = (struct guarding){.instruments = instruments};
	snprintf(guarding->name, sizeof(guarding->name), "%s", name);
	heartbeat_state_facts(&facts, daq->bench, daq->period_s, attach);
	facts.latch_only = daq->last_resort != DAQ_SECOND_OPENING;
	code = heartbeat_create(&guarding->heartbeat, name, &facts, err);
	if (code)
		return code;
	guarding->open = true;
	guarding->needed = daq->last_resort != DAQ_ENDS_WITH_PROCESS;
	if (!guarding->needed)
		return 0;
	code = guardian_spawn(name, &guarding->guardian, err);
	/* A loop whose first ticks find no guardian would begin with that trip; one that does not come at all is one. */
	for (int64_t until_ns = clock_now_ns() + WAIT_NS;
	     !code && heartbeat_guardian(&guarding->heartbeat, clock_now_ns()) == GUARDIAN_ABSENT &&
	     clock_now_ns() < until_ns;)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return code;
}

void guarding_attend(struct guarding *guarding)
{
	struct err err = {0};
	int status;

	if (!guarding->needed)
		return;
	if (guarding->guardian && waitpid(guarding->guardian, &status, WNOHANG) == guarding->guardian) {
		log_warning("the guardian has ended (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
			    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		guarding->guardian = 0;
		guarding->died_ns = clock_now_ns();
	}
	if (guarding->guardian == 0 && clock_now_ns() - guarding->died_ns > RESPAWN_NS) {
		guarding->died_ns = clock_now_ns();
		if (guardian_spawn(guarding->name, &guarding->guardian, &err))
			log_warning("no other guardian: %s", err.text);
	}
}

void guarding_goodbye(struct guarding *guarding)
{
	if (guarding->open && !guarding->abandoned)
		heartbeat_goodbye(&guarding->heartbeat);
}

void guarding_abandon(struct guarding *guarding)
{
	guarding->abandoned = true;
}

/** A guardian that was stopped, or hangs in a driver, is no reason to stay. */
static void wait_for_guardian(const struct guarding *guarding)
{
	const int64_t until_ns = clock_now_ns() + WAIT_NS;
	int status = 0;

	while (waitpid(guarding->guardian, &status, WNOHANG) == 0) {
		if (clock_now_ns() > until_ns) {
			log_warning("the guardian (process %ld) does not end within %d s: left to itself",
				    (long)guarding->guardian, (int)(WAIT_NS / 1000000000));
			return;
		}
		nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
	}
	if (status)
		log_warning("the guardian has ended (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
			    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void guarding_close(struct guarding *guarding)
{
	/* A guardian that has heard no goodbye takes the loop for dead once the page's lock is gone. */
	if (guarding->abandoned)
		heartbeat_close(&guarding->heartbeat);
	else
		guarding_goodbye(guarding);
	if (guarding->guardian)
		wait_for_guardian(guarding);
	heartbeat_close(&guarding->heartbeat);
	*guarding = (struct guarding){0};
}
