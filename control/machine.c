#include "control/machine.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void format_path(char path[MACHINE_PATH], const char *root, const char *format, va_list arguments)
{
	const int length = snprintf(path, MACHINE_PATH, "%s/", root ? root : "");

	if (length < MACHINE_PATH)
		vsnprintf(path + length, MACHINE_PATH - (size_t)length, format, arguments);
}

void machine_path(char path[MACHINE_PATH], const char *root, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_path(path, root, format, arguments);
	va_end(arguments);
}

bool machine_line(char *line, size_t size, const char *root, const char *format, ...)
{
	char path[MACHINE_PATH];
	va_list arguments;

	va_start(arguments, format);
	format_path(path, root, format, arguments);
	va_end(arguments);
	FILE *file = fopen(path, "re");
	const bool read = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	if (!read)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return read;
}

bool machine_field(char *value, size_t size, const char *root, const char *name, const char *key)
{
	char path[MACHINE_PATH], line[512];
	bool found = false;

	machine_path(path, root, "%s", name);
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, key, strlen(key)) == 0;
	if (file)
		fclose(file);
	snprintf(value, size, "%s", found ? line + strlen(key) + strspn(line + strlen(key), ": \t") : "");
	value[strcspn(value, "\n")] = '\0';
	return found;
}

bool machine_cpu_listed(const char *list, size_t cpu)
{
	while (isdigit((unsigned char)*list)) {
		char *end;
		const unsigned long first = strtoul(list, &end, 10);
		unsigned long last = first;

		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (cpu >= first && cpu <= last)
			return true;
		list = end + (*end == ',');
	}
	return false;
}
