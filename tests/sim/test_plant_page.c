/* The page of shared memory: what crosses it, who may hold it, and pages that are not what they say. */
#include "sim/plant_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "sim/plant_page.h"

#define SECOND 1000000000LL
#define N_OUT  4 /* of a plant of 2 sites without parameters */
/* Where the page keeps the client's counter: after the head and the facts, on a cache line of its own; the guardian's next. */
#define OUT_SEQUENCE ((16 + sizeof(struct plant_facts) + 63) / 64 * 64 + 64)

struct pages {
	struct plant_config *config;
	struct plant_page server;
	char name[64];
};

static int pages_new(void **state)
{
	static int turn;
	struct pages *pages = calloc(1, sizeof(*pages));
	struct err err = {0};

	assert_int_equal(rig_load(&pages->config, WARM(2, 1) SENSOR ACTUATOR, &err), 0);
	snprintf(pages->name, sizeof(pages->name), "test-%d-%d", getpid(), turn++);
	assert_int_equal(plant_page_create(&pages->server, pages->name, pages->config, 1e-3, &err), 0);
	*state = pages;
	return 0;
}

static int pages_free(void **state)
{
	struct pages *pages = *state;

	plant_page_close(&pages->server);
	plant_config_free(pages->config);
	free(pages);
	return 0;
}

/* catches: channels in another order, a set that is not the last one, an edge handed out twice */
static void volts_cross_both_ways_edge_by_edge(void **state)
{
	struct pages *pages = *state;
	struct plant_page client;
	struct err err = {0};
	const double in_V[5] = {1, 2, 3, 4, 5}, out_V[N_OUT] = {-1, -2, -3, -4};
	double read_V[5] = {0}, taken_V[N_OUT] = {9, 9, 9, 9};
	int64_t t_ns = 0;

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	assert_int_equal(client.facts.n_sites, 2);
	assert_near(client.facts.period_s, 1e-3, 0.0);
	plant_page_write(&client, out_V);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, out_V, sizeof(out_V));

	plant_page_publish(&pages->server, 1, 77, in_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), 0);
	assert_memory_equal(read_V, in_V, sizeof(in_V));
	assert_int_equal(t_ns, 77);
	assert_int_equal(plant_page_wait(&client, 1000000, read_V, &t_ns), JOSTLE_EIO);
	for (uint64_t edge = 2; edge < 5; edge++)
		plant_page_publish(&pages->server, edge, 78, in_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), JOSTLE_EMISSED);
	plant_page_close(&client);
}

/*
 * catches: edges counted instead of what was in force at them: a write for edge 1 that comes after edge 1 and before
 * edge 2 acts two periods late, and no edge is skipped
 */
static void a_write_that_comes_too_late_is_a_missed_edge(void **state)
{
	struct pages *pages = *state;
	struct plant_page client;
	struct err err = {0};
	const double in_V[5] = {1, 2, 3, 4, 5}, out_V[N_OUT] = {-1, -2, -3, -4};
	double read_V[5] = {0}, taken_V[N_OUT] = {0};
	int64_t t_ns = 0;

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_take(&pages->server, taken_V);
	plant_page_publish(&pages->server, 1, 0, in_V);
	plant_page_write(&client, out_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), JOSTLE_EMISSED);
	assert_memory_equal(read_V, in_V, sizeof(in_V));
	/* The next write is in time again; one that is not taken at all is seen as well. */
	plant_page_write(&client, out_V);
	plant_page_take(&pages->server, taken_V);
	plant_page_publish(&pages->server, 2, 0, in_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), 0);
	plant_page_write(&client, out_V);
	plant_page_publish(&pages->server, 3, 0, in_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), JOSTLE_EMISSED);
	plant_page_close(&client);
}

/* catches: a page that two clients write to; a client's death that leaves the plant taken */
static void one_client_at_a_time(void **state)
{
	struct pages *pages = *state;
	struct plant_page first, second;
	struct err err = {0};

	assert_int_equal(plant_page_attach(&first, pages->name, &err), 0);
	assert_int_equal(plant_page_attach(&second, pages->name, &err), JOSTLE_EBUSY);
	plant_page_close(&first);
	plant_page_close(&first);
	assert_int_equal(plant_page_attach(&second, pages->name, &err), 0);
	plant_page_close(&second);
}

/* catches: a second plant that takes the name from under the first one's client */
static void one_plant_of_a_name(void **state)
{
	struct pages *pages = *state;
	struct plant_page other;
	struct err err = {0};

	assert_int_equal(plant_page_create(&other, pages->name, pages->config, 1e-3, &err), JOSTLE_EBUSY);
	assert_int_equal(plant_page_attach(&other, pages->name, &err), 0);
	plant_page_close(&other);
}

/* catches: names that leave the folder of shared memory, or are cut short */
static void names_that_can_not_be_are_refused(void **state)
{
	static const char *const names[] = {
		"",    "a/b", "../x",
		"a b", "a\n", "0123456789012345678901234567890123456789012345678901234567890123456789"};
	struct plant_page page;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(plant_page_attach(&page, names[i], &err), JOSTLE_EINVAL);
	assert_int_equal(plant_page_attach(&page, "no-such-plant", &err), JOSTLE_ENODEV);
}

/* catches: half a set taken from a client that died while it wrote; a successor that can't write any more */
static void a_client_that_died_while_writing_is_not_believed(void **state)
{
	struct pages *pages = *state;
	struct plant_page client;
	struct err err = {0};
	const double good_V[N_OUT] = {1, 2, 3, 4}, half_V[N_OUT] = {8, 8, 8, 8};
	double taken_V[N_OUT] = {0};

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_write(&client, good_V);
	plant_page_take(&pages->server, taken_V);
	plant_page_write(&client, half_V);
	_Atomic unsigned *sequence = (void *)((char *)client.shared + OUT_SEQUENCE);
	assert_int_equal(*sequence, 4);
	*sequence = 3;
	plant_page_close(&client);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, good_V, sizeof(good_V));

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_write(&client, half_V);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, half_V, sizeof(half_V));
	plant_page_close(&client);
}

/* catches: a seizure that the next write of the client ends, a release that doesn't, a guardian that holds before it writes */
static void what_a_guardian_holds_the_client_can_not_change(void **state)
{
	struct pages *pages = *state;
	struct plant_page client, guard;
	struct err err = {0};
	const double driven_V[N_OUT] = {5, 6, 7, 8}, safe_V[N_OUT] = {0.5, 0, -0.5, 0}, in_V[5] = {0};
	double taken_V[N_OUT] = {0}, read_V[5];
	int64_t t_ns;

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	assert_int_equal(plant_page_guard(&guard, pages->name, &err), 0);
	plant_page_write(&client, driven_V);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, driven_V, sizeof(driven_V));

	for (uint64_t edge = 1; edge <= 3; edge++) {
		assert_int_equal(plant_page_seize(&guard, safe_V), 0);
		plant_page_write(&client, driven_V);
		plant_page_take(&pages->server, taken_V);
		assert_memory_equal(taken_V, safe_V, sizeof(safe_V));
		/* the client wrote in time, and is not told that it missed the edge */
		plant_page_publish(&pages->server, edge, 0, in_V);
		assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), 0);
	}
	plant_page_let_go(&guard);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, driven_V, sizeof(driven_V));
	plant_page_close(&guard);
	plant_page_close(&client);
}

/* catches: outputs that a death gives back, a new client that brings a dead one's volts back, or takes them from a guardian */
static void seized_outputs_outlive_client_and_guardian(void **state)
{
	struct pages *pages = *state;
	struct plant_page client, guard;
	struct err err = {0};
	const double driven_V[N_OUT] = {5, 6, 7, 8}, safe_V[N_OUT] = {0.5, 0, -0.5, 0};
	double taken_V[N_OUT] = {0};

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_write(&client, driven_V);
	assert_int_equal(plant_page_guard(&guard, pages->name, &err), 0);
	assert_int_equal(plant_page_seize(&guard, safe_V), 0);
	plant_page_close(&client);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, safe_V, sizeof(safe_V));
	assert_int_equal(plant_page_attach(&client, pages->name, &err), JOSTLE_EBUSY);
	assert_non_null(strstr(err.text, "guardian"));

	plant_page_close(&guard);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, safe_V, sizeof(safe_V));
	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, safe_V, sizeof(safe_V));
	plant_page_write(&client, driven_V);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, driven_V, sizeof(driven_V));
	plant_page_close(&client);
}

/* catches: a client's volts that come through while the guardian's can't be read whole */
static void a_guardian_that_died_while_writing_still_holds_the_outputs(void **state)
{
	struct pages *pages = *state;
	struct plant_page client, guard;
	struct err err = {0};
	const double driven_V[N_OUT] = {5, 6, 7, 8}, safe_V[N_OUT] = {0.5, 0, -0.5, 0};
	double taken_V[N_OUT] = {0};

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	assert_int_equal(plant_page_guard(&guard, pages->name, &err), 0);
	assert_int_equal(plant_page_seize(&guard, safe_V), 0);
	plant_page_take(&pages->server, taken_V);
	_Atomic unsigned *sequence = (void *)((char *)guard.shared + OUT_SEQUENCE + 64);
	assert_int_equal(*sequence, 2);
	*sequence = 3;
	plant_page_close(&guard);
	plant_page_write(&client, driven_V);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, safe_V, sizeof(safe_V));
	plant_page_close(&client);

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_take(&pages->server, taken_V);
	assert_memory_equal(taken_V, safe_V, sizeof(safe_V));
	plant_page_close(&client);
}

/* catches: two guardians of one plant, a guardian on a device that can be opened only once, one that writes to a dead plant */
static void a_plant_has_one_guardian_or_none(void **state)
{
	struct pages *pages = *state;
	struct plant_page first, second;
	struct err err = {0};
	const double safe_V[N_OUT] = {0};

	assert_int_equal(plant_page_guard(&first, pages->name, &err), 0);
	assert_int_equal(plant_page_guard(&second, pages->name, &err), JOSTLE_EBUSY);
	plant_page_close(&first);
	assert_int_equal(plant_page_guard(&second, pages->name, &err), 0);
	plant_page_close(&pages->server);
	assert_int_equal(plant_page_seize(&second, safe_V), JOSTLE_EIO);
	plant_page_close(&second);
	assert_int_equal(plant_page_guard(&first, pages->name, &err), JOSTLE_ENODEV);

	pages->config->exclusive = true;
	assert_int_equal(plant_page_create(&pages->server, pages->name, pages->config, 1e-3, &err), 0);
	assert_int_equal(plant_page_guard(&first, pages->name, &err), JOSTLE_EBUSY);
	assert_int_equal(plant_page_attach(&first, pages->name, &err), 0);
	plant_page_close(&first);
}

/* catches: sizes used before they are checked, a version that is ignored */
static void pages_that_lie_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int code;
	} lies[] = {
		{0, 0x12345678, JOSTLE_ENODEV},                               /* not ready, or not a plant's */
		{4, 1, JOSTLE_EVERSION},          {16, 4, JOSTLE_EFORMAT},    /* n_in */
		{16, 0xffffffff, JOSTLE_EFORMAT}, {20, 3, JOSTLE_EFORMAT},    /* n_out */
		{24, 0, JOSTLE_EFORMAT},                                      /* n_sites */
		{24, 100000, JOSTLE_EFORMAT},     {28, 4097, JOSTLE_EFORMAT}, /* n_parameters */
	};
	struct pages *pages = *state;
	unsigned char *bytes = (void *)pages->server.shared;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct plant_page client;
		struct err err = {0};
		uint32_t truth;

		memcpy(&truth, bytes + lies[i].at, 4);
		memcpy(bytes + lies[i].at, &lies[i].value, 4);
		assert_int_equal(plant_page_attach(&client, pages->name, &err), lies[i].code);
		memcpy(bytes + lies[i].at, &truth, 4);
	}
	/* consistent counts that the file has no room for */
	const uint32_t many[4] = {2 * 4000 + 1, 4000 + 4000 + 2, 4000, 4000};
	struct plant_page client;
	struct err err = {0};
	memcpy(bytes + 16, many, sizeof(many));
	assert_int_equal(plant_page_attach(&client, pages->name, &err), JOSTLE_EFORMAT);
}

/* catches: a file that is too short to hold what is read from it */
static void short_and_foreign_files_are_refused(void **state)
{
	static const off_t sizes[] = {0, 1, 4096};
	static const int codes[] = {JOSTLE_ENODEV, JOSTLE_EFORMAT, JOSTLE_EFORMAT};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
		struct plant_page client;
		struct err err = {0};
		char name[64], path[96];

		snprintf(name, sizeof(name), "test-short-%d", getpid());
		snprintf(path, sizeof(path), "/jostle-plant-%s", name);
		const int fd = shm_open(path, O_RDWR | O_CREAT, 0600);
		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
		assert_int_equal(plant_page_attach(&client, name, &err), codes[i]);
		close(fd);
		shm_unlink(path);
	}
}

/* catches: an input that is no number kept from the loop, whose supervisor judges it; an edge that runs backwards */
static void a_sample_that_is_no_number_crosses_and_an_edge_that_makes_no_sense_is_an_error(void **state)
{
	struct pages *pages = *state;
	struct plant_page client;
	struct err err = {0};
	const double good_V[5] = {1, 2, 3, 4, 5}, bad_V[5] = {1, NAN, 3, 4, 5};
	double read_V[5] = {7, 7, 7, 7, 7};
	int64_t t_ns;

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_publish(&pages->server, 9, 0, bad_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), JOSTLE_EMISSED);
	assert_true(isnan(read_V[1]) && read_V[2] == 3.0);
	plant_page_publish(&pages->server, 10, 0, good_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), JOSTLE_EMISSED);
	read_V[0] = 7.0;
	plant_page_publish(&pages->server, 4, 0, good_V);
	assert_int_equal(plant_page_wait(&client, SECOND, read_V, &t_ns), JOSTLE_EIO);
	assert_near(read_V[0], 7.0, 0.0);
	plant_page_close(&client);
}

/* catches: a client that sleeps on when the plant ends */
static void the_end_of_the_plant_wakes_its_client(void **state)
{
	struct pages *pages = *state;
	struct plant_page client;
	struct err err = {0};
	double read_V[5];
	int64_t t_ns;

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	plant_page_close(&pages->server);
	/* an hour: a client that is not woken fails by the test's own time limit */
	assert_int_equal(plant_page_wait(&client, 3600 * SECOND, read_V, &t_ns), JOSTLE_EIO);
	plant_page_close(&client);
}

struct echo {
	struct plant_page *server;
	atomic_bool stop;
};

/** A plant that publishes what it took, all channels equal in every set. */
static void *serve(void *context)
{
	struct echo *echo = context;
	double out_V[N_OUT] = {0}, in_V[5];

	for (uint64_t edge = 1; !atomic_load(&echo->stop); edge++) {
		plant_page_take(echo->server, out_V);
		if (out_V[0] != out_V[1] || out_V[0] != out_V[3])
			out_V[0] = NAN; /* a torn set: the client will see a number that is none */
		for (int c = 0; c < 5; c++)
			in_V[c] = out_V[0];
		plant_page_publish(echo->server, edge, (int64_t)edge, in_V);
	}
	return NULL;
}

/* catches: sets torn between two threads, and (under the thread sanitizer) unordered accesses */
static void sets_are_never_torn(void **state)
{
	struct pages *pages = *state;
	struct echo echo = {.server = &pages->server};
	struct plant_page client;
	struct err err = {0};
	pthread_t thread;
	int64_t t_ns;

	assert_int_equal(plant_page_attach(&client, pages->name, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, &echo), 0);
	double last = 0.0;
	for (int i = 1; i <= 5000; i++) {
		double in_V[5] = {0};
		const double out_V[N_OUT] = {i, i, i, i};

		plant_page_write(&client, out_V);
		if (plant_page_wait(&client, 100 * SECOND, in_V, &t_ns) == JOSTLE_EIO)
			continue; /* the server writes without a pause: now and then it is always in the way */
		for (int c = 1; c < 5; c++)
			assert_true(in_V[c] == in_V[0]);
		assert_true(in_V[0] >= last && in_V[0] <= i);
		last = in_V[0];
	}
	assert_true(last > 0.0);
	atomic_store(&echo.stop, true);
	pthread_join(thread, NULL);
	plant_page_close(&client);
}

#define PAGE_TEST(test) cmocka_unit_test_setup_teardown(test, pages_new, pages_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAGE_TEST(volts_cross_both_ways_edge_by_edge),
		PAGE_TEST(a_write_that_comes_too_late_is_a_missed_edge),
		PAGE_TEST(one_client_at_a_time),
		PAGE_TEST(one_plant_of_a_name),
		cmocka_unit_test(names_that_can_not_be_are_refused),
		PAGE_TEST(a_client_that_died_while_writing_is_not_believed),
		PAGE_TEST(what_a_guardian_holds_the_client_can_not_change),
		PAGE_TEST(seized_outputs_outlive_client_and_guardian),
		PAGE_TEST(a_guardian_that_died_while_writing_still_holds_the_outputs),
		PAGE_TEST(a_plant_has_one_guardian_or_none),
		PAGE_TEST(pages_that_lie_are_refused),
		cmocka_unit_test(short_and_foreign_files_are_refused),
		PAGE_TEST(a_sample_that_is_no_number_crosses_and_an_edge_that_makes_no_sense_is_an_error),
		PAGE_TEST(the_end_of_the_plant_wakes_its_client),
		PAGE_TEST(sets_are_never_torn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
