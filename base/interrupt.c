#include "base/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define N_WATCHED (sizeof(watched) / sizeof(watched[0]))

/* When the first signal came, 0 before. Lock-free, so that a handler may write it and any thread read it. */
static atomic_llong first_ns;
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a signal handler needs a lock-free number");

static const char notice[] = "\njostle: stopping; a signal 10 s from now or later would end the program at once\n";
_Static_assert(INTERRUPT_GRACE_NS == INT64_C(10000000000), "the notice says how long");

/** Standard error may be a pipe that nobody empties: a handler must not wait for it. */
static void say_once(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&out, 1, 0) == 1 && out.revents & POLLOUT)
		(void)!write(STDERR_FILENO, notice, sizeof(notice) - 1);
}

/** Only what POSIX lets a handler call: clock_gettime, poll, write, signal, raise. */
static void on_signal(int number)
{
	const int kept = errno;
	const long long now_ns = clock_now_ns();
	long long first = 0;

	if (atomic_compare_exchange_strong(&first_ns, &first, now_ns)) {
		say_once();
	} else if (now_ns - first >= INTERRUPT_GRACE_NS) {
		/* The signal is blocked while its handler runs: it strikes when this returns. */
		signal(number, SIG_DFL);
		raise(number);
	}
	errno = kept;
}

void interrupt_watch(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < N_WATCHED; i++)
		sigaddset(&action.sa_mask, watched[i]);
	for (size_t i = 0; i < N_WATCHED; i++) {
		if (watched[i] == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		sigaction(watched[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

bool interrupt_asked(void)
{
	return atomic_load_explicit(&first_ns, memory_order_relaxed) != 0;
}
