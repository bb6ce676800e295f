/*
 * The trainer: the same bits on any number of threads and across interruptions, and checkpoints that are what they say.
 */
#include "learning/assertions.h"

#include <unistd.h>

#include "base/h5.h"
#include "base/pool.h"
#include "learning/task.h"
#include "learning/trainer.h"
#include "protocols/protocol.h"

struct fixture {
	struct pool *pool[2]; /* one thread, two threads */
	struct task task;
	char folder[64], checkpoint[128];
};

struct result {
	struct protocol protocol;
	struct training_report report;
};

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct err err = {0};

	assert_non_null(fx);
	for (size_t i = 0; i < 2; i++)
		assert_ok(pool_new(&fx->pool[i], i + 1, &err), err);
	fx->task = (struct task){
		.name = "test",
		.nx = 2,
		.ny = 1,
		.target = "gaussians means=1.2,1.2,-1.2,-1.2 sigma=0.4",
		.n_terms = 1,
		.terms = {"monomials degree=4"},
		.knots = 3,
		.readout_weight = 0.5,
		.bath = "white",
		.training = {.batch = 300, .steps = 12, .rate = 0.1, .sample = 1500, .held = 700},
	};
	assert_ok(task_check(&fx->task, &err), err);
	strcpy(fx->folder, "/tmp/jostle-trainer-XXXXXX");
	assert_non_null(mkdtemp(fx->folder));
	snprintf(fx->checkpoint, sizeof(fx->checkpoint), "%s/p.h5.checkpoint", fx->folder);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < 2; i++)
		pool_free(fx->pool[i]);
	unlink(fx->checkpoint);
	rmdir(fx->folder);
	free(fx);
	return 0;
}

static void result_fini(struct result *result)
{
	protocol_fini(&result->protocol);
	training_report_fini(&result->report);
}

static void assert_same(const struct result *a, const struct result *b)
{
	const size_t n = a->protocol.n_knots;

	assert_int_equal(n, b->protocol.n_knots);
	assert_memory_equal(a->protocol.theta, b->protocol.theta,
			    n * a->protocol.network.n_parameters * sizeof(double));
	assert_memory_equal(a->report.loss, b->report.loss, n * sizeof(double));
	assert_memory_equal(a->report.standard_error, b->report.standard_error, n * sizeof(double));
	assert_memory_equal(a->report.training_loss, b->report.training_loss, n * sizeof(double));
}

static const struct {
	const char *rule, *optimiser;
} ways[] = {{"denoising", "adam"}, {"implicit", "adam"}, {"denoising", "cg"}, {"implicit", "cg"}};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static void train(struct fixture *fx, size_t way, size_t pool, uint64_t seed, struct result *result)
{
	const struct trainer_options options = {.rule = ways[way].rule, .optimiser = ways[way].optimiser, .seed = seed};
	struct err err = {0};

	assert_ok(trainer_run(&options, &fx->task, fx->pool[pool], &result->protocol, &result->report, &err), err);
}

/* catches: sums in the order in which threads finish, random numbers that depend on the thread */
static void one_and_two_threads_give_the_same_bits(void **state)
{
	struct fixture *fx = *state;

	for (size_t way = 0; way < N_WAYS; way++) {
		struct result one, two;

		train(fx, way, 0, 5, &one);
		train(fx, way, 1, 5, &two);
		assert_same(&one, &two);
		result_fini(&one);
		result_fini(&two);
	}
}

/* catches: a seed that is not used, so that every run is the same run */
static void another_seed_gives_another_protocol(void **state)
{
	struct fixture *fx = *state;

	for (size_t way = 0; way < N_WAYS; way++) {
		struct result one, two;

		train(fx, way, 0, 5, &one);
		train(fx, way, 0, 6, &two);
		assert_memory_not_equal(one.protocol.theta, two.protocol.theta, sizeof(double));
		result_fini(&one);
		result_fini(&two);
	}
}

struct stop_at {
	size_t step, calls;
};

static bool stop_at(void *context)
{
	struct stop_at *stop = context;

	return stop->calls++ == stop->step;
}

/** Run with interruptions after the `step`-th question, again and again until done, on alternating pools. */
static size_t train_in_parts(struct fixture *fx, size_t way, size_t step, struct result *result)
{
	size_t n_interrupted = 0;

	for (;;) {
		struct stop_at stop = {.step = step};
		struct err err = {0};
		const struct trainer_options options = {
			.rule = ways[way].rule,
			.optimiser = ways[way].optimiser,
			.seed = 5,
			.checkpoint = fx->checkpoint,
			.resume = n_interrupted > 0,
			.stop = stop_at,
			.stop_context = &stop,
		};
		const int status = trainer_run(&options, &fx->task, fx->pool[n_interrupted % 2], &result->protocol,
					       &result->report, &err);

		if (status == 0)
			return n_interrupted;
		assert_int_equal(status, JOSTLE_EINTR);
		assert_contains(err.text, fx->checkpoint);
		n_interrupted++;
		assert_true(n_interrupted < 1000);
	}
}

/* catches: optimiser state, losses or a knot's number left out of the checkpoint; a step repeated or lost */
static void interrupted_and_resumed_gives_the_same_bits(void **state)
{
	struct fixture *fx = *state;
	const size_t steps[] = {0, 1, 4, 11, 12, 25};

	for (size_t way = 0; way < N_WAYS; way++) {
		struct result whole, parts;

		train(fx, way, 0, 5, &whole);
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			assert_true(train_in_parts(fx, way, steps[i], &parts) > 0);
			assert_same(&whole, &parts);
			result_fini(&parts);
		}
		result_fini(&whole);
	}
}

/** Leave a checkpoint of way 0, seed 5, after the fifth step. */
static void leave_checkpoint(struct fixture *fx)
{
	struct stop_at stop = {.step = 4};
	struct result result;
	struct err err = {0};
	const struct trainer_options options = {.rule = ways[0].rule,
						.optimiser = ways[0].optimiser,
						.seed = 5,
						.checkpoint = fx->checkpoint,
						.stop = stop_at,
						.stop_context = &stop};

	assert_int_equal(trainer_run(&options, &fx->task, fx->pool[0], &result.protocol, &result.report, &err),
			 JOSTLE_EINTR);
}

static void assert_refused(struct fixture *fx, struct trainer_options options, int code, const char *says)
{
	struct result result;
	struct err err = {0};
	char text[1200];

	options.checkpoint = fx->checkpoint;
	options.resume = true;
	assert_int_equal(trainer_run(&options, &fx->task, fx->pool[0], &result.protocol, &result.report, &err), code);
	err_format(&err, text, sizeof(text));
	assert_contains(text, says);
}

/* catches: a checkpoint continued under another rule, optimiser, seed or task */
static void a_checkpoint_of_another_configuration_is_refused(void **state)
{
	struct fixture *fx = *state;
	const struct trainer_options same = {.rule = "denoising", .optimiser = "adam", .seed = 5};
	struct trainer_options other;
	const struct task task = fx->task;

	leave_checkpoint(fx);
	other = same;
	other.rule = "implicit";
	assert_refused(fx, other, JOSTLE_ECONFIG, "rule implicit, found denoising");
	other = same;
	other.optimiser = "cg";
	assert_refused(fx, other, JOSTLE_ECONFIG, "optimiser cg, found adam");
	other = same;
	other.seed = 6;
	assert_refused(fx, other, JOSTLE_ECONFIG, "seed 6, found 5");
	fx->task.training.rate = 0.2;
	assert_refused(fx, same, JOSTLE_ECONFIG, "training settings");
	fx->task = task;
	fx->task.knots = 4;
	assert_refused(fx, same, JOSTLE_ECONFIG, "knots");
	fx->task = task;
	strcpy(fx->task.target, "ring");
	assert_refused(fx, same, JOSTLE_ECONFIG, "target");
}

/* catches: half a checkpoint that is believed, a missing one that starts from the beginning without a word */
static void a_damaged_or_missing_checkpoint_is_refused(void **state)
{
	struct fixture *fx = *state;
	const struct trainer_options same = {.rule = "denoising", .optimiser = "adam", .seed = 5};
	struct result result;
	struct err err = {0};
	FILE *file;

	assert_refused(fx, same, JOSTLE_ENOENT, "checkpoint");
	leave_checkpoint(fx);
	file = fopen(fx->checkpoint, "r");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	const long size = ftell(file);
	fclose(file);
	assert_int_equal(truncate(fx->checkpoint, size / 2), 0);
	assert_refused(fx, same, JOSTLE_EFORMAT, "");
	assert_int_equal(truncate(fx->checkpoint, 0), 0);
	assert_refused(fx, same, JOSTLE_EFORMAT, "");

	const struct trainer_options nowhere = {.rule = "denoising", .optimiser = "adam", .resume = true};
	assert_int_equal(trainer_run(&nowhere, &fx->task, fx->pool[0], &result.protocol, &result.report, &err),
			 JOSTLE_EINVAL);
}

/** A checkpoint that is whole, of the right configuration, and says things that can't be. */
static void forge(struct fixture *fx, const char *attribute, uint64_t value)
{
	hid_t file, at;

	leave_checkpoint(fx);
	file = H5Fopen(fx->checkpoint, H5F_ACC_RDWR, H5P_DEFAULT);
	assert_true(file >= 0);
	at = H5Aopen(file, attribute, H5P_DEFAULT);
	assert_true(at >= 0);
	assert_true(H5Awrite(at, H5T_NATIVE_UINT64, &value) >= 0);
	H5Aclose(at);
	H5Fclose(file);
}

/* catches: an index out of a file used before it is looked at (with ASan) */
static void a_forged_checkpoint_is_refused(void **state)
{
	struct fixture *fx = *state;
	const struct trainer_options same = {.rule = "denoising", .optimiser = "adam", .seed = 5};

	forge(fx, "left", 4);
	assert_refused(fx, same, JOSTLE_EFORMAT, "left");
	forge(fx, "left", UINT64_MAX);
	assert_refused(fx, same, JOSTLE_EFORMAT, "left");
	forge(fx, "begun", 2);
	assert_refused(fx, same, JOSTLE_EFORMAT, "begun");
	forge(fx, "format_version", 77);
	assert_refused(fx, same, JOSTLE_EVERSION, "77");
}

/* catches: names that are not in a registry, a bath whose noise has variables that these rules know nothing of */
static void what_can_not_be_trained_is_refused_by_name(void **state)
{
	struct fixture *fx = *state;
	const struct trainer_options no_rule = {.rule = "osmosis", .optimiser = "adam"};
	const struct trainer_options no_optimiser = {.rule = "denoising", .optimiser = "luck"};
	struct result result;
	struct err err = {0};

	assert_int_equal(trainer_run(&no_rule, &fx->task, fx->pool[0], &result.protocol, &result.report, &err),
			 JOSTLE_ENOENT);
	assert_contains(err.text, "denoising, implicit");
	assert_int_equal(trainer_run(&no_optimiser, &fx->task, fx->pool[0], &result.protocol, &result.report, &err),
			 JOSTLE_ENOENT);
	assert_contains(err.text, "adam, cg");
}

/* catches: a loss of 0 reported and stored where nothing was measured; a loss left out because there were few steps */
static void a_training_loss_is_reported_where_it_was_measured(void **state)
{
	struct fixture *fx = *state;

	fx->task.training.steps = 2;
	for (size_t way = 0; way < N_WAYS; way++) {
		const bool measured = strcmp(ways[way].rule, "implicit") != 0;
		struct result result;
		struct h5_file file;
		struct err err = {0};

		train(fx, way, 0, 5, &result);
		assert_int_equal(result.report.has_training_loss, measured);
		for (size_t k = 0; k < 3; k++)
			assert_true((result.report.training_loss[k] > 0.0) == measured);
		assert_ok(h5_create(&file, fx->checkpoint, &err), err);
		assert_ok(training_report_write(&result.report, &file, &err), err);
		assert_ok(h5_commit(&file, &err), err);
		assert_ok(h5_open(&file, fx->checkpoint, &err), err);
		assert_int_equal(h5_has(&file, "/learning/training_loss"), measured);
		assert_true(h5_has(&file, "/learning/loss"));
		h5_close(&file);
		result_fini(&result);
	}
}

/* catches: a protocol that does not say what it was learned from, or says it without what was changed or left to default */
static void the_protocol_carries_the_task_as_it_was_used(void **state)
{
	struct fixture *fx = *state;
	struct result result;
	struct task back;
	struct err err = {0};

	strcpy(fx->task.summary, "a test");
	train(fx, 0, 0, 5, &result);
	assert_non_null(result.protocol.task);
	assert_ok(task_parse(&back, "the protocol", result.protocol.task, &err), err);
	assert_memory_equal(&back.training, &fx->task.training, sizeof(back.training));
	assert_int_equal(back.knots, 3);
	assert_string_equal(back.target, fx->task.target);
	task_fini(&back);
	result_fini(&result);
}

/* catches: a report that does not belong to its protocol, or is written under other names than promised */
static void the_report_is_what_the_protocol_measures_and_goes_into_a_file(void **state)
{
	struct fixture *fx = *state;
	struct result result;
	struct training_report again;
	struct h5_file file;
	struct err err = {0};
	size_t n = 0;
	double *loss;

	train(fx, 0, 1, 5, &result);
	assert_ok(training_report_measure(&again, &result.protocol, &fx->task, fx->pool[0], &err), err);
	assert_int_equal(again.n_knots, 3);
	assert_memory_equal(again.loss, result.report.loss, 3 * sizeof(double));
	assert_memory_equal(again.t, result.protocol.t, 3 * sizeof(double));
	assert_false(again.has_training_loss);
	training_report_fini(&again);

	assert_ok(h5_create(&file, fx->checkpoint, &err), err);
	assert_ok(training_report_write(&result.report, &file, &err), err);
	assert_ok(h5_commit(&file, &err), err);
	assert_ok(h5_open(&file, fx->checkpoint, &err), err);
	assert_ok(h5_read_doubles(&file, "/learning/loss", 1, &n, 10, &loss, &err), err);
	assert_int_equal(n, 3);
	assert_memory_equal(loss, result.report.loss, 3 * sizeof(double));
	free(loss);
	h5_close(&file);
	result_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_and_two_threads_give_the_same_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(another_seed_gives_another_protocol, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupted_and_resumed_gives_the_same_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_checkpoint_of_another_configuration_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_or_missing_checkpoint_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_checkpoint_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_can_not_be_trained_is_refused_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_training_loss_is_reported_where_it_was_measured, setup, teardown),
		cmocka_unit_test_setup_teardown(the_protocol_carries_the_task_as_it_was_used, setup, teardown),
		cmocka_unit_test_setup_teardown(the_report_is_what_the_protocol_measures_and_goes_into_a_file, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
