/*
 * Curves and points against two axes.
 */
#include "learning/figure_canvas.h"

#include <math.h>

#include "base/err.h"

#define SYMBOL_RADIUS 3.2
#define FAR_OFF       30.0 /* positions beyond so many plot widths are brought back: cairo's coordinates are 24.8 bits */

static const struct figure_colour background_colour = {0.72, 0.72, 0.72};

static struct figure_colour colour_of(const struct figure_series *series)
{
	return series->background ? background_colour : figure_palette(series->colour);
}

void series_stroke(const struct figure *figure, const struct figure_series *series)
{
	static const double dashes[] = {7.0, 4.5};
	const bool dashed = series->style == FIGURE_DASHED;

	canvas_colour(figure, colour_of(series), 1.0);
	cairo_set_line_width(figure->cr, series->background ? 1.1 : 2.2);
	cairo_set_line_join(figure->cr, CAIRO_LINE_JOIN_ROUND);
	/* Round ends show a point that has gaps on both sides. */
	cairo_set_line_cap(figure->cr, dashed ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
	cairo_set_dash(figure->cr, dashes, dashed ? 2 : 0, 0.0);
}

void series_symbol(const struct figure *figure, const struct figure_series *series, double x, double y)
{
	canvas_colour(figure, colour_of(series), series->style == FIGURE_POINTS ? 0.75 : 1.0);
	cairo_new_sub_path(figure->cr);
	cairo_arc(figure->cr, x, y, SYMBOL_RADIUS, 0.0, 2.0 * M_PI);
	cairo_fill(figure->cr);
}

/** Whether a value can be seen on an axis at all, whatever its limits. */
static bool is_visible(enum figure_scale scale, double value)
{
	return fabs(value) <= FIGURE_LARGEST && (scale == FIGURE_LINEAR || value >= FIGURE_SMALLEST);
}

static void include(double range[2], enum figure_scale scale, double value)
{
	if (is_visible(scale, value)) {
		range[0] = fmin(range[0], value);
		range[1] = fmax(range[1], value);
	}
}

/** Limits from a range of data: some air around it, and something to show when there is little or nothing. */
static void set_limits(struct figure_axis *axis, const double range[2], double air)
{
	double low = range[0], high = range[1];

	if (axis->scale == FIGURE_LOG) {
		low = low <= high ? log10(low) : -1.0;
		high = range[0] <= high ? log10(high) : 0.0;
		if (high - low < 0.02) {
			low -= 0.5;
			high += 0.5;
		}
		axis->min = fmax(pow(10.0, low - air * (high - low)), FIGURE_SMALLEST);
		axis->max = fmin(pow(10.0, high + air * (high - low)), FIGURE_LARGEST);
		return;
	}
	if (low > high) {
		low = 0.0;
		high = 1.0;
	}
	if (high - low < 1e-9 * fmax(fabs(low), fabs(high)) || high - low < 1e-200) {
		const double half = fabs(low) > 0.0 ? 0.5 * fabs(low) : 0.5;

		low -= half;
		high += half;
	}
	const double margin = air * (high - low);
	axis->min = fmax(low - margin, -FIGURE_LARGEST);
	axis->max = fmin(high + margin, FIGURE_LARGEST);
}

/** Fill in the limits that the caller left to the data. */
static void find_limits(struct figure_panel *panel, const struct figure_series series[], size_t n_series)
{
	double x_range[2] = {INFINITY, -INFINITY}, y_range[2] = {INFINITY, -INFINITY};

	for (size_t s = 0; s < n_series; s++)
		for (size_t i = 0; i < series[s].n; i++) {
			const double x = series[s].x[i], y = series[s].y[i];

			if (!is_visible(panel->x.scale, x) || !is_visible(panel->y.scale, y))
				continue;
			include(x_range, panel->x.scale, x);
			include(y_range, panel->y.scale, y);
			if (series[s].error && series[s].error[i] >= 0.0) {
				include(y_range, panel->y.scale, y - series[s].error[i]);
				include(y_range, panel->y.scale, y + series[s].error[i]);
			}
		}
	if (!(panel->x.min < panel->x.max))
		set_limits(&panel->x, x_range, 0.03);
	if (!(panel->y.min < panel->y.max))
		set_limits(&panel->y, y_range, 0.06);
}

/** Where a point lies on the page; false in a gap. */
static bool place(const struct figure_panel *panel, double x, double y, double at[2])
{
	const double u = figure_axis_position(&panel->x, x), v = figure_axis_position(&panel->y, y);

	if (isnan(u) || isnan(v))
		return false;
	at[0] = panel->plot.x + panel->plot.width * fmin(fmax(u, -FAR_OFF), FAR_OFF);
	at[1] = panel->plot.y + panel->plot.height * (1.0 - fmin(fmax(v, -FAR_OFF), FAR_OFF));
	return true;
}

static void draw_curve(const struct figure *figure, const struct figure_panel *panel,
		       const struct figure_series *series)
{
	bool drawing = false;
	double at[2];

	series_stroke(figure, series);
	for (size_t i = 0; i < series->n; i++) {
		if (!place(panel, series->x[i], series->y[i], at)) {
			drawing = false;
			continue;
		}
		if (!drawing)
			cairo_move_to(figure->cr, at[0], at[1]);
		cairo_line_to(figure->cr, at[0], at[1]);
		drawing = true;
	}
	cairo_stroke(figure->cr);
	cairo_set_dash(figure->cr, NULL, 0, 0.0);
}

static void draw_symbols(const struct figure *figure, const struct figure_panel *panel,
			 const struct figure_series *series)
{
	double at[2];

	for (size_t i = 0; i < series->n; i++)
		if (place(panel, series->x[i], series->y[i], at))
			series_symbol(figure, series, at[0], at[1]);
}

static void draw_errors(const struct figure *figure, const struct figure_panel *panel,
			const struct figure_series *series)
{
	double low[2], high[2];

	canvas_colour(figure, colour_of(series), 1.0);
	cairo_set_line_width(figure->cr, 1.2);
	cairo_set_line_cap(figure->cr, CAIRO_LINE_CAP_BUTT);
	for (size_t i = 0; i < series->n; i++) {
		const double y = series->y[i], error = series->error[i];

		if (!(error >= 0.0 && error <= FIGURE_LARGEST) || !place(panel, series->x[i], y, low) ||
		    !place(panel, series->x[i], y + error, high))
			continue;
		/* On a log axis a bar that reaches zero ends at the foot of the plot. */
		if (!place(panel, series->x[i], y - error, low))
			low[1] = panel->plot.y + panel->plot.height;
		cairo_move_to(figure->cr, low[0], low[1]);
		cairo_line_to(figure->cr, high[0], high[1]);
		cairo_move_to(figure->cr, low[0] - 3.0, low[1]);
		cairo_line_to(figure->cr, low[0] + 3.0, low[1]);
		cairo_move_to(figure->cr, high[0] - 3.0, high[1]);
		cairo_line_to(figure->cr, high[0] + 3.0, high[1]);
	}
	cairo_stroke(figure->cr);
}

static void draw_series(const struct figure *figure, const struct figure_panel *panel,
			const struct figure_series *series)
{
	if (series->error)
		draw_errors(figure, panel, series);
	if (series->style != FIGURE_POINTS)
		draw_curve(figure, panel, series);
	if (series->style == FIGURE_POINTS || series->style == FIGURE_LINE_AND_POINTS)
		draw_symbols(figure, panel, series);
}

static int check_series(const struct figure_series series[], size_t n_series, struct err *err)
{
	for (size_t s = 0; s < n_series; s++)
		if (series[s].n > 0 && (!series[s].x || !series[s].y))
			return err_set(err, JOSTLE_EINVAL,
				       "series %zu: x and y of %zu points were expected, found none", s, series[s].n);
	return 0;
}

int figure_lines(struct figure *figure, const struct figure_panel *asked, const struct figure_series series[],
		 size_t n_series, struct err *err)
{
	struct figure_panel panel = *asked;
	const struct figure_rect *plot = &panel.plot;
	int code = canvas_check_panel(figure, &panel, err);

	if (!code)
		code = check_series(series, n_series, err);
	if (code)
		return code;
	find_limits(&panel, series, n_series);
	if (!axis_is_drawable(&panel.x) || !axis_is_drawable(&panel.y))
		return err_set(err, JOSTLE_EINVAL, "axes with finite limits were expected, found [%g, %g] and [%g, %g]",
			       panel.x.min, panel.x.max, panel.y.min, panel.y.max);

	cairo_save(figure->cr);
	/* A little more than the plot, so that curves along an edge keep their width. */
	cairo_rectangle(figure->cr, plot->x - 2.0, plot->y - 2.0, plot->width + 4.0, plot->height + 4.0);
	cairo_clip(figure->cr);
	for (size_t s = 0; s < n_series; s++)
		if (series[s].background)
			draw_series(figure, &panel, &series[s]);
	for (size_t s = 0; s < n_series; s++)
		if (!series[s].background)
			draw_series(figure, &panel, &series[s]);
	cairo_restore(figure->cr);
	frame_heading(figure, &panel);
	frame_axes(figure, &panel, false);
	frame_legend(figure, &panel, series, n_series);
	return 0;
}
