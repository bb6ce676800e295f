#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[0] = "no error",
	[-JOSTLE_EINVAL] = "invalid argument",
	[-JOSTLE_ENOMEM] = "out of memory",
	[-JOSTLE_EIO] = "input or output failed",
	[-JOSTLE_ENOENT] = "not found",
	[-JOSTLE_EFORMAT] = "malformed",
	[-JOSTLE_EVERSION] = "unknown version",
	[-JOSTLE_ECHECKSUM] = "checksum mismatch",
	[-JOSTLE_ECONFIG] = "invalid configuration",
	[-JOSTLE_ENODEV] = "no such device",
	[-JOSTLE_EBUSY] = "busy",
	[-JOSTLE_EMISSED] = "missed sample edges",
	[-JOSTLE_ETRIP] = "tripped",
	[-JOSTLE_EINTR] = "interrupted",
	[-JOSTLE_EDIVERGED] = "diverged",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == 1 - JOSTLE_ERROR_LAST, "every error code has a name");

const char *err_name(int code)
{
	if (code > 0 || code < JOSTLE_ERROR_LAST)
		return "unknown error";
	return names[-code];
}

/** Errors quote files and clients, and go to a terminal: no control characters, of one byte or of two. */
static void make_plain(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
}

static int set(struct err *err, int code, const char *file, int line, int column, const char *format, va_list arguments)
{
	if (!err)
		return code;
	err->code = code;
	err->line = line;
	err->column = column;
	snprintf(err->file, sizeof(err->file), "%s", file ? file : "");
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	make_plain(err->text);
	return code;
}

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(err, code, NULL, 0, 0, format, arguments);
	va_end(arguments);
	return code;
}

int err_at(struct err *err, int code, const char *file, int line, int column, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(err, code, file, line, column, format, arguments);
	va_end(arguments);
	return code;
}

int err_context(struct err *err, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list arguments;

	if (!err)
		return JOSTLE_EINVAL;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(text))
		snprintf(text + length, sizeof(text) - (size_t)length, ": %s", err->text);
	memcpy(err->text, text, sizeof(text));
	make_plain(err->text);
	return err->code;
}

void err_format(const struct err *err, char *out, size_t size)
{
	const char *text = err->text[0] ? err->text : err_name(err->code);

	if (err->file[0] && err->line && err->column)
		snprintf(out, size, "%s:%d:%d: %s", err->file, err->line, err->column, text);
	else if (err->file[0] && err->line)
		snprintf(out, size, "%s:%d: %s", err->file, err->line, text);
	else if (err->file[0])
		snprintf(out, size, "%s: %s", err->file, text);
	else
		snprintf(out, size, "%s", text);
}
