#ifndef JOSTLE_TEST_PLANT_FIXTURE_H
#define JOSTLE_TEST_PLANT_FIXTURE_H
/*
 * Plants for tests, from YAML written in the test itself.
 *
 * WARM is a plant whose natural length is 1 nm, natural force 4.141947 pN, and relaxation time 1 s; COLD is the same
 * device with next to no noise, so that exact responses can be seen. HEAD(nx, ny, K) is their common head.
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/err.h"
#include "sim/plant.h"

#define NM    1e-9
#define FORCE 4.141947e-12 /* N: kT / 1 nm at 300 K; also what displaces an oscillator by 1 nm */

#define HEAD(nx, ny, kelvin)                                                                                           \
	"summary: a test\nlattice: [" #nx ", " #ny                                                                     \
	"]\nstiffness_N_per_m: 4.141947e-3\ndamping_N_s_per_m: 4.141947e-3\n"                                          \
	"temperature_K: " #kelvin "\n"
#define WARM(nx, ny) HEAD(nx, ny, 300)
#define COLD(nx, ny) HEAD(nx, ny, 1e-15)
#define SENSOR       "sensor: {gain_V_per_m: [1e9]}\n"
#define ACTUATOR     "actuator: {gain_N_per_V: [4.141947e-12]}\n" /* 1 V: one natural force at 300 K */
#define READBACK     "force_readback: {gain_V_per_N: [2.4143235053464e11]}\n"

struct rig {
	struct plant_config *config;
	struct plant plant;
	double *in_V, *out_V;
};

static inline int rig_load(struct plant_config **config, const char *yaml, struct err *err)
{
	char path[] = "/tmp/jostle-plant-XXXXXX.yaml";
	const int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	const int code = plant_load(config, path, err);
	unlink(path);
	return code;
}

static inline void rig_open(struct rig *rig, const char *yaml, double period_s, uint64_t seed)
{
	struct err err = {0};
	char text[1100];

	if (rig_load(&rig->config, yaml, &err) < 0 || plant_init(&rig->plant, rig->config, period_s, seed, &err) < 0) {
		err_format(&err, text, sizeof(text));
		fail_msg("%s", text);
	}
	rig->in_V = calloc(rig->plant.n_in, sizeof(double));
	rig->out_V = calloc(rig->plant.n_out, sizeof(double));
}

static inline void rig_close(struct rig *rig)
{
	plant_fini(&rig->plant);
	plant_config_free(rig->config);
	free(rig->in_V);
	free(rig->out_V);
}

static inline void rig_edges(struct rig *rig, size_t n)
{
	while (n-- > 0)
		plant_edge(&rig->plant, rig->out_V, rig->in_V);
}

/** Put every site at the origin. */
static inline void rig_centre(struct rig *rig)
{
	double *x_m = calloc(rig->plant.n_sites, sizeof(double));

	plant_set_x(&rig->plant, x_m);
	free(x_m);
}

#define assert_near(a, b, tolerance)                                                                                   \
	do {                                                                                                           \
		const double a_ = (a), b_ = (b), t_ = (tolerance);                                                     \
		if (!(fabs(a_ - b_) <= t_))                                                                            \
			fail_msg("%s = %.9g, expected %.9g within %.2g", #a, a_, b_, t_);                              \
	} while (0)

#endif
