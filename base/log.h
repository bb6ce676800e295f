#ifndef JOSTLE_LOG_H
#define JOSTLE_LOG_H
/*
 * Messages for the person who started the program, on standard error. Never from the loop.
 */

/** "jostle: text". Call from: setup. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** "jostle: warning: text". Call from: setup. */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** "jostle: error: text". Call from: setup. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
