/*
 * The white, passive bath: dx = -k x dt + sqrt(2 T) dW.
 *
 *   x_t = e^(-kt) x_0 + noise of variance (T / k) (1 - e^(-2kt)), stationary variance T / k
 *   reverse: dx = (k x + 2 T s) dtau + sqrt(2 T) dW with s the score
 */
#include <math.h>
#include <string.h>

#include "base/spec.h"
#include "protocols/bath.h"

static int init(struct bath *bath, struct spec *spec, struct err *err)
{
	int status = spec_double(spec, "stiffness", false, 1e-6, 1e6, &bath->stiffness, err);

	return status ? status : spec_double(spec, "temperature", false, 1e-6, 1e6, &bath->temperature, err);
}

static void transition(const struct bath *bath, double t, struct bath_law *law)
{
	memset(law, 0, sizeof(*law));
	law->map[0][0] = exp(-bath->stiffness * t);
	law->covariance[0][0] = -bath->temperature / bath->stiffness * expm1(-2.0 * bath->stiffness * t);
}

static void stationary(const struct bath *bath, double covariance[BATH_DIMENSION][BATH_DIMENSION])
{
	memset(covariance, 0, BATH_DIMENSION * sizeof(*covariance));
	covariance[0][0] = bath->temperature / bath->stiffness;
}

static void reverse(const struct bath *bath, struct bath_reverse *reverse)
{
	memset(reverse, 0, sizeof(*reverse));
	reverse->drift[0][0] = bath->stiffness;
	reverse->gain[0] = 2.0 * bath->temperature;
}

/* The only global symbol of this file. */
const struct bath_type bath_white = {
        .name = "white",
        .summary = "passive: white thermal noise",
        .settings = "stiffness=K (1) temperature=T (1)",
        .n_auxiliary = 0,
        .init = init,
        .transition = transition,
        .stationary = stationary,
        .reverse = reverse,
};
