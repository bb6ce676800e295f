/*
 * Colours that the eye can trust.
 *
 * The maps are curves in OKLab (B. Ottosson, "A perceptual color space for image processing", 2020), where equal
 * distances look about equal; lightness L is linear in the value, so that a map also reads in grey.
 *
 *   sequential  L from 0.27 to 0.92, hue from 305 to 110 degrees (violet, blue, green, yellow), chroma the quadratic
 * Bézier curve (0.13, 0.06, 0.15): that dip holds the greens inside sRGB, and keeps the speed along the curve within 4
 * % below and 11 % above its mean diverging   L from 0.97 in the middle to 0.50 at both ends, hue 250 (blue) below and
 * 40 (vermilion) above
 *
 * The palette is M. Okabe and K. Ito, "Color Universal Design", 2008, ordered so that the first seven stand out on
 * white.
 */
#include "learning/figure.h"

#include <math.h>

static const struct figure_colour palette[FIGURE_N_PALETTE] = {
	{0.000, 0.447, 0.698}, /* blue */
	{0.835, 0.369, 0.000}, /* vermilion */
	{0.000, 0.620, 0.451}, /* bluish green */
	{0.800, 0.475, 0.655}, /* reddish purple */
	{0.902, 0.624, 0.000}, /* orange */
	{0.337, 0.706, 0.914}, /* sky blue */
	{0.000, 0.000, 0.000}, /* black */
	{0.941, 0.894, 0.259}, /* yellow */
};

/* A colour that the map itself does not have. */
static const struct figure_colour gap[FIGURE_N_MAPS] = {
	[FIGURE_SEQUENTIAL] = {1.0, 1.0, 1.0},
	[FIGURE_DIVERGING] = {0.78, 0.78, 0.78},
	[FIGURE_GREY] = {0.337, 0.706, 0.914},
};

/** From linear light to the sRGB code value, clamped. */
static double encode(double linear)
{
	if (linear <= 0.0)
		return 0.0;
	if (linear <= 0.0031308)
		return 12.92 * linear;
	return fmin(1.0, 1.055 * pow(linear, 1.0 / 2.4) - 0.055);
}

static struct figure_colour from_oklch(double lightness, double chroma, double hue_degrees)
{
	const double a = chroma * cos(hue_degrees * (M_PI / 180.0)), b = chroma * sin(hue_degrees * (M_PI / 180.0));
	double l = lightness + 0.3963377774 * a + 0.2158037573 * b;
	double m = lightness - 0.1055613458 * a - 0.0638541728 * b;
	double s = lightness - 0.0894841775 * a - 1.2914855480 * b;

	l = l * l * l;
	m = m * m * m;
	s = s * s * s;
	return (struct figure_colour){
		.red = encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
		.green = encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
		.blue = encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s),
	};
}

static struct figure_colour sequential(double u)
{
	const double v = 1.0 - u;

	return from_oklch(0.27 + 0.65 * u, 0.13 * v * v + 2.0 * 0.06 * u * v + 0.15 * u * u, 305.0 - 195.0 * u);
}

static struct figure_colour diverging(double u)
{
	const double distance = fabs(2.0 * u - 1.0);

	return from_oklch(0.97 - 0.47 * distance, 0.14 * distance, u < 0.5 ? 250.0 : 40.0);
}

struct figure_colour figure_map_colour(enum figure_map map, double u)
{
	if (isnan(u))
		return gap[map];
	u = fmin(fmax(u, 0.0), 1.0);
	switch (map) {
	case FIGURE_SEQUENTIAL:
		return sequential(u);
	case FIGURE_DIVERGING:
		return diverging(u);
	case FIGURE_GREY:
		break;
	}
	return (struct figure_colour){u, u, u};
}

struct figure_colour figure_palette(size_t index)
{
	return palette[index % FIGURE_N_PALETTE];
}
