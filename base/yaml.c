#include "base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/yaml_check.h"

#define MAX_FILE_SIZE (1 << 20)

/** What libcyaml logs of one error: the sentence, then from the inside out where it is. */
struct cyaml_error {
	char sentence[300], field[100];
	int line, column;
};

static void take_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
	struct cyaml_error *error = context;
	char text[400], field[100];
	int line, column;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	const char *sentence = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
	if (sscanf(sentence, " in mapping field '%99[^']' (line: %d, column: %d)", field, &line, &column) == 3) {
		if (!error->line) {
			memcpy(error->field, field, sizeof(field));
			error->line = line;
			error->column = column;
		}
	} else if (!error->sentence[0] && strcmp(sentence, "Backtrace:") != 0) {
		snprintf(error->sentence, sizeof(error->sentence), "%s", sentence);
	}
}

static const cyaml_config_t cyaml_base = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	.flags = CYAML_CFG_NO_ALIAS,
};

int yaml_parse(const char *origin, const char *text, const cyaml_schema_value_t *schema, void **document,
	       struct err *err)
{
	struct cyaml_error error = {0};
	cyaml_config_t config = cyaml_base;

	*document = NULL;
	const int code = yaml_check(origin, text, schema, err);
	if (code)
		return code;
	config.log_fn = take_log;
	config.log_ctx = &error;
	const cyaml_err_t result =
		cyaml_load_data((const uint8_t *)text, strlen(text), &config, schema, document, NULL);
	if (result == CYAML_OK)
		return 0;
	*document = NULL;
	return err_at(err, result == CYAML_ERR_OOM ? JOSTLE_ENOMEM : JOSTLE_ECONFIG, origin, error.line, error.column,
		      "%s%s%s", error.field, error.field[0] ? ": " : "",
		      error.sentence[0] ? error.sentence : cyaml_strerror(result));
}

int yaml_load(const char *path, const cyaml_schema_value_t *schema, void **document, char **text, struct err *err)
{
	char *fresh;

	*document = NULL;
	if (text)
		*text = NULL;
	int code = read_text_file(path, MAX_FILE_SIZE, &fresh, err);
	if (code == JOSTLE_EFORMAT && err)
		code = err->code = JOSTLE_ECONFIG;
	if (code)
		return code;
	code = yaml_parse(path, fresh, schema, document, err);
	if (text && !code)
		*text = fresh;
	else
		free(fresh);
	return code;
}

void yaml_free(const cyaml_schema_value_t *schema, void *document)
{
	if (document)
		cyaml_free(&cyaml_base, schema, document, 0);
}

int read_text_file(const char *path, size_t max_size, char **text, struct err *err)
{
	struct stat status;
	char *fresh = NULL;
	size_t size = 0;
	int code;

	*text = NULL;
	/* Not blocking, so that a pipe in a file's place is refused and not waited for. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_at(err, errno == ENOENT || errno == ENOTDIR ? JOSTLE_ENOENT : JOSTLE_EIO, path, 0, 0,
			      "cannot be read: %s", strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		code = err_at(err, JOSTLE_EIO, path, 0, 0, "expected a file, found %s",
			      S_ISDIR(status.st_mode) ? "a directory" : "a pipe or device");
		goto fail;
	}
	if (status.st_size < 0 || (uint64_t)status.st_size > max_size) {
		code = err_at(err, JOSTLE_EFORMAT, path, 0, 0, "expected at most %zu bytes, found %lld", max_size,
			      (long long)status.st_size);
		goto fail;
	}
	const size_t expected = (size_t)status.st_size;
	fresh = malloc(expected + 1);
	if (!fresh) {
		code = err_at(err, JOSTLE_ENOMEM, path, 0, 0, "no memory for %zu bytes", expected);
		goto fail;
	}
	while (size < expected) {
		const ssize_t n = read(fd, fresh + size, expected - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			code = err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be read: %s", strerror(errno));
			goto fail;
		}
		if (n == 0)
			break;
		size += (size_t)n;
	}
	fresh[size] = '\0';
	if (memchr(fresh, '\0', size)) {
		code = err_at(err, JOSTLE_EFORMAT, path, 0, 0, "expected text, found a NUL byte");
		goto fail;
	}
	close(fd);
	*text = fresh;
	return 0;
fail:
	free(fresh);
	close(fd);
	return code;
}
