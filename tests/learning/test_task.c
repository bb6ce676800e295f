/*
 * Task files: what they say is what is read, and what can't be is refused with its place.
 */
#include "learning/assertions.h"

#include <unistd.h>

#include "base/find.h"
#include "base/hash.h"
#include "learning/task.h"

static const char good[] = "name: example\n"
			   "summary: an example\n"
			   "lattice: [2, 1]\n"
			   "target: ring radius=1.5 sigma=0.15\n"
			   "terms:\n"
			   "  - monomials degree=4\n";

static char path[] = "/tmp/jostle-task-XXXXXX";

static int setup(void **state)
{
	(void)state;
	const int file = mkstemp(path);

	return file < 0 ? -1 : close(file);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static int load(struct task *task, const char *text, size_t size, struct err *err)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return task_load(task, path, err);
}

static void check_task(const char *name, const char *at, void *context)
{
	struct task task;
	struct err err = {0};

	assert_ok(task_load(&task, at, &err), err);
	assert_string_equal(task.name, name);
	task_fini(&task);
	*(size_t *)context += 1;
}

/* catches: a shipped task that does not load, or whose name is not its file's */
static void every_shipped_task_loads_under_its_own_name(void **state)
{
	size_t n = 0;

	(void)state;
	find_each(FIND_TASK, check_task, &n);
	assert_true(n >= 5);
}

/* catches: defaults that are zero, fields stored at each other's place */
static void a_task_reads_as_it_is_written(void **state)
{
	struct task task;
	struct err err = {0};
	char text[1024];

	(void)state;
	assert_ok(load(&task, good, strlen(good), &err), err);
	assert_int_equal(task.knots, 24);
	assert_near(task.readout_weight, 0.5, 0.0);
	assert_string_equal(task.bath, "white");
	assert_true(task.training.batch >= 32 && task.training.steps > 0 && task.training.rate > 0.0);
	task_fini(&task);

	snprintf(text, sizeof(text),
		 "%s  - bilinear range=all\nknots: 14\nreadout: image\nbath: white\n"
		 "training: {batch: 64, steps: 7, rate: 0.25, sample: 96, held: 128}\n",
		 good);
	assert_ok(load(&task, text, strlen(text), &err), err);
	assert_int_equal(task.nx, 2);
	assert_int_equal(task.ny, 1);
	assert_string_equal(task.target, "ring radius=1.5 sigma=0.15");
	assert_int_equal(task.n_terms, 2);
	assert_string_equal(task.terms[1], "bilinear range=all");
	assert_int_equal(task.knots, 14);
	assert_near(task.readout_weight, 1.0, 0.0);
	assert_int_equal(task.training.batch, 64);
	assert_int_equal(task.training.steps, 7);
	assert_near(task.training.rate, 0.25, 0.0);
	assert_int_equal(task.training.sample, 96);
	assert_int_equal(task.training.held, 128);
	task_fini(&task);
}

/* catches: a value out of its range that is taken, an error that does not say which field or line */
static void values_that_can_not_be_are_refused_with_their_line(void **state)
{
	const struct {
		const char *more, *says;
		int line;
	} cases[] = {
		{"knots: 1\n", "knots: expected 2 to", 7},
		{"knots: 100000\n", "knots", 7},
		{"knots: -3\n", "knots", 7},
		{"knots: many\n", "knots", 7},
		{"knots: 3.5\n", "knots", 7},
		{"readout: picture\n", "density, image or none", 7},
		{"bath: lukewarm\n", "bath", 7},
		{"bath: white temperature=4\n", "no setting \"temperature\"", 7},
		{"bath: white stiffness=2\n", "no setting \"stiffness\"", 7},
		{"training: {rate: 0}\n", "training.rate", 7},
		{"training: {rate: .nan}\n", "rate", 7},
		{"training: {rate: 1e300}\n", "training.rate", 7},
		{"training: {batch: 1}\n", "training.batch", 7},
		{"training: {batch: 99999999999}\n", "training.batch", 7},
		{"training: {steps: 0}\n", "training.steps", 7},
		{"training: {sample: 3}\n", "training.sample", 7},
		{"training: {held: 3}\n", "training.held", 7},
		{"training: {speed: 3}\n", "speed", 7},
		{"colour: red\n", "colour", 7},
		{"knots: 24\nknots: 25\n", "knots", 8},
		{"  - monomials degree=9\n", "degree", 5},
		{"  - sorcery\n", "sorcery", 5},
		{"  - monomials\n", "degree", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct task task;
		struct err err = {0};
		char text[1024];

		snprintf(text, sizeof(text), "%s%s", good, cases[i].more);
		assert_int_equal(load(&task, text, strlen(text), &err), JOSTLE_ECONFIG);
		assert_contains(err.text, cases[i].says);
		assert_string_equal(err.file, path);
		assert_int_equal(err.line, cases[i].line);
	}
}

/* catches: a crash or a leak on a file that ends anywhere, and a cut file that is taken for a whole one */
static void a_file_cut_anywhere_is_refused_or_whole(void **state)
{
	(void)state;
	for (size_t size = 0; size < strlen(good); size++) {
		struct task task;
		struct err err = {0};

		if (load(&task, good, size, &err) == 0) {
			/* Only the last word can lose letters and still be a task. */
			assert_true(size >= strlen(good) - 1);
			task_fini(&task);
		} else {
			assert_true(err.text[0] != '\0');
		}
	}
}

/* catches: fields written over each other by texts that are too long */
static void texts_that_do_not_fit_are_refused(void **state)
{
	struct task task;
	struct err err = {0};
	char text[4096], word[2000];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	snprintf(text, sizeof(text), "name: %s\n%s", word, good + strlen("name: example\n"));
	assert_int_equal(load(&task, text, strlen(text), &err), JOSTLE_ECONFIG);
	snprintf(text, sizeof(text), "%s  - %s\n", good, word);
	assert_int_equal(load(&task, text, strlen(text), &err), JOSTLE_ECONFIG);

	assert_ok(load(&task, good, strlen(good), &err), err);
	assert_int_equal(task_set_target(&task, word, &err), JOSTLE_ECONFIG);
	assert_int_equal(task_set_terms(&task, (const char *const[]){word}, 1, &err), JOSTLE_ECONFIG);
	assert_int_equal(task_set_terms(&task, NULL, 0, &err), JOSTLE_ECONFIG);
	assert_string_equal(task.target, "ring radius=1.5 sigma=0.15");
	assert_string_equal(task.terms[0], "monomials degree=4");
	task_fini(&task);
}

static void fingerprint(const struct task *task, char hex[HASH_HEX_SIZE])
{
	struct hash hash;

	hash_begin(&hash);
	task_hash(task, &hash);
	hash_end(&hash, hex);
}

/* catches: an override that task_check() does not see, or that resumes another task's checkpoint */
static void a_field_may_be_changed_before_the_check(void **state)
{
	struct task task;
	struct err err = {0};
	char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];

	(void)state;
	assert_ok(load(&task, good, strlen(good), &err), err);
	fingerprint(&task, before);
	assert_ok(task_set_terms(&task, (const char *const[]){"monomials degree=6"}, 1, &err), err);
	assert_ok(task_set_target(&task, "swiss-roll", &err), err);
	task.knots = 9;
	assert_ok(task_check(&task, &err), err);
	fingerprint(&task, after);
	assert_string_not_equal(before, after);
	task.knots = 1;
	assert_int_equal(task_check(&task, &err), JOSTLE_ECONFIG);
	assert_contains(err.text, "knots");
	task.knots = 9;
	assert_ok(task_set_target(&task, "gaussians means=1", &err), err);
	assert_int_equal(task_check(&task, &err), JOSTLE_ECONFIG);
	assert_contains(err.text, "target");
	task_fini(&task);
}

/* catches: a field left out of the text or written under another's name, a character that YAML takes for its own */
static void a_task_formats_to_a_file_that_reads_back_to_the_same(void **state)
{
	static const struct task task = {
		.name = "- a: \"name\" #1",
		.summary = "back\\slash, two\nlines and 1 \xc2\xb5m",
		.nx = 2,
		.ny = 1,
		.target = "ring radius=1.25 sigma=0.15",
		.n_terms = 2,
		.terms = {"onsite-power powers=1-4", "bilinear range=all"},
		.knots = 17,
		.readout_weight = 1.0,
		.bath = "white",
		.training = {.batch = 64, .steps = 7, .rate = 0.1 + 1e-16, .sample = 96, .held = 128},
	};
	struct task back;
	struct err err = {0};
	char *text;

	(void)state;
	assert_ok(task_format(&task, &text, &err), err);
	assert_ok(task_parse(&back, "the text", text, &err), err);
	free(text);
	assert_string_equal(back.name, task.name);
	assert_string_equal(back.summary, task.summary);
	assert_string_equal(back.target, task.target);
	assert_int_equal(back.n_terms, 2);
	assert_string_equal(back.terms[0], task.terms[0]);
	assert_string_equal(back.terms[1], task.terms[1]);
	assert_string_equal(back.bath, task.bath);
	assert_int_equal(back.nx, 2);
	assert_int_equal(back.ny, 1);
	assert_int_equal(back.knots, 17);
	assert_true(back.readout_weight == 1.0);
	assert_memory_equal(&back.training, &task.training, sizeof(back.training));
	task_fini(&back);
}

/* catches: a read-out that the text of a task cannot say, and says otherwise */
static void a_readout_without_a_name_is_refused(void **state)
{
	struct task task;
	struct err err = {0};

	(void)state;
	assert_ok(load(&task, good, strlen(good), &err), err);
	task.readout_weight = 0.3;
	assert_int_equal(task_check(&task, &err), JOSTLE_ECONFIG);
	assert_contains(err.text, "readout");
	task_fini(&task);
}

/* catches: a path that is not there reported as anything else */
static void a_file_that_is_not_there_is_named(void **state)
{
	struct task task;
	struct err err = {0};

	(void)state;
	assert_int_equal(task_load(&task, "/nowhere/task.yaml", &err), JOSTLE_ENOENT);
	assert_contains(err.file[0] ? err.file : err.text, "/nowhere/task.yaml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shipped_task_loads_under_its_own_name),
		cmocka_unit_test(a_task_reads_as_it_is_written),
		cmocka_unit_test(values_that_can_not_be_are_refused_with_their_line),
		cmocka_unit_test(a_file_cut_anywhere_is_refused_or_whole),
		cmocka_unit_test(texts_that_do_not_fit_are_refused),
		cmocka_unit_test(a_field_may_be_changed_before_the_check),
		cmocka_unit_test(a_task_formats_to_a_file_that_reads_back_to_the_same),
		cmocka_unit_test(a_readout_without_a_name_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
