/* The page between a loop and its guardian: what crosses it, who may hold it, and pages that are not what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "control/heartbeat.h"

#define N_OUT       3
#define DEADLINE_NS 50000000

struct pair {
	struct heartbeat loop, guardian;
	char name[64];
};

static struct heartbeat_facts facts(void)
{
	struct heartbeat_facts facts = {
		.pid = getpid(), .n_out = N_OUT, .period_ns = 1000000, .deadline_ns = DEADLINE_NS};

	snprintf(facts.bench_path, sizeof(facts.bench_path), "/bench.yaml");
	snprintf(facts.attach, sizeof(facts.attach), "plant");
	memset(facts.bench_sum, 'a', sizeof(facts.bench_sum) - 1);
	return facts;
}

static int pair_new(void **state)
{
	static int turn;
	struct pair *pair = calloc(1, sizeof(*pair));
	const struct heartbeat_facts said = facts();
	struct err err = {0};

	snprintf(pair->name, sizeof(pair->name), "test-%d-%d", getpid(), turn++);
	if (heartbeat_create(&pair->loop, pair->name, &said, &err) ||
	    heartbeat_attach(&pair->guardian, pair->name, &err))
		fail_msg("%s", err.text);
	*state = pair;
	return 0;
}

static int pair_free(void **state)
{
	struct pair *pair = *state;

	heartbeat_close(&pair->guardian);
	heartbeat_close(&pair->loop);
	free(pair);
	return 0;
}

/* catches: fields in another order, facts that are lost, volts rounded, a beat before the first */
static void what_the_loop_leaves_reaches_the_guardian(void **state)
{
	struct pair *pair = *state;
	struct heartbeat_reading reading = {0};
	const double out_V[N_OUT] = {0.1, -2.5, NAN};
	double read_V[N_OUT] = {7, 7, 7};

	assert_int_equal(pair->guardian.facts.deadline_ns, DEADLINE_NS);
	assert_string_equal(pair->guardian.facts.attach, "plant");
	heartbeat_read(&pair->guardian, &reading, read_V);
	assert_true(reading.alive);
	assert_false(reading.begun);
	assert_true(read_V[0] == 7);

	heartbeat_beat(&pair->loop, 123, SUPERVISOR_RUNNING, out_V);
	heartbeat_beat(&pair->loop, 456, SUPERVISOR_ARMED, out_V);
	heartbeat_read(&pair->guardian, &reading, read_V);
	assert_true(reading.begun && reading.alive && !reading.ended);
	assert_int_equal(reading.n_beats, 2);
	assert_int_equal(reading.beat_ns, 456);
	assert_int_equal(reading.state, SUPERVISOR_ARMED);
	assert_memory_equal(read_V, out_V, sizeof(out_V));

	heartbeat_goodbye(&pair->loop);
	heartbeat_read(&pair->guardian, &reading, read_V);
	assert_true(reading.ended);
}

/* catches: a guardian that is lost before it came, one that has stopped and counts as watching, one that is late by a hair */
static void the_loop_sees_a_guardian_come_watch_seize_and_go(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(heartbeat_guardian(&pair->loop, 1000), GUARDIAN_ABSENT);
	heartbeat_watch(&pair->guardian, 1000, false);
	assert_int_equal(heartbeat_guardian(&pair->loop, 1000), GUARDIAN_WATCHING);
	assert_int_equal(heartbeat_guardian(&pair->loop, 900), GUARDIAN_WATCHING);
	assert_int_equal(heartbeat_guardian(&pair->loop, 1000 + DEADLINE_NS), GUARDIAN_WATCHING);
	assert_int_equal(heartbeat_guardian(&pair->loop, 1001 + DEADLINE_NS), GUARDIAN_LOST);
	heartbeat_watch(&pair->guardian, 2000, true);
	assert_int_equal(heartbeat_guardian(&pair->loop, 2000), GUARDIAN_SEIZED);
	/* it died with the outputs in its hands: whoever waits for it to let go waits for ever */
	assert_int_equal(heartbeat_guardian(&pair->loop, 2001 + DEADLINE_NS), GUARDIAN_LOST);
	heartbeat_watch(&pair->guardian, 3000 + DEADLINE_NS, false);
	assert_int_equal(heartbeat_guardian(&pair->loop, 3000 + DEADLINE_NS), GUARDIAN_WATCHING);
}

/* catches: two loops of a name, two guardians of a loop, a page taken away while its guardian still drives the outputs */
static void one_loop_and_one_guardian_of_a_name(void **state)
{
	struct pair *pair = *state;
	const struct heartbeat_facts said = facts();
	struct heartbeat other;
	struct err err = {0};

	assert_int_equal(heartbeat_create(&other, pair->name, &said, &err), JOSTLE_EBUSY);
	assert_int_equal(heartbeat_attach(&other, pair->name, &err), JOSTLE_EBUSY);
	heartbeat_close(&pair->guardian);
	assert_int_equal(heartbeat_attach(&pair->guardian, pair->name, &err), 0);
	heartbeat_close(&pair->loop);
	assert_int_equal(heartbeat_attach(&other, pair->name, &err), JOSTLE_ENOENT);
	heartbeat_close(&pair->loop);
	heartbeat_close(&other);
}

/** Begin a loop in a child that is killed with its page open. */
static void leave_a_dead_loops_page(const char *name)
{
	const struct heartbeat_facts said = facts();
	int up[2], status;
	char word;

	assert_int_equal(pipe(up), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct heartbeat loop;
		const double out_V[N_OUT] = {1, 2, 3};

		if (heartbeat_create(&loop, name, &said, NULL) == 0) {
			heartbeat_beat(&loop, 77, SUPERVISOR_RUNNING, out_V);
			(void)!write(up[1], "+", 1);
		}
		pause();
		_exit(1);
	}
	assert_int_equal(read(up[0], &word, 1), 1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(up[0]);
	close(up[1]);
}

/* catches: a page of a killed loop that blocks the next one for ever, or that a guardian takes for a live loop's */
static void a_dead_loops_page_is_replaced(void **state)
{
	const struct heartbeat_facts said = facts();
	struct heartbeat loop, guardian;
	struct err err = {0};
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "test-dead-%d", getpid());
	leave_a_dead_loops_page(name);
	assert_int_equal(heartbeat_attach(&guardian, name, &err), JOSTLE_ENOENT);
	assert_int_equal(heartbeat_create(&loop, name, &said, &err), 0);
	assert_int_equal(heartbeat_attach(&guardian, name, &err), 0);
	heartbeat_close(&guardian);
	heartbeat_close(&loop);
}

/* catches: a guardian that takes away the name of the loop that came after its own */
static void a_guardian_leaves_the_next_loops_page_alone(void **state)
{
	struct pair *pair = *state;
	const struct heartbeat_facts said = facts();
	struct heartbeat next, its_guardian;
	struct err err = {0};

	heartbeat_goodbye(&pair->loop);
	heartbeat_close(&pair->loop);
	assert_int_equal(heartbeat_create(&next, pair->name, &said, &err), 0);
	heartbeat_close(&pair->guardian);
	assert_int_equal(heartbeat_attach(&its_guardian, pair->name, &err), 0);
	heartbeat_close(&its_guardian);
	heartbeat_close(&next);
}

/* catches: facts that are used before they are checked: a deadline of no length, outputs that the page has no room for */
static void facts_that_can_not_be_are_refused(void **state)
{
	struct heartbeat_facts lies[9];
	struct heartbeat loop;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < 9; i++)
		lies[i] = facts();
	lies[0].pid = 1;
	lies[1].n_out = 1000000;
	lies[2].period_ns = 0;
	lies[3].deadline_ns = 3 * lies[3].period_ns;
	lies[4].deadline_ns = INT64_MAX;
	memset(lies[5].bench_path, 'x', sizeof(lies[5].bench_path));
	memset(lies[6].attach, 'x', sizeof(lies[6].attach));
	memset(lies[7].bench_sum, 'a', sizeof(lies[7].bench_sum));
	lies[8].bench_sum[0] = '\0';
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(heartbeat_create(&loop, "test-facts", &lies[i], &err), JOSTLE_EINVAL);
}

/* catches: a guardian that believes what stands on the page */
static void pages_that_lie_are_refused(void **state)
{
	struct pair *pair = *state;
	struct heartbeat_facts *said = (void *)((char *)pair->loop.page.memory + 16);
	uint32_t *head = pair->loop.page.memory;
	const uint32_t magic = head[0], version = head[1];
	const struct heartbeat_facts truth = facts();
	struct err err = {0};

	assert_int_equal(said->deadline_ns, DEADLINE_NS);
	heartbeat_close(&pair->guardian);
	said->n_out = N_OUT + 1;
	assert_int_equal(heartbeat_attach(&pair->guardian, pair->name, &err), JOSTLE_EFORMAT);
	*said = truth;
	said->period_ns = -1;
	assert_int_equal(heartbeat_attach(&pair->guardian, pair->name, &err), JOSTLE_EFORMAT);
	*said = truth;
	head[0] = 0;
	assert_int_equal(heartbeat_attach(&pair->guardian, pair->name, &err), JOSTLE_EFORMAT);
	head[0] = magic;
	head[1] = version + 1;
	assert_int_equal(heartbeat_attach(&pair->guardian, pair->name, &err), JOSTLE_EVERSION);
	head[1] = version;
	assert_int_equal(heartbeat_attach(&pair->guardian, pair->name, &err), 0);
}

struct beating {
	struct heartbeat *loop;
	atomic_bool stop;
};

/** Beat without a pause, all channels equal in every beat. */
static void *beat(void *context)
{
	struct beating *beating = context;

	for (int64_t n = 1; !atomic_load(&beating->stop); n++) {
		const double out_V[N_OUT] = {(double)n, (double)n, (double)n};

		heartbeat_beat(beating->loop, n, SUPERVISOR_RUNNING, out_V);
		(void)heartbeat_guardian(beating->loop, n);
	}
	return NULL;
}

/* catches: a set torn between two threads, volts of one beat with the time of another, and (under TSan) unordered accesses */
static void beats_are_never_torn(void **state)
{
	struct pair *pair = *state;
	struct beating beating = {.loop = &pair->loop};
	struct heartbeat_reading reading = {0};
	double read_V[N_OUT] = {0}, last = 0.0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, beat, &beating), 0);
	for (int i = 0; i < 20000 || last < 100.0; i++) {
		heartbeat_read(&pair->guardian, &reading, read_V);
		heartbeat_watch(&pair->guardian, i + 1, i & 1);
		assert_true(read_V[1] == read_V[0] && read_V[2] == read_V[0]);
		assert_true((double)reading.beat_ns == read_V[0] && reading.n_beats == (uint64_t)reading.beat_ns);
		assert_true(read_V[0] >= last);
		last = read_V[0];
	}
	atomic_store(&beating.stop, true);
	pthread_join(thread, NULL);
}

#define PAIR_TEST(test) cmocka_unit_test_setup_teardown(test, pair_new, pair_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(what_the_loop_leaves_reaches_the_guardian),
		PAIR_TEST(the_loop_sees_a_guardian_come_watch_seize_and_go),
		PAIR_TEST(one_loop_and_one_guardian_of_a_name),
		cmocka_unit_test(a_dead_loops_page_is_replaced),
		PAIR_TEST(a_guardian_leaves_the_next_loops_page_alone),
		cmocka_unit_test(facts_that_can_not_be_are_refused),
		PAIR_TEST(pages_that_lie_are_refused),
		PAIR_TEST(beats_are_never_torn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
