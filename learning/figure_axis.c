/*
 * Axes as numbers: where a value lies, and which values get a tick.
 *
 * Linear ticks stand at multiples of 1, 2 or 5 times a power of ten, the finest that gives no more than asked for. On a
 * log axis of two decades or more the decades are numbered; on a shorter one 1, 2 and 5 of each; where even those are
 * fewer than three, the linear choice is taken.
 */
#include "learning/figure_canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SLACK 1.25 /* how far above the number asked for a choice of ticks may go */

double figure_axis_position(const struct figure_axis *axis, double value)
{
	if (!(fabs(value) <= FIGURE_LARGEST))
		return NAN;
	if (axis->scale == FIGURE_LINEAR)
		return (value - axis->min) / (axis->max - axis->min);
	if (value < FIGURE_SMALLEST)
		return NAN;
	return (log10(value) - log10(axis->min)) / (log10(axis->max) - log10(axis->min));
}

/** Append "10" to the power of n, in superscript digits. */
static void append_power(char *text, size_t size, int n)
{
	static const char *const digit[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
	char plain[16];
	size_t used = strlen(text);

	snprintf(plain, sizeof(plain), "%d", n);
	used += (size_t)snprintf(text + used, size - used, "10");
	for (const char *c = plain; *c && used < size; c++)
		used += (size_t)snprintf(text + used, size - used, "%s", *c == '-' ? "⁻" : digit[*c - '0']);
}

/** Write a number with the digits that tell neighbours `step` apart and a true minus sign. */
static void write_number(char *text, size_t size, double value, double step, double largest)
{
	const int step_power = (int)floor(log10(step) + 1e-9);

	if (value == 0.0 || (largest < 1e5 && step_power >= -4)) {
		snprintf(text, size, "%s%.*f", value < 0.0 ? "−" : "", value != 0.0 && step_power < 0 ? -step_power : 0,
			 fabs(value));
		return;
	}
	const int power = (int)floor(log10(fabs(value)) + 1e-9);
	const int digits = power > step_power ? power - step_power : 0;
	snprintf(text, size, "%s%.*f×", value < 0.0 ? "−" : "", digits < 12 ? digits : 12,
		 fabs(value) / pow(10.0, power));
	append_power(text, size, power);
}

bool axis_is_drawable(const struct figure_axis *axis)
{
	if (!(axis->min < axis->max && fabs(axis->min) <= FIGURE_LARGEST && fabs(axis->max) <= FIGURE_LARGEST))
		return false;
	if (axis->scale == FIGURE_LOG)
		return axis->min >= FIGURE_SMALLEST && log10(axis->max) - log10(axis->min) > 1e-9;
	return axis->max - axis->min > 1e-12 * fmax(fabs(axis->min), fabs(axis->max)) && axis->max - axis->min > 1e-280;
}

static size_t linear_ticks(const struct figure_axis *axis, size_t max_majors,
			   struct figure_tick ticks[FIGURE_MAX_TICKS])
{
	static const struct {
		double factor;
		int minors;
	} steps[] = {{1.0, 5}, {2.0, 4}, {5.0, 5}, {10.0, 5}};
	const double span = axis->max - axis->min, largest = fmax(fabs(axis->min), fabs(axis->max));
	const double rough = span / (double)max_majors, power = pow(10.0, floor(log10(rough)));
	size_t choice = 0, n = 0;

	while (choice < 3 && steps[choice].factor * power * SLACK < rough)
		choice++;
	const double step = steps[choice].factor * power, fine = step / steps[choice].minors;
	for (double k = ceil(axis->min / fine - 1e-6); k <= axis->max / fine + 1e-6 && n < FIGURE_MAX_TICKS; k += 1.0) {
		const bool major = fmod(k, steps[choice].minors) == 0.0;

		ticks[n] = (struct figure_tick){.value = k * fine, .major = major};
		if (major)
			write_number(ticks[n].text, sizeof(ticks[n].text), k * fine, step, largest);
		n++;
	}
	return n;
}

/** Number of a tick m × 10^power on a log axis. */
static void write_log_number(char *text, size_t size, int m, int power, bool as_power)
{
	text[0] = '\0';
	if (!as_power && power >= -3 && power <= 3) {
		snprintf(text, size, "%.*f", power < 0 ? -power : 0, m * pow(10.0, power));
		return;
	}
	if (m != 1)
		snprintf(text, size, "%d×", m);
	append_power(text, size, power);
}

static size_t log_ticks(const struct figure_axis *axis, size_t max_majors, struct figure_tick ticks[FIGURE_MAX_TICKS])
{
	const double low = log10(axis->min), high = log10(axis->max), decades = high - low;
	const int stride = decades > (double)max_majors ? (int)ceil(decades / (double)max_majors) : 1;
	const bool only_powers = decades >= 2.0;
	size_t n = 0, n_majors = 0;

	for (int power = (int)floor(low - 1e-9); power <= (int)floor(high + 1e-9); power++)
		for (int m = 1; m <= (stride > 1 ? 1 : 9) && n < FIGURE_MAX_TICKS; m++) {
			const double position = log10(m) + power;
			const bool major = only_powers ? m == 1 && power % stride == 0 : m == 1 || m == 2 || m == 5;

			if (position < low - 1e-9 || position > high + 1e-9 || (stride > 5 && !major))
				continue;
			ticks[n] = (struct figure_tick){.value = m * pow(10.0, power), .major = major};
			if (major)
				write_log_number(ticks[n].text, sizeof(ticks[n].text), m, power, only_powers);
			n_majors += major;
			n++;
		}
	return n_majors >= 3 || only_powers ? n : linear_ticks(axis, max_majors + max_majors / 2, ticks);
}

size_t figure_axis_ticks(const struct figure_axis *axis, size_t max_majors, struct figure_tick ticks[FIGURE_MAX_TICKS])
{
	if (!axis_is_drawable(axis) || max_majors == 0)
		return 0;
	return axis->scale == FIGURE_LOG ? log_ticks(axis, max_majors, ticks) : linear_ticks(axis, max_majors, ticks);
}
