/*
 * The two figures that the program makes of itself: what was generated beside what was asked for, and how it was
 * learned.
 */
#include "learning/figure_canvas.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"

static int descending(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a < b) - (a > b);
}

/** The levels of density whose contours enclose half and 90 % of the mass: highest-density regions. */
static void mass_levels(const double *density, size_t n, double *sorted, double level[2])
{
	double sum = 0.0, so_far = 0.0;
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (density[i] > 0.0 && density[i] <= FIGURE_LARGEST) {
			sorted[m++] = density[i];
			sum += density[i];
		}
	qsort(sorted, m, sizeof(sorted[0]), descending);
	level[0] = level[1] = NAN;
	for (size_t i = 0; i < m; i++) {
		so_far += sorted[i];
		if (isnan(level[0]) && so_far >= 0.5 * sum)
			level[0] = sorted[i];
		if (isnan(level[1]) && so_far >= 0.9 * sum)
			level[1] = sorted[i];
	}
}

/** The largest magnitude that is no gap; 1 where there is none. */
static double largest(const double *value, size_t n)
{
	double most = 0.0;

	for (size_t i = 0; i < n; i++)
		if (fabs(value[i]) <= FIGURE_LARGEST)
			most = fmax(most, fabs(value[i]));
	return most > 1e-200 ? most : 1.0;
}

/** Turn masses into densities: target, samples and their difference, each n_cells, one after the other. */
static void find_densities(double *density, const double *target_mass, const double *sample_mass, size_t n_cells,
			   double bin_area)
{
	for (size_t i = 0; i < n_cells; i++) {
		density[i] = target_mass[i] / bin_area;
		density[n_cells + i] = sample_mass[i] / bin_area;
		density[2 * n_cells + i] = density[n_cells + i] - density[i];
	}
}

/** A line of soft text at the very foot of the page, under the captions. */
static void explain_contours(const struct figure *figure)
{
	const struct canvas_text how = {.size = CANVAS_NUMBER_SIZE, .colour = canvas_soft};

	canvas_text(figure, 24.0, figure->height - CANVAS_FOOT, &how,
		    "Contours enclose 50 % and 90 % of the target’s mass.");
}

static int draw_densities(struct figure *figure, double extent, size_t n_bins, const double *density,
			  const double level[2], double side, struct err *err)
{
	const size_t n_cells = n_bins * n_bins;
	const double most = fmax(largest(density, n_cells), largest(density + n_cells, n_cells));
	const double off = largest(density + 2 * n_cells, n_cells);
	const double left[3] = {74.0, 74.0 + side + 26.0, 74.0 + 2.0 * side + 26.0 + 126.0};
	static const char *const letter[] = {"a", "b", "c"}, *const title[] = {"target", "samples", "samples − target"};
	struct figure_density shown = {.n = n_bins, .contoured = density, .level = level, .n_levels = 2};
	struct figure_panel panel = {.x = {.label = "x₀", .min = -extent, .max = extent},
				     .y = {.label = "x₁", .min = -extent, .max = extent}};

	for (size_t i = 0; i < 3; i++) {
		panel.plot = (struct figure_rect){left[i], 86.0, side, side};
		panel.letter = letter[i];
		panel.title = title[i];
		panel.y.no_numbers = i > 0;
		panel.y.label = i == 0 ? "x₁" : NULL;
		shown.value = density + i * n_cells;
		shown.map = i == 2 ? FIGURE_DIVERGING : FIGURE_SEQUENTIAL;
		shown.min = i == 2 ? -off : 0.0;
		shown.max = i == 2 ? off : most;
		shown.bar_label = i == 0 ? NULL : i == 1 ? "probability density" : "difference";
		int code = figure_density(figure, &panel, &shown, err);
		if (code)
			return code;
	}
	return 0;
}

int figure_densities(const char *path, const char *title, double extent, size_t n_bins, const double *target_mass,
		     const double *sample_mass, const char *const captions[], size_t n_captions, struct err *err)
{
	struct figure *figure = NULL;
	double *density = NULL, level[2];
	int code = 0;

	if (n_bins < 1 || n_bins > 4096 || !target_mass || !sample_mass || n_captions > 64 ||
	    (n_captions && !captions) || !(extent > 1e-50 && extent <= 1e50))
		return err_set(
			err, JOSTLE_EINVAL,
			"%s: masses of 1 to 4096 bins either way, an extent above 0 and at most 64 captions were "
			"expected, found %zu bins, extent %g and %zu captions%s",
			path, n_bins, extent, n_captions, target_mass && sample_mass ? "" : ", and no masses");

	const size_t n_cells = n_bins * n_bins;
	const double bin = 2.0 * extent / (double)n_bins, side = 282.0;
	density = malloc(4 * n_cells * sizeof(density[0]));
	if (!density) {
		code = err_set(err, JOSTLE_ENOMEM, "%s: no memory for %zu x %zu bins", path, n_bins, n_bins);
		goto end;
	}
	find_densities(density, target_mass, sample_mass, n_cells, bin * bin);
	mass_levels(density, n_cells, density + 3 * n_cells, level);
	code = figure_new(&figure, 1200.0, 86.0 + side + 80.0 + CANVAS_CAPTION_LINE * (double)(n_captions + 1), err);
	if (code)
		goto end;
	figure_title(figure, title);
	code = draw_densities(figure, extent, n_bins, density, level, side, err);
	if (code)
		goto end;
	explain_contours(figure);
	canvas_captions(figure, captions, n_captions, figure->height - CANVAS_FOOT - CANVAS_CAPTION_LINE);
	code = figure_save(figure, path, err);
end:
	figure_free(figure);
	free(density);
	return code;
}
