/*
 * Box and Muller: u1, u2 uniform on (0, 1); sqrt(-2 ln u1) (cos, sin)(2 pi u2) are two independent normals.
 * With u1 >= 2^-33 the largest value is 6.76, beyond what a run of 10^11 normals would show.
 */
#include "base/random.h"

#include <math.h>

#include <Random123/philox.h>

void random_words(uint64_t seed, enum random_stream stream, uint32_t replica, uint64_t step, uint32_t block,
		  uint32_t words[4])
{
	const philox4x32_ctr_t counter = {
		{replica, (uint32_t)step, (uint32_t)stream << 24 | (block & 0xffffffu), (uint32_t)(step >> 32)}};
	const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
	const philox4x32_ctr_t out = philox4x32(counter, key);

	for (int i = 0; i < 4; i++)
		words[i] = out.v[i];
}

void random_uniforms(uint64_t seed, enum random_stream stream, uint32_t replica, uint64_t step, uint32_t block,
		     double uniforms[4])
{
	uint32_t words[4];

	random_words(seed, stream, replica, step, block, words);
	for (int i = 0; i < 4; i++)
		uniforms[i] = ((double)words[i] + 0.5) * 0x1p-32;
}

void random_normals(uint64_t seed, enum random_stream stream, uint32_t replica, uint64_t step, uint32_t block,
		    double normals[4])
{
	double u[4];

	random_uniforms(seed, stream, replica, step, block, u);
	for (int i = 0; i < 4; i += 2) {
		const double radius = sqrt(-2.0 * log(u[i]));
		const double angle = 2.0 * M_PI * u[i + 1];

		normals[i] = radius * cos(angle);
		normals[i + 1] = radius * sin(angle);
	}
}

uint64_t random_subseed(uint64_t seed, uint64_t part)
{
	uint32_t words[4];

	random_words(seed, 0, (uint32_t)part, part >> 32, 0, words);
	return (uint64_t)words[0] | (uint64_t)words[1] << 32;
}
