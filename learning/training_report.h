#ifndef JOSTLE_TRAINING_REPORT_H
#define JOSTLE_TRAINING_REPORT_H
/*
 * The trainer's side of struct training_report; learning/trainer.h has what everyone else needs of it.
 */
#include "learning/trainer.h"

/** A report of zeros for these knots, without a training loss; t is copied. Errors: JOSTLE_ENOMEM. Call from: setup. */
int training_report_init(struct training_report *report, const double t[], size_t n_knots, struct err *err);

#endif
