#include "base/yaml_place.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/err.h"

/** The value of `key` in a mapping, its key's place in *mark; NULL when there is none. */
static yaml_node_t *child_by_key(yaml_document_t *document, const yaml_node_t *node, const char *key, size_t length,
				 yaml_mark_t *mark)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(document, pair->key);

		if (name && name->type == YAML_SCALAR_NODE && name->data.scalar.length == length &&
		    memcmp(name->data.scalar.value, key, length) == 0) {
			*mark = name->start_mark;
			return yaml_document_get_node(document, pair->value);
		}
	}
	return NULL;
}

static yaml_node_t *child_by_index(yaml_document_t *document, const yaml_node_t *node, size_t index, yaml_mark_t *mark)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	const yaml_node_item_t *items = node->data.sequence.items.start;
	if (index >= (size_t)(node->data.sequence.items.top - items))
		return NULL;
	yaml_node_t *child = yaml_document_get_node(document, items[index]);
	if (child)
		*mark = child->start_mark;
	return child;
}

/** Follow the path as far as it goes; *mark ends at the last part that was found. */
static void follow(yaml_document_t *document, const char *path, yaml_mark_t *mark)
{
	yaml_node_t *node = yaml_document_get_root_node(document);

	while (node && *path) {
		if (*path == '[') {
			char *end;

			node = child_by_index(document, node, strtoul(path + 1, &end, 10), mark);
			path = *end ? end + 1 : end;
		} else {
			path += *path == '.';
			const size_t length = strcspn(path, ".[");

			node = child_by_key(document, node, path, length, mark);
			path += length;
		}
	}
}

static yaml_mark_t place(const char *text, const char *path)
{
	yaml_parser_t parser;
	yaml_document_t document;
	yaml_mark_t mark = {0};

	if (!yaml_parser_initialize(&parser))
		return mark;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	if (yaml_parser_load(&parser, &document)) {
		follow(&document, path, &mark);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return mark;
}

int yaml_refuse(struct err *err, const char *file, const char *text, const char *field, const char *format, ...)
{
	const yaml_mark_t mark = place(text, field);
	char what[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return err_at(err, JOSTLE_ECONFIG, file, (int)mark.line + 1, (int)mark.column + 1, "%s: %s", field, what);
}
