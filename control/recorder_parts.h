#ifndef JOSTLE_RECORDER_PARTS_H
#define JOSTLE_RECORDER_PARTS_H
/*
 * The recorder inside: for recorder.c, recorder_watch.c, recorder_queue.c, recorder_take.c, recorder_thread.c and recorder_segment.c only.
 *
 * Three threads meet here. The loop fills two rings. One other thread fills a queue, under a lock that it shares with the
 * recorder's thread alone. The recorder's thread empties all three into a run file; it alone touches the disk.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/ring.h"
#include "control/instruments.h"
#include "control/recorder.h"
#include "control/run_table.h"
#include "control/run_writer.h"
#include "control/state.h"

/** A program that was handed over, kept as long as rows may be under it. */
struct recorded_program {
	uint64_t id;
	char checksum[HASH_HEX_SIZE];
	unsigned char *content; /* NULL: no protocol */
	size_t size;
	struct plan plan; /* its segments are its own */
	bool in_file;     /* the file under way has it */
};

enum queued_kind { QUEUED_COMMAND, QUEUED_SAMPLE, QUEUED_INSTRUMENT, QUEUED_PROGRAM };

/** Something that the other thread handed over. */
struct queued {
	struct queued *next;
	enum queued_kind kind;
	size_t size; /* bytes that it takes */
	union {
		struct run_command command;
		struct instruments_note note;
		struct recorded_program program;
		uint64_t sample[1]; /* run_sample_size() bytes */
	} is;
};

struct queue {
	struct queued *first, **last;
	size_t n, size; /* items, bytes */
};

struct recorder {
	struct recorder_setup setup;
	struct run_shape shape;
	char run[RUN_ID_SIZE];
	unsigned char *calibration; /* the record's file */
	size_t calibration_size;
	atomic_bool on, closing;

	/* from the loop */
	struct ring rows, events;
	struct tick_record *staging;  /* the loop's: where a row is put together */
	atomic_uint_fast64_t n_rows;  /* handed over */
	atomic_uint_fast64_t current; /* program at the last tick, recorded or not */

	/* from the other thread, and what others may know */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue queue;
	size_t waiting_size;         /* bytes of `waiting`, as of its last change */
	uint64_t dropped[DROPPED_N]; /* commands, samples and programs that the queue had no room for */
	bool failing;
	char text[256], path[1024];
	struct err first_err;
	atomic_uint_fast64_t n_acknowledged, n_lost; /* rows; lost: taken off the ring and never written */

	/* the thread's own */
	pthread_t thread;
	struct run_writer *writer; /* NULL: no file under way */
	uint64_t segment;          /* number of the next file */
	char name[256], previous[256];
	size_t row_size, derived_size, batch_rows, n_batch;
	unsigned char *batch, *derived; /* [batch_rows]: rows as the loop gave them, and as the file has them */
	struct loop_event *event;       /* [RECORDER_EVENTS]: taken off the ring, not yet in a file */
	size_t n_events;
	struct loop_event *limits; /* [n_out]: by which each output's limits were narrowed last; kind 0 for none */
	struct queue waiting;      /* commands and samples, not yet in a file */
	struct recorded_program *program;
	size_t n_programs;
	struct state state;
	uint64_t last_number;       /* of the last row that was written */
	int64_t retry_ns, clock_ns; /* not before; when the clocks are read next */
	size_t n_off;               /* passes in a row that found recording switched off */

	/* recorder_watch()'s own */
	uint64_t told_dropped, rows_then; /* things dropped that a person was told of; rows acknowledged when last looked */
	int64_t moved_ns, told_ns;        /* when that number last changed; when drops were told of */
	bool told_still;
};

#define RECORDER_EVENTS 4096

/** In loop_event.reserved: came while nothing was recorded. */
#define RECORDER_OFF 1

/** Put an item at the end; it is the queue's. Call from: its thread, or under the lock. */
void queue_put(struct queue *queue, struct queued *item);

/** Move all of `from` to the end of `to`. */
void queue_move(struct queue *to, struct queue *from);

/** Free what is in it. */
void queue_clear(struct queue *queue);
void recorded_program_fini(struct recorded_program *program);

/** Take rows, events and the queue as far as there is room. Call from: the recorder's thread. */
void recorder_take(struct recorder *recorder);

/** Remember an event that holds beyond its tick: narrowed limits, which every file states anew. */
void recorder_remember(struct recorder *recorder, const struct loop_event *event);

/** The rows of the batch that are to be written now, and their values derived. */
size_t recorder_derive(struct recorder *recorder, bool keep_last);

/** Forget the programs that were handed over before this one, which is carried out. Call from: the recorder's thread. */
void recorder_forget_programs(struct recorder *recorder, uint64_t current);

/** Begin a file for the batch; end the one under way. Call from: the recorder's thread. */
int recorder_begin(struct recorder *recorder, struct err *err);
int recorder_end(struct recorder *recorder, struct err *err);

/** Write n rows of the batch with everything that happened by then, and acknowledge; on success it is taken out of memory. */
int recorder_write(struct recorder *recorder, size_t n, bool all_events, struct err *err);

/** Rows and other things dropped so far, and in words: "12 ticks, 3 events". */
void recorder_loss_format(const uint64_t dropped[DROPPED_N], char *out, size_t size);

/** Rows and other things dropped so far. Call from: any but the loop. */
void recorder_dropped(struct recorder *recorder, uint64_t dropped[DROPPED_N]);

/** Say that writing fails, or works again (NULL). Call from: the recorder's thread. */
void recorder_tell(struct recorder *recorder, const struct err *err);

/** The thread. */
void *recorder_main(void *recorder);

#endif
