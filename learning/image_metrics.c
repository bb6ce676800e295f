#include "learning/image_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/random.h"
#include "learning/image_nearest.h"

/** Mean distance to the nearest training image, and the labels it lends. */
static int find_nearest(const struct image_set *set, const float x[], size_t n, struct pool *pool,
			struct image_metrics *metrics, struct err *err)
{
	struct image_figure *nearest = &metrics->figure[IMAGE_NEAREST], *share = &metrics->figure[IMAGE_SHARE];
	size_t *index = malloc(n * sizeof(*index));
	double *distance = malloc(n * sizeof(*distance)), square = 0.0;

	if (!index || !distance) {
		free(distance);
		free(index);
		return err_set(err, JOSTLE_ENOMEM, "no memory to compare %zu images", n);
	}
	image_nearest(x, n, set->train, set->n_train, set->n_pixels, pool, index, distance);
	for (size_t i = 0; i < n; i++) {
		nearest->value += distance[i] / (double)n;
		share[set->train_labels[index[i]]].value += 1.0 / (double)n;
	}
	for (size_t i = 0; i < n; i++)
		square += (distance[i] - nearest->value) * (distance[i] - nearest->value);
	nearest->error = sqrt(square / (double)(n - 1) / (double)n);
	for (size_t k = 0; k < IMAGE_SET_LABELS; k++)
		share[k].error = sqrt(share[k].value * (1.0 - share[k].value) / (double)n);
	free(distance);
	free(index);
	return 0;
}

/** The standard error of a standard deviation is that of a normal law, s / sqrt(2 n). */
static void find_spread(const struct image_gaussian *gaussian, const float x[], size_t n, struct image_metrics *metrics)
{
	for (size_t k = 0; k < IMAGE_DIRECTIONS && k < gaussian->n_pixels; k++) {
		const double unit = gaussian->deviation[k];
		const double spread = unit > 0.0 ? image_gaussian_deviation(gaussian, k, x, n) / unit : 0.0;

		metrics->figure[IMAGE_SPREAD + k] = (struct image_figure){spread, spread / sqrt(2.0 * (double)n)};
	}
}

/** Whatever compares with the held-out images. */
static int find_distances(const struct image_judge *judge, const float x[], size_t n, struct pool *pool,
			  struct image_metrics *metrics, struct err *err)
{
	int status = image_mmd_evaluate(&judge->mmd, x, n, pool, &metrics->figure[IMAGE_MMD], err);

	if (status)
		return status;
	return image_wasserstein_evaluate(&judge->sliced, x, n, pool, &metrics->figure[IMAGE_WASSERSTEIN], err);
}

int image_judge_evaluate(const struct image_judge *judge, const float samples[], size_t n, struct pool *pool,
			 struct image_metrics *metrics, struct err *err)
{
	const double held = judge->held.figure[IMAGE_NEAREST].value;
	int status;

	*metrics = (struct image_metrics){.n = n};
	if ((status = find_distances(judge, samples, n, pool, metrics, err)) ||
	    (status = find_nearest(judge->set, samples, n, pool, metrics, err)))
		return status;
	const struct image_figure *nearest = &metrics->figure[IMAGE_NEAREST];
	metrics->figure[IMAGE_NEAREST_RATIO] = (struct image_figure){nearest->value / held, nearest->error / held};
	find_spread(&judge->gaussian, samples, n, metrics);
	return 0;
}

/** Mean over the sets, and as its error the standard deviation of one of them. */
static void mean_and_deviation(const struct image_metrics sets[], size_t n_sets, struct image_metrics *mean)
{
	*mean = (struct image_metrics){.n = sets[0].n};
	for (size_t f = 0; f < IMAGE_N_FIGURES; f++) {
		struct image_figure *figure = &mean->figure[f];
		double square = 0.0;

		for (size_t s = 0; s < n_sets; s++)
			figure->value += sets[s].figure[f].value / (double)n_sets;
		for (size_t s = 0; s < n_sets; s++)
			square += pow(sets[s].figure[f].value - figure->value, 2.0);
		figure->error = sqrt(square / (double)(n_sets - 1));
	}
}

void image_metrics_mean(const struct image_metrics sets[], size_t n_sets, struct image_metrics *mean)
{
	if (n_sets == 1) {
		*mean = sets[0];
		return;
	}
	mean_and_deviation(sets, n_sets, mean);
	for (size_t f = 0; f < IMAGE_N_FIGURES; f++)
		mean->figure[f].error /= sqrt((double)n_sets);
}

bool image_metrics_memorised(const struct image_metrics *metrics)
{
	return metrics->figure[IMAGE_NEAREST_RATIO].value < IMAGE_MEMORY_RATIO;
}

/** n of the training images without repetition, by the first n exchanges of a shuffle. order[n_train] is scratch. */
static void draw_training(const struct image_set *set, uint64_t seed, uint64_t repeat, size_t n, size_t order[],
			  float x[])
{
	for (size_t i = 0; i < set->n_train; i++)
		order[i] = i;
	for (size_t i = 0; i < n; i++) {
		uint32_t words[4];

		random_words(seed, RANDOM_REFERENCE, (uint32_t)i, 1 + repeat, 0, words);
		const size_t j = i + ((uint64_t)words[0] << 32 | words[1]) % (set->n_train - i), other = order[j];

		order[j] = order[i];
		order[i] = other;
		memcpy(x + i * set->n_pixels, set->train + other * set->n_pixels, set->n_pixels * sizeof(*x));
	}
}

/** Fill the floor and the baseline. */
static int find_references(struct image_judge *judge, uint64_t seed, struct pool *pool, struct err *err)
{
	const struct image_set *set = judge->set;
	struct image_metrics floors[IMAGE_REPEATS], baselines[IMAGE_REPEATS];
	float *x = malloc(judge->n * set->n_pixels * sizeof(*x));
	size_t *order = malloc(set->n_train * sizeof(*order));
	int status = 0;

	if (!x || !order) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for %zu images", judge->n);
		goto done;
	}
	for (size_t r = 0; r < IMAGE_REPEATS; r++) {
		floors[r] = (struct image_metrics){.n = judge->n};
		draw_training(set, seed, r, judge->n, order, x);
		if ((status = find_distances(judge, x, judge->n, pool, &floors[r], err)))
			goto done;
		find_spread(&judge->gaussian, x, judge->n, &floors[r]);
		image_gaussian_draw(&judge->gaussian, random_subseed(seed, r), judge->n, pool, x);
		if ((status = image_judge_evaluate(judge, x, judge->n, pool, &baselines[r], err)))
			goto done;
	}
	mean_and_deviation(floors, IMAGE_REPEATS, &judge->floor);
	mean_and_deviation(baselines, IMAGE_REPEATS, &judge->baseline);
done:
	free(order);
	free(x);
	return status;
}

int image_judge_init(struct image_judge *judge, const struct image_set *set, size_t n, uint64_t seed, struct pool *pool,
		     struct err *err)
{
	int status;

	*judge = (struct image_judge){.set = set, .n = n < set->n_train ? n : set->n_train};
	if (judge->n < 2)
		return err_set(err, JOSTLE_EINVAL, "expected at least 2 samples and as many training images, found %zu",
			       judge->n);
	if ((status = image_mmd_init(&judge->mmd, set->held, set->n_held, set->n_pixels, pool, err)) ||
	    (status = image_wasserstein_init(&judge->sliced, set->held, set->n_held, set->n_pixels, pool, err)) ||
	    (status = image_gaussian_init(&judge->gaussian, set->train, set->n_train, set->n_pixels, err)))
		goto fail;
	judge->held.n = set->n_held;
	if ((status = find_nearest(set, set->held, set->n_held, pool, &judge->held, err)))
		goto fail;
	judge->held.figure[IMAGE_NEAREST_RATIO].value = 1.0;
	find_spread(&judge->gaussian, set->held, set->n_held, &judge->held);
	if (!(judge->held.figure[IMAGE_NEAREST].value > 0.0)) {
		status = err_set(err, JOSTLE_EINVAL,
				 "expected held-out images that are not training images, found none");
		goto fail;
	}
	if ((status = find_references(judge, seed, pool, err)))
		goto fail;
	return 0;
fail:
	image_judge_fini(judge);
	return status;
}

void image_judge_fini(struct image_judge *judge)
{
	image_gaussian_fini(&judge->gaussian);
	image_wasserstein_fini(&judge->sliced);
	*judge = (struct image_judge){0};
}
