#ifndef JOSTLE_RUN_WORDS_H
#define JOSTLE_RUN_WORDS_H
/*
 * What happened in a loop, in words.
 */
#include <stddef.h>

struct bench;
struct loop_event;

/** An event as a sentence without its full stop: "ARMED to RUNNING". Call from: setup. */
void run_event_words(const struct loop_event *event, const struct bench *bench, char *text, size_t size);

#endif
