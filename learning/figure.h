#ifndef JOSTLE_FIGURE_H
#define JOSTLE_FIGURE_H
/*
 * Figures as PNG: densities, lines, sheets of images, from plain arrays.
 *
 * Lengths on the page are in units, from the top left; a page meant to be read in a README is about 1200 units wide,
 * and a unit is FIGURE_PIXELS_PER_UNIT pixels. Values that are not finite, or beyond FIGURE_LARGEST, are drawn as gaps.
 * Colours can be told apart with the common kinds of colour blindness. Equal input gives equal files.
 *
 * After an error a page is good for figure_free() alone. Texts are UTF-8; what is not, is shown as "?".
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

#define FIGURE_PIXELS_PER_UNIT 2
#define FIGURE_MAX_SIZE        8192   /* units, either way */
#define FIGURE_LARGEST         1e100  /* values beyond it are gaps */
#define FIGURE_SMALLEST        1e-100 /* on a log axis, values below it are gaps */
#define FIGURE_MAX_TICKS       96
#define FIGURE_N_PALETTE       8

/** A page. Made by figure_new(), ended by figure_free(). */
struct figure;

struct figure_rect {
	double x, y, width, height; /* units; y downwards */
};

struct figure_colour {
	double red, green, blue; /* sRGB, 0 to 1 */
};

enum figure_map {
	FIGURE_SEQUENTIAL, /* dark violet to yellow, evenly lighter */
	FIGURE_DIVERGING,  /* blue, white in the middle, vermilion */
	FIGURE_GREY        /* black to white */
};
#define FIGURE_N_MAPS 3

enum figure_scale { FIGURE_LINEAR, FIGURE_LOG };

struct figure_axis {
	const char *label; /* NULL: none */
	enum figure_scale scale;
	double min, max; /* anything but min < max: taken from the data */
	bool no_numbers; /* ticks only, for a panel that shares its neighbour's numbers */
};

struct figure_tick {
	double value;
	bool major;
	char text[40]; /* "" for a minor tick */
};

enum figure_legend {
	FIGURE_LEGEND_INSIDE, /* in the emptiest corner */
	FIGURE_LEGEND_RIGHT,  /* right of the plot; the caller leaves room */
	FIGURE_LEGEND_NONE
};

struct figure_panel {
	struct figure_rect plot; /* the area inside the axes; numbers and labels lie outside it */
	const char *letter;      /* "a", or NULL */
	const char *title;       /* or NULL */
	struct figure_axis x, y;
	enum figure_legend legend;
};

enum figure_style { FIGURE_LINE, FIGURE_DASHED, FIGURE_POINTS, FIGURE_LINE_AND_POINTS };

/** One curve or cloud of points. */
struct figure_series {
	const char *label; /* NULL: not in the legend */
	size_t n;
	const double *x, *y; /* [n] */
	const double *error; /* [n], bars of y - error to y + error; NULL: none */
	enum figure_style style;
	size_t colour;   /* of figure_palette() */
	bool background; /* thin and grey: context for the others */
};

/** Values on a square grid, with contours of another such grid over them. */
struct figure_density {
	size_t n;
	const double *value; /* [n][n], row by row: row 0 at the least y, column 0 at the least x */
	enum figure_map map;
	double min, max;         /* the values at the ends of the map */
	const char *bar_label;   /* of the colour bar right of the plot; NULL: no bar */
	const double *contoured; /* [n][n], in the same order; NULL: no contours */
	const double *level;     /* [n_levels] */
	size_t n_levels;
};

/** What a training shows of itself, against the knots. */
struct figure_training {
	size_t n_knots;
	const double *t;            /* [n_knots], relaxation times */
	const double *loss;         /* [n_knots] */
	const double *loss_se;      /* [n_knots], or NULL */
	const double *oracle_loss;  /* [n_knots], or NULL */
	size_t n_parameters;        /* 0: no panel of parameters */
	const double *theta;        /* [n_knots][n_parameters] */
	const double *variance;     /* [n_knots]: sigma^2(t), which theta is multiplied by */
	const char *const *name;    /* [n_parameters], or NULL */
	const char *const *caption; /* [n_captions] */
	size_t n_captions;
};

/** The colour at u in [0, 1] of a map; u is clamped, and NaN gives the map's colour of a gap. Call from: any. */
struct figure_colour figure_map_colour(enum figure_map map, double u);

/** Colour number `index` (modulo FIGURE_N_PALETTE) for lines and points; 0 to 6 stand out on white. Call from: any. */
struct figure_colour figure_palette(size_t index);

/**
 * Where a value lies along an axis with min < max: 0 at min, 1 at max. NaN for a gap, and on a log axis for values
 * that are not positive. Call from: any.
 */
double figure_axis_position(const struct figure_axis *axis, double value);

/**
 * The ticks of an axis with min < max: majors at 1, 2 or 5 times powers of ten, or at decades, at most about
 * max_majors of them, each with its number; minors between. Returns how many, at most FIGURE_MAX_TICKS. Call from: any.
 */
size_t figure_axis_ticks(const struct figure_axis *axis, size_t max_majors, struct figure_tick ticks[FIGURE_MAX_TICKS]);

/**
 * A white page of width × height units. The caller ends it with figure_free().
 * Errors: JOSTLE_EINVAL (a size that is not within 16 to FIGURE_MAX_SIZE), JOSTLE_ENOMEM. Call from: setup.
 */
int figure_new(struct figure **figure, double width, double height, struct err *err);
void figure_free(struct figure *figure);

/** A title along the top of the page. NULL or "" draws none. Call from: setup. */
void figure_title(struct figure *figure, const char *title);

/** Lines of small text at the foot of the page, the last at the bottom. Call from: setup. */
void figure_captions(struct figure *figure, const char *const caption[], size_t n_captions);

/**
 * The plot area at (row, column) of a regular grid of `rows` × `columns` inside `area`, `gap_x` and `gap_y` units
 * apart. Call from: any.
 */
struct figure_rect figure_grid(struct figure_rect area, size_t rows, size_t columns, double gap_x, double gap_y,
			       size_t row, size_t column);

/**
 * Draw curves and points, with axes and legend. A gap in x, y or, on a log axis, a value that is not positive,
 * interrupts the curve. Errors: JOSTLE_EINVAL (an area off the page, a missing array), JOSTLE_ENOMEM. Call from: setup.
 */
int figure_lines(struct figure *figure, const struct figure_panel *panel, const struct figure_series series[],
		 size_t n_series, struct err *err);

/**
 * Draw a density over the panel's axes, both linear with min < max.
 * Errors: JOSTLE_EINVAL (also n not within 1 to 4096, min not below max), JOSTLE_ENOMEM. Call from: setup.
 */
int figure_density(struct figure *figure, const struct figure_panel *panel, const struct figure_density *density,
		   struct err *err);

/**
 * Draw n grey images of side × side values in [-1, 1], row 0 on top, as tiles from left to right and top to bottom, as
 * large as `columns` and the rows that takes let them be in the panel's plot area. Axes are not drawn.
 * image: [n][side][side]. Errors: JOSTLE_EINVAL, JOSTLE_ENOMEM. Call from: setup.
 */
int figure_images(struct figure *figure, const struct figure_panel *panel, size_t n, size_t side, const float *image,
		  size_t columns, struct err *err);

/**
 * Write the page, whole or not at all: to "path.partial", then renamed. An older file at `path` stays until then.
 * Errors: JOSTLE_EIO with the path and the system's reason, JOSTLE_EINVAL, JOSTLE_ENOMEM. Call from: setup.
 */
int figure_save(const struct figure *figure, const char *path, struct err *err);

/**
 * Target beside samples on one colour scale, and their difference, on the square [-extent, extent]^2.
 * The masses are of n_bins × n_bins bins, row by row as in struct figure_density; they are drawn as densities. Contours
 * enclose half and 90 % of the target's mass. captions: [n_captions] lines such as "TV 0.249 (floor 0.041)".
 * Errors: as figure_density() and figure_save(). Call from: setup.
 */
int figure_densities(const char *path, const char *title, double extent, size_t n_bins, const double *target_mass,
		     const double *sample_mass, const char *const captions[], size_t n_captions, struct err *err);

/**
 * Loss against t, both logarithmic, and the parameters times sigma^2 against t, the largest ones named.
 * Errors: as figure_lines() and figure_save(). Call from: setup.
 */
int figure_training(const char *path, const char *title, const struct figure_training *training, struct err *err);

#endif
