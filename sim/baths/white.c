/*
 * The white, passive bath, dx = -x dt + sqrt(2) dW. It has no settings: stiffness and temperature are what the natural
 * units are made of.
 *
 *   x_t = e^(-t) x_0 + noise of variance 1 - e^(-2t), stationary variance 1
 *   reverse: dx = (x + 2 s) dtau + sqrt(2) dW with s the score
 */
#include <math.h>
#include <string.h>

#include "base/spec.h"
#include "protocols/bath.h"

static int init(struct bath *bath, struct spec *spec, struct err *err)
{
	(void)bath;
	(void)spec;
	(void)err;
	return 0;
}

static void transition(const struct bath *bath, double t, struct bath_law *law)
{
	(void)bath;
	memset(law, 0, sizeof(*law));
	law->map[0][0] = exp(-t);
	law->covariance[0][0] = -expm1(-2.0 * t);
}

static void stationary(const struct bath *bath, double covariance[BATH_DIMENSION][BATH_DIMENSION])
{
	(void)bath;
	memset(covariance, 0, BATH_DIMENSION * sizeof(*covariance));
	covariance[0][0] = 1.0;
}

static void reverse(const struct bath *bath, struct bath_reverse *reverse)
{
	(void)bath;
	memset(reverse, 0, sizeof(*reverse));
	reverse->drift[0][0] = 1.0;
	reverse->gain[0] = 2.0;
}

/* The only global symbol of this file. */
const struct bath_type bath_white = {
	.name = "white",
	.summary = "passive: white thermal noise",
	.settings = "",
	.n_auxiliary = 0,
	.init = init,
	.transition = transition,
	.stationary = stationary,
	.reverse = reverse,
};
