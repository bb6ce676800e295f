#ifndef JOSTLE_YAML_SCALAR_H
#define JOSTLE_YAML_SCALAR_H
/*
 * For yaml_check.c only: the spelling of one value.
 */
#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * Whether `text`, `length` bytes and a NUL, is a value of the schema's type and range; writes what was expected, in
 * words. Call from: setup.
 */
bool yaml_scalar_fits(const cyaml_schema_value_t *schema, const char *text, size_t length, char *expected,
		      size_t expected_size);

#endif
