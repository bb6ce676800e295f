#ifndef JOSTLE_MACHINE_H
#define JOSTLE_MACHINE_H
/*
 * What the kernel says of itself in text files below /proc, /sys and /dev, for the doctor's checks.
 *
 * `root` is where these three are: NULL for the machine's own, a folder with copies for a test.
 */
#include <stdbool.h>
#include <stddef.h>

#define MACHINE_PATH 512

/** Write the path of a file or folder, "proc/swaps", below `root`. Call from: setup. */
void machine_path(char path[MACHINE_PATH], const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The first line of a file, without its newline; false, and "", when it can't be read. Call from: setup. */
bool machine_line(char *line, size_t size, const char *root, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * What follows `key` on the first line of a file that begins with it, without the blanks and colon between; false,
 * and "", when there is none. Call from: setup.
 */
bool machine_field(char *value, size_t size, const char *root, const char *file, const char *key);

/** Whether a list of CPUs as the kernel writes it, "0,2-5", holds one. Text that is no list ends it. Call from: any. */
bool machine_cpu_listed(const char *list, size_t cpu);

#endif
