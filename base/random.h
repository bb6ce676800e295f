#ifndef JOSTLE_RANDOM_H
#define JOSTLE_RANDOM_H
/*
 * Random streams: counter-based (Philox4x32-10, Salmon et al. 2011, from Random123), so that a number depends only on
 * its address and never on the order, thread or rank that asked for it.
 *
 * An address is (seed, stream, replica, step, variable). One Philox block serves four consecutive variables of one
 * replica at one step. The counter is {replica, step low, stream << 24 | variable / 4, step high}; the key is the seed.
 */
#include <stdint.h>

#include "base/rt.h"

enum random_stream {
	RANDOM_PRIOR = 1,     /* where generation starts */
	RANDOM_BATH = 2,      /* thermal noise */
	RANDOM_DATA = 3,      /* which datum, and a target's own draw */
	RANDOM_NOISING = 4,   /* the forward process of training */
	RANDOM_HELD_DATA = 5, /* the same two, held out */
	RANDOM_HELD_NOISING = 6,
	RANDOM_FEATURES = 7,  /* random features of an energy term */
	RANDOM_SENSOR = 8,    /* plant: sensor noise */
	RANDOM_JITTER = 9,    /* plant: actuation jitter */
	RANDOM_DRIFT = 10,    /* plant: drift of offset and temperature */
	RANDOM_REFERENCE = 11 /* metrics: exact draws for floors */
};

/** Four uniform 32-bit words at an address; `block` is variable / 4, below 2^24. RT_SAFE. Call from: any. */
RT_SAFE void random_words(uint64_t seed, enum random_stream stream, uint32_t replica, uint64_t step, uint32_t block,
			  uint32_t words[4]);

/** Four uniform numbers in (0, 1), 2^-32 apart and never 0 or 1. RT_SAFE. Call from: any. */
RT_SAFE void random_uniforms(uint64_t seed, enum random_stream stream, uint32_t replica, uint64_t step, uint32_t block,
			     double uniforms[4]);

/**
 * Four standard normal numbers by Box and Muller, in double precision. RT_SAFE. Call from: any.
 * The ensemble's single-precision generator draws from the same words and agrees to its rounding.
 */
RT_SAFE void random_normals(uint64_t seed, enum random_stream stream, uint32_t replica, uint64_t step, uint32_t block,
			    double normals[4]);

/** A seed for a sub-task, so that two parts of one run never share a stream. Call from: any. */
RT_SAFE uint64_t random_subseed(uint64_t seed, uint64_t part);

#endif
