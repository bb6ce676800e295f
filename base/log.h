#ifndef JOSTLE_LOG_H
#define JOSTLE_LOG_H
/*
 * Messages for the person who started the program, on standard error, which is never waited for: a line that finds no room is
 * lost and counted, and the count is said when there is room again. Any thread may say something but the loop's.
 */

/** "jostle: text". Call from: any but the loop. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** "jostle: warning: text". Call from: any but the loop. */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** "jostle: error: text". Call from: any but the loop. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
