/* Conformance of every bath in the registry, with its defaults: the laws that any linear Gaussian process keeps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "protocols/bath.h"

#define D BATH_DIMENSION

static const double times[] = {1e-8, 1e-3, 0.3, 2.0, 50.0};
#define N_TIMES (sizeof(times) / sizeof(times[0]))

/** Every bath by its name alone. */
static struct bath bath_at(size_t i)
{
	struct bath bath;
	struct err err = {0};

	if (bath_init(&bath, bath_registry[i]->name, &err))
		fail_msg("%s", err.text);
	return bath;
}

static size_t dimension(const struct bath *bath)
{
	return 1 + bath->type->n_auxiliary;
}

/** c = a b, or a transposed(b). */
static void multiply(double a[D][D], double b[D][D], int transposed, double c[D][D])
{
	for (size_t i = 0; i < D; i++)
		for (size_t j = 0; j < D; j++) {
			c[i][j] = 0.0;
			for (size_t k = 0; k < D; k++)
				c[i][j] += a[i][k] * (transposed ? b[j][k] : b[k][j]);
		}
}

/** The covariance after a transition that starts with `before`: map before map^T + noise. */
static void carry(struct bath_law *law, double before[D][D], double after[D][D])
{
	double half[D][D];

	multiply(law->map, before, 0, half);
	multiply(half, law->map, 1, after);
	for (size_t i = 0; i < D; i++)
		for (size_t j = 0; j < D; j++)
			after[i][j] += law->covariance[i][j];
}

static void assert_close(const struct bath *bath, const char *what, double a[D][D], double b[D][D], double relative,
			 double absolute)
{
	for (size_t i = 0; i < D; i++)
		for (size_t j = 0; j < D; j++)
			if (!(fabs(a[i][j] - b[i][j]) <= absolute + relative * fmax(fabs(a[i][j]), fabs(b[i][j]))))
				fail_msg("%s, %s: [%zu][%zu] is %.17g, should be %.17g", bath->type->name, what, i, j,
					 a[i][j], b[i][j]);
}

/* catches: a law with a wrong rate, or noise of the wrong variance at any duration; cancellation at short times */
static void transitions_compose(void **state)
{
	(void)state;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath bath = bath_at(i);

		for (size_t first = 0; first < N_TIMES; first++)
			for (size_t second = 0; second < N_TIMES; second++) {
				struct bath_law one, two, both;
				double map[D][D], covariance[D][D];

				bath.type->transition(&bath, times[first], &one);
				bath.type->transition(&bath, times[second], &two);
				bath.type->transition(&bath, times[first] + times[second], &both);
				multiply(two.map, one.map, 0, map);
				carry(&two, one.covariance, covariance);
				assert_close(&bath, "map", map, both.map, 1e-12, 0.0);
				assert_close(&bath, "covariance", covariance, both.covariance, 1e-12, 0.0);
			}
	}
}

/* catches: a transition that moves something in no time, or writes to a variable that the bath does not have */
static void no_time_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath bath = bath_at(i);
		double identity[D][D] = {{0}}, zero[D][D] = {{0}};
		struct bath_law law;

		for (size_t d = 0; d < dimension(&bath); d++)
			identity[d][d] = 1.0;
		bath.type->transition(&bath, 0.0, &law);
		assert_close(&bath, "map", law.map, identity, 0.0, 0.0);
		assert_close(&bath, "covariance", law.covariance, zero, 0.0, 0.0);
	}
}

/* catches: a prior that is not where noising ends, numbers that overflow on the way there */
static void long_times_reach_the_stationary_law(void **state)
{
	static const double long_times[] = {1e3, 1e9, 1e300};

	(void)state;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath bath = bath_at(i);
		double stationary[D][D], zero[D][D] = {{0}};
		struct bath_law law;

		bath.type->stationary(&bath, stationary);
		for (size_t t = 0; t < sizeof(long_times) / sizeof(long_times[0]); t++) {
			bath.type->transition(&bath, long_times[t], &law);
			assert_close(&bath, "map", law.map, zero, 0.0, 1e-300);
			assert_close(&bath, "covariance", law.covariance, stationary, 1e-12, 0.0);
		}
	}
}

/* catches: a stationary law that the process itself drives away from, or that no score belongs to */
static void the_stationary_law_is_a_law_and_stays(void **state)
{
	(void)state;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath bath = bath_at(i);
		double c[D][D], after[D][D];
		struct bath_law law;

		bath.type->stationary(&bath, c);
		assert_true(c[0][0] > 0.0 && c[0][1] == c[1][0]);
		assert_true(bath.type->n_auxiliary == 0 || c[0][0] * c[1][1] - c[0][1] * c[0][1] > 0.0);
		for (size_t t = 0; t < N_TIMES; t++) {
			bath.type->transition(&bath, times[t], &law);
			carry(&law, c, after);
			assert_close(&bath, "stationary", after, c, 1e-12, 0.0);
		}
	}
}

/** The reverse drift and the noise intensity that the forward transition has over a short time, to order h^2. */
static void generator(const struct bath *bath, double drift[D][D], double intensity[D][D])
{
	const double h = 1e-5;
	struct bath_law once, twice;

	bath->type->transition(bath, h, &once);
	bath->type->transition(bath, 2.0 * h, &twice);
	for (size_t i = 0; i < D; i++)
		for (size_t j = 0; j < D; j++) {
			const double one = i == j && i < dimension(bath) ? 1.0 : 0.0;

			drift[i][j] = (4.0 * (one - once.map[i][j]) - (one - twice.map[i][j])) / (2.0 * h);
			intensity[i][j] = (4.0 * once.covariance[i][j] - twice.covariance[i][j]) / (2.0 * h);
		}
}

/* catches: a reverse process with a sign, a factor 2 or a variable of another process than the one that noises */
static void the_reverse_turns_the_forward_drift_and_keeps_its_noise(void **state)
{
	(void)state;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath bath = bath_at(i);
		double drift[D][D], intensity[D][D], gain[D][D] = {{0}};
		struct bath_reverse reverse;

		generator(&bath, drift, intensity);
		bath.type->reverse(&bath, &reverse);
		for (size_t d = 0; d < D; d++)
			gain[d][d] = reverse.gain[d];
		assert_close(&bath, "drift", reverse.drift, drift, 1e-6, 1e-6);
		assert_close(&bath, "gain", gain, intensity, 1e-6, 1e-6);
	}
}

/*
 * With s = -C^-1 z the reverse process is linear, dz = M z dtau + noise G, M = drift - G C^-1, and C stays when
 * M C + C M^T + G = drift C + C drift^T - G = 0: no inverse is needed, so that T_p = 0 is no exception.
 *
 * catches: a drift and a gain that do not belong together, or to the prior that generation starts from
 */
static void the_reverse_with_the_exact_score_leaves_the_stationary_law(void **state)
{
	(void)state;
	for (size_t i = 0; bath_registry[i]; i++) {
		const struct bath bath = bath_at(i);
		double c[D][D], forth[D][D], back[D][D], sum[D][D], gain[D][D] = {{0}};
		struct bath_reverse reverse;

		bath.type->stationary(&bath, c);
		bath.type->reverse(&bath, &reverse);
		multiply(reverse.drift, c, 0, forth);
		multiply(c, reverse.drift, 1, back);
		for (size_t d = 0; d < D; d++) {
			gain[d][d] = reverse.gain[d];
			for (size_t e = 0; e < D; e++)
				sum[d][e] = forth[d][e] + back[d][e];
		}
		assert_close(&bath, "drift C + C drift^T", sum, gain, 1e-12, 1e-12);
	}
}

/* catches: a setting that nobody reads, taken in silence */
static void settings_that_a_bath_does_not_have_are_refused(void **state)
{
	static const char *const more[] = {"nonsense=1", "stiffness", "=", "x=nan"};

	(void)state;
	for (size_t i = 0; bath_registry[i]; i++)
		for (size_t m = 0; m < sizeof(more) / sizeof(more[0]); m++) {
			struct bath bath;
			struct err err = {0};
			char spec[128];

			snprintf(spec, sizeof(spec), "%s %s", bath_registry[i]->name, more[m]);
			assert_int_equal(bath_init(&bath, spec, &err), JOSTLE_ECONFIG);
			assert_true(err.text[0]);
		}
}

/* catches: a white bath at another temperature, which learning would know nothing of: its units are its own */
static void the_white_bath_has_no_temperature_or_stiffness_of_its_own(void **state)
{
	struct bath bath;
	struct err err = {0};

	(void)state;
	assert_int_equal(bath_init(&bath, "white temperature=4", &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "temperature"));
	assert_int_equal(bath_init(&bath, "white stiffness=2", &err), JOSTLE_ECONFIG);
	assert_non_null(strstr(err.text, "stiffness"));
	assert_int_equal(bath_init(&bath, "red", &err), JOSTLE_ENOENT);
	assert_non_null(strstr(err.text, "white"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transitions_compose),
		cmocka_unit_test(no_time_changes_nothing),
		cmocka_unit_test(long_times_reach_the_stationary_law),
		cmocka_unit_test(the_stationary_law_is_a_law_and_stays),
		cmocka_unit_test(the_reverse_turns_the_forward_drift_and_keeps_its_noise),
		cmocka_unit_test(the_reverse_with_the_exact_score_leaves_the_stationary_law),
		cmocka_unit_test(settings_that_a_bath_does_not_have_are_refused),
		cmocka_unit_test(the_white_bath_has_no_temperature_or_stiffness_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
