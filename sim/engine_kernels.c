/*
 * Normal numbers for 32 replicas at once, and the step that uses them up. Compiled for each block target.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) runs in every lane on the addresses of base/random.h; its words are
 * Random123's, bit for bit. A round multiplies two words to 64 bits each and swaps the halves. Here a word stands in
 * the lower half of a 64-bit number and whatever was left above it is ignored by the next multiplication, so that half
 * the swaps cost nothing; even and odd replicas have vectors of their own, and four such chains run in turn, because
 * one alone would wait for its own multiplications.
 *
 * Box and Muller then need ln u, and the sine and cosine of 2 pi u:
 *
 *   -2 ln u      u = 2^e m with m in [sqrt(1/2), sqrt 2), z = m - 1; z (z Q(z) - 2) - 2 e ln 2, relative error 3e-8
 *   cos, sin     of pi (j + h), j the nearest half turn and |h| <= 1/2: polynomials in h^2, error below 5e-8
 *
 * The polynomials are minimax fits. The numbers agree with random_normals() to single precision.
 */
#include "sim/engine_kernels.h"

#include <math.h>
#include <string.h>
#if defined __SSE2__
#include <immintrin.h>
#endif

#include "protocols/lanes.h"

#define PHILOX_ROUNDS 10
#define PHILOX_M0     0xD2511F53u
#define PHILOX_M1     0xCD9E8D57u
#define PHILOX_W0     0x9E3779B9u
#define PHILOX_W1     0xBB67AE85u

#define CHAINS 4 /* [vector, next vector][even, odd] */

#define LOW  0x00000000ffffffffu
#define HIGH 0xffffffff00000000u

/* WIDTH / 2 numbers of 64 bits: the words of every second replica. */
typedef uint64_t words __attribute__((vector_size(WIDTH * sizeof(uint32_t)), may_alias));

/** The 64-bit product of the lower halves. */
static inline words product(words a, uint32_t m)
{
#if WIDTH == 16
	return (words)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(m));
#elif WIDTH == 8
	return (words)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(m));
#elif defined __SSE2__
	return (words)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(m));
#else
	return (a & LOW) * m;
#endif
}

/**
 * What the first two rounds know before the block of variables is known. In round one half of the products depend on the
 * replica alone and half on the block alone; in round two they have changed places.
 */
struct stream {
	uint32_t k0, k1, step_low, tag;
	words key[PHILOX_ROUNDS][2];   /* in both halves */
	words first[2][LANE_VECTORS];  /* [even, odd][vector]: M0 times the replica */
	words second[2][LANE_VECTORS]; /* M1 times what round one makes of it */
};

static inline uint64_t twice(uint32_t word)
{
	return (uint64_t)word << 32 | word;
}

static void stream_open(struct stream *stream, uint64_t seed, enum random_stream tag, uint32_t first_replica,
			uint64_t step)
{
	stream->k0 = (uint32_t)seed;
	stream->k1 = (uint32_t)(seed >> 32);
	stream->step_low = (uint32_t)step;
	stream->tag = (uint32_t)tag << 24;
	for (uint32_t round = 0; round < PHILOX_ROUNDS; round++) {
		stream->key[round][0] = (words){0} + twice(stream->k0 + round * PHILOX_W0);
		stream->key[round][1] = (words){0} + twice(stream->k1 + round * PHILOX_W1);
	}
	for (uint32_t odd = 0; odd < 2; odd++)
		for (uint32_t v = 0; v < LANE_VECTORS; v++) {
			words replica;

			for (uint32_t i = 0; i < WIDTH / 2; i++)
				replica[i] = first_replica + v * WIDTH + 2 * i + odd;
			const words p0 = product(replica, PHILOX_M0);

			stream->first[odd][v] = p0;
			stream->second[odd][v] = product(p0 >> 32 ^ (step >> 32) ^ stream->k1, PHILOX_M1);
		}
}

/** Rounds three to nine. */
static inline void middle_rounds(const struct stream *stream, words w[CHAINS][4])
{
#pragma GCC unroll 8
	for (uint32_t round = 2; round < PHILOX_ROUNDS - 1; round++)
#pragma GCC unroll 4
		for (uint32_t c = 0; c < CHAINS; c++) {
			const words p0 = product(w[c][0], PHILOX_M0), p1 = product(w[c][2], PHILOX_M1);

			w[c][0] = p1 >> 32 ^ (w[c][1] ^ stream->key[round][0]);
			w[c][1] = p1;
			w[c][2] = p0 >> 32 ^ (w[c][3] ^ stream->key[round][1]);
			w[c][3] = p0;
		}
}

/** The lower halves of `even` and the upper ones of `odd`. */
static inline words join(words even, words odd)
{
	return (even & LOW) | (odd & HIGH);
}

/** Round ten, which puts even and odd replicas side by side: [word], each at the place of its vector. */
static inline void last_round(const struct stream *stream, const words even[4], const words odd[4],
			      uint32_t out[4][LANES], size_t place)
{
	const words k0 = stream->key[PHILOX_ROUNDS - 1][0], k1 = stream->key[PHILOX_ROUNDS - 1][1];
	const words e0 = product(even[0], PHILOX_M0), e1 = product(even[2], PHILOX_M1);
	const words o0 = product(odd[0], PHILOX_M0), o1 = product(odd[2], PHILOX_M1);

	*(words *)(out[0] + place) = join(e1 >> 32 ^ even[1], o1 ^ odd[1] << 32) ^ k0;
	*(words *)(out[1] + place) = join(e1, o1 << 32);
	*(words *)(out[2] + place) = join(e0 >> 32 ^ even[3], o0 ^ odd[3] << 32) ^ k1;
	*(words *)(out[3] + place) = join(e0, o0 << 32);
}

/** out[i][lane]: the four words of 32 replicas for one block of variables. */
static inline void philox(const struct stream *stream, uint32_t block, uint32_t out[4][LANES])
{
	/* The halves of rounds one and two that all replicas share. */
	const uint64_t p1 = (uint64_t)PHILOX_M1 * (stream->tag | (block & 0xffffffu));
	const uint64_t p0 = (uint64_t)PHILOX_M0 * ((uint32_t)(p1 >> 32) ^ stream->step_low ^ stream->k0);
	const words w0 = stream->key[1][0] ^ (uint32_t)p1, w2 = stream->key[1][1] ^ p0 >> 32;
	const words w3 = (words){0} + (uint32_t)p0;

	for (uint32_t v = 0; v < LANE_VECTORS; v += CHAINS / 2) {
		words w[CHAINS][4];

		for (uint32_t c = 0; c < CHAINS; c++) {
			const words second = stream->second[c % 2][v + c / 2];

			w[c][0] = second >> 32 ^ w0;
			w[c][1] = second;
			w[c][2] = stream->first[c % 2][v + c / 2] ^ w2;
			w[c][3] = w3;
		}
		middle_rounds(stream, w);
		for (uint32_t c = 0; c < CHAINS; c += 2)
			last_round(stream, w[c], w[c + 1], out, (v + c / 2) * WIDTH);
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
	/* A vector unit converts signed numbers only: upper half of the range stand below zero. */
	const float u = (float)(int32_t)word * 0x1p-32f + ((int32_t)word < 0 ? 1.0f : 0x1p-33f);
	/* 0x3f3504f3 is sqrt(1/2): the exponent steps there, so that m is near 1. */
	const uint32_t bits = to_bits(u);
	const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
	const float z = from_bits(bits - ((uint32_t)exponent << 23)) - 1.0f;
	float q = -0.174694159f;

	q = q * z + 0.2861493188f;
	q = q * z - 0.2983599203f;
	q = q * z + 0.3314103331f;
	q = q * z - 0.3992414172f;
	q = q * z + 0.5000350982f;
	q = q * z - 0.666679005f;
	q = q * z + 0.9999998322f;
	/* Both parts are positive where m < 1, and u = 1 gives zero. */
	return sqrtf(z * (z * q - 2.0f) + (float)exponent * -1.386294361f);
}

/** radius times cosine and sine of 2 pi (word + 1/2) / 2^32. */
static inline void turn(uint32_t word, float radius, float *cosine, float *sine)
{
	/* An odd number of half turns changes both signs. */
	const float r = from_bits(to_bits(radius) ^ ((word + 0x40000000u) & 0x80000000u));
	const float h = (float)(int32_t)(word << 1) * 0x1p-32f;
	const float h2 = h * h;
	float s = 0.07722012761f, c = 0.2196967928f;

	s = s * h2 - 0.5980451734f;
	s = s * h2 + 2.550031377f;
	s = s * h2 - 5.167706879f;
	s = s * h2 + 3.14159258f;
	c = c * h2 - 1.331880158f;
	c = c * h2 + 4.058411914f;
	c = c * h2 - 4.934792859f;
	c = c * h2 + 0.9999999535f;
	*cosine = r * c;
	*sine = r * h * s;
}

/** Four variables of 32 replicas. */
static inline void four_normals(const struct stream *stream, uint32_t block, float out[4 * LANES])
{
	uint32_t word[4][LANES] __attribute__((aligned(64)));

	philox(stream, block, word);
	for (size_t half = 0; half < 4; half += 2) {
		float *a = out + half * LANES, *b = a + LANES;

#pragma GCC ivdep /* a and b are different rows */
		for (size_t l = 0; l < LANES; l++)
			turn(word[half + 1][l], radius(word[half][l]), &a[l], &b[l]);
	}
}

static void words_at(uint64_t seed, enum random_stream tag, uint32_t first_replica, uint64_t step, uint32_t block,
		     uint32_t out[4][LANES])
{
	struct stream stream;
	uint32_t word[4][LANES] __attribute__((aligned(64)));

	stream_open(&stream, seed, tag, first_replica, step);
	philox(&stream, block, word);
	memcpy(out, word, sizeof(word));
}

static void normals(uint64_t seed, enum random_stream tag, uint32_t first_replica, uint64_t step, size_t n_variables,
		    float out[])
{
	struct stream stream;

	stream_open(&stream, seed, tag, first_replica, step);
	for (size_t v = 0; v < n_variables; v += 4)
		four_normals(&stream, (uint32_t)(v / 4), out + v * LANES);
}

static void kick(uint64_t seed, enum random_stream tag, uint32_t first_replica, uint64_t step, size_t n_variables,
		 const float advance[], const float amplitude[], const float f[], float x[])
{
	float noise[4 * LANES] __attribute__((aligned(64)));
	struct stream stream;

	stream_open(&stream, seed, tag, first_replica, step);
	for (size_t v = 0; v < n_variables; v += 4) {
		const size_t last = n_variables - v < 4 ? n_variables : v + 4;

		four_normals(&stream, (uint32_t)(v / 4), noise);
		for (size_t i = v; i < last; i++)
#pragma GCC ivdep /* x is not f */
			for (size_t l = 0; l < LANES; l++)
				x[i * LANES + l] +=
					advance[i] * f[i * LANES + l] + amplitude[i] * noise[(i - v) * LANES + l];
	}
}

extern const struct engine_kernels TARGET(engine_kernels_table);
const struct engine_kernels TARGET(engine_kernels_table) = {
	.name = TARGET_NAME,
	.words = words_at,
	.normals = normals,
	.kick = kick,
};
