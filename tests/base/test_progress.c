#include "base/scratch.h"

#include <fcntl.h>

#include "base/progress.h"

#define S 1000000000LL

struct capture {
	struct scratch *scratch;
	int kept;
	char text[1024];
};

/** Send standard error to a file, which is no terminal. */
static void capture_begin(struct capture *capture, struct scratch *scratch)
{
	const int fd = open(scratch_path(scratch, "stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	capture->scratch = scratch;
	capture->kept = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void capture_end(struct capture *capture)
{
	fflush(stderr);
	const ssize_t n = pread(STDERR_FILENO, capture->text, sizeof(capture->text) - 1, 0);
	dup2(capture->kept, STDERR_FILENO);
	close(capture->kept);
	assert_true(n >= 0);
	capture->text[n] = '\0';
}

/* catches: control sequences in a log, an estimate from the wrong rate */
static void in_a_log_a_line_tells_the_share_and_the_time_left(void **state)
{
	struct capture capture;
	struct progress progress;

	capture_begin(&capture, *state);
	progress_begin(&progress, "train", 200.0, 0.0);
	progress.start_ns -= 100 * S; /* as if 100 s had passed: a quarter done leaves 300 s and a little */
	progress.last_ns = progress.start_ns;
	progress_update(&progress, 50.0, "loss 0.5");
	progress_end(&progress, 200.0);
	capture_end(&capture);
	assert_contains(capture.text, "jostle: train: 25 %, 5 min 0");
	assert_contains(capture.text, "s left, loss 0.5\n");
	assert_contains(capture.text, "jostle: train: done in 1 min 4");
	assert_null(strchr(capture.text, '\r'));
	assert_null(strchr(capture.text, '\033'));
}

/* catches: resumed work counted as done in no time, which promises far too little */
static void resumed_work_does_not_count_for_the_rate(void **state)
{
	struct capture capture;
	struct progress progress;

	capture_begin(&capture, *state);
	progress_begin(&progress, "train", 100.0, 80.0);
	progress.start_ns -= 3000 * S; /* 10 in 3000 s, 10 are left */
	progress.last_ns = progress.start_ns;
	progress_update(&progress, 90.0, NULL);
	capture_end(&capture);
	assert_contains(capture.text, "90 %, 50 min 0");
	assert_contains(capture.text, "left\n");
}

/* catches: a log flooded with a line for every step, a division by zero printed */
static void lines_come_seldom_and_without_an_estimate_when_nothing_is_done(void **state)
{
	struct capture capture;
	struct progress progress;

	capture_begin(&capture, *state);
	progress_begin(&progress, "train", 100.0, 0.0);
	for (int i = 0; i < 100; i++)
		progress_update(&progress, i, NULL);
	progress.last_ns -= 60 * S;
	progress_update(&progress, 0.0, NULL);
	progress_update(&progress, 1.0, NULL);
	progress_end(&progress, 50.0);
	capture_end(&capture);
	static const char start[] = "jostle: train: 0 %, time left unknown\njostle: train: ended at 50 % after ";
	assert_memory_equal(capture.text, start, strlen(start));
	assert_string_equal(strchr(capture.text + strlen(start), '\n'), "\n");
}

/* catches: a run that was asked to be quiet and is not */
static void a_quiet_run_prints_nothing(void **state)
{
	struct capture capture;
	struct progress progress;

	capture_begin(&capture, *state);
	progress_begin(&progress, "train", 1.0, 0.0);
	progress.quiet = true;
	progress.last_ns -= 60 * S;
	progress_update(&progress, 0.5, NULL);
	progress_end(&progress, 1.0);
	capture_end(&capture);
	assert_string_equal(capture.text, "");
}

/* catches: a line longer than the terminal, which cannot be rewritten, and an end without a newline */
static void on_a_terminal_one_line_is_rewritten(void **state)
{
	struct capture capture;
	struct progress progress;
	char note[200];

	memset(note, 'n', sizeof(note));
	note[sizeof(note) - 1] = '\0';
	capture_begin(&capture, *state);
	progress_begin(&progress, "train", 1.0, 0.0);
	progress.terminal = true;
	progress.last_ns -= 60 * S;
	progress_update(&progress, 0.5, note);
	progress_end(&progress, 1.0);
	capture_end(&capture);
	assert_int_equal(strncmp(capture.text, "\r\033[Ktrain: 50 %", 15), 0);
	assert_int_equal(strcspn(capture.text + 1, "\r"), 79 + 3);
	assert_null(strchr(capture.text, '\n') == NULL ? "" : NULL);
	assert_int_equal(capture.text[strlen(capture.text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_a_log_a_line_tells_the_share_and_the_time_left, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(resumed_work_does_not_count_for_the_rate, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(lines_come_seldom_and_without_an_estimate_when_nothing_is_done,
						scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_quiet_run_prints_nothing, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(on_a_terminal_one_line_is_rewritten, scratch_new, scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
