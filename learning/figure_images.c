/*
 * A sheet of small grey images, as of digits drawn by a bench.
 */
#include "learning/figure_canvas.h"

#include <math.h>

#include "base/err.h"

struct tile {
	const float *image;
	size_t side;
};

static struct figure_colour tile_colour(const void *context, size_t row, size_t column)
{
	const struct tile *tile = context;
	const double value = (double)tile->image[row * tile->side + column];

	return figure_map_colour(FIGURE_GREY, isfinite(value) ? (value + 1.0) / 2.0 : NAN);
}

int figure_images(struct figure *figure, const struct figure_panel *panel, size_t n, size_t side, const float *image,
		  size_t columns, struct err *err)
{
	int code = canvas_check_panel(figure, panel, err);

	if (code)
		return code;
	if (n < 1 || n > 65536 || side < 1 || side > 4096 || columns < 1 || columns > n || !image)
		return err_set(
			err, JOSTLE_EINVAL,
			"1 to 65536 images of 1 to 4096 pixels either way, in columns no more than the images, were "
			"expected, found %zu of %zu pixels in %zu columns%s",
			n, side, columns, image ? "" : ", and no pixels");

	const size_t rows = (n + columns - 1) / columns;
	const double width = panel->plot.width / (double)columns, height = panel->plot.height / (double)rows;
	const double pitch = fmin(width, height), gap = fmin(4.0, 0.06 * pitch);

	for (size_t i = 0; i < n; i++) {
		const struct tile tile = {image + i * side * side, side};
		const struct figure_rect area = {panel->plot.x + pitch * (double)(i % columns),
						 panel->plot.y + pitch * (double)(i / columns), pitch - gap,
						 pitch - gap};

		code = canvas_cells(figure, area, side, side, tile_colour, &tile, err);
		if (code)
			return code;
	}
	frame_heading(figure, panel);
	return 0;
}
