#ifndef JOSTLE_FIGURE_CANVAS_H
#define JOSTLE_FIGURE_CANVAS_H
/*
 * What the parts of figure.h share: the page and its strokes, text and frames. Not for other modules.
 */
#include <cairo.h>

#include "learning/figure.h"

struct err;

struct figure {
	cairo_surface_t *surface;
	cairo_t *cr; /* scaled, so that one is a unit */
	double width, height;
};

enum canvas_align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT };

/** How a text is set. */
struct canvas_text {
	double size; /* units */
	enum canvas_align align;
	bool bold;
	bool upwards;     /* turned to read from bottom to top */
	double max_width; /* smaller letters, to half the size, if it is wider; 0: any width */
	struct figure_colour colour;
};

#define CANVAS_TITLE_SIZE   20.0
#define CANVAS_LABEL_SIZE   16.0
#define CANVAS_NUMBER_SIZE  14.5
#define CANVAS_CAPTION_SIZE 15.0
#define CANVAS_CAPTION_LINE 24.0
#define CANVAS_FOOT         16.0 /* from the last line of text to the edge of the page */

extern const struct figure_colour canvas_ink, canvas_soft;

/** Whether an axis has limits that can be drawn: finite, apart from each other, on a log axis positive. */
bool axis_is_drawable(const struct figure_axis *axis);

/** The nearest edge between pixels. */
double canvas_snap(double units);

void canvas_colour(const struct figure *figure, struct figure_colour colour, double opacity);

/** Set a text with its baseline at (x, y). */
void canvas_text(const struct figure *figure, double x, double y, const struct canvas_text *how, const char *text);

/** Lines of text one below the other, the last with its baseline at `foot`. */
void canvas_captions(const struct figure *figure, const char *const caption[], size_t n_captions, double foot);

/** How wide a text would be, in units. */
double canvas_text_width(const struct figure *figure, double size, bool bold, const char *text);

/**
 * Fill `area` with columns × rows cells of exact colours; colour_of(context, row, column) has row 0 on top.
 * Errors: JOSTLE_ENOMEM.
 */
int canvas_cells(const struct figure *figure, struct figure_rect area, size_t rows, size_t columns,
		 struct figure_colour (*colour_of)(const void *context, size_t row, size_t column), const void *context,
		 struct err *err);

/** Refuse a panel that is off the page or too small, or has axes that cannot be. Errors: JOSTLE_EINVAL. */
int canvas_check_panel(const struct figure *figure, const struct figure_panel *panel, struct err *err);

/** Letter and title above the plot. */
void frame_heading(const struct figure *figure, const struct figure_panel *panel);

/** Axes with ticks, numbers and labels; `boxed` closes the frame. Both axes have min < max. */
void frame_axes(const struct figure *figure, const struct figure_panel *panel, bool boxed);

/** Colour bar right of the plot. Errors: JOSTLE_ENOMEM. */
int frame_colour_bar(const struct figure *figure, struct figure_rect plot, enum figure_map map, double min, double max,
		     const char *label, struct err *err);

/** The legend, of the series that have a label. The axes have min < max. */
void frame_legend(const struct figure *figure, const struct figure_panel *panel, const struct figure_series series[],
		  size_t n_series);

/** The stroke or symbol of a series is set up for drawing: colour, width, dashes. */
void series_stroke(const struct figure *figure, const struct figure_series *series);
void series_symbol(const struct figure *figure, const struct figure_series *series, double x, double y);

#endif
