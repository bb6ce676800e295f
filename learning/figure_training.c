/*
 * The figure of how a driving protocol was learned: its loss, and its parameters as they change with time.
 */
#include "learning/figure_canvas.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define N_NAMED  7 /* curves of parameters that get a colour and a name: what the palette tells apart on white */
#define MAX_NAME 160

static int draw_loss(struct figure *figure, const struct figure_training *training, struct figure_rect plot,
		     struct err *err)
{
	const struct figure_series series[] = {
		{.label = "learned",
		 .n = training->n_knots,
		 .x = training->t,
		 .y = training->loss,
		 .error = training->loss_se,
		 .style = FIGURE_LINE_AND_POINTS,
		 .colour = 0},
		{.label = "oracle",
		 .n = training->n_knots,
		 .x = training->t,
		 .y = training->oracle_loss,
		 .style = FIGURE_DASHED,
		 .colour = 1},
	};
	const struct figure_panel panel = {.plot = plot,
					   .letter = training->n_parameters ? "a" : NULL,
					   .title = "held-out loss",
					   .x = {.label = "t (relaxation times)", .scale = FIGURE_LOG},
					   .y = {.label = "loss ℓ", .scale = FIGURE_LOG},
					   .legend = training->oracle_loss ? FIGURE_LEGEND_INSIDE : FIGURE_LEGEND_NONE};

	return figure_lines(figure, &panel, series, training->oracle_loss ? 2 : 1, err);
}

/** What the curves of parameters are drawn from. */
struct curves {
	struct figure_series *series; /* [n], in the order of rank */
	double *value;                /* [n][n_knots]: theta sigma^2 */
	struct rank {
		double size; /* the largest magnitude over the knots */
		size_t k;
	} * rank; /* [n], largest first */
	char label[N_NAMED + 1][MAX_NAME];
};

static int by_size(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return a->k < b->k ? -1 : 1;
}

/** Scale the parameters and rank them by size. */
static void rank_curves(struct curves *curves, const struct figure_training *training)
{
	const size_t n = training->n_parameters, n_knots = training->n_knots;

	for (size_t k = 0; k < n; k++) {
		double *value = curves->value + k * n_knots;

		for (size_t j = 0; j < n_knots; j++)
			value[j] = training->theta[j * n + k] * training->variance[j];
		curves->rank[k] = (struct rank){.k = k};
		for (size_t j = 0; j < n_knots; j++)
			if (fabs(value[j]) <= FIGURE_LARGEST)
				curves->rank[k].size = fmax(curves->rank[k].size, fabs(value[j]));
	}
	qsort(curves->rank, n, sizeof(curves->rank[0]), by_size);
}

/** "x0^2 x1" as it is written by hand: digits after a letter become an index, after a "^" an exponent. */
static void typeset(const char *name, char text[MAX_NAME])
{
	static const char *const low[] = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};
	static const char *const high[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
	const char *const *digits = NULL; /* of the run of digits that this character is in */
	size_t used = 0;

	for (const char *c = name; *c && used + 4 < MAX_NAME; c++) {
		const bool is_digit = *c >= '0' && *c <= '9';

		if (is_digit && !digits && c > name && isalpha((unsigned char)c[-1]))
			digits = low;
		else if (*c == '^' && c[1] >= '0' && c[1] <= '9')
			digits = high;
		else if (!is_digit)
			digits = NULL;
		if (is_digit && digits)
			used += (size_t)snprintf(text + used, MAX_NAME - used, "%s", digits[*c - '0']);
		else if (digits != high)
			text[used++] = *c;
	}
	text[used] = '\0';
}

/** The large curves in colour, each with a name, the largest first; all others in grey, with one name. */
static void set_up_series(struct curves *curves, const struct figure_training *training)
{
	const size_t n = training->n_parameters, n_named = n < N_NAMED ? n : N_NAMED;

	for (size_t i = 0; i < n; i++) {
		const size_t k = curves->rank[i].k;
		const char *name = training->name ? training->name[k] : NULL;

		curves->series[i] = (struct figure_series){.n = training->n_knots,
							   .x = training->t,
							   .y = curves->value + k * training->n_knots,
							   .style = FIGURE_LINE,
							   .colour = i,
							   .background = i >= n_named};
		if (i > n_named)
			continue;
		if (i == n_named)
			snprintf(curves->label[i], sizeof(curves->label[i]), "%zu smaller", n - n_named);
		else if (name)
			typeset(name, curves->label[i]);
		else
			snprintf(curves->label[i], sizeof(curves->label[i]), "θ[%zu]", k);
		curves->series[i].label = curves->label[i];
	}
}

static int draw_parameters(struct figure *figure, const struct figure_training *training, struct figure_rect plot,
			   struct err *err)
{
	const size_t n = training->n_parameters;
	struct curves curves = {.series = calloc(n, sizeof(*curves.series)),
				.value = calloc(n, training->n_knots * sizeof(*curves.value)),
				.rank = calloc(n, sizeof(*curves.rank))};
	struct figure_panel panel = {.plot = plot,
				     .letter = "b",
				     .title = "parameters",
				     .x = {.label = "t (relaxation times)", .scale = FIGURE_LOG},
				     .y = {.label = "θ σ²(t)"},
				     .legend = FIGURE_LEGEND_RIGHT};
	int code = 0;

	if (!curves.series || !curves.value || !curves.rank) {
		code = err_set(err, JOSTLE_ENOMEM, "no memory for the curves of %zu parameters", n);
		goto end;
	}
	rank_curves(&curves, training);
	set_up_series(&curves, training);
	code = figure_lines(figure, &panel, curves.series, n, err);
end:
	free(curves.series);
	free(curves.value);
	free(curves.rank);
	return code;
}

int figure_training(const char *path, const char *title, const struct figure_training *training, struct err *err)
{
	const bool with_parameters = training->n_parameters > 0;
	const double height = 330.0;
	struct figure *figure = NULL;

	if (training->n_knots < 1 || training->n_knots > 1000000 || training->n_parameters > 1000000 || !training->t ||
	    !training->loss || training->n_captions > 64 || (training->n_captions && !training->caption) ||
	    (with_parameters && (!training->theta || !training->variance)))
		return err_set(
			err, JOSTLE_EINVAL,
			"%s: 1 to 1000000 knots with t and loss, for parameters theta and variance, and at most 64 "
			"captions were expected, found %zu knots, %zu parameters and %zu captions%s",
			path, training->n_knots, training->n_parameters, training->n_captions,
			training->t && training->loss ? "" : ", and no loss");

	int code = figure_new(&figure, with_parameters ? 1200.0 : 640.0,
			      86.0 + height + 80.0 + CANVAS_CAPTION_LINE * (double)training->n_captions, err);
	if (code)
		return code;
	figure_title(figure, title);
	code = draw_loss(figure, training, (struct figure_rect){88.0, 86.0, with_parameters ? 410.0 : 520.0, height},
			 err);
	if (!code && with_parameters)
		code = draw_parameters(figure, training, (struct figure_rect){602.0, 86.0, 410.0, height}, err);
	if (!code) {
		figure_captions(figure, training->caption, training->n_captions);
		code = figure_save(figure, path, err);
	}
	figure_free(figure);
	return code;
}
