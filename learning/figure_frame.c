/*
 * What stands around the data: axes with ticks and numbers, labels, headings, legends, colour bars.
 */
#include "learning/figure_canvas.h"

#include <math.h>
#include <stdint.h>

#include "base/err.h"

#define TICK_MAJOR   6.0
#define TICK_MINOR   3.5
#define LINE_WIDTH   1.0
#define LEGEND_LINE  22.0 /* from one entry to the next */
#define LEGEND_STRIP 34.0 /* the piece of curve and the space after it */

static const struct canvas_text number_style = {
	.size = CANVAS_NUMBER_SIZE, .align = ALIGN_CENTRE, .colour = {0.10, 0.10, 0.10}};

int canvas_check_panel(const struct figure *figure, const struct figure_panel *panel, struct err *err)
{
	const struct figure_rect *plot = &panel->plot;

	if (!(plot->x >= 0.0 && plot->y >= 0.0 && plot->width >= 4.0 && plot->height >= 4.0 &&
	      plot->x + plot->width <= figure->width + 1e-6 && plot->y + plot->height <= figure->height + 1e-6))
		return err_set(
			err, JOSTLE_EINVAL,
			"a plot of at least 4 x 4 units on a page of %g x %g was expected, found %g x %g at (%g, %g)",
			figure->width, figure->height, plot->width, plot->height, plot->x, plot->y);
	return 0;
}

void frame_heading(const struct figure *figure, const struct figure_panel *panel)
{
	const double y = panel->plot.y - 14.0;
	double x = panel->plot.x;
	struct canvas_text how = {.size = CANVAS_LABEL_SIZE, .bold = true, .colour = canvas_ink};

	if (panel->letter) {
		canvas_text(figure, x, y, &how, panel->letter);
		x += canvas_text_width(figure, how.size, true, panel->letter) + 9.0;
	}
	how.bold = false;
	how.max_width = panel->plot.x + panel->plot.width - x;
	canvas_text(figure, x, y, &how, panel->title);
}

static void stroke_line(const struct figure *figure, double x0, double y0, double x1, double y1)
{
	cairo_move_to(figure->cr, x0, y0);
	cairo_line_to(figure->cr, x1, y1);
	cairo_stroke(figure->cr);
}

/** How many numbers fit along `length` units, each wanting `room`. */
static size_t majors_for(double length, double room)
{
	return length < 2.0 * room ? 2 : (size_t)(length / room);
}

static void x_axis(const struct figure *figure, const struct figure_rect *plot, const struct figure_axis *axis)
{
	const double bottom = plot->y + plot->height;
	struct figure_tick ticks[FIGURE_MAX_TICKS];
	const size_t n = figure_axis_ticks(axis, majors_for(plot->width, 56.0), ticks);

	for (size_t i = 0; i < n; i++) {
		const double x = plot->x + plot->width * figure_axis_position(axis, ticks[i].value);

		stroke_line(figure, x, bottom, x, bottom + (ticks[i].major ? TICK_MAJOR : TICK_MINOR));
		if (!axis->no_numbers)
			canvas_text(figure, x, bottom + TICK_MAJOR + 17.0, &number_style, ticks[i].text);
		canvas_colour(figure, canvas_ink, 1.0);
	}
	const struct canvas_text how = {.size = CANVAS_LABEL_SIZE, .align = ALIGN_CENTRE, .colour = canvas_ink};
	canvas_text(figure, plot->x + plot->width / 2.0, bottom + (axis->no_numbers ? 28.0 : 48.0), &how, axis->label);
}

/** Ticks, numbers and label on the left side, or on the right for a colour bar. */
static void y_axis(const struct figure *figure, const struct figure_rect *plot, const struct figure_axis *axis,
		   bool on_right)
{
	const double edge = on_right ? plot->x + plot->width : plot->x, out = on_right ? 1.0 : -1.0;
	struct figure_tick ticks[FIGURE_MAX_TICKS];
	const size_t n = figure_axis_ticks(axis, majors_for(plot->height, 50.0), ticks);
	struct canvas_text how = number_style;
	double widest = 0.0;

	how.align = on_right ? ALIGN_LEFT : ALIGN_RIGHT;
	for (size_t i = 0; i < n; i++) {
		const double y = plot->y + plot->height * (1.0 - figure_axis_position(axis, ticks[i].value));

		canvas_colour(figure, canvas_ink, 1.0);
		stroke_line(figure, edge, y, edge + out * (ticks[i].major ? TICK_MAJOR : TICK_MINOR), y);
		if (axis->no_numbers || !ticks[i].text[0])
			continue;
		canvas_text(figure, edge + out * (TICK_MAJOR + 4.0), y + 0.36 * how.size, &how, ticks[i].text);
		widest = fmax(widest, canvas_text_width(figure, how.size, false, ticks[i].text));
	}
	const double away = TICK_MAJOR + 4.0 + widest + 12.0;
	how = (struct canvas_text){
		.size = CANVAS_LABEL_SIZE, .align = ALIGN_CENTRE, .upwards = true, .colour = canvas_ink};
	canvas_text(figure, edge + out * away + (on_right ? 0.76 * how.size : 0.0), plot->y + plot->height / 2.0, &how,
		    axis->label);
}

void frame_axes(const struct figure *figure, const struct figure_panel *panel, bool boxed)
{
	const struct figure_rect *plot = &panel->plot;
	const double bottom = plot->y + plot->height;

	cairo_save(figure->cr);
	cairo_set_line_width(figure->cr, LINE_WIDTH);
	cairo_set_line_cap(figure->cr, CAIRO_LINE_CAP_BUTT);
	canvas_colour(figure, canvas_ink, 1.0);
	if (boxed) {
		cairo_rectangle(figure->cr, plot->x, plot->y, plot->width, plot->height);
	} else {
		cairo_move_to(figure->cr, plot->x, plot->y);
		cairo_line_to(figure->cr, plot->x, bottom);
		cairo_line_to(figure->cr, plot->x + plot->width, bottom);
	}
	cairo_stroke(figure->cr);
	x_axis(figure, plot, &panel->x);
	y_axis(figure, plot, &panel->y, false);
	cairo_restore(figure->cr);
}

static struct figure_colour bar_colour(const void *map, size_t row, size_t column)
{
	(void)column;
	return figure_map_colour(*(const enum figure_map *)map, 1.0 - ((double)row + 0.5) / 256.0);
}

int frame_colour_bar(const struct figure *figure, struct figure_rect plot, enum figure_map map, double min, double max,
		     const char *label, struct err *err)
{
	const struct figure_rect bar = {plot.x + plot.width + 12.0, plot.y, 14.0, plot.height};
	const struct figure_axis axis = {.label = label, .min = min, .max = max};
	int code = canvas_cells(figure, bar, 256, 1, bar_colour, &map, err);

	if (code)
		return code;
	cairo_save(figure->cr);
	cairo_set_line_width(figure->cr, LINE_WIDTH);
	canvas_colour(figure, canvas_ink, 1.0);
	cairo_rectangle(figure->cr, bar.x, bar.y, bar.width, bar.height);
	cairo_stroke(figure->cr);
	y_axis(figure, &bar, &axis, true);
	cairo_restore(figure->cr);
	return 0;
}

/** How many points of the series lie in a box of the plot, in units of the page. */
static size_t points_inside(const struct figure_panel *panel, const struct figure_series series[], size_t n_series,
			    const struct figure_rect *box)
{
	const struct figure_rect *plot = &panel->plot;
	size_t count = 0;

	for (size_t s = 0; s < n_series; s++)
		for (size_t i = 0; i < series[s].n; i++) {
			const double x = plot->x + plot->width * figure_axis_position(&panel->x, series[s].x[i]);
			const double y =
				plot->y + plot->height * (1.0 - figure_axis_position(&panel->y, series[s].y[i]));

			count += x >= box->x && x <= box->x + box->width && y >= box->y && y <= box->y + box->height;
		}
	return count;
}

/** The corner of the plot with the fewest points, top right first. */
static struct figure_rect emptiest_corner(const struct figure_panel *panel, const struct figure_series series[],
					  size_t n_series, double width, double height)
{
	const struct figure_rect *plot = &panel->plot;
	const double left = plot->x + 12.0, right = plot->x + plot->width - width, top = plot->y;
	const double bottom = plot->y + plot->height - height - 10.0;
	const struct figure_rect corner[] = {{right, top, width, height},
					     {left, top, width, height},
					     {right, bottom, width, height},
					     {left, bottom, width, height}};
	size_t best = 0, fewest = SIZE_MAX;

	for (size_t c = 0; c < sizeof(corner) / sizeof(corner[0]); c++) {
		const size_t count = points_inside(panel, series, n_series, &corner[c]);

		if (count < fewest) {
			fewest = count;
			best = c;
		}
	}
	return corner[best];
}

static void legend_entry(const struct figure *figure, const struct figure_series *series, double x, double y)
{
	const struct canvas_text how = {.size = CANVAS_NUMBER_SIZE,
					.max_width = fmax(1.0, figure->width - x - LEGEND_STRIP - 8.0),
					.colour = canvas_ink};

	if (series->style != FIGURE_POINTS) {
		series_stroke(figure, series);
		stroke_line(figure, x, y, x + LEGEND_STRIP - 10.0, y);
	}
	if (series->style == FIGURE_POINTS || series->style == FIGURE_LINE_AND_POINTS)
		series_symbol(figure, series, x + (LEGEND_STRIP - 10.0) / 2.0, y);
	canvas_text(figure, x + LEGEND_STRIP, y + 0.36 * how.size, &how, series->label);
}

void frame_legend(const struct figure *figure, const struct figure_panel *panel, const struct figure_series series[],
		  size_t n_series)
{
	double width = 0.0;
	size_t n = 0;

	if (panel->legend == FIGURE_LEGEND_NONE)
		return;
	for (size_t s = 0; s < n_series; s++)
		if (series[s].label) {
			width = fmax(width, canvas_text_width(figure, CANVAS_NUMBER_SIZE, false, series[s].label));
			n++;
		}
	if (n == 0)
		return;
	struct figure_rect box = {panel->plot.x + panel->plot.width + 16.0, panel->plot.y, 0.0, 0.0};
	if (panel->legend == FIGURE_LEGEND_INSIDE)
		box = emptiest_corner(panel, series, n_series, width + LEGEND_STRIP + 4.0, LEGEND_LINE * (double)n);
	cairo_save(figure->cr);
	double y = box.y + LEGEND_LINE / 2.0;
	for (size_t s = 0; s < n_series; s++)
		if (series[s].label) {
			legend_entry(figure, &series[s], box.x, y);
			y += LEGEND_LINE;
		}
	cairo_restore(figure->cr);
}
