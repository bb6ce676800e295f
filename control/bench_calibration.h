#ifndef JOSTLE_BENCH_CALIBRATION_H
#define JOSTLE_BENCH_CALIBRATION_H
/*
 * From the bench file to its nominal calibration record: the one place where the two rooms meet.
 */
struct bench;
struct calibration_record;
struct err;

/** As calibration_nominal(), the claim being what the bench file states. Call from: setup. */
int bench_calibration_nominal(struct calibration_record *record, const struct bench *bench, struct err *err);

#endif
