#include "base/progress.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define TERMINAL_EVERY_NS 100000000LL   /* ten times a second */
#define PLAIN_EVERY_NS    10000000000LL /* a log wants a line now and then */

/** "8 s", "3 min 20 s", "2 h 05 min". */
static void format_duration(double seconds, char *out, size_t size)
{
	const double whole = fmin(fmax(ceil(seconds), 0.0), 3600.0 * 24 * 10000);
	const long s = (long)whole;

	if (s < 60)
		snprintf(out, size, "%ld s", s);
	else if (s < 3600)
		snprintf(out, size, "%ld min %02ld s", s / 60, s % 60);
	else
		snprintf(out, size, "%ld h %02ld min", s / 3600, s / 60 % 60);
}

/** A resumed run is timed by what this process did: the rest over its own rate. */
static void format_left(const struct progress *progress, double done, int64_t now, char *out, size_t size)
{
	const double elapsed_s = (double)(now - progress->start_ns) * 1e-9;
	const double left_s = elapsed_s * (progress->total - done) / (done - progress->first);

	if (done > progress->first && isfinite(left_s)) {
		char duration[32];

		format_duration(left_s, duration, sizeof(duration));
		snprintf(out, size, "%s left", duration);
	} else {
		snprintf(out, size, "time left unknown");
	}
}

void progress_begin(struct progress *progress, const char *label, double total, double first)
{
	*progress = (struct progress){
		.label = label,
		.total = total,
		.first = first,
		.start_ns = clock_now_ns(),
		.terminal = isatty(STDERR_FILENO) == 1,
	};
	/* On a terminal the first update shows at once; in a log, work shorter than the interval leaves no such line.
	 */
	progress->last_ns = progress->terminal ? progress->start_ns - TERMINAL_EVERY_NS : progress->start_ns;
}

void progress_update(struct progress *progress, double done, const char *note)
{
	const int64_t now = clock_now_ns();
	char left[64], line[160];

	if (progress->quiet || now - progress->last_ns < (progress->terminal ? TERMINAL_EVERY_NS : PLAIN_EVERY_NS))
		return;
	progress->last_ns = now;
	format_left(progress, done, now, left, sizeof(left));
	const double percent = progress->total > 0.0 ? 100.0 * fmin(fmax(done / progress->total, 0.0), 1.0) : 0.0;
	snprintf(line, sizeof(line), "%s: %.0f %%, %s%s%s", progress->label, percent, left, note ? ", " : "",
		 note ? note : "");
	if (progress->terminal)
		fprintf(stderr, "\r\033[K%.79s", line);
	else
		fprintf(stderr, "jostle: %s\n", line);
	fflush(stderr);
}

void progress_end(struct progress *progress, double done)
{
	char duration[32];

	if (progress->quiet)
		return;
	format_duration((double)(clock_now_ns() - progress->start_ns) * 1e-9, duration, sizeof(duration));
	fprintf(stderr, "%s%s: ", progress->terminal ? "\r\033[K" : "jostle: ", progress->label);
	if (done < progress->total)
		fprintf(stderr, "ended at %.0f %% after %s\n", 100.0 * fmax(done / progress->total, 0.0), duration);
	else
		fprintf(stderr, "done in %s\n", duration);
}
