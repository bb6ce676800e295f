/*
 * Normal numbers for 32 replicas at once. Compiled for each block target.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) runs in every lane on the addresses of base/random.h; its words are
 * Random123's, bit for bit. Box and Muller then need ln u and the sine and cosine of a fraction of a turn:
 *
 *   ln u         u = 2^e m with m in [sqrt(1/2), sqrt 2); ln m = z - z^2/2 + z^3 P(z), z = m - 1, relative error 7e-9
 *   cos, sin     of (pi/2)(j + y), j the nearest quadrant and |y| <= 1/2: polynomials in y^2, error below 3e-8
 *
 * The polynomials are least-squares fits at Chebyshev nodes. The numbers agree with random_normals() to single
 * precision.
 */
#include "sim/engine_kernels.h"

#include <math.h>
#include <string.h>

#define PHILOX_ROUNDS 10
#define PHILOX_M0     0xD2511F53u
#define PHILOX_M1     0xCD9E8D57u
#define PHILOX_W0     0x9E3779B9u
#define PHILOX_W1     0xBB67AE85u

/** words[i][lane]: the four words of replicas first_replica … + 31 at one address. */
static void philox(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step, uint32_t block,
		   uint32_t words[4][LANES])
{
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

	for (uint32_t l = 0; l < LANES; l++) {
		words[0][l] = first_replica + l;
		words[1][l] = (uint32_t)step;
		words[2][l] = (uint32_t)stream << 24 | (block & 0xffffffu);
		words[3][l] = (uint32_t)(step >> 32);
	}
	for (int round = 0; round < PHILOX_ROUNDS; round++) {
		for (size_t l = 0; l < LANES; l++) {
			const uint64_t p0 = (uint64_t)PHILOX_M0 * words[0][l];
			const uint64_t p1 = (uint64_t)PHILOX_M1 * words[2][l];

			words[0][l] = (uint32_t)(p1 >> 32) ^ words[1][l] ^ k0;
			words[1][l] = (uint32_t)p1;
			words[2][l] = (uint32_t)(p0 >> 32) ^ words[3][l] ^ k1;
			words[3][l] = (uint32_t)p0;
		}
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
}

static inline float from_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline uint32_t to_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/** sqrt(-2 ln u) for u = (word + 1/2) / 2^32. */
static inline float radius(uint32_t word)
{
	/* In two halves, since a vector unit converts signed integers only. */
	const float u = ((float)(int32_t)(word >> 16) * 0x1p16f + ((float)(int32_t)(word & 0xffffu) + 0.5f)) * 0x1p-32f;
	/* 0x3f3504f3 is sqrt(1/2): the exponent steps there, so that m is near 1. */
	const uint32_t bits = to_bits(u);
	const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
	const float z = from_bits(bits - ((uint32_t)exponent << 23)) - 1.0f;
	float p = -0.0736286787f;

	p = p * z + 0.1262032749f;
	p = p * z - 0.1320210421f;
	p = p * z + 0.1422711404f;
	p = p * z - 0.1662136991f;
	p = p * z + 0.1999982657f;
	p = p * z - 0.2500085194f;
	p = p * z + 0.3333335405f;
	const float ln = z - z * z * (0.5f - z * p) + (float)exponent * 0.693147181f;
	/* Rounding may leave ln u a hair above zero. */
	const float square = -2.0f * ln;

	return sqrtf(square > 0.0f ? square : 0.0f);
}

/** Cosine and sine of 2 pi (word + 1/2) / 2^32. */
static inline void turn(uint32_t word, float *cosine, float *sine)
{
	const uint32_t quadrant = (word + 0x20000000u) >> 30;
	const float y = (float)(int32_t)(word << 2 | 2u) * 0x1p-32f;
	const float y2 = y * y;
	const float s = y * (1.570796322f + y2 * (-0.6459634782f + y2 * (0.0796802229f + y2 * -0.0046021631f)));
	const float c = 0.9999999724f + y2 * (-1.2336970108f + y2 * (0.2535986077f + y2 * -0.0204082555f));
	/* Odd quadrants swap the two; the signs follow the quadrant: + - - + for the cosine, + + - - for the sine. */
	const float first = quadrant & 1u ? s : c, second = quadrant & 1u ? c : s;

	*cosine = from_bits(to_bits(first) ^ ((quadrant + 1u) & 2u) << 30);
	*sine = from_bits(to_bits(second) ^ (quadrant & 2u) << 30);
}

static void normals(uint64_t seed, enum random_stream stream, uint32_t first_replica, uint64_t step, size_t n_variables,
		    float out[])
{
	uint32_t words[4][LANES];

	for (size_t v = 0; v < n_variables; v += 4) {
		philox(seed, stream, first_replica, step, (uint32_t)(v / 4), words);
		for (size_t half = 0; half < 4; half += 2) {
			float *a = out + (v + half) * LANES, *b = a + LANES;

			for (size_t l = 0; l < LANES; l++) {
				const float r = radius(words[half][l]);
				float cosine, sine;

				turn(words[half + 1][l], &cosine, &sine);
				a[l] = r * cosine;
				b[l] = r * sine;
			}
		}
	}
}

static void update(size_t n_variables, const float advance[], const float amplitude[], const float f[],
		   const float noise[], float x[])
{
	for (size_t v = 0; v < n_variables; v++)
		for (size_t l = 0; l < LANES; l++)
			x[v * LANES + l] += advance[v] * f[v * LANES + l] + amplitude[v] * noise[v * LANES + l];
}

extern const struct engine_kernels TARGET(engine_kernels_table);
const struct engine_kernels TARGET(engine_kernels_table) = {
#if defined KERNEL_AVX2
	.name = "avx2",
#else
	.name = "block",
#endif
	.normals = normals,
	.update = update,
};

#if !defined KERNEL_AVX2
#if defined JOSTLE_HAVE_AVX2
extern const struct engine_kernels engine_kernels_table_avx2;
#endif

const struct engine_kernels *const *engine_kernels_all(void)
{
	static const struct engine_kernels *const portable[] = {&engine_kernels_table_block, NULL};

#if defined JOSTLE_HAVE_AVX2
	static const struct engine_kernels *const all[] = {&engine_kernels_table_avx2, &engine_kernels_table_block,
							   NULL};
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return all;
#endif
	return portable;
}

const struct engine_kernels *engine_kernels_best(void)
{
	return engine_kernels_all()[0];
}
#endif
