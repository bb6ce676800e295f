/*
 * A process that records ticks, for the scripts that kill it: recorder_stand_in FOLDER. 30 000 ticks a second, every number of
 * which follows from the tick's; one line on standard output ten times a second, "rows acknowledged dropped failing"; ends in
 * order on SIGTERM.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "control/instruments.h"
#include "control/support/recorded.h"

static atomic_bool ended;

static void end(int signal)
{
	(void)signal;
	atomic_store(&ended, true);
}

int main(int argc, char **argv)
{
	struct recorded recorded;
	struct recorder *recorder = NULL;
	struct recorder_status status;
	struct protocol protocol;
	struct err err = {0};

	if (argc != 2)
		return 2;
	signal(SIGTERM, end);
	recorded_init(&recorded, argv[1]);
	recorded.setup.segment_bytes = 6 << 20;
	recorded.program = 1;
	if (recorder_open(&recorder, &recorded.setup, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	test_protocol(&protocol, (const char *const[]){"monomials degree=2"}, 1, (const double[16]){1, 2, 3, 4});
	protocol_seal(&protocol);
	recorder_set(recorder, true);
	recorder_protocol(recorder, 1, &protocol, NULL);
	while (!atomic_load(&ended)) {
		for (int i = 0; i < 3000; i++)
			recorded_tick(&recorded, recorder);
		recorder_command(recorder, recorded.number, "nobody", "status", "ok");
		recorder_sample(recorder, 1, recorded.number, recorded.number, (const double[]){1, 2});
		recorder_instrument(recorder, &(struct instruments_note){.t_ns = (int64_t)recorded.number,
									 .instrument = "meter",
									 .name = "bath",
									 .quantity = 0.5 * (double)recorded.number});
		recorder_status(recorder, &status);
		printf("%llu %llu %llu %d\n", (unsigned long long)status.n_rows,
		       (unsigned long long)status.n_acknowledged, (unsigned long long)status.n_dropped, status.failed);
		fflush(stdout);
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	const int code = recorder_close(recorder, &err);

	protocol_fini(&protocol);
	recorded_fini(&recorded);
	return code ? 1 : 0;
}
