/*
 * A grid of values as colours, and contours of another grid over it.
 *
 * Contours by marching squares over the bins' centres, linear along the edges (W. Lorensen, H. Cline 1987, in two
 * dimensions). A saddle is resolved by the mean of its four corners. A square with a corner that is not finite has no
 * contour.
 */
#include "learning/figure_canvas.h"

#include <math.h>
#include <stdint.h>

#include "base/err.h"

int canvas_cells(const struct figure *figure, struct figure_rect area, size_t rows, size_t columns,
		 struct figure_colour (*colour_of)(const void *context, size_t row, size_t column), const void *context,
		 struct err *err)
{
	cairo_surface_t *cells = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)columns, (int)rows);
	unsigned char *bytes = cairo_image_surface_get_data(cells);
	const int stride = cairo_image_surface_get_stride(cells);

	if (cairo_surface_status(cells) != CAIRO_STATUS_SUCCESS || !bytes) {
		cairo_surface_destroy(cells);
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu x %zu cells", columns, rows);
	}
	for (size_t row = 0; row < rows; row++) {
		uint32_t *pixel = (uint32_t *)(void *)(bytes + row * (size_t)stride);

		for (size_t column = 0; column < columns; column++) {
			const struct figure_colour c = colour_of(context, row, column);

			pixel[column] = (uint32_t)lround(c.red * 255.0) << 16 | (uint32_t)lround(c.green * 255.0) << 8 |
					(uint32_t)lround(c.blue * 255.0);
		}
	}
	cairo_surface_mark_dirty(cells);

	const double x0 = canvas_snap(area.x), y0 = canvas_snap(area.y);
	const double x1 = canvas_snap(area.x + area.width), y1 = canvas_snap(area.y + area.height);
	cairo_save(figure->cr);
	cairo_rectangle(figure->cr, x0, y0, x1 - x0, y1 - y0);
	cairo_clip(figure->cr);
	cairo_translate(figure->cr, x0, y0);
	cairo_scale(figure->cr, (x1 - x0) / (double)columns, (y1 - y0) / (double)rows);
	cairo_set_source_surface(figure->cr, cells, 0.0, 0.0);
	cairo_pattern_set_filter(cairo_get_source(figure->cr), CAIRO_FILTER_NEAREST);
	cairo_pattern_set_extend(cairo_get_source(figure->cr), CAIRO_EXTEND_PAD);
	cairo_paint(figure->cr);
	cairo_restore(figure->cr);
	cairo_surface_destroy(cells);
	return 0;
}

static struct figure_colour density_colour(const void *context, size_t row, size_t column)
{
	const struct figure_density *density = context;
	const double value = density->value[(density->n - 1 - row) * density->n + column];

	if (!(fabs(value) <= FIGURE_LARGEST))
		return figure_map_colour(density->map, NAN);
	return figure_map_colour(density->map, (value - density->min) / (density->max - density->min));
}

/** Where `level` is crossed between two corners, as a fraction of the way. */
static double crossing(double from, double to, double level)
{
	return (level - from) / (to - from);
}

/**
 * The pieces of contour in one square: corners in the order (0,0), (1,0), (1,1), (0,1); edge e runs from corner e to
 * the next. Returns how many pieces, each from ends[2p] to ends[2p + 1].
 */
static size_t square_contour(const double corner[4], double level, double ends[4][2])
{
	static const double at[4][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
	size_t n = 0;

	for (size_t e = 0; e < 4; e++) {
		const size_t to = (e + 1) % 4;

		if ((corner[e] >= level) == (corner[to] >= level))
			continue;
		const double u = crossing(corner[e], corner[to], level);
		ends[n][0] = at[e][0] + u * (at[to][0] - at[e][0]);
		ends[n][1] = at[e][1] + u * (at[to][1] - at[e][1]);
		n++;
	}
	/* A saddle has all four edges crossed, in order: its pieces cut off the corners that differ from the middle. */
	const bool middle_is_in = (corner[0] + corner[1] + corner[2] + corner[3]) / 4.0 >= level;
	if (n == 4 && middle_is_in != (corner[0] >= level)) {
		const double x = ends[0][0], y = ends[0][1];

		/* Cut off corners 0 and 2: pair edges 3-0 and 1-2. */
		for (size_t e = 0; e < 3; e++) {
			ends[e][0] = ends[e + 1][0];
			ends[e][1] = ends[e + 1][1];
		}
		ends[3][0] = x;
		ends[3][1] = y;
	}
	return n / 2;
}

static void draw_contour(const struct figure *figure, const struct figure_rect *plot, const double *value, size_t n,
			 double level)
{
	const double dx = plot->width / (double)n, dy = plot->height / (double)n;

	for (size_t row = 0; row + 1 < n; row++)
		for (size_t column = 0; column + 1 < n; column++) {
			const double *c = &value[row * n + column];
			const double corner[4] = {c[0], c[1], c[n + 1], c[n]};
			double ends[4][2];

			if (!(fabs(c[0]) <= FIGURE_LARGEST && fabs(c[1]) <= FIGURE_LARGEST &&
			      fabs(c[n]) <= FIGURE_LARGEST && fabs(c[n + 1]) <= FIGURE_LARGEST))
				continue;
			for (size_t e = 0, m = 2 * square_contour(corner, level, ends); e < m; e++) {
				const double x = plot->x + dx * ((double)column + 0.5 + ends[e][0]);
				const double y = plot->y + plot->height - dy * ((double)row + 0.5 + ends[e][1]);

				if (e % 2 == 0)
					cairo_move_to(figure->cr, x, y);
				else
					cairo_line_to(figure->cr, x, y);
			}
		}
	cairo_stroke(figure->cr);
}

static void draw_contours(const struct figure *figure, const struct figure_rect *plot,
			  const struct figure_density *density)
{
	const struct figure_colour white = {1.0, 1.0, 1.0};

	cairo_save(figure->cr);
	cairo_set_line_width(figure->cr, 1.3);
	cairo_set_line_cap(figure->cr, CAIRO_LINE_CAP_ROUND);
	canvas_colour(figure, density->map == FIGURE_SEQUENTIAL ? white : canvas_ink, 0.85);
	for (size_t i = 0; i < density->n_levels; i++)
		if (fabs(density->level[i]) <= FIGURE_LARGEST)
			draw_contour(figure, plot, density->contoured, density->n, density->level[i]);
	cairo_restore(figure->cr);
}

static int check_density(const struct figure_panel *panel, const struct figure_density *density, struct err *err)
{
	const struct figure_axis colours = {.min = density->min, .max = density->max};

	if (density->n < 1 || density->n > 4096)
		return err_set(err, JOSTLE_EINVAL, "a density of 1 to 4096 bins either way was expected, found %zu",
			       density->n);
	if (!density->value)
		return err_set(err, JOSTLE_EINVAL, "the values of %zu x %zu bins were expected, found none", density->n,
			       density->n);
	if (density->contoured && density->n_levels > 0 && !density->level)
		return err_set(err, JOSTLE_EINVAL, "%zu levels of contours were expected, found none",
			       density->n_levels);
	if (!axis_is_drawable(&colours))
		return err_set(err, JOSTLE_EINVAL, "a colour scale from less to more was expected, found [%g, %g]",
			       density->min, density->max);
	if (panel->x.scale != FIGURE_LINEAR || panel->y.scale != FIGURE_LINEAR || !axis_is_drawable(&panel->x) ||
	    !axis_is_drawable(&panel->y))
		return err_set(err, JOSTLE_EINVAL,
			       "linear axes from less to more were expected, found [%g, %g] and [%g, %g]", panel->x.min,
			       panel->x.max, panel->y.min, panel->y.max);
	return 0;
}

int figure_density(struct figure *figure, const struct figure_panel *panel, const struct figure_density *density,
		   struct err *err)
{
	int code = canvas_check_panel(figure, panel, err);

	if (!code)
		code = check_density(panel, density, err);
	if (!code)
		code = canvas_cells(figure, panel->plot, density->n, density->n, density_colour, density, err);
	if (!code && density->bar_label)
		code = frame_colour_bar(figure, panel->plot, density->map, density->min, density->max,
					density->bar_label, err);
	if (code)
		return code;
	if (density->contoured)
		draw_contours(figure, &panel->plot, density);
	frame_heading(figure, panel);
	frame_axes(figure, panel, true);
	return 0;
}
