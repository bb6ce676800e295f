/* Figures: numbers to places, places to pixels, pixels to a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cairo.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "learning/figure.h"

#define PIXELS FIGURE_PIXELS_PER_UNIT

/** A directory of the test's own, and a page that the test may draw on. */
struct fixture {
	char directory[64], path[128];
	struct figure *page;
	struct err err;
	cairo_surface_t *seen; /* the saved page, read back */
};

static int set_up(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	strcpy(fx->directory, "/tmp/jostle-figure-XXXXXX");
	if (!mkdtemp(fx->directory))
		return -1;
	snprintf(fx->path, sizeof(fx->path), "%s/figure.png", fx->directory);
	*state = fx;
	return figure_new(&fx->page, 400.0, 300.0, &fx->err);
}

/** Every name in the directory goes through `each`; returns how many there were. */
static size_t for_files(const struct fixture *fx, int (*each)(const char *path))
{
	DIR *directory = opendir(fx->directory);
	size_t n = 0;

	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[512];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", fx->directory, entry->d_name);
		n++;
		if (each)
			each(path);
	}
	closedir(directory);
	return n;
}

static int tear_down(void **state)
{
	struct fixture *fx = *state;

	figure_free(fx->page);
	if (fx->seen)
		cairo_surface_destroy(fx->seen);
	for_files(fx, remove);
	rmdir(fx->directory);
	free(fx);
	return 0;
}

/** Read the file back. */
static void look(struct fixture *fx)
{
	if (fx->seen)
		cairo_surface_destroy(fx->seen);
	fx->seen = cairo_image_surface_create_from_png(fx->path);
	assert_int_equal(cairo_surface_status(fx->seen), CAIRO_STATUS_SUCCESS);
}

static void save_and_look(struct fixture *fx)
{
	assert_int_equal(figure_save(fx->page, fx->path, &fx->err), 0);
	look(fx);
}

/** The 24 bits of the pixel at a place in units. */
static uint32_t pixel(const struct fixture *fx, double x, double y)
{
	const unsigned char *bytes = cairo_image_surface_get_data(fx->seen);
	const int stride = cairo_image_surface_get_stride(fx->seen);
	uint32_t value;

	assert_true(x >= 0 && x * PIXELS < cairo_image_surface_get_width(fx->seen));
	assert_true(y >= 0 && y * PIXELS < cairo_image_surface_get_height(fx->seen));
	memcpy(&value, bytes + (int)(y * PIXELS) * stride + (int)(x * PIXELS) * 4, sizeof(value));
	return value & 0xffffff;
}

static uint32_t bits(struct figure_colour c)
{
	return (uint32_t)lround(c.red * 255) << 16 | (uint32_t)lround(c.green * 255) << 8 |
	       (uint32_t)lround(c.blue * 255);
}

/** How many pixels have exactly this colour, left of x; the first and last row that does. */
static size_t count(const struct fixture *fx, uint32_t colour, double left_of, double rows[2])
{
	size_t n = 0;

	rows[0] = INFINITY;
	rows[1] = -INFINITY;
	for (double y = 0.0; y * PIXELS < cairo_image_surface_get_height(fx->seen); y += 1.0 / PIXELS)
		for (double x = 0.0; x < left_of; x += 1.0 / PIXELS)
			if (pixel(fx, x, y) == colour) {
				n++;
				rows[0] = fmin(rows[0], y);
				rows[1] = fmax(rows[1], y);
			}
	return n;
}

static const struct figure_panel square = {
	.plot = {100.0, 50.0, 120.0, 120.0}, .x = {.min = -1.0, .max = 1.0}, .y = {.min = -1.0, .max = 1.0}};

/* catches: units taken for pixels, width and height exchanged */
static void a_saved_page_has_the_stated_size_and_is_white(void **state)
{
	struct fixture *fx = *state;

	save_and_look(fx);
	assert_int_equal(cairo_image_surface_get_width(fx->seen), 400 * PIXELS);
	assert_int_equal(cairo_image_surface_get_height(fx->seen), 300 * PIXELS);
	assert_int_equal(pixel(fx, 200, 150), 0xffffff);
	assert_int_equal(for_files(fx, NULL), 1);
}

/* catches: rows upside down, rows for columns, a colour scale that starts elsewhere, cells shifted or smeared */
static void every_cell_of_a_density_has_the_colour_of_its_value(void **state)
{
	struct fixture *fx = *state;
	double value[36];

	for (size_t i = 0; i < 36; i++)
		value[i] = 10.0 + (double)i;
	const struct figure_density density = {
		.n = 6, .value = value, .map = FIGURE_SEQUENTIAL, .min = 10.0, .max = 45.0};
	assert_int_equal(figure_density(fx->page, &square, &density, &fx->err), 0);
	save_and_look(fx);
	for (size_t row = 0; row < 6; row++)
		for (size_t column = 0; column < 6; column++) {
			const uint32_t expected =
				bits(figure_map_colour(FIGURE_SEQUENTIAL, (double)(6 * row + column) / 35.0));

			/* The middle, and near two corners: a cell is 20 units wide. */
			for (double d = -8.0; d <= 8.0; d += 8.0)
				assert_int_equal(
					pixel(fx, 110.0 + 20.0 * (double)column + d, 160.0 - 20.0 * (double)row + d),
					expected);
		}
}

/* catches: NaN, infinity or a number beyond all use drawn as some value */
static void a_value_that_is_not_finite_is_a_gap_in_a_density(void **state)
{
	struct fixture *fx = *state;

	for (int map = 0; map < FIGURE_N_MAPS; map++) {
		const double value[4] = {NAN, INFINITY, -1e300, 0.75};
		const struct figure_density density = {.n = 2, .value = value, .map = (enum figure_map)map, .max = 1.0};

		assert_int_equal(figure_density(fx->page, &square, &density, &fx->err), 0);
		save_and_look(fx);
		const uint32_t gap = bits(figure_map_colour((enum figure_map)map, NAN));
		assert_int_equal(pixel(fx, 130, 140), gap);
		assert_int_equal(pixel(fx, 190, 140), gap);
		assert_int_equal(pixel(fx, 130, 80), gap);
		assert_int_equal(pixel(fx, 190, 80), bits(figure_map_colour((enum figure_map)map, 0.75)));
		for (double u = 0.0; u <= 1.0; u += 1.0 / 256.0)
			assert_int_not_equal(bits(figure_map_colour((enum figure_map)map, u)), gap);
	}
}

/* catches: a contour half a bin off (edges for centres), one drawn at the wrong level, rows for columns */
static void a_contour_of_a_ramp_stands_where_the_ramp_has_its_level(void **state)
{
	struct fixture *fx = *state;
	double flat[36] = {0}, ramp[36];

	for (size_t i = 0; i < 36; i++)
		ramp[i] = (double)(i % 6);
	const double level = 2.25;
	const struct figure_density density = {.n = 6,
					       .value = flat,
					       .map = FIGURE_DIVERGING,
					       .min = -1.0,
					       .max = 1.0,
					       .contoured = ramp,
					       .level = &level,
					       .n_levels = 1};
	const uint32_t ground = bits(figure_map_colour(FIGURE_DIVERGING, 0.5));
	assert_int_equal(figure_density(fx->page, &square, &density, &fx->err), 0);
	save_and_look(fx);
	/* Column 2 has its centre at 100 + 2.5 * 20 = 150; a quarter of a bin further the ramp is 2.25. */
	for (double y = 61.0; y < 160.0; y += 1.0)
		for (double x = 101.0; x < 219.0; x += 0.5) {
			if (fabs(x + 0.25 - 155.0) < 0.3)
				assert_int_not_equal(pixel(fx, x, y), ground);
			else if (fabs(x + 0.25 - 155.0) > 1.5)
				assert_int_equal(pixel(fx, x, y), ground);
		}
}

/** Relative luminance of an sRGB colour (IEC 61966-2-1). */
static double luminance(struct figure_colour c)
{
	const double channel[3] = {c.red, c.green, c.blue}, weight[3] = {0.2126, 0.7152, 0.0722};
	double sum = 0.0;

	for (int i = 0; i < 3; i++)
		sum += weight[i] *
		       (channel[i] <= 0.04045 ? channel[i] / 12.92 : pow((channel[i] + 0.055) / 1.055, 2.4));
	return sum;
}

/** CIE lightness, 0 to 100. */
static double lightness(struct figure_colour c)
{
	return 116.0 * cbrt(luminance(c)) - 16.0;
}

/* catches: colours clipped at the edge of sRGB, hue or lightness run the wrong way, a map with a dark band */
static void the_sequential_map_grows_evenly_lighter(void **state)
{
	const int n = 64;

	(void)state;
	const double mean = (lightness(figure_map_colour(FIGURE_SEQUENTIAL, 1.0)) -
			     lightness(figure_map_colour(FIGURE_SEQUENTIAL, 0.0))) /
			    n;
	assert_true(mean * n > 60.0);
	for (int i = 0; i < n; i++) {
		const double step = lightness(figure_map_colour(FIGURE_SEQUENTIAL, (double)(i + 1) / n)) -
				    lightness(figure_map_colour(FIGURE_SEQUENTIAL, (double)i / n));

		/* Even in OKLab; CIE lightness agrees with it to within a third. */
		assert_true(step > 0.66 * mean && step < 1.34 * mean);
	}
	const struct figure_colour low = figure_map_colour(FIGURE_SEQUENTIAL, 0.0);
	const struct figure_colour high = figure_map_colour(FIGURE_SEQUENTIAL, 1.0);
	assert_true(low.blue > low.green && high.red > high.blue && high.green > high.blue);
}

/* catches: a diverging map whose two sides differ in weight, whose middle is coloured, or whose signs are exchanged */
static void the_diverging_map_is_even_about_a_neutral_middle(void **state)
{
	const struct figure_colour middle = figure_map_colour(FIGURE_DIVERGING, 0.5);

	(void)state;
	assert_true(middle.red > 0.94 && fabs(middle.red - middle.blue) < 0.01 &&
		    fabs(middle.red - middle.green) < 0.01);
	for (double d = 0.05; d <= 0.5; d += 0.05) {
		const struct figure_colour below = figure_map_colour(FIGURE_DIVERGING, 0.5 - d);
		const struct figure_colour above = figure_map_colour(FIGURE_DIVERGING, 0.5 + d);

		assert_true(fabs(lightness(below) - lightness(above)) < 8.0);
		assert_true(below.blue > below.red && above.red > above.blue);
	}
}

/* catches: log of the ratio to the wrong end, natural and common logarithms mixed, zero or a negative let through */
static void a_log_axis_gives_every_decade_the_same_length(void **state)
{
	const struct figure_axis axis = {.scale = FIGURE_LOG, .min = 1e-3, .max = 1e2};

	(void)state;
	for (int decade = -3; decade <= 2; decade++)
		assert_true(fabs(figure_axis_position(&axis, pow(10.0, decade)) - (decade + 3) / 5.0) < 1e-12);
	assert_true(isnan(figure_axis_position(&axis, 0.0)));
	assert_true(isnan(figure_axis_position(&axis, -1.0)));
	assert_true(isnan(figure_axis_position(&axis, INFINITY)));
	assert_true(figure_axis_position(&axis, 1e-4) < 0.0);
}

/** The numbers at the major ticks, as one line. */
static void numbers(struct figure_axis axis, size_t max_majors, char *line, size_t size)
{
	struct figure_tick ticks[FIGURE_MAX_TICKS];
	const size_t n = figure_axis_ticks(&axis, max_majors, ticks);
	size_t used = 0;

	line[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (ticks[i].major)
			used += (size_t)snprintf(line + used, size - used, "%s%s", used ? " " : "", ticks[i].text);
}

/* catches: steps other than 1, 2, 5; lost end ticks; digits that do not tell ticks apart; "-0"; a hyphen for a minus sign */
static void ticks_stand_at_round_numbers(void **state)
{
	static const struct {
		struct figure_axis axis;
		size_t max_majors;
		const char *numbers;
	} cases[] = {
		{{.min = -3.0, .max = 3.0}, 3, "−2 0 2"},
		{{.min = 0.0, .max = 1.0}, 5, "0 0.2 0.4 0.6 0.8 1.0"},
		{{.min = -0.1, .max = 0.11}, 5, "−0.10 −0.05 0 0.05 0.10"},
		{{.min = 0.0, .max = 50.0}, 10, "0 5 10 15 20 25 30 35 40 45 50"},
		{{.min = 1.1e7, .max = 1.31e7}, 4, "1.10×10⁷ 1.15×10⁷ 1.20×10⁷ 1.25×10⁷ 1.30×10⁷"},
		{{.min = -2e-6, .max = 2e-6}, 2, "−2×10⁻⁶ 0 2×10⁻⁶"},
		{{.scale = FIGURE_LOG, .min = 0.01, .max = 4.0}, 6, "10⁻² 10⁻¹ 10⁰"},
		{{.scale = FIGURE_LOG, .min = 0.15, .max = 6.0}, 6, "0.2 0.5 1 2 5"},
		{{.scale = FIGURE_LOG, .min = 0.11, .max = 0.36}, 6, "0.15 0.20 0.25 0.30 0.35"},
		{{.scale = FIGURE_LOG, .min = 1e-20, .max = 1e20}, 4, "10⁻²⁰ 10⁻¹⁰ 10⁰ 10¹⁰ 10²⁰"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[512];

		numbers(cases[i].axis, cases[i].max_majors, line, sizeof(line));
		assert_string_equal(line, cases[i].numbers);
	}
}

/* catches: an endless loop, a full table overrun, or ticks outside, for axes that a hostile file could ask for */
static void strange_axes_have_few_ticks_and_all_inside(void **state)
{
	static const double ends[] = {-INFINITY, -1e308,      -1e100, -1.0,  0.0,   5e-324,   1e-300,
				      1.0,       1.0 + 1e-15, 1e16,   1e100, 1e308, INFINITY, NAN};
	const size_t n_ends = sizeof(ends) / sizeof(ends[0]);
	struct figure_tick ticks[FIGURE_MAX_TICKS];

	(void)state;
	for (size_t i = 0; i < n_ends * n_ends * 2; i++) {
		const struct figure_axis axis = {.scale = i % 2 ? FIGURE_LOG : FIGURE_LINEAR,
						 .min = ends[i / 2 / n_ends],
						 .max = ends[i / 2 % n_ends]};
		const size_t n = figure_axis_ticks(&axis, i % 3 ? 8 : 60, ticks);

		assert_true(n <= FIGURE_MAX_TICKS);
		for (size_t k = 0; k < n; k++) {
			const double at = figure_axis_position(&axis, ticks[k].value);

			assert_true(at > -1e-4 && at < 1.0001);
			assert_true(ticks[k].major == (ticks[k].text[0] != '\0'));
		}
	}
}

/** The first series in the square panel, without a legend. */
static void draw_one(struct fixture *fx, struct figure_series series, enum figure_scale y_scale)
{
	struct figure_panel panel = square;

	panel.y.scale = y_scale;
	if (y_scale == FIGURE_LOG) {
		panel.y.min = 0.01;
		panel.y.max = 1.0;
	}
	assert_int_equal(figure_lines(fx->page, &panel, &series, 1, &fx->err), 0);
	save_and_look(fx);
}

/* catches: NaN bridged by a straight line, or drawn as zero; a curve on the wrong height */
static void a_value_that_is_not_finite_is_a_gap_in_a_curve(void **state)
{
	struct fixture *fx = *state;
	const double x[7] = {-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9}, y[7] = {0.5, 0.5, 0.5, NAN, 0.5, 0.5, 0.5};
	const uint32_t ink = bits(figure_palette(0));

	draw_one(fx, (struct figure_series){.n = 7, .x = x, .y = y}, FIGURE_LINEAR);
	/* y = 0.5 lies a quarter down: 80. x from 106 to 214; the gap from 142 to 178. */
	for (double at = 108.0; at < 212.0; at += 1.0) {
		const bool in_gap = at > 145.0 && at < 175.0;

		if (in_gap || at < 140.0 || at > 180.0)
			assert_int_equal(pixel(fx, at, 80.0), in_gap ? 0xffffff : ink);
		assert_int_equal(pixel(fx, at, 110.0), 0xffffff);
	}
}

/* catches: zero on a log axis drawn at the foot of the plot */
static void a_value_that_is_not_positive_is_a_gap_on_a_log_axis(void **state)
{
	struct fixture *fx = *state;
	const double x[5] = {-1.0, -0.5, 0.0, 0.5, 1.0}, y[5] = {0.1, 0.1, 0.0, 0.1, 0.1};

	draw_one(fx, (struct figure_series){.n = 5, .x = x, .y = y}, FIGURE_LOG);
	/* 0.1 is half-way between 0.01 and 1. */
	assert_int_equal(pixel(fx, 115.0, 110.0), bits(figure_palette(0)));
	assert_int_equal(pixel(fx, 205.0, 110.0), bits(figure_palette(0)));
	for (double at = 52.0; at < 168.0; at += 0.5)
		assert_int_equal(pixel(fx, 160.0, at), 0xffffff);
}

/* catches: bars of twice or half the error, one side only, a NaN error that hides its point */
static void error_bars_reach_as_far_as_the_error(void **state)
{
	struct fixture *fx = *state;
	const double x[2] = {-0.5, 0.5}, y[2] = {0.0, 0.0}, error[2] = {0.5, NAN};

	draw_one(fx, (struct figure_series){.n = 2, .x = x, .y = y, .error = error, .style = FIGURE_POINTS},
		 FIGURE_LINEAR);
	/* The point at (130, 110); the bar from 80 to 140. */
	assert_int_not_equal(pixel(fx, 130.0, 82.0), 0xffffff);
	assert_int_not_equal(pixel(fx, 130.0, 138.0), 0xffffff);
	assert_int_equal(pixel(fx, 130.0, 77.0), 0xffffff);
	assert_int_equal(pixel(fx, 130.0, 143.0), 0xffffff);
	assert_int_not_equal(pixel(fx, 190.0, 110.0), 0xffffff);
	assert_int_equal(pixel(fx, 190.0, 100.0), 0xffffff);
}

/* catches: limits that ignore the error bars or take in NaN; a single point that gives an axis of no length */
static void limits_left_open_come_from_the_data(void **state)
{
	struct fixture *fx = *state;
	struct figure_panel panel = square;
	const double x[3] = {1.0, 2.0, 3.0}, y[3] = {5.0, NAN, 5.0};

	panel.x.max = panel.x.min = panel.y.min = panel.y.max = 0.0;
	const struct figure_series series = {.n = 3, .x = x, .y = y, .style = FIGURE_POINTS};
	assert_int_equal(figure_lines(fx->page, &panel, &series, 1, &fx->err), 0);
	save_and_look(fx);
	/* Both points half-way up, one near each side; 3 % of the span as air. */
	assert_int_not_equal(pixel(fx, 100.0 + 120.0 * 0.03 / 1.06, 110.0), 0xffffff);
	assert_int_not_equal(pixel(fx, 100.0 + 120.0 * 1.03 / 1.06, 110.0), 0xffffff);
	assert_int_equal(pixel(fx, 160.0, 110.0), 0xffffff);
}

/* catches: images upside down, one tile shown twice, -1 for white, NaN as mid-grey */
static void a_sheet_shows_each_image_in_its_place(void **state)
{
	struct fixture *fx = *state;
	float image[3][4] = {{-1.0f, 1.0f, 0.0f, NAN}, {1.0f, 1.0f, 1.0f, 1.0f}, {-1.0f, -1.0f, 0.5f, -1.0f}};

	assert_int_equal(figure_images(fx->page, &square, 3, 2, image[0], 2, &fx->err), 0);
	save_and_look(fx);
	/* Two columns of 60 units, 4 (at most) of them a gap: cells of 28. */
	assert_int_equal(pixel(fx, 114, 64), 0x000000);
	assert_int_equal(pixel(fx, 142, 64), 0xffffff);
	assert_int_equal(pixel(fx, 114, 92), 0x808080);
	assert_int_equal(pixel(fx, 142, 92), bits(figure_map_colour(FIGURE_GREY, NAN)));
	assert_int_equal(pixel(fx, 202, 92), 0xffffff);
	assert_int_equal(pixel(fx, 114, 152), 0xbfbfbf);
	assert_int_equal(pixel(fx, 142, 152), 0x000000);
	assert_int_equal(pixel(fx, 174, 124), 0xffffff); /* no fourth image */
}

/* catches: a path that cannot be written passed over in silence, an error without its reason, a file left behind */
static void a_path_that_cannot_be_written_is_an_error_and_leaves_nothing(void **state)
{
	struct fixture *fx = *state;
	char path[256], partial[256];

	snprintf(path, sizeof(path), "%s/missing/figure.png", fx->directory);
	assert_int_equal(figure_save(fx->page, path, &fx->err), JOSTLE_EIO);
	assert_non_null(strstr(fx->err.text, "missing/figure.png"));
	assert_non_null(strstr(fx->err.text, "No such file"));
	assert_int_equal(for_files(fx, NULL), 0);

	/* A folder stands where the file should go: only the renaming fails. */
	assert_int_equal(mkdir(fx->path, 0700), 0);
	assert_int_equal(figure_save(fx->page, fx->path, &fx->err), JOSTLE_EIO);
	assert_int_equal(for_files(fx, NULL), 1);
	assert_int_equal(rmdir(fx->path), 0);

	/* A full disk: the writing fails. */
	snprintf(partial, sizeof(partial), "%s.partial", fx->path);
	assert_int_equal(symlink("/dev/full", partial), 0);
	assert_int_equal(figure_save(fx->page, fx->path, &fx->err), JOSTLE_EIO);
	assert_non_null(strstr(fx->err.text, "No space left"));
	assert_int_equal(for_files(fx, NULL), 0);
	assert_int_equal(figure_save(fx->page, "", &fx->err), JOSTLE_EINVAL);
}

/* catches: an older picture destroyed by a run that fails */
static void an_older_file_outlives_a_failure(void **state)
{
	struct fixture *fx = *state;
	char partial[256];

	save_and_look(fx);
	snprintf(partial, sizeof(partial), "%s.partial", fx->path);
	assert_int_equal(symlink("/dev/full", partial), 0);
	assert_int_equal(figure_save(fx->page, fx->path, &fx->err), JOSTLE_EIO);
	look(fx);
	assert_int_equal(cairo_image_surface_get_width(fx->seen), 400 * PIXELS);
}

/* catches: invalid UTF-8 that puts the page into an error state for good; a text longer than the buffer */
static void hostile_text_does_not_spoil_the_page(void **state)
{
	static const char *const texts[] = {"\xff\xfe",
					    "\xc0\x80",
					    "\xed\xa0\x80",
					    "\xf4\x90\x80\x80",
					    "half \xe2\x82",
					    "\xe2",
					    "bell \a and\nnewline",
					    "",
					    NULL};
	struct fixture *fx = *state;
	char long_text[4096];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		figure_title(fx->page, texts[i]);
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	figure_title(fx->page, long_text);
	memset(long_text, '\xe2', sizeof(long_text) - 1);
	figure_title(fx->page, long_text);
	save_and_look(fx);
}

/* catches: a size, a missing array or an empty range that is used before it is checked */
static void wrong_sizes_are_refused(void **state)
{
	struct fixture *fx = *state;
	struct figure *none;
	const double value[1] = {0.5};
	const float image[1] = {0.0f};
	struct figure_density density = {.n = 1, .value = value, .max = 1.0};
	struct figure_panel panel = square;
	struct figure_series series = {.n = 1, .x = value, .y = NULL};

	assert_int_equal(figure_new(&none, 15.0, 300.0, &fx->err), JOSTLE_EINVAL);
	assert_int_equal(figure_new(&none, 300.0, 1e9, &fx->err), JOSTLE_EINVAL);
	assert_int_equal(figure_new(&none, NAN, 300.0, &fx->err), JOSTLE_EINVAL);
	assert_null(none);

	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), 0);
	density.n = 0;
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);
	density.n = 5000;
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);
	density = (struct figure_density){.n = 1, .value = value, .min = 1.0, .max = 1.0};
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);
	density = (struct figure_density){.n = 1, .max = 1.0};
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);
	density.value = value;
	panel.x.scale = FIGURE_LOG;
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);

	panel = square;
	panel.plot.width = 301.0;
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);
	panel.plot.width = NAN;
	assert_int_equal(figure_density(fx->page, &panel, &density, &fx->err), JOSTLE_EINVAL);

	assert_int_equal(figure_lines(fx->page, &square, &series, 1, &fx->err), JOSTLE_EINVAL);
	panel = square;
	panel.y = (struct figure_axis){.scale = FIGURE_LOG, .min = -1.0, .max = 1.0};
	series.y = value;
	assert_int_equal(figure_lines(fx->page, &panel, &series, 1, &fx->err), JOSTLE_EINVAL);

	assert_int_equal(figure_images(fx->page, &square, 1, 1, image, 1, &fx->err), 0);
	assert_int_equal(figure_images(fx->page, &square, 0, 1, image, 1, &fx->err), JOSTLE_EINVAL);
	assert_int_equal(figure_images(fx->page, &square, 1, 1, image, 0, &fx->err), JOSTLE_EINVAL);
	assert_int_equal(figure_images(fx->page, &square, 1, 0, image, 1, &fx->err), JOSTLE_EINVAL);
	assert_int_equal(figure_images(fx->page, &square, 1, 1, NULL, 1, &fx->err), JOSTLE_EINVAL);
}

/* catches: a colour scale for each of the two panels, target and samples exchanged in the difference, no difference at all */
static void target_and_samples_share_a_scale_and_differ_by_samples_minus_target(void **state)
{
	struct fixture *fx = *state;
	const double target[4] = {0.2, 0.2, 0.2, 0.2}, samples[4] = {0.4, 0.0, 0.2, 0.2};
	const char *const caption[] = {"TV 0.249 (floor 0.041)"};
	double rows[2];
	/* A cell of a panel covers this many pixels at least, less what contours and frame take. */
	const size_t cell = 140 * 120 * PIXELS * PIXELS;

	assert_int_equal(figure_densities(fx->path, "title", 3.0, 2, target, samples, caption, 1, &fx->err), 0);
	look(fx);
	const int width = cairo_image_surface_get_width(fx->seen) / PIXELS;
	assert_int_equal(width, 1200);
	size_t half = count(fx, bits(figure_map_colour(FIGURE_SEQUENTIAL, 0.5)), width, rows);
	assert_true(half > 6 * cell && half < 8 * cell); /* four cells of the target and two of the samples */
	const size_t full = count(fx, bits(figure_map_colour(FIGURE_SEQUENTIAL, 1.0)), width, rows);
	assert_true(full > cell && rows[0] > 86.0 + 140.0); /* row 0 is the lower one */
	assert_true(count(fx, bits(figure_map_colour(FIGURE_DIVERGING, 1.0)), width, rows) > cell);
	assert_true(count(fx, bits(figure_map_colour(FIGURE_DIVERGING, 0.0)), width, rows) > cell);
	/* More than the target is at the left, below; less is right of it. */
	const double more_x = 74.0 + 2 * 282.0 + 26.0 + 126.0 + 70.0;
	assert_int_equal(pixel(fx, more_x, 86.0 + 200.0), bits(figure_map_colour(FIGURE_DIVERGING, 1.0)));
	assert_int_equal(pixel(fx, more_x + 140.0, 86.0 + 200.0), bits(figure_map_colour(FIGURE_DIVERGING, 0.0)));

	/* The other way round, the target has the largest value. */
	assert_int_equal(figure_densities(fx->path, "title", 3.0, 2, samples, target, caption, 1, &fx->err), 0);
	look(fx);
	half = count(fx, bits(figure_map_colour(FIGURE_SEQUENTIAL, 0.5)), width, rows);
	assert_true(half > 6 * cell && half < 8 * cell);
}

/* catches: theta drawn as it is, which grows like 1/sigma^2 and hides all but the smallest times */
static void parameters_are_drawn_times_the_variance(void **state)
{
	enum { KNOTS = 20 };
	struct fixture *fx = *state;
	double t[KNOTS], loss[KNOTS], variance[KNOTS], theta[2 * KNOTS], rows[2];

	for (size_t j = 0; j < KNOTS; j++) {
		t[j] = 0.01 * pow(400.0, (double)j / (KNOTS - 1));
		loss[j] = NAN; /* so that nothing else is blue on the left */
		variance[j] = -expm1(-2.0 * t[j]);
		theta[2 * j] = 1.0 / variance[j];
		theta[2 * j + 1] = -0.5 * (double)j / KNOTS / variance[j];
	}
	const struct figure_training training = {
		.n_knots = KNOTS, .t = t, .loss = loss, .n_parameters = 2, .theta = theta, .variance = variance};
	assert_int_equal(figure_training(fx->path, "title", &training, &fx->err), 0);
	look(fx);
	/* The plot ends at 1012; the legend follows. The largest parameter has the first colour, and is flat. */
	assert_true(count(fx, bits(figure_palette(0)), 1012.0, rows) > 1000);
	assert_true(rows[1] - rows[0] < 4.0);
	assert_true(count(fx, bits(figure_palette(1)), 1012.0, rows) > 1000);
	assert_true(rows[1] - rows[0] > 80.0);
}

/* catches: a crash, an endless loop or an error where data hold nothing that can be drawn */
static void data_of_any_kind_can_be_drawn(void **state)
{
	static const double kinds[] = {NAN, INFINITY, -INFINITY, 0.0, -1.0, 1e-320, 1e99, 1e308, -1e308};
	enum { N = 9, K = 12 };
	struct fixture *fx = *state;
	double mixed[N * N], theta[N * K];

	for (size_t i = 0; i < N * K; i++)
		theta[i] = kinds[i * 7 % N];
	for (size_t k = 0; k <= N; k++) {
		double one[N * N];
		const char *name[K] = {"x0^2 x1", "^", "^^2", "9", "", "x^12 y34", "\xff\xff", NULL};

		for (size_t i = 0; i < N * N; i++) {
			one[i] = k < N ? kinds[k] : kinds[i % N];
			mixed[i] = kinds[i / N];
		}
		assert_int_equal(figure_densities(fx->path, NULL, 3.0, N, one, mixed, NULL, 0, &fx->err), 0);
		const struct figure_training training = {.n_knots = N,
							 .t = one,
							 .loss = kinds,
							 .loss_se = one,
							 .oracle_loss = one,
							 .n_parameters = K,
							 .theta = theta,
							 .variance = one,
							 .name = name};
		assert_int_equal(figure_training(fx->path, NULL, &training, &fx->err), 0);
		look(fx);
	}
}

/* catches: a date, a pointer or leftover memory in the file */
static void equal_input_gives_equal_files(void **state)
{
	struct fixture *fx = *state;
	char *content[2];
	size_t size[2];
	const double mass[4] = {0.1, 0.2, 0.3, 0.4};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(figure_densities(fx->path, "title", 3.0, 2, mass, mass, NULL, 0, &fx->err), 0);
		FILE *file = fopen(fx->path, "rb");
		content[i] = malloc(1 << 20);
		size[i] = fread(content[i], 1, 1 << 20, file);
		fclose(file);
	}
	assert_true(size[0] > 1000 && size[0] < 1 << 20);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(content[0], content[1], size[0]);
	free(content[0]);
	free(content[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_saved_page_has_the_stated_size_and_is_white),
		TEST(every_cell_of_a_density_has_the_colour_of_its_value),
		TEST(a_value_that_is_not_finite_is_a_gap_in_a_density),
		TEST(a_contour_of_a_ramp_stands_where_the_ramp_has_its_level),
		cmocka_unit_test(the_sequential_map_grows_evenly_lighter),
		cmocka_unit_test(the_diverging_map_is_even_about_a_neutral_middle),
		cmocka_unit_test(a_log_axis_gives_every_decade_the_same_length),
		cmocka_unit_test(ticks_stand_at_round_numbers),
		cmocka_unit_test(strange_axes_have_few_ticks_and_all_inside),
		TEST(a_value_that_is_not_finite_is_a_gap_in_a_curve),
		TEST(a_value_that_is_not_positive_is_a_gap_on_a_log_axis),
		TEST(error_bars_reach_as_far_as_the_error),
		TEST(limits_left_open_come_from_the_data),
		TEST(a_sheet_shows_each_image_in_its_place),
		TEST(a_path_that_cannot_be_written_is_an_error_and_leaves_nothing),
		TEST(an_older_file_outlives_a_failure),
		TEST(hostile_text_does_not_spoil_the_page),
		TEST(wrong_sizes_are_refused),
		TEST(target_and_samples_share_a_scale_and_differ_by_samples_minus_target),
		TEST(parameters_are_drawn_times_the_variance),
		TEST(data_of_any_kind_can_be_drawn),
		TEST(equal_input_gives_equal_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
