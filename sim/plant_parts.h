#ifndef JOSTLE_PLANT_PARTS_H
#define JOSTLE_PLANT_PARTS_H
/*
 * The plant's parts, each a file of its own: outputs to forces (plant_outputs.c), motion (plant_motion.c), motion to
 * inputs (plant_inputs.c), what is wrong with them (plant_faults.c). For plant.c and each other only.
 */
#include <math.h>

#include "sim/plant.h"

RT_SAFE static inline double plant_clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/** The volts a converter makes of a value: clipped to its range and put on its grid. RT_SAFE. Call from: any. */
RT_SAFE static inline double plant_convert(const struct plant_converter *converter, double value_V)
{
	if (converter->range_V <= 0.0)
		return value_V;
	if (converter->bits == 0)
		return plant_clamp(value_V, -converter->range_V, converter->range_V);
	const double half = (double)(UINT64_C(1) << (converter->bits - 1)); /* codes -half … half - 1 */
	const double code = plant_clamp(value_V / converter->range_V * half, -half, half - 1.0);

	/* To the nearest, ties to even: adding 1.5 * 2^52 leaves no room for a fraction. */
	return ((code + 0x1.8p52) - 0x1.8p52) * (converter->range_V / half);
}

/** Divide the period where something happens: sub-steps, latches that come into effect, the sensor's window. */
RT_SAFE void plant_divide_period(struct plant *plant);

/** Integrate one period. RT_SAFE. Call from: any. */
RT_SAFE void plant_move(struct plant *plant);

/** Convert out_V and put it into the history as edge plant->edge. RT_SAFE. Call from: any. */
RT_SAFE void plant_latch_outputs(struct plant *plant, const double out_V[]);

/** Convert the parameters' volts anew: stuck ones put out something before any volts are written. RT_SAFE. */
RT_SAFE void plant_convert_parameters(struct plant *plant);

/** Bring forces and parameters to what the latch of `edge` says, over a segment of natural length h. */
RT_SAFE void plant_apply_latch(struct plant *plant, uint64_t edge, double h);

/** The force of whatever bends the potential: device parameters, intrinsic terms, couplings. f[n_sites] is set. */
RT_SAFE void plant_bending_force(const struct plant *plant, const double x[], double f[]);

/** Bring the wires to what the faults at this edge make of them. True when a wire changed. RT_SAFE. Call from: any. */
RT_SAFE bool plant_update_faults(struct plant *plant);

/** Let offsets and temperature drift by one period. RT_SAFE. Call from: any. */
RT_SAFE void plant_drift_on(struct plant *plant);

/** Read every input. in_V[n_in]. RT_SAFE. Call from: any. */
RT_SAFE void plant_read_inputs(struct plant *plant, double in_V[]);

#endif
