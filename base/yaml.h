#ifndef JOSTLE_YAML_H
#define JOSTLE_YAML_H
/*
 * Configuration files: libcyaml with a schema, its errors turned into file, line, column and sentence.
 */
#include <cyaml/cyaml.h>
#include <stddef.h>

struct err;

/**
 * Read a file of at most 1 MiB, check it against `schema` (a pointer to a mapping), and give the document.
 * *text, when text is not NULL, is the file verbatim. The caller frees with yaml_free() and free().
 * A field that is unknown, missing or given twice, and a value of a wrong type, spelling or length, is an error that names
 * file, line, column and field. Numbers are decimal and finite; aliases and further documents are refused.
 * Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_ECONFIG. Call from: setup.
 */
int yaml_load(const char *path, const cyaml_schema_value_t *schema, void **document, char **text, struct err *err);

/* libyaml exports a yaml_free of its own and calls it through the linker, which would find ours: hence another symbol. */
#define yaml_free jostle_yaml_free

/** The same for a text that is in memory already; `origin` stands for the file in errors. Call from: setup. */
int yaml_parse(const char *origin, const char *text, const cyaml_schema_value_t *schema, void **document,
	       struct err *err);

/** Free what yaml_load() or yaml_parse() gave. NULL is allowed. Call from: setup. */
void yaml_free(const cyaml_schema_value_t *schema, void *document);

/** Read a whole file as text. Errors: JOSTLE_ENOENT, JOSTLE_EIO, JOSTLE_EFORMAT (too long, or holds NUL). Call from: setup. */
int read_text_file(const char *path, size_t max_size, char **text, struct err *err);

#endif
