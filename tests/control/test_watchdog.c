/* What systemd hears, on a socket that stands in for its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/watchdog.h"

#define SECOND INT64_C(1000000000)

static int manager;

/** Bind an abstract socket of this process's own, as systemd does. */
static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];

	(void)state;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	snprintf(name, sizeof(name), "@jostle-watchdog-%ld", (long)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	if (bind(manager, (const struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + strlen(name))))
		return -1;
	return setenv("NOTIFY_SOCKET", name, 1) || setenv("WATCHDOG_USEC", "2000000", 1);
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	return close(manager);
}

/** What was said since, or "". */
static const char *said(void)
{
	static char text[256];
	const ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* catches: a run that is called ready before its loop has ticked */
static void ready_is_said_once_when_the_loop_has_ticked(void **state)
{
	struct watchdog watchdog;

	(void)state;
	watchdog_init(&watchdog);
	watchdog_look(&watchdog, 0, 0);
	assert_string_equal(said(), "");
	watchdog_look(&watchdog, 1, 1);
	assert_string_equal(said(), "READY=1");
	said();
	watchdog_look(&watchdog, 2, 2);
	assert_string_equal(said(), "");
}

/* catches: a sign of life for a loop that stands still, none for one that goes on, one at every look */
static void signs_of_life_stop_when_the_loop_does(void **state)
{
	struct watchdog watchdog;

	(void)state;
	watchdog_init(&watchdog);
	watchdog_look(&watchdog, 1, 1);
	assert_string_equal(said(), "READY=1");
	assert_string_equal(said(), "WATCHDOG=1");
	watchdog_look(&watchdog, SECOND / 2, 2);
	assert_string_equal(said(), "");
	watchdog_look(&watchdog, SECOND + 1, 3);
	assert_string_equal(said(), "WATCHDOG=1");
	for (int64_t i = 2; i < 10; i++)
		watchdog_look(&watchdog, i * SECOND + 2, 3);
	assert_string_equal(said(), "");
	watchdog_look(&watchdog, 11 * SECOND, 4);
	assert_string_equal(said(), "WATCHDOG=1");
	watchdog_stopping();
	assert_string_equal(said(), "STOPPING=1");
}

/* catches: signs of life that nobody asked for, a division of nothing */
static void without_a_watchdog_only_readiness_is_told(void **state)
{
	struct watchdog watchdog;

	(void)state;
	unsetenv("WATCHDOG_USEC");
	watchdog_init(&watchdog);
	for (int64_t i = 0; i < 10; i++)
		watchdog_look(&watchdog, i * SECOND, (uint64_t)i);
	assert_string_equal(said(), "READY=1");
	assert_string_equal(said(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ready_is_said_once_when_the_loop_has_ticked, setup, teardown),
		cmocka_unit_test_setup_teardown(signs_of_life_stop_when_the_loop_does, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_watchdog_only_readiness_is_told, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
