#include "base/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* Lock-free, so that a handler may write it and any thread read it. */
static atomic_bool asked;
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler needs a lock-free flag");

static void on_signal(int number)
{
	if (atomic_exchange(&asked, true)) {
		/* The signal is blocked while its handler runs: it strikes when this returns. */
		signal(number, SIG_DFL);
		raise(number);
	}
}

void interrupt_watch(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool interrupt_asked(void)
{
	return atomic_load_explicit(&asked, memory_order_relaxed);
}
