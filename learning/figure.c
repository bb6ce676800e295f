/*
 * The page: a cairo image surface, its text, and the way to a file.
 *
 * Cairo's text interface puts a context that meets invalid UTF-8 into an error state for good, so text is cleaned
 * first.
 */
#include "learning/figure_canvas.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define FONT     "DejaVu Sans"
#define MAX_TEXT 512

const struct figure_colour canvas_ink = {0.10, 0.10, 0.10}, canvas_soft = {0.40, 0.40, 0.40};

#ifdef JOSTLE_SANITIZED
/*
 * Fontconfig keeps its cache of patterns by offsets, which the leak detector takes for memory that nobody points to; and
 * it would say at the end of the program that it has been told so.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

int figure_new(struct figure **figure, double width, double height, struct err *err)
{
	*figure = NULL;
	if (!(width >= 16.0 && width <= FIGURE_MAX_SIZE && height >= 16.0 && height <= FIGURE_MAX_SIZE))
		return err_set(err, JOSTLE_EINVAL, "a page of 16 to %d units either way was expected, found %g x %g",
			       FIGURE_MAX_SIZE, width, height);
	struct figure *page = calloc(1, sizeof(*page));
	if (!page)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a figure");
	page->width = width;
	page->height = height;
	page->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(width * FIGURE_PIXELS_PER_UNIT),
						   (int)lround(height * FIGURE_PIXELS_PER_UNIT));
	page->cr = cairo_create(page->surface);
	if (cairo_status(page->cr) != CAIRO_STATUS_SUCCESS) {
		figure_free(page);
		return err_set(err, JOSTLE_ENOMEM, "no memory for a figure of %g x %g units", width, height);
	}
	cairo_scale(page->cr, FIGURE_PIXELS_PER_UNIT, FIGURE_PIXELS_PER_UNIT);
	cairo_set_source_rgb(page->cr, 1.0, 1.0, 1.0);
	cairo_paint(page->cr);
	*figure = page;
	return 0;
}

void figure_free(struct figure *figure)
{
	if (!figure)
		return;
	cairo_destroy(figure->cr);
	cairo_surface_destroy(figure->surface);
	free(figure);
}

double canvas_snap(double units)
{
	return round(units * FIGURE_PIXELS_PER_UNIT) / FIGURE_PIXELS_PER_UNIT;
}

void canvas_colour(const struct figure *figure, struct figure_colour colour, double opacity)
{
	cairo_set_source_rgba(figure->cr, colour.red, colour.green, colour.blue, opacity);
}

/** The length of the well-formed UTF-8 sequence that starts here, or 0 (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *c)
{
	const size_t n = c[0] < 0x80 ? 1 : c[0] >= 0xc2 && c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;

	if (c[0] < 0x20 || c[0] == 0x7f || (c[0] >= 0x80 && c[0] < 0xc2))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
	    (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

/** Copy what is well-formed, "?" for what is not, and no more than fits. */
static void clean_text(char clean[MAX_TEXT], const char *text)
{
	size_t used = 0;

	while (*text && used + 4 < MAX_TEXT) {
		const size_t n = utf8_length((const unsigned char *)text);

		if (n)
			memcpy(clean + used, text, n);
		else
			clean[used] = '?';
		used += n ? n : 1;
		text += n ? n : 1;
	}
	clean[used] = '\0';
}

static void choose_font(const struct figure *figure, double size, bool bold)
{
	cairo_select_font_face(figure->cr, FONT, CAIRO_FONT_SLANT_NORMAL,
			       bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(figure->cr, size);
}

/** The advance of a clean text in the font now chosen. */
static double advance(const struct figure *figure, const char *clean)
{
	cairo_text_extents_t extents;

	cairo_text_extents(figure->cr, clean, &extents);
	return extents.x_advance;
}

double canvas_text_width(const struct figure *figure, double size, bool bold, const char *text)
{
	char clean[MAX_TEXT];

	clean_text(clean, text);
	choose_font(figure, size, bold);
	return advance(figure, clean);
}

void canvas_text(const struct figure *figure, double x, double y, const struct canvas_text *how, const char *text)
{
	char clean[MAX_TEXT];

	if (!text || !*text)
		return;
	clean_text(clean, text);
	choose_font(figure, how->size, how->bold);
	double width = advance(figure, clean);
	if (how->max_width > 0.0 && width > how->max_width) {
		choose_font(figure, how->size * fmax(0.5, how->max_width / width), how->bold);
		width = advance(figure, clean);
	}
	cairo_save(figure->cr);
	cairo_translate(figure->cr, x, y);
	if (how->upwards)
		cairo_rotate(figure->cr, -M_PI / 2.0);
	cairo_move_to(figure->cr,
		      how->align == ALIGN_LEFT     ? 0.0
		      : how->align == ALIGN_CENTRE ? -width / 2.0
						   : -width,
		      0.0);
	canvas_colour(figure, how->colour, 1.0);
	cairo_show_text(figure->cr, clean);
	cairo_restore(figure->cr);
}

void figure_title(struct figure *figure, const char *title)
{
	const struct canvas_text how = {
		.size = CANVAS_TITLE_SIZE, .bold = true, .max_width = figure->width - 48.0, .colour = canvas_ink};

	canvas_text(figure, 24.0, 34.0, &how, title);
}

void canvas_captions(const struct figure *figure, const char *const caption[], size_t n_captions, double foot)
{
	const struct canvas_text how = {
		.size = CANVAS_CAPTION_SIZE, .max_width = figure->width - 48.0, .colour = canvas_ink};

	for (size_t i = 0; i < n_captions; i++)
		canvas_text(figure, 24.0, foot - CANVAS_CAPTION_LINE * (double)(n_captions - 1 - i), &how, caption[i]);
}

void figure_captions(struct figure *figure, const char *const caption[], size_t n_captions)
{
	canvas_captions(figure, caption, n_captions, figure->height - CANVAS_FOOT);
}

struct figure_rect figure_grid(struct figure_rect area, size_t rows, size_t columns, double gap_x, double gap_y,
			       size_t row, size_t column)
{
	const double width = (area.width - gap_x * (double)(columns - 1)) / (double)columns;
	const double height = (area.height - gap_y * (double)(rows - 1)) / (double)rows;

	return (struct figure_rect){area.x + (width + gap_x) * (double)column, area.y + (height + gap_y) * (double)row,
				    width, height};
}

/** Cairo's way to hand over the bytes of the PNG; errno says what went wrong. */
static cairo_status_t write_bytes(void *file, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, file) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/** Write, flush to the disk and close, whatever happens. Returns 0 or an errno. */
static int write_png(const struct figure *figure, FILE *file)
{
	errno = 0;
	cairo_status_t status = cairo_surface_write_to_png_stream(figure->surface, write_bytes, file);
	int reason = status == CAIRO_STATUS_NO_MEMORY ? ENOMEM : errno ? errno : EIO;

	if (status == CAIRO_STATUS_SUCCESS)
		reason = fflush(file) == 0 && fsync(fileno(file)) == 0 ? 0 : errno;
	if (fclose(file) != 0 && !reason)
		reason = errno;
	return reason;
}

int figure_save(const struct figure *figure, const char *path, struct err *err)
{
	if (cairo_status(figure->cr) != CAIRO_STATUS_SUCCESS)
		return err_set(err, JOSTLE_ENOMEM, "%s: the figure could not be drawn: %s", path,
			       cairo_status_to_string(cairo_status(figure->cr)));
	if (!path[0])
		return err_set(err, JOSTLE_EINVAL, "a path for the figure was expected, found an empty one");

	char *partial = NULL;
	if (asprintf(&partial, "%s.partial", path) < 0)
		return err_set(err, JOSTLE_ENOMEM, "%s: no memory for its name", path);
	int code = 0, reason = 0;
	FILE *file = fopen(partial, "wbe");
	if (!file) {
		code = err_set(err, JOSTLE_EIO, "cannot write %s: %s", partial, strerror(errno));
		goto end;
	}
	reason = write_png(figure, file);
	if (reason) {
		code = err_set(err, JOSTLE_EIO, "cannot write %s: %s", partial, strerror(reason));
		goto remove;
	}
	if (rename(partial, path) != 0) {
		code = err_set(err, JOSTLE_EIO, "cannot rename %s to %s: %s", partial, path, strerror(errno));
		goto remove;
	}
	goto end;
remove:
	unlink(partial);
end:
	free(partial);
	return code;
}
