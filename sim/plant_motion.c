/*
 * The plant's equation of motion, m x'' + x' = -k x + f(t) + b(x) + sqrt(2 T) w', natural units.
 *
 * The linear part with its noise and the force held over a segment are exact (plant_step.c), whatever the sub-steps.
 * What bends the potential, b, is taken by the second-order exponential Runge-Kutta rule with the same noise in both
 * stages: y  = L(x; f + b(x)) + N,   x' = y + r (b(y) - b(x)), which is Heun's rule for additive noise with the linear
 * part exact: weak order 2 in the sub-step. (Cox & Matthews 2002, ETD2RK; Kloeden & Platen 1992, section 15.1.)
 */
#include <string.h>

#include "base/random.h"
#include "sim/plant_parts.h"

#define INSTANT 1e-9 /* periods; shorter than any segment that matters */

/** How many edges before this period's first the latch in effect at fraction `at` was written. */
static size_t age_at(const struct plant *plant, double at)
{
	size_t age = 0;

	while (age + 1 < plant->n_latches && age < plant->edge) {
		const struct plant_latch *latch = &plant->latches[(plant->edge - age) % plant->n_latches];

		if (latch->delay <= at + (double)age + INSTANT)
			break;
		age++;
	}
	return age;
}

/** The next fraction after `at` at which a latch comes into effect; 1 when none does within the period. */
static double next_latch(const struct plant *plant, double at)
{
	double next = 1.0;

	for (size_t age = 0; age + 1 < plant->n_latches && age <= plant->edge; age++) {
		const double due = plant->latches[(plant->edge - age) % plant->n_latches].delay - (double)age;

		if (due > at + INSTANT && due < next)
			next = due;
	}
	return next;
}

void plant_divide_period(struct plant *plant)
{
	const unsigned substeps = plant->config->substeps;
	const double window = 1.0 - plant->config->sensor.blur;
	double at = 0.0;

	plant->n_segments = 0;
	for (unsigned sub = 0; plant->n_segments < plant->max_segments && sub < substeps;) {
		double end = (double)(sub + 1) / (double)substeps;

		if (at < window - INSTANT)
			end = fmin(end, window);
		end = fmin(end, next_latch(plant, at));
		plant->segments[plant->n_segments] = (struct plant_segment){
			.start = at,
			.length = end - at,
			.age = age_at(plant, at),
			.in_window = at > window - INSTANT,
		};
		struct plant_step *steps = plant->steps + plant->n_segments * plant->n_classes;
		for (size_t c = 0; c < plant->n_classes; c++)
			plant_step_init(&steps[c], plant->class_stiffness[c], plant->class_mass[c],
					(end - at) * plant->period);
		plant->n_segments++;
		at = end;
		while (sub < substeps && (double)(sub + 1) / (double)substeps <= at + INSTANT)
			sub++;
	}
}

void plant_bending_force(const struct plant *plant, const double x[], double f[])
{
	const struct plant_config *config = plant->config;

	if (plant->open_parameters)
		plant->kernels->force(&plant->network, plant->packed, x, f);
	else
		memset(f, 0, plant->n_sites * sizeof(*f));
	if (!plant->bent)
		return;
	for (size_t i = 0; i < plant->n_sites; i++)
		f[i] -= (plant->quadratic[i] + plant->cubic[i] * x[i]) * x[i] * x[i];
	for (size_t c = 0; c < config->n_couplings; c++) {
		const size_t from = config->couplings[c].from, to = config->couplings[c].to;

		f[to] += plant->coupling[c] * (x[from] - x[to]);
	}
}

/** Standard normals of a step times sqrt(T): one per site side by side, or a block of four for each site. */
static void draw_normals(struct plant *plant, size_t segment)
{
	const uint64_t step = plant->edge * plant->max_segments + segment;
	const size_t n_blocks = plant->wide ? plant->n_sites : (plant->n_sites + 3) / 4;
	const double ratio = plant->temperature_K / plant->config->temperature_K;

	for (size_t b = 0; b < n_blocks; b++)
		random_normals(plant->seed, RANDOM_BATH, 0, step, (uint32_t)b, plant->normals + 4 * b);
	if (ratio != 1.0) {
		const double scale = sqrt(ratio);

		for (size_t i = 0; i < 4 * n_blocks; i++)
			plant->normals[i] *= scale;
	}
}

/** An end stop sends a site back as a mirror would; one thrown further than the stops are apart ends at the stop. */
static void reflect(struct plant *plant, size_t i)
{
	const double stop = plant->stop;

	if (fabs(plant->x[i]) <= stop)
		return;
	plant->x[i] = copysign(fmax(2.0 * stop - fabs(plant->x[i]), -stop), plant->x[i]);
	plant->v[i] = -plant->v[i];
	if (!isfinite(plant->x[i]))
		plant->x[i] = plant->v[i] = 0.0;
}

/** The common case: overdamped sites in their own wells, a sharp sensor. */
static void advance_plainly(struct plant *plant, const struct plant_step steps[])
{
	for (size_t i = 0; i < plant->n_sites; i++) {
		const struct plant_step *step = &steps[plant->class_of[i]];

		plant->x[i] = step->xx * plant->x[i] + step->fx * plant->force[i] + step->nx[0] * plant->normals[i];
		reflect(plant, i);
	}
}

static void advance_site(struct plant *plant, const struct plant_step *step, size_t i)
{
	const double *n = plant->wide ? plant->normals + 4 * i : plant->normals + i;
	const double n1 = plant->wide ? n[1] : 0.0;
	const double x = plant->x[i], v = plant->v[i], f = plant->force[i] + plant->bend[i];

	plant->x_next[i] = step->xx * x + step->xv * v + step->fx * f + step->nx[0] * n[0] + step->nx[1] * n1;
	plant->v_next[i] = step->vx * x + step->vv * v + step->fv * f + step->nv * n[0];
}

static void add_to_integral(struct plant *plant, const struct plant_step *step, size_t i)
{
	const double *n = plant->normals + 4 * i;
	const double wiener = step->nw[0] * n[0] + step->nw[1] * n[1] + step->nw[2] * n[2];
	const double force = plant->force[i] + 0.5 * (plant->bend[i] + plant->bend_next[i]);

	plant->integral[i] += plant_step_integral(step, plant->x_next[i] - plant->x[i], plant->v_next[i] - plant->v[i],
						  force, wiener);
}

static void advance(struct plant *plant, const struct plant_step steps[], bool bending, bool in_window)
{
	if (bending) {
		plant_bending_force(plant, plant->x, plant->bend);
	} else {
		memset(plant->bend, 0, plant->n_sites * sizeof(*plant->bend));
		memset(plant->bend_next, 0, plant->n_sites * sizeof(*plant->bend_next));
	}
	for (size_t i = 0; i < plant->n_sites; i++)
		advance_site(plant, &steps[plant->class_of[i]], i);
	if (bending) {
		plant_bending_force(plant, plant->x_next, plant->bend_next);
		for (size_t i = 0; i < plant->n_sites; i++) {
			const struct plant_step *step = &steps[plant->class_of[i]];
			const double rise = plant->bend_next[i] - plant->bend[i];

			plant->x_next[i] += step->rx * rise;
			plant->v_next[i] += step->rv * rise;
		}
	}
	for (size_t i = 0; i < plant->n_sites; i++) {
		if (in_window)
			add_to_integral(plant, &steps[plant->class_of[i]], i);
		plant->x[i] = plant->x_next[i];
		plant->v[i] = plant->v_next[i];
		reflect(plant, i);
	}
}

void plant_move(struct plant *plant)
{
	const double blur = plant->config->sensor.blur;

	if (plant->config->actuator.jitter_periods > 0.0 || plant->edge < plant->n_latches)
		plant_divide_period(plant);
	if (blur > 0.0)
		memset(plant->integral, 0, plant->n_sites * sizeof(*plant->integral));
	for (size_t s = 0; s < plant->n_segments; s++) {
		const struct plant_segment *segment = &plant->segments[s];
		const struct plant_step *steps = plant->steps + s * plant->n_classes;

		plant_apply_latch(plant, plant->edge - segment->age, segment->length * plant->period);
		draw_normals(plant, s);
		const bool bending = plant->bent || plant->open_parameters;
		if (bending || plant->wide)
			advance(plant, steps, bending, segment->in_window);
		else
			advance_plainly(plant, steps);
	}
	for (size_t i = 0; i < plant->n_sites; i++)
		plant->measured[i] = blur > 0.0 ? plant->integral[i] / (blur * plant->period) : plant->x[i];
}
