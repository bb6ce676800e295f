#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static void put(const char *kind, const char *format, va_list arguments)
{
	char line[2048];

	vsnprintf(line, sizeof(line), format, arguments);
	fprintf(stderr, "jostle: %s%s\n", kind, line);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put("", format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put("warning: ", format, arguments);
	va_end(arguments);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put("error: ", format, arguments);
	va_end(arguments);
}
