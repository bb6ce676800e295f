#include <stddef.h>

#include "cli/picture.h"
#include "learning/figure.h"
#include "learning/image_set.h"
#include "learning/sample_file.h"

#define COLUMNS ((size_t)8)
#define SHOWN   (COLUMNS * COLUMNS)

static int draw_sheet(struct figure *figure, const char *letter, const char *title, double x, const float images[],
		      size_t n, size_t side, struct err *err)
{
	const struct figure_panel panel = {.plot = {x, 92.0, 560.0, 560.0}, .letter = letter, .title = title};
	const size_t shown = n < SHOWN ? n : SHOWN;

	return figure_images(figure, &panel, shown, side, images, shown < COLUMNS ? shown : COLUMNS, err);
}

int picture_of_images(const char *path, const char *title, const struct image_set *set, const struct sample_file *file,
		      const char *const captions[], size_t n_captions, struct err *err)
{
	struct figure *figure = NULL;
	int status = figure_new(&figure, 1200.0, 680.0 + 20.0 * (double)n_captions, err);

	if (status)
		return status;
	figure_title(figure, title);
	status = draw_sheet(figure, "a", "samples", 26.0, file->samples, file->n, set->side, err);
	if (!status)
		status = draw_sheet(figure, "b", "held-out images", 614.0, set->held, set->n_held, set->side, err);
	if (!status) {
		figure_captions(figure, captions, n_captions);
		status = figure_save(figure, path, err);
	}
	figure_free(figure);
	return status;
}
