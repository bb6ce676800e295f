#ifndef JOSTLE_PICTURE_H
#define JOSTLE_PICTURE_H
/*
 * The pictures that subcommands make of their results.
 */
#include <stddef.h>

struct err;
struct image_set;
struct metrics;
struct mixture;
struct protocol;
struct sample_file;
struct task;
struct training_report;

/** Target beside samples of the plane, with the figures in the caption. Errors: figure_densities()'s. Call from: setup. */
int picture_of_samples(const char *path, const char *title, const struct mixture *mixture,
		       const struct sample_file *file, const struct metrics *metrics, struct err *err);

/**
 * A sheet of the first samples beside one of held-out images, with lines of text below. Errors: figure_images()'s.
 * Call from: setup.
 */
int picture_of_images(const char *path, const char *title, const struct image_set *set, const struct sample_file *file,
		      const char *const captions[], size_t n_captions, struct err *err);

/** Loss and parameters against time. Errors: figure_training()'s. Call from: setup. */
int picture_of_training(const char *path, const struct task *task, const struct protocol *protocol,
			const struct training_report *report, struct err *err);

#endif
