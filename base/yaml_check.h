#ifndef JOSTLE_YAML_CHECK_H
#define JOSTLE_YAML_CHECK_H
/*
 * For yaml.c only: a document against its schema, more strictly than libcyaml does and with a place for every error.
 */
#include <cyaml/cyaml.h>

struct err;

/** Errors: JOSTLE_ECONFIG with line, column, field, expected and found. Call from: setup. */
int yaml_check(const char *path, const char *text, const cyaml_schema_value_t *schema, struct err *err);

#endif
