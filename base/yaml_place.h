#ifndef JOSTLE_YAML_PLACE_H
#define JOSTLE_YAML_PLACE_H
/*
 * Where a field stands in a configuration file: a value that has the right type but can't be is found after libcyaml has
 * let go of the lines, so the text is read once more, only then.
 */
struct err;

/**
 * Refuse a field: JOSTLE_ECONFIG with the file, the line and column of `field` in `text`, and "field: …".
 * `field` is a path as "sensor.gain_V_per_m[1]"; where it is not in the text the place is that of the nearest part of it
 * that is. Returns JOSTLE_ECONFIG. Call from: setup.
 */
int yaml_refuse(struct err *err, const char *file, const char *text, const char *field, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
